import {
  type Clock,
  type EventSink,
  type ExecutionStatus,
  invariant,
  type JobStatus,
  US_PER_MS,
} from "fleetrig/kernel";
import { firstCriterionMet } from "./abort.js";
import { canTransition, type ExecutionActor, isExecuted, isPending } from "./execution-machine.js";
import { type Job, JobExecution, type JobMember } from "./job.js";
import type { JobEvents } from "./job-events.js";
import { windowState } from "./maintenance-window.js";
import type { JobStore } from "./job-store.js";
import type { JobNotifications } from "./notifications.js";
import type { PendingExecutions } from "./pending.js";
import { retryCriterion } from "./retry.js";
import { isDue, paceAt, ratePerMinute, spend, startPace, untilDueUs } from "./rollout.js";
import type { JobsSettings } from "./settings.js";
import { setStepTimer, startTimers, timeoutDueUs } from "./timers.js";

export interface JobEngineParts {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly settings: JobsSettings;
  readonly store: JobStore;
  readonly pending: PendingExecutions;
  readonly notifications: JobNotifications;
  readonly jobEvents: JobEvents;
}

/** What a status change says besides the status. */
export interface ExecutionChange {
  readonly actor: ExecutionActor;
  /** Undefined leaves them as they are. */
  readonly statusDetails?: Readonly<Record<string, string>> | undefined;
  readonly stepTimeoutInMinutes?: number | undefined;
}

export interface CancelReason {
  readonly force: boolean;
  readonly reasonCode?: string | undefined;
  readonly comment?: string | undefined;
}

/** Attempts of one thing that stay readable; things that keep rejoining a group would grow without end. */
const MAX_EARLIER_EXECUTIONS = 20;

/**
 * What happens to jobs and executions, whoever asked: rollout, transitions, timeouts, retries, abort, completion.
 * Nothing here scans executions except ending a job; everything else is a counter or one thing's list.
 * Callers flush the notifications when their operation is over; timers do so themselves.
 */
export class JobEngine {
  private queued = 0;
  private armed = 0;

  constructor(private readonly parts: JobEngineParts) {}

  /** Begins to roll out, or goes on when the plan has changed or members were added. */
  rollOut(job: Job): void {
    const { clock, store } = this.parts;
    store.jobChanged(job);
    if (!job.isRollingOut) {
      job.rolloutTimer?.cancel();
      job.rolloutTimer = undefined;
      return;
    }
    if (this.isPaused(job)) {
      this.resumeLater(job);
      return;
    }
    const nowUs = clock.nowUs();
    for (;;) {
      const rate = this.rate(job);
      job.pace = job.pace === undefined ? startPace(rate, nowUs) : paceAt(job.pace, nowUs, rate);
      if (!isDue(job.pace)) break;
      job.pace = spend(job.pace);
      this.queueExecution(this.nextWaiting(job));
    }
    job.rolloutTimer?.cancel();
    job.rolloutTimer = undefined;
    if (!job.isRollingOut) return;
    job.rolloutArmed = this.nextArmed();
    job.rolloutTimer = clock.after(untilDueUs(job.pace), this.onRolloutTick, job);
  }

  /** The job is back from its records: its rollout goes on where it stood. */
  resume(job: Job): void {
    const { clock } = this.parts;
    if (!job.isRollingOut) return;
    if (job.pace === undefined) return this.isPaused(job) ? this.resumeLater(job) : this.rollOut(job);
    const dueUs = job.pace.asOfUs + untilDueUs(job.pace);
    job.rolloutArmed = this.nextArmed();
    job.rolloutTimer = clock.after(dueUs - clock.nowUs(), this.onRolloutTick, job);
  }

  /** An execution is back from its records. */
  restored(execution: JobExecution): void {
    this.queued = Math.max(this.queued, execution.ordinal + 1);
    if (isPending(execution.status)) this.parts.pending.add(execution);
  }

  /** Sets the timer of an execution that is back. */
  rearm(execution: JobExecution): void {
    if (isPending(execution.status)) this.setTimeout(execution);
  }

  /** Timers of one instant run in this order, also when a restart has set them anew. */
  nextArmed(): number {
    this.armed += 1;
    return this.armed;
  }

  /** Outside its maintenance windows a job reaches nobody new. */
  isPaused(job: Job): boolean {
    const { windows } = job.spec;
    return windows.length > 0 && !windowState(windows, this.parts.clock.wallMs()).isOpen;
  }

