import type { Clock, RandomSource } from "fleetrig/kernel";
import type { Account } from "./account.js";
import { Artifacts, type ArtifactSettings } from "./artifacts/index.js";
import { CommandExecutions, Commands, type CommandSettings } from "./commands/index.js";
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
import { OtaUpdates } from "./ota/index.js";
import type { RecordBook } from "./records/index.js";
import type { Tags } from "./registry/index.js";
import { StreamDelivery, Streams } from "./streams/index.js";

/** What device management has for choices; everything has a default. */
export interface DeviceManagementSettings {
  readonly artifacts?: ArtifactSettings;
  /** Limits of commands. */
  readonly commands?: Partial<CommandSettings>;
  /** Reads job documents from HTTP servers. Default: only artifacts can be sources. */
  readonly documents?: DocumentFetcher;
}

export interface DeviceManagementOptions extends DeviceManagementSettings {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly records: RecordBook;
  readonly account: Account;
  readonly hasThing: (thingName: string) => boolean;
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
  readonly commands: Commands;
  /** Of commands. */
  readonly executions: CommandExecutions;
  readonly streams: Streams;
  readonly otaUpdates: OtaUpdates;
  private readonly streamDelivery: StreamDelivery;

  constructor({ clock, random, records, account, tags, ...options }: DeviceManagementOptions) {
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
    this.commands = new Commands({
      clock,
      records,
      onGone: (commandId) => tags.forget("command", commandId),
    });
    this.executions = new CommandExecutions({
      clock,
      bus: options.jobs.bus,
      records,
      account,
      // Another stream for every start, so that ids do not repeat after a restart with the same seed.
      random: random.stream(`command-executions/${clock.wallMs()}`),
      commands: this.commands,
      hasThing: options.hasThing,
      ...(options.commands !== undefined && { settings: options.commands }),
    });
    this.streams = new Streams({ clock, records });
    this.streamDelivery = new StreamDelivery({
      bus: options.jobs.bus,
      streams: this.streams,
      artifacts: artifacts.store,
    });
    this.otaUpdates = new OtaUpdates({
      clock,
      records,
      jobs: this.jobs,
      streams: this.streams,
      artifacts: artifacts.store,
    });
    tags.taggable("otaupdate", (id) => this.otaUpdates.find(id) !== undefined);
    tags.taggable("stream", (streamId) => this.streams.find(streamId) !== undefined);
    tags.taggable("command", (commandId) => this.commands.find(commandId) !== undefined);
    tags.taggable("job", (jobId) => this.jobs.has(jobId));
    tags.taggable("jobtemplate", (id) => this.jobTemplates.has(id));
  }

  /** A publish on a reserved topic of commands or streams. */
  handle(message: ApplicationMessage, topic: ReservedTopic): Routing {
    if (topic.service === "streams") return this.streamDelivery.handle(message);
    return topic.service === "commands" ? this.executions.handle(message) : "broker";
  }

  stop(): void {
    this.jobs.stop();
    this.commands.stop();
    this.executions.stop();
  }
}
