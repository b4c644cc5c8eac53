import type { Clock, Timer } from "./clock.js";
import { TimerEntry, type TimerHeap, type TimerLane } from "./timer-heap.js";

/** What a time source lends to its lanes. */
export interface LaneHost {
  readonly heap: TimerHeap;
  nowUs(): number;
  wallMs(): number;
  /** Called after a timer was added, so that a real-time source can re-arm its wake-up. */
  scheduled(dueUs: number): void;
}

/** The clock of one lane: numbers its timers, so that ties do not depend on who was created first. */
export class LaneClock implements Clock, TimerLane {
  private sequence = 0;

  constructor(
    private readonly host: LaneHost,
    readonly ordinal: number,
  ) {}

  get heap(): TimerHeap {
    return this.host.heap;
  }

  nowUs(): number {
    return this.host.nowUs();
  }

  wallMs(): number {
    return this.host.wallMs();
  }

  after<T>(delayUs: number, task: (arg: T) => void, arg?: T): Timer {
    const entry = new TimerEntry(this, task as (arg: unknown) => void, arg);
    this.schedule(entry, delayUs);
    return entry;
  }

  schedule(entry: TimerEntry, delayUs: number): void {
    const { host } = this;
    const dueUs = host.nowUs() + (delayUs > 0 ? Math.round(delayUs) : 0);
    entry.dueUs = dueUs;
    host.heap.push(entry, this.ordinal, this.sequence++);
    host.scheduled(dueUs);
  }
}
