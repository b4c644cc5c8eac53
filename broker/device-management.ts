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
import type { RecordBook } from "./records/index.js";
import type { Tags } from "./registry/index.js";

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
        artifactText: (url, maxBytes) => artifacts.text(url, maxBytes),
        ...(options.documents !== undefined && { fetcher: options.documents }),
      }),
    });
    tags.taggable("job", (jobId) => this.jobs.has(jobId));
    tags.taggable("jobtemplate", (id) => this.jobTemplates.has(id));
  }

  stop(): void {
    this.jobs.stop();
  }
}
