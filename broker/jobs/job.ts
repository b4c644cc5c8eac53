import type { ExecutionStatus, JobStatus, JsonObject, Timer } from "fleetrig/kernel";
import type { AbortCounters, AbortCriterion } from "./abort.js";
import type { CreateJobRequest, EndBehavior, RolloutConfig, TargetSelection } from "./job-request.js";
import { readWindow, type WindowSchedule } from "./maintenance-window.js";
import type { RetryCriterion } from "./retry.js";
import type { Pace, RolloutPlan } from "./rollout.js";
import { parseUtcTime } from "./schedule.js";
import { noTimers, type ExecutionTimers } from "./timers.js";
import { readDocument } from "./validate.js";

/**
 * A job, the things it is for (its *members*), and their executions.
 * A member *waits* until the rollout reaches it; then it has a current execution, and maybe earlier ones
 * that ended and were retried. Every member is counted exactly once: as waiting or by the status of its current
 * execution.
 */
export class Job {
  status: JobStatus;
  /** Why it was cancelled; set together with CANCELED. */
  reasonCode: string | undefined;
  comment: string | undefined;
  forceCanceled = false;
  lastUpdatedAtMs: number;
  completedAtMs: number | undefined;

  /** Members by thing, in rollout order. */
  readonly members = new Map<string, JobMember>();
  /** Members in rollout order; those before `nextMember` are no longer waiting. */
  readonly queue: JobMember[] = [];
  nextMember = 0;
  /** No more executions, although members may be waiting: cancelled, or past its end time. */
  isRolloutClosed = false;
  pace: Pace | undefined;
  rolloutTimer: Timer | undefined;
  /** Position of the rollout's timer among all timers that jobs ever set: those of one instant run in this order. */
  rolloutArmed = 0;
  scheduleTimers: Timer[] = [];
  scheduleArmed = 0;

  readonly counts: Record<ExecutionStatus, number> = {
    QUEUED: 0,
    IN_PROGRESS: 0,
    SUCCEEDED: 0,
    FAILED: 0,
    TIMED_OUT: 0,
    REJECTED: 0,
    REMOVED: 0,
    CANCELED: 0,
  };
  waiting = 0;
  /** Members that ever got an execution. */
  notified = 0;

  constructor(
    public spec: JobSpec,
    readonly createdAtMs: number,
    /** Position among all jobs ever created. */
    readonly ordinal: number,
  ) {
    this.lastUpdatedAtMs = createdAtMs;
    this.status = spec.startMs === undefined ? "IN_PROGRESS" : "SCHEDULED";
  }

  /** Pending executions: QUEUED and IN_PROGRESS. */
  get pending(): number {
    return this.counts.QUEUED + this.counts.IN_PROGRESS;
  }

  /** Still has members to reach. */
  get isRollingOut(): boolean {
    return this.status === "IN_PROGRESS" && !this.isRolloutClosed && this.waiting > 0;
  }

  get isFinished(): boolean {
    return this.status === "COMPLETED" || this.status === "CANCELED";
  }

  abortCounters(): AbortCounters {
    const { FAILED, REJECTED, TIMED_OUT, SUCCEEDED } = this.counts;
    return { FAILED, REJECTED, TIMED_OUT, SUCCEEDED, notified: this.notified };
  }
}

/** One thing a job is for. */
export class JobMember {
  current: JobExecution | undefined;
  /** Executions that ended before the current one, oldest first. */
  earlier: JobExecution[] = [];
  /** Retries used, by retry criterion. */
  retriesUsed: number[] = [];
  /** Groups of the job's targets that contain it, plus one when it is a target itself. */
  reasons = 1;
  /** Set by the store, which knows the jobs. */
  job!: Job;

  constructor(
    readonly thing: string,
    /** Position among all members of all jobs: the order of rollouts, and of what a thing has to do. */
    readonly ordinal: number,
  ) {}

