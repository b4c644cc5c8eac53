import type { Clock, RandomSource } from "fleetrig/kernel";
import { Artifacts, type ArtifactSettings } from "./artifacts/index.js";
import {
  type DocumentFetcher,
  DocumentSources,
  JobOrders,
  JobsService,
  type JobsServiceOptions,
  JobTemplates,
} from "./jobs/index.js";
import type { ApplicationMessage } from "./message.js";
import type { Routing } from "./message-bus.js";
import type { ReservedTopic } from "fleetrig/protocol";
import type { RecordBook } from "./records/index.js";
import type { Tags } from "./registry/index.js";
import { StreamDelivery, Streams } from "./streams/index.js";

/** What device management has for choices; everything has a default. */
export interface DeviceManagementSettings {
  readonly artifacts?: ArtifactSettings;
  /** Reads job documents from HTTP servers. Default: only artifacts can be sources. */
  readonly documents?: DocumentFetcher;
}

export interface DeviceManagementOptions extends DeviceManagementSettings {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly records: RecordBook;
  readonly tags: Tags;
  readonly jobs: Omit<JobsServiceOptions, "clock" | "presign" | "records">;
}

/** What AWS calls device management: jobs with their templates, and the files that they are about. */
export class DeviceManagement {
  readonly artifacts: Artifacts;
  readonly jobs: JobsService;
  readonly jobTemplates: JobTemplates;
  /** Jobs as the API orders them: with documents from elsewhere and templates. */
  readonly jobOrders: JobOrders;
  readonly streams: Streams;
  private readonly streamDelivery: StreamDelivery;

  constructor({ clock, random, records, tags, ...options }: DeviceManagementOptions) {
    const artifacts = new Artifacts({ ...options.artifacts, clock, random: random.stream("artifacts") });
    this.artifacts = artifacts;
    this.jobs = new JobsService({
      ...options.jobs,
      clock,
      records,
      presign: (url, expiresInS) => {
        const name = artifacts.locate(url);
        return name === undefined ? undefined : artifacts.presign(name, expiresInS);
      },
    });
    this.jobTemplates = new JobTemplates({ clock, records });
    this.jobOrders = new JobOrders({
      jobs: this.jobs,
      templates: this.jobTemplates,
      sources: new DocumentSources({
        artifacts,
        ...(options.documents !== undefined && { fetcher: options.documents }),
      }),
    });
    this.streams = new Streams({ clock, records });
    this.streamDelivery = new StreamDelivery({
      bus: options.jobs.bus,
      streams: this.streams,
      artifacts: artifacts.store,
    });
    tags.taggable("stream", (streamId) => this.streams.find(streamId) !== undefined);
    tags.taggable("job", (jobId) => this.jobs.has(jobId));
    tags.taggable("jobtemplate", (id) => this.jobTemplates.has(id));
  }

  /** A publish on a reserved topic of commands or streams. */
  handle(message: ApplicationMessage, topic: ReservedTopic): Routing {
    return topic.service === "streams" ? this.streamDelivery.handle(message) : "broker";
  }

  stop(): void {
    this.jobs.stop();
  }
}
