import type { BrokerCore } from "./core.js";

/**
 * How full the memory is, as whoever can measure it tells. Under `high` those whose messages pile up are read from
 * less; under `critical` nobody new comes in and no queue grows.
 */
export type MemoryLevel = "normal" | "high" | "critical";

/** Under `critical` a client counts as slow much sooner: its output is memory, too. */
const CRITICAL_OUTPUT_SHARE = 1 / 16;

/** What the memory level means for the parts of the broker. */
export class MemoryPressure {
  /** Output waiting in a link beyond which its client counts as slow. */
  bufferedBytesMax: number;
  private current: MemoryLevel = "normal";

  constructor(private readonly core: BrokerCore) {
    this.bufferedBytesMax = core.limits.bufferedBytesPerConnection;
  }

  get level(): MemoryLevel {
    return this.current;
  }

  get isCritical(): boolean {
    return this.current === "critical";
  }

  set(level: MemoryLevel): void {
    if (level === this.current) return;
    this.current = level;
    const { limits, events, clock, credits } = this.core;
    this.bufferedBytesMax = limits.bufferedBytesPerConnection * (this.isCritical ? CRITICAL_OUTPUT_SHARE : 1);
    events.emit({ type: "broker.memory", atUs: clock.nowUs(), level });
    credits.levelChanged();
  }
}
