import type { Clock, JsonObject } from "fleetrig/kernel";
import { eventsTopic } from "fleetrig/protocol";
import { epochSeconds } from "./execution-view.js";
import type { Job, JobExecution } from "./job.js";
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

/**
 * Job and execution events for back ends (REF §4). One payload mixes units as AWS's does: `timestamp` in
 * seconds, the job's own times in milliseconds.
 */
export class JobEvents {
  private noted = 0;

  constructor(
    private readonly notifications: JobNotifications,
    private readonly clock: Clock,
    private readonly settings: JobsSettings,
    private readonly configurations?: JobEventConfigurations,
  ) {}

  job(job: Job, operation: JobOperation): void {
    if (!this.settings.jobEvents && !this.configurations?.isEnabled("JOB")) return;
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
    if (!this.settings.jobExecutionEvents && !this.configurations?.isEnabled("JOB_EXECUTION")) return;
    const { jobId } = execution.job.spec;
    this.note(eventsTopic("jobExecution", jobId, operation), "JOB_EXECUTION", operation, () => ({
      jobId,
      thingArn: thingArn(execution.thing, this.settings.arnPrefix),
      status: execution.status,
      statusDetails: execution.statusDetails,
    }));
  }

  private note(topic: string, eventType: string, operation: string, body: () => JsonObject): void {
    this.noted += 1;
    const eventId = `00000000-0000-4000-8000-${this.noted.toString(16).padStart(12, "0")}`;
    const timestamp = epochSeconds(this.clock.wallMs());
    this.notifications.noteEvent(topic, () => ({ eventType, eventId, timestamp, operation, ...body() }));
  }
}
