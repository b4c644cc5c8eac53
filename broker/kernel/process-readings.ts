import { randomBytes } from "node:crypto";
import { totalmem } from "node:os";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** What this process takes of its machine at the moment, for those who watch it. */
export interface ProcessReading {
  readonly pid: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** What the heap may grow to before V8 gives up. */
  readonly heapLimitBytes: number;
  /** What the machine or its container lets the process have. */
  readonly memoryLimitBytes: number;
  /** Buffers and other memory outside the heap. */
  readonly externalBytes: number;
  readonly cpuSeconds: number;
}

const MEMORY_LIMIT_BYTES = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

/** Reads the process; costs some 20 µs, so not for hot paths. */
export function readProcess(): ProcessReading {
  const memory = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    pid: process.pid,
    residentBytes: memory.rss,
    heapUsedBytes: memory.heapUsed,
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    externalBytes: memory.external,
    cpuSeconds: (user + system) / 1e6,
  };
}

/** How late the event loop's timers were, in seconds, over the window that was read. */
export interface LoopDelayReading {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

const RESOLUTION_MS = 20;
const NS_PER_S = 1e9;
const NONE: LoopDelayReading = { p50: 0, p90: 0, p99: 0, max: 0 };

/** Watches the event loop from construction until `stop`; costs one wake-up every 20 ms. */
export class LoopDelayProbe {
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private latest = NONE;

  constructor() {
    this.histogram.enable();
  }

  /** Figures of the last complete window; of the current one while there is no other. */
  get reading(): LoopDelayReading {
    return this.latest === NONE ? this.current() : this.latest;
  }

  /** Closes the window and opens the next. */
  rotate(): void {
    this.latest = this.current();
    this.histogram.reset();
  }

  stop(): void {
    this.histogram.disable();
  }

  private current(): LoopDelayReading {
    // The histogram counts the interval itself; what is left is the delay.
    const late = (ns: number): number => Math.max(0, ns / NS_PER_S - RESOLUTION_MS / 1000);
    const { histogram } = this;
    if (histogram.max === 0) return NONE;
    return {
      p50: late(histogram.percentile(50)),
      p90: late(histogram.percentile(90)),
      p99: late(histogram.percentile(99)),
      max: late(histogram.max),
    };
  }
}

/** Milliseconds since 1970 of an ISO 8601 time such as `2026-01-31T12:00:00Z`; undefined for anything else. */
export function parseIsoTime(text: string): number | undefined {
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) && text.length <= 40 ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Wall-clock milliseconds as `2026-01-31T12:00:00.000Z`. */
export const formatWallTime = (wallMs: number): string => new Date(wallMs).toISOString();

/** Milliseconds since 1970 of a time as OpenSSL writes it, `Jan  1 00:00:00 2026 GMT`; NaN for anything else. */
export const parseGmtTime = (text: string): number =>
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT$/.test(text) ? Date.parse(text) : Number.NaN;

/** A secret nobody can guess, as text that fits URLs and headers. Never part of a simulation. */
export const hostSecret = (): string => randomBytes(24).toString("base64url");
