import type { Clock, Timer } from "./clock.js";
import { TimerEntry, type TimerHeap } from "./timer-heap.js";

/** What a time source lends to its lanes. */
export interface LaneHost {
  readonly heap: TimerHeap;
  nowUs(): number;
  wallMs(): number;
  /** Called after a timer was added, so that a real-time source can re-arm its wake-up. */
  scheduled(dueUs: number): void;
}

/** The clock of one lane: numbers its timers, so that ties do not depend on who was created first. */
export class LaneClock implements Clock {
  private sequence = 0;

  constructor(
    private readonly host: LaneHost,
    private readonly ordinal: number,
  ) {}

  nowUs(): number {
    return this.host.nowUs();
  }

  wallMs(): number {
    return this.host.wallMs();
  }

  after<T>(delayUs: number, task: (arg: T) => void, arg?: T): Timer {
    const delay = delayUs > 0 ? Math.round(delayUs) : 0;
    const entry = new TimerEntry(
      this.host.nowUs() + delay,
      this.ordinal,
      this.sequence++,
      task as (arg: unknown) => void,
      arg,
      this.host.heap,
    );
    this.host.heap.push(entry);
    this.host.scheduled(entry.dueUs);
    return entry;
  }
}
