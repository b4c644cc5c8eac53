import {
  type Clock,
  type ProcessReading,
  readProcess,
  type Service,
  type Timer,
  US_PER_S,
} from "fleetrig/kernel";
import type { MemoryLevel } from "../engine/index.js";

/** How much of the memory that may be used is in use, 0 to 1. */
export type MemoryGauge = () => number;

/** Shares from which on memory is `high` and `critical`. */
const HIGH = 0.7;
const CRITICAL = 0.85;
/** A level ends this far below where it began, lest it come and go with every collection of garbage. */
const HYSTERESIS = 0.05;
const SAMPLE_US = US_PER_S / 10;

type Filling = Pick<
  ProcessReading,
  "heapUsedBytes" | "heapLimitBytes" | "residentBytes" | "memoryLimitBytes"
>;

/** Of the heap, or of all memory of the process, whichever is nearer to its limit. */
export function memoryShareOf(filling: Filling): number {
  const { heapUsedBytes, heapLimitBytes, residentBytes, memoryLimitBytes } = filling;
  return Math.max(heapUsedBytes / heapLimitBytes, residentBytes / memoryLimitBytes);
}

/** The level at this share, coming from the level before. */
export function memoryLevelAt(share: number, before: MemoryLevel): MemoryLevel {
  const critical = CRITICAL - (before === "critical" ? HYSTERESIS : 0);
  const high = HIGH - (before === "normal" ? 0 : HYSTERESIS);
  return share >= critical ? "critical" : share >= high ? "high" : "normal";
}

/** Looks at the memory ten times a second and tells when its level changes; one look costs some 20 µs. */
export class MemoryWatch implements Service {
  private level: MemoryLevel = "normal";
  private readonly timer: Timer;

  constructor(
    clock: Clock,
    private readonly changed: (level: MemoryLevel) => void,
    private readonly gauge: MemoryGauge = () => memoryShareOf(readProcess()),
  ) {
    const timer = clock.after(SAMPLE_US, () => {
      this.look();
      timer.again(SAMPLE_US);
    });
    this.timer = timer;
  }

  stop(): Promise<void> {
    this.timer.cancel();
    return Promise.resolve();
  }

  private look(): void {
    const level = memoryLevelAt(this.gauge(), this.level);
    if (level === this.level) return;
    this.level = level;
    this.changed(level);
  }
}
