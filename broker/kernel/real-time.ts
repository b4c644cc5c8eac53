import type { Clock, TimeSource } from "./clock.js";
import { LaneClock, type LaneHost } from "./lane-clock.js";
import { TimerHeap } from "./timer-heap.js";

// Taken when the module loads: a virtual run bans the globals, the host's own time stays readable.
const hostPerformanceNow = performance.now.bind(performance);
const hostHrtime = process.hrtime.bigint.bind(process.hrtime);
const hostDateNow = Date.now.bind(Date);
const hostSetTimeout = setTimeout;
const hostClearTimeout = clearTimeout;
const hostSetImmediate = setImmediate;
const hostClearImmediate = clearImmediate;

/** Monotonic microseconds of this host, for measuring the harness itself. Never part of a simulation. */
export const hostNowUs = (): number => Math.floor(hostPerformanceNow() * 1000);

/** Microseconds of the machine's monotonic clock, the same for all its processes: for stamps that cross from one to another. */
export const hostMonotonicUs = (): number => Number(hostHrtime() / 1000n);

/** Wall-clock milliseconds of this host, for the environment block of a report. */
export const hostWallMs = (): number => hostDateNow();

/** Gives the event loop one full turn: sockets, signals and timers of the host get their chance. */
export const hostYield = (): Promise<void> => new Promise((resolve) => hostSetImmediate(resolve));

/** Runs `task` once the sockets of this turn of the event loop have been dealt with. For shells; never part of a simulation. */
export const atHostTurnEnd = (task: () => void): void => void hostSetImmediate(task);

/** Longest stretch of timers run without letting sockets have their turn. */
const SLICE_US = 5_000;

/** Time of the machine. All lanes share one heap and one host timer. */
export class RealTime implements TimeSource, LaneHost {
  readonly heap = new TimerHeap();
  private readonly startUs = hostNowUs();
  private wake: { atUs: number; cancel: () => void } | undefined;
  private running = false;
  private stopped = false;

  /** @param failed Told what a task threw. Without it the error is the process's to handle. */
  constructor(private readonly failed?: (error: unknown) => void) {}

  nowUs(): number {
    return hostNowUs() - this.startUs;
  }

  wallMs(): number {
    return hostDateNow();
  }

  lane(ordinal: number): Clock {
    return new LaneClock(this, ordinal);
  }

  /** Forgets every timer and releases the host timer; later timers are ignored. */
  stop(): void {
    this.stopped = true;
    this.heap.clear();
    this.wake?.cancel();
    this.wake = undefined;
  }

  scheduled(dueUs: number): void {
    if (this.running || this.stopped) return;
    if (this.wake !== undefined && this.wake.atUs <= dueUs) return;
    this.arm();
  }

  private arm(): void {
    this.wake?.cancel();
    this.wake = undefined;
    const dueUs = this.heap.nextDueUs();
    if (this.stopped || dueUs === Number.POSITIVE_INFINITY) return;
    const delayUs = dueUs - this.nowUs();
    if (delayUs <= 0) {
      const handle = hostSetImmediate(() => this.run());
      this.wake = { atUs: dueUs, cancel: () => hostClearImmediate(handle) };
      return;
    }
    // Node clamps longer timers to 1 ms; waking up early to re-arm is harmless.
    const delayMs = Math.min(Math.ceil(delayUs / 1000), 2 ** 31 - 1);
    const handle = hostSetTimeout(() => this.run(), delayMs);
    this.wake = { atUs: dueUs, cancel: () => hostClearTimeout(handle) };
  }

  private run(): void {
    this.wake = undefined;
    this.running = true;
    const sliceEndUs = this.nowUs() + SLICE_US;
    try {
      for (let now = this.nowUs(); now < sliceEndUs && !this.stopped; now = this.nowUs()) {
        const entry = this.heap.popDue(now);
        if (entry === undefined) break;
        entry.run();
      }
    } catch (error) {
      if (this.failed === undefined) throw error;
      this.failed(error);
    } finally {
      this.running = false;
      this.arm();
    }
  }
}
