import { type Clock, type ProcessReading, readProcess, US_PER_S } from "fleetrig/kernel";

/** How full the memory is. Under `high` somebody should look, under `critical` the broker takes no new clients. */
export type MemoryLevel = "normal" | "high" | "critical";

/** Shares of a limit from which on memory is `high` and `critical`. */
const HIGH = 0.7;
const CRITICAL = 0.85;
/** Memory does not fill faster than this is worth looking at. */
const LOOK_US = US_PER_S / 4;

type Filling = Pick<
  ProcessReading,
  "heapUsedBytes" | "heapLimitBytes" | "residentBytes" | "memoryLimitBytes"
>;

/** The level of a process: of its heap, or of all its memory, whichever is nearer to its limit. */
export function memoryLevelOf(filling: Filling): MemoryLevel {
  const { heapUsedBytes, heapLimitBytes, residentBytes, memoryLimitBytes } = filling;
  const share = Math.max(heapUsedBytes / heapLimitBytes, residentBytes / memoryLimitBytes);
  return share >= CRITICAL ? "critical" : share >= HIGH ? "high" : "normal";
}

/** Looks at the process's memory when asked, but not more often than is worth it. */
export class MemoryWatch {
  private latest: MemoryLevel = "normal";
  private nextLookUs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly read: () => Filling = readProcess,
  ) {}

  get level(): MemoryLevel {
    const nowUs = this.clock.nowUs();
    if (nowUs >= this.nextLookUs) {
      this.latest = memoryLevelOf(this.read());
      this.nextLookUs = nowUs + LOOK_US;
    }
    return this.latest;
  }
}
