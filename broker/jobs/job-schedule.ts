import { type Clock, US_PER_MS } from "fleetrig/kernel";
import type { Job } from "./job.js";
import type { JobEngine } from "./job-engine.js";
import type { WallTime } from "./job-records.js";
import type { JobStore } from "./job-store.js";
import type { JobNotifications } from "./notifications.js";

export interface JobScheduleParts {
  readonly clock: Clock;
  readonly time: WallTime;
  readonly store: JobStore;
  readonly engine: JobEngine;
  readonly notifications: JobNotifications;
}

/** When jobs begin and end by themselves, and how everything goes on after a restart. */
export class JobSchedule {
  constructor(private readonly parts: JobScheduleParts) {}

  /** Sets the timers of a job's start and end. */
  arm(job: Job): void {
    const { clock, time, engine } = this.parts;
    const { startMs, endMs } = job.spec;
    const delayUs = (atMs: number): number => time.toClock(atMs * US_PER_MS) - clock.nowUs();
    job.scheduleArmed = engine.nextArmed();
    if (startMs !== undefined && job.status === "SCHEDULED")
      job.scheduleTimers.push(clock.after(delayUs(startMs), this.onStart, job));
    if (endMs !== undefined) job.scheduleTimers.push(clock.after(delayUs(endMs), this.onEnd, job));
  }

  begin(job: Job): void {
    const { engine } = this.parts;
    engine.rollOut(job);
    engine.completeIfDone(job);
  }

  /**
   * All records are back: whatever was under way goes on. Timers that fell due in between run at once, and those of
   * one instant in the order in which they were set.
   */
  restore(): void {
    const { store, engine } = this.parts;
    store.restored();
    const timers: { readonly armed: number; readonly arm: () => void }[] = [];
    for (const job of store.all()) {
      for (const { current } of job.members.values()) {
        if (current === undefined) continue;
        engine.restored(current);
        timers.push({ armed: current.timeoutArmed, arm: () => engine.rearm(current) });
      }
      if (!job.isFinished && !job.isRolloutClosed)
        timers.push({ armed: job.scheduleArmed, arm: () => this.arm(job) });
      timers.push({ armed: job.rolloutArmed, arm: () => engine.resume(job) });
    }
    timers.sort((a, b) => a.armed - b.armed);
    for (const { arm } of timers) arm();
  }

  private readonly onStart = (job: Job): void => {
    this.parts.engine.setStatus(job, "IN_PROGRESS");
    this.begin(job);
    this.parts.notifications.flush();
  };

  /** AWS: endBehavior. STOP_ROLLOUT lets everything that has begun run to its end. */
  private readonly onEnd = (job: Job): void => {
    const { engine, notifications } = this.parts;
    if (job.spec.endBehavior === "STOP_ROLLOUT") {
      engine.closeRollout(job);
      engine.completeIfDone(job);
    } else {
      const force = job.spec.endBehavior === "FORCE_CANCEL";
      engine.cancel(job, { force, comment: "The job reached its end time." });
    }
    notifications.flush();
  };
}