  /** The execution with that number, or the current one. */
  execution(executionNumber?: number): JobExecution | undefined {
    if (executionNumber === undefined || this.current?.executionNumber === executionNumber)
      return this.current;
    return this.earlier.find((execution) => execution.executionNumber === executionNumber);
  }
}

const NO_DETAILS: Readonly<Record<string, string>> = Object.freeze({});

/** One attempt of one thing. Times are wall-clock milliseconds. */
export class JobExecution {
  status: ExecutionStatus = "QUEUED";
  statusDetails: Readonly<Record<string, string>> = NO_DETAILS;
  startedAtMs: number | undefined;
  lastUpdatedAtMs: number;
  versionNumber = 1;
  forceCanceled = false;
  timers: ExecutionTimers = noTimers;
  timeout: Timer | undefined;
  timeoutArmed = 0;
  readonly executionNumber: number;
  /** Position among all executions ever queued: orders those of one instant. */
  readonly ordinal: number;
  readonly queuedAtMs: number;

  constructor(
    readonly member: JobMember,
    queued: { readonly executionNumber: number; readonly ordinal: number; readonly queuedAtMs: number },
  ) {
    this.executionNumber = queued.executionNumber;
    this.ordinal = queued.ordinal;
    this.queuedAtMs = queued.queuedAtMs;
    this.lastUpdatedAtMs = queued.queuedAtMs;
  }

  get job(): Job {
    return this.member.job;
  }

  get thing(): string {
    return this.member.thing;
  }
}

/** A validated request with its defaults filled in. */
export interface JobSpec {
  readonly request: CreateJobRequest;
  readonly jobId: string;
  readonly targetSelection: TargetSelection;
  readonly document: JsonObject;
  readonly documentText: string;
  readonly rollout: RolloutPlan;
  readonly abort: readonly AbortCriterion[];
  readonly retry: readonly RetryCriterion[];
  readonly inProgressMinutes: number | undefined;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly endBehavior: EndBehavior;
  /** Empty when the rollout may go on at any time. */
  readonly windows: readonly WindowSchedule[];
}

/** AWS: rollout rate and its cap when a job names none. */
const DEFAULT_MAXIMUM_PER_MINUTE = 1_000;

/** Reads a request that `checkCreateJob` has accepted. */
export function jobSpec(request: CreateJobRequest): JobSpec {
  const { value, text } = readDocument(request.document)!;
  const schedule = request.schedulingConfig;
  return {
    request,
    jobId: request.jobId,
    targetSelection: request.targetSelection ?? "SNAPSHOT",
    document: value,
    documentText: text,
    rollout: rolloutPlan(request.jobExecutionsRolloutConfig),
    abort: request.abortConfig?.criteriaList ?? [],
    retry: request.jobExecutionsRetryConfig?.criteriaList ?? [],
    inProgressMinutes: request.timeoutConfig?.inProgressTimeoutInMinutes,
    startMs: schedule?.startTime === undefined ? undefined : parseUtcTime(schedule.startTime),
    endMs: schedule?.endTime === undefined ? undefined : parseUtcTime(schedule.endTime),
    endBehavior: schedule?.endBehavior ?? "STOP_ROLLOUT",
    windows: (schedule?.maintenanceWindows ?? []).flatMap((window) => readWindow(window) ?? []),
  };
}

/** The rates of a validated rollout configuration. */
export function rolloutPlan(config: RolloutConfig | undefined): RolloutPlan {
  const maximumPerMinute = config?.maximumPerMinute ?? DEFAULT_MAXIMUM_PER_MINUTE;
  const rate = config?.exponentialRate;
  if (rate === undefined) return { maximumPerMinute, exponential: undefined };
  const { numberOfNotifiedThings, numberOfSucceededThings } = rate.rateIncreaseCriteria;
  return {
    maximumPerMinute,
    exponential: {
      baseRatePerMinute: rate.baseRatePerMinute,
      incrementFactor: rate.incrementFactor,
      counter: numberOfNotifiedThings === undefined ? "succeeded" : "notified",
      threshold: numberOfNotifiedThings ?? numberOfSucceededThings ?? 1,
    },
  };
}
