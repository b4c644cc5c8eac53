import type { Clock, TimeSource } from "./clock.js";
import { LaneClock, type LaneHost } from "./lane-clock.js";
import { TimerHeap } from "./timer-heap.js";

/** Wall time at which virtual runs begin. Not 1970, so that code which treats 0 as "unset" shows itself. */
export const VIRTUAL_EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * Discrete-event time: nothing passes except by running the next timer.
 * The virtual world is synchronous; a task must not await, since promises settle outside this order.
 */
export class VirtualTime implements TimeSource, LaneHost {
  readonly heap = new TimerHeap();
  private currentUs = 0;
  private eventsRun = 0;
  private isHalted = false;

  constructor(private readonly epochMs: number = VIRTUAL_EPOCH_MS) {}

  nowUs(): number {
    return this.currentUs;
  }

  wallMs(): number {
    return this.epochMs + Math.floor(this.currentUs / 1000);
  }

  /** Timers run so far. */
  get events(): number {
    return this.eventsRun;
  }

  lane(ordinal: number): Clock {
    return new LaneClock(this, ordinal);
  }

  scheduled(): void {
    // Nothing to arm: time moves only in runUntil().
  }

  /** Ends `runUntil` after the timer that is running; nothing runs any more. */
  halt(): void {
    this.isHalted = true;
  }

  /**
   * Runs timers in order until none is due at or before `untilUs`, or `maxEvents` have run.
   * @returns true when it is finished and the time shown is `untilUs`.
   */
  runUntil(untilUs: number, maxEvents: number = Number.POSITIVE_INFINITY): boolean {
    for (let count = 0; count < maxEvents; count += 1) {
      if (this.isHalted) return true;
      const entry = this.heap.popDue(untilUs);
      if (entry === undefined) {
        if (untilUs > this.currentUs && Number.isFinite(untilUs)) this.currentUs = untilUs;
        return true;
      }
      this.currentUs = entry.dueUs;
      this.eventsRun += 1;
      entry.run();
    }
    return false;
  }

  /** Moves time on by `durationUs`, running everything that falls due. */
  advance(durationUs: number): void {
    this.runUntil(this.currentUs + durationUs);
  }
}
