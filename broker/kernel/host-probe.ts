import { cpus, platform, release } from "node:os";
import { type EventLoopUtilization, PerformanceObserver, performance } from "node:perf_hooks";
import { hostNowUs, hostWallMs } from "./real-time.js";

/** What the machine did while a run took place; goes into the environment block and the trust verdict. */
export interface HostReading {
  readonly startedAt: string;
  readonly wallMs: number;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly rssBytesMax: number;
  /** Share of the time the event loop was busy, 0 to 1. */
  readonly eventLoopUtilisation: number;
  readonly gcPauseMsMax: number;
}

/** Watches this process from construction until `stop()`. Reads only; holds no handle after `stop()`. */
export class HostProbe {
  private readonly startUs = hostNowUs();
  private readonly startWallMs = hostWallMs();
  private readonly startUtilisation: EventLoopUtilization = performance.eventLoopUtilization();
  private readonly observer: PerformanceObserver;
  private gcPauseMsMax = 0;
  private rssBytesMax = process.memoryUsage.rss();

  constructor() {
    this.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.gcPauseMsMax = Math.max(this.gcPauseMsMax, entry.duration);
    });
    this.observer.observe({ entryTypes: ["gc"] });
  }

  /** Resident set now, in bytes; also remembered for the maximum. */
  sampleRss(): number {
    const rss = process.memoryUsage.rss();
    this.rssBytesMax = Math.max(this.rssBytesMax, rss);
    return rss;
  }

  utilisation(): number {
    return performance.eventLoopUtilization(this.startUtilisation).utilization;
  }

  stop(): HostReading {
    this.sampleRss();
    this.observer.disconnect();
    const [firstCpu] = cpus();
    return {
      startedAt: new Date(this.startWallMs).toISOString(),
      wallMs: Math.round((hostNowUs() - this.startUs) / 1000),
      node: process.version,
      platform: `${platform()} ${release()}`,
      cpu: firstCpu?.model ?? "unknown",
      cores: cpus().length,
      rssBytesMax: this.rssBytesMax,
      eventLoopUtilisation: Number(this.utilisation().toFixed(3)),
      gcPauseMsMax: Number(this.gcPauseMsMax.toFixed(2)),
    };
  }
}