  /** Creates a member's next execution at once, whatever the rate. */
  queueExecution(member: JobMember): void {
    const { clock, events, store, pending, notifications } = this.parts;
    const { job, thing, current } = member;
    if (current === undefined) {
      job.waiting -= 1;
      job.notified += 1;
    } else {
      job.counts[current.status] -= 1;
      member.earlier.push(current);
      if (member.earlier.length > MAX_EARLIER_EXECUTIONS) member.earlier.shift();
    }
    const executionNumber = (current?.executionNumber ?? 0) + 1;
    const execution = new JobExecution(member, {
      executionNumber,
      ordinal: this.queued,
      queuedAtMs: clock.wallMs(),
    });
    this.queued += 1;
    member.current = execution;
    store.memberChanged(member);
    if (current === undefined) store.jobChanged(job);
    job.counts.QUEUED += 1;
    notifications.note(thing, true);
    pending.add(execution);
    this.emitExecution(execution, undefined);
    if (current === undefined)
      events.emit({ type: "job.notified", atUs: clock.nowUs(), jobId: job.spec.jobId, thing });
  }

  /** Moves an execution, which the caller has found to be allowed, and does everything that follows from it. */
  transition(execution: JobExecution, status: ExecutionStatus, change: ExecutionChange): void {
    const { job, status: from } = execution;
    invariant(canTransition(change.actor, from, status), `${change.actor} moved ${from} to ${status}`);
    this.reposition(execution, status);
    job.counts[from] -= 1;
    job.counts[status] += 1;
    execution.versionNumber += 1;
    execution.lastUpdatedAtMs = this.parts.clock.wallMs();
    if (change.statusDetails !== undefined) execution.statusDetails = change.statusDetails;
    this.setTimers(execution, from, change.stepTimeoutInMinutes);
    this.parts.store.memberChanged(execution.member);
    if (from !== status) this.emitExecution(execution, from);
    if (isPending(status)) return;
    this.parts.jobEvents.execution(execution, status.toLowerCase());
    this.afterTerminal(execution);
  }

  /** Ends a job: no more executions; queued ones are cancelled, and with `force` those in progress too. */
  cancel(job: Job, reason: CancelReason): void {
    const wasCanceled = job.status === "CANCELED";
    this.closeRollout(job);
    job.reasonCode = reason.reasonCode ?? job.reasonCode;
    job.comment = reason.comment ?? job.comment;
    job.forceCanceled ||= reason.force;
    if (!wasCanceled) {
      this.parts.jobEvents.job(job, "cancellation_in_progress");
      this.setStatus(job, "CANCELED");
    }
    for (const { current } of job.members.values()) {
      if (current === undefined || !isPending(current.status)) continue;
      if (current.status === "IN_PROGRESS" && !reason.force) continue;
      current.forceCanceled = current.status === "IN_PROGRESS";
      this.transition(current, "CANCELED", { actor: "service" });
    }
    if (!wasCanceled) this.parts.jobEvents.job(job, "canceled");
  }

  /** No member that waits will get an execution any more, and nothing is retried. */
  closeRollout(job: Job): void {
    job.isRolloutClosed = true;
    this.halt(job);
    this.parts.store.jobChanged(job);
  }

  /** Cancels the job's own timers: nothing happens by itself any more. */
  halt(job: Job): void {
    job.rolloutTimer?.cancel();
    job.rolloutTimer = undefined;
    for (const timer of job.scheduleTimers) timer.cancel();
    job.scheduleTimers = [];
  }

  setStatus(job: Job, status: JobStatus): void {
    const { clock, events, store } = this.parts;
    store.jobChanged(job);
    job.status = status;
    job.lastUpdatedAtMs = clock.wallMs();
    if (job.isFinished) job.completedAtMs = job.lastUpdatedAtMs;
    const { reasonCode } = job;
    events.emit({
      type: "job.status",
      atUs: clock.nowUs(),
      jobId: job.spec.jobId,
      status,
      ...(reasonCode === undefined ? {} : { reasonCode }),
    });
  }

  /** A SNAPSHOT job is complete when nobody waits and nothing is pending; a CONTINUOUS one only after its end. */
  completeIfDone(job: Job): void {
    if (job.status !== "IN_PROGRESS" || job.pending > 0) return;
    if (!job.isRolloutClosed && (job.waiting > 0 || job.spec.targetSelection === "CONTINUOUS")) return;
    this.closeRollout(job);
    this.setStatus(job, "COMPLETED");
    this.parts.jobEvents.job(job, "completed");
  }

  /** Takes an execution away from its thing without a status change: it is being deleted. */
  discard(execution: JobExecution): void {
    if (isPending(execution.status)) {
      this.parts.notifications.note(execution.thing, true);
      this.parts.pending.remove(execution);
      execution.timeout?.cancel();
    }
    this.parts.jobEvents.execution(execution, "deleted");
  }

