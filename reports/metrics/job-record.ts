import type { ExecutionStatus, JobStatus, JsonObject, JsonValue, RunEvent } from "fleetrig/kernel";
import { isJsonObject } from "fleetrig/kernel";

/**
 * What happened to one job. *Notified*: the thing was offered the job or left QUEUED for it. *Executed*: it
 * reached SUCCEEDED, FAILED, TIMED_OUT or REJECTED. *Failed*: it is in one of the last three now.
 */
const FAILED: readonly ExecutionStatus[] = ["FAILED", "TIMED_OUT", "REJECTED"];
const EXECUTED: readonly ExecutionStatus[] = ["SUCCEEDED", ...FAILED];
/** Statuses that show a thing has taken the job up; a queued execution can be cancelled or removed unseen. */
const TAKEN_UP: readonly ExecutionStatus[] = ["IN_PROGRESS", ...EXECUTED];

interface Criterion {
  readonly failures: readonly ExecutionStatus[];
  readonly threshold: number;
  readonly minExecuted: number;
}

export interface JobAbort {
  readonly atUs: number;
  readonly criterion: number;
  readonly failed: number;
  readonly executed: number;
  readonly inProgress: number;
}

export interface StatusChange {
  readonly atUs: number;
  readonly from: ExecutionStatus | undefined;
  readonly to: ExecutionStatus;
}

export class JobRecord {
  readonly jobId: string;
  readonly createdUs: number;
  readonly targets: number;
  readonly document: JsonObject;
  readonly rollout: JsonObject;
  readonly criteria: readonly Criterion[];
  status: JobStatus = "SCHEDULED";
  abort: JobAbort | undefined;
  firstFailureUs: number | undefined;
  /** When an abort criterion was first true on the executions themselves. */
  criterionMetUs: number | undefined;
  cancelledQueued = 0;
  cancelledInProgress = 0;
  notifiedAfterAbort = 0;
  readonly changes: StatusChange[] = [];
  /** When each thing was first notified, in order. */
  readonly notifiedUs: number[] = [];
  readonly notified = new Set<string>();
  readonly executed = new Set<string>();
  private readonly statusByThing = new Map<string, ExecutionStatus>();
  private readonly countByStatus = new Map<ExecutionStatus, number>();

  constructor(event: Extract<RunEvent, { type: "job.created" }>) {
    this.jobId = event.jobId;
    this.createdUs = event.atUs;
    this.targets = event.targets;
    this.document = event.document;
    this.rollout = event.rollout;
    const list = event.abort["criteriaList"];
    this.criteria = Array.isArray(list) ? list.map((item: JsonValue) => criterionOf(item)) : [];
  }

  notify(thing: string, atUs: number): void {
    if (this.notified.has(thing)) return;
    this.notified.add(thing);
    this.notifiedUs.push(atUs);
    if (this.abort !== undefined) this.notifiedAfterAbort += 1;
  }

  execution({ thing, status, from, atUs }: Extract<RunEvent, { type: "job.execution" }>): void {
    const before = this.statusByThing.get(thing);
    if (before !== undefined) this.countByStatus.set(before, this.count(before) - 1);
    this.statusByThing.set(thing, status);
    this.countByStatus.set(status, this.count(status) + 1);
    this.changes.push({ atUs, from: before, to: status });
    if (TAKEN_UP.includes(status)) this.notify(thing, atUs);
    if (EXECUTED.includes(status)) this.executed.add(thing);
    if (FAILED.includes(status)) this.firstFailureUs ??= atUs;
    if (status === "CANCELED" && from === "QUEUED") this.cancelledQueued += 1;
    if (status === "CANCELED" && from === "IN_PROGRESS") this.cancelledInProgress += 1;
    if (EXECUTED.includes(status) && this.isAnyCriterionMet()) this.criterionMetUs ??= atUs;
  }

  aborted(event: Extract<RunEvent, { type: "job.aborted" }>): void {
    const { atUs, criterion, failed, executed } = event;
    this.abort ??= { atUs, criterion, failed, executed, inProgress: this.count("IN_PROGRESS") };
  }

  /** Things in a status now. */
  count(status: ExecutionStatus): number {
    return this.countByStatus.get(status) ?? 0;
  }

  get failed(): number {
    return this.sum(FAILED);
  }

  private sum(statuses: readonly ExecutionStatus[]): number {
    return statuses.reduce((sum, status) => sum + this.count(status), 0);
  }

  private isAnyCriterionMet(): boolean {
    const executed = this.sum(EXECUTED);
    return this.criteria.some(
      ({ failures, threshold, minExecuted }) =>
        executed >= minExecuted && this.sum(failures) * 100 >= threshold * executed,
    );
  }
}

/** AWS: one entry of abortConfig.criteriaList. */
function criterionOf(item: JsonValue): Criterion {
  const { failureType, thresholdPercentage, minNumberOfExecutedThings } = isJsonObject(item) ? item : {};
  return {
    failures: FAILED.filter((status) => failureType === "ALL" || failureType === status),
    threshold: typeof thresholdPercentage === "number" ? thresholdPercentage : Number.POSITIVE_INFINITY,
    minExecuted: typeof minNumberOfExecutedThings === "number" ? minNumberOfExecutedThings : 1,
  };
}
