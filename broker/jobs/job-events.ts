import type { Clock, JsonObject } from "fleetrig/kernel";
import { eventsTopic } from "fleetrig/protocol";
import { epochSeconds } from "./execution-view.js";
import type { Job, JobExecution } from "./job.js";
import type { JobStore } from "./job-store.js";
import { processDetails } from "./job-view.js";
import type { JobNotifications } from "./notifications.js";
import type { JobsSettings } from "./settings.js";
import { targetArn, thingArn } from "./targets.js";

export type JobOperation =
  | "completed"
  | "canceled"
  | "deleted"
  | "cancellation_in_progress"
  | "deletion_in_progress";

/** Which events the account has switched on; the settings can switch them on as well. */
export interface JobEventConfigurations {
  isEnabled(type: "JOB" | "JOB_EXECUTION"): boolean;
}

export interface JobEventParts {
  readonly notifications: JobNotifications;
  readonly clock: Clock;
  readonly settings: JobsSettings;
  readonly store: Pick<JobStore, "nextEventNumber">;
  readonly configurations?: JobEventConfigurations;
}

/**
 * Job and execution events for back ends (REF §4). One payload mixes units as AWS's does: `timestamp` in
 * seconds, the job's own times in milliseconds.
 */
export class JobEvents {
  private readonly settings: JobsSettings;

  constructor(private readonly parts: JobEventParts) {
    this.settings = parts.settings;
  }

  job(job: Job, operation: JobOperation): void {
    if (!this.settings.jobEvents && !this.parts.configurations?.isEnabled("JOB")) return;
    this.note(eventsTopic("job", job.spec.jobId, operation), "JOB", operation, () => ({
      jobId: job.spec.jobId,
      status: job.status,
      targetSelection: job.spec.targetSelection,
      targets: job.spec.request.targets.map((target) => targetArn(target, this.settings.arnPrefix)),
      ...(job.spec.request.description === undefined ? {} : { description: job.spec.request.description }),
      createdAt: job.createdAtMs,
      lastUpdatedAt: job.lastUpdatedAtMs,
      ...(job.completedAtMs === undefined ? {} : { completedAt: job.completedAtMs }),
      jobProcessDetails: processDetails(job, this.settings.arnPrefix),
    }));
  }

  /** For terminal statuses, and `deleted` for an execution that goes away with its job. */
  execution(execution: JobExecution, operation: string): void {
    if (!this.settings.jobExecutionEvents && !this.parts.configurations?.isEnabled("JOB_EXECUTION")) return;
    const { jobId } = execution.job.spec;
    this.note(eventsTopic("jobExecution", jobId, operation), "JOB_EXECUTION", operation, () => ({
      jobId,
      thingArn: thingArn(execution.thing, this.settings.arnPrefix),
      status: execution.status,
      statusDetails: execution.statusDetails,
    }));
  }

  private note(topic: string, eventType: string, operation: string, body: () => JsonObject): void {
    const number = this.parts.store.nextEventNumber();
    const eventId = `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
    const timestamp = epochSeconds(this.parts.clock.wallMs());
    this.parts.notifications.noteEvent(topic, () => ({
      eventType,
      eventId,
      timestamp,
      operation,
      ...body(),
    }));
  }
}