  private resumeLater(job: Job): void {
    const { clock } = this.parts;
    const nowMs = clock.wallMs();
    const { untilMs } = windowState(job.spec.windows, nowMs);
    job.pace = undefined;
    job.rolloutTimer?.cancel();
    job.rolloutTimer = undefined;
    if (untilMs === undefined) return;
    job.rolloutArmed = this.nextArmed();
    job.rolloutTimer = clock.after((untilMs - nowMs) * US_PER_MS, this.onRolloutTick, job);
  }

  private rate(job: Job): number {
    return ratePerMinute(job.spec.rollout, { notified: job.notified, succeeded: job.counts.SUCCEEDED });
  }

  /** Members that left while they waited, or got their execution out of turn, are skipped. */
  private nextWaiting(job: Job): JobMember {
    for (;;) {
      const member = job.queue[job.nextMember];
      invariant(member !== undefined, `job ${job.spec.jobId} lost a waiting member`);
      job.nextMember += 1;
      if (member.current === undefined && job.members.get(member.thing) === member) return member;
    }
  }

  private readonly onRolloutTick = (job: Job): void => {
    this.rollOut(job);
    this.parts.notifications.flush();
  };

  private readonly onTimeout = (execution: JobExecution): void => {
    this.transition(execution, "TIMED_OUT", { actor: "service" });
    this.parts.notifications.flush();
  };

  private reposition(execution: JobExecution, status: ExecutionStatus): void {
    const { pending, notifications } = this.parts;
    if (status === execution.status) return;
    notifications.note(execution.thing, !isPending(status));
    execution.status = status;
    if (isPending(status)) pending.reorder(execution);
    else pending.remove(execution);
  }

  private setTimers(execution: JobExecution, from: ExecutionStatus, stepMinutes: number | undefined): void {
    const { clock } = this.parts;
    const nowUs = clock.nowUs();
    if (from === "QUEUED" && execution.status === "IN_PROGRESS") {
      execution.startedAtMs = execution.lastUpdatedAtMs;
      execution.timers = startTimers(execution.job.spec.inProgressMinutes, nowUs);
    }
    if (stepMinutes !== undefined) execution.timers = setStepTimer(execution.timers, stepMinutes, nowUs);
    this.setTimeout(execution);
  }

  private setTimeout(execution: JobExecution): void {
    const { clock } = this.parts;
    const nowUs = clock.nowUs();
    const dueUs = isPending(execution.status) ? timeoutDueUs(execution.timers) : undefined;
    if (execution.timeout?.dueUs === dueUs) return;
    execution.timeout?.cancel();
    execution.timeout = undefined;
    if (dueUs === undefined) return;
    execution.timeoutArmed = this.nextArmed();
    execution.timeout = clock.after(dueUs - nowUs, this.onTimeout, execution);
  }

  /** Abort is judged before the retry, while the failed thing still counts as failed; an abort drops the retry. */
  private afterTerminal(execution: JobExecution): void {
    const { job, member, status } = execution;
    if (job.status !== "IN_PROGRESS") return;
    if (isExecuted(status) && this.abortIfMet(job)) return;
    const criterion = job.isRolloutClosed
      ? undefined
      : retryCriterion(job.spec.retry, member.retriesUsed, status);
    if (criterion !== undefined) {
      member.retriesUsed[criterion] = (member.retriesUsed[criterion] ?? 0) + 1;
      this.queueExecution(member);
      return;
    }
    if (status === "SUCCEEDED" && job.isRollingOut && job.pace?.ratePerMinute !== this.rate(job))
      this.rollOut(job);
    this.completeIfDone(job);
  }

  private abortIfMet(job: Job): boolean {
    const { clock, events, settings } = this.parts;
    const verdict = firstCriterionMet(job.spec.abort, job.abortCounters(), settings.abortDenominator);
    if (verdict === undefined) return false;
    const { criterion, failed, executed } = verdict;
    events.emit({
      type: "job.aborted",
      atUs: clock.nowUs(),
      jobId: job.spec.jobId,
      criterion,
      failed,
      executed,
    });
    const { failureType, thresholdPercentage } = job.spec.abort[criterion]!;
    this.cancel(job, {
      reasonCode: "ABORT_CRITERIA_MET",
      comment: `Abort criterion ${criterion} (${failureType} >= ${thresholdPercentage} %) met by ${failed} failures of ${executed} executed things.`,
      force: false,
    });
    return true;
  }

  private emitExecution(execution: JobExecution, from: ExecutionStatus | undefined): void {
    this.parts.events.emit({
      type: "job.execution",
      atUs: this.parts.clock.nowUs(),
      jobId: execution.job.spec.jobId,
      thing: execution.thing,
      executionNumber: execution.executionNumber,
      from,
      status: execution.status,
      statusDetails: execution.statusDetails,
    });
  }
}
