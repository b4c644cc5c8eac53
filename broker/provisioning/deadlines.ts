import { type Clock, type Timer, US_PER_MS } from "fleetrig/kernel";
import type { RecordTable } from "../records/index.js";

/** A row that is good until then, in milliseconds since 1970. */
export interface Expiring {
  readonly expiresAtMs: number;
}

/**
 * Rows of a table that end by themselves, with one timer for all of them. All live equally long, so that the oldest row is
 * the first to end; after a restart `rearm` puts them into that order.
 */
export class Deadlines<Row extends Expiring> {
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly table: RecordTable<Row>,
    private readonly expired: (key: string, row: Row) => void,
  ) {}

  set(key: string, row: Row): void {
    this.table.set(key, row);
    if (this.timer === undefined) this.arm();
  }

  rearm(): void {
    this.table.sort((a, b) => a.expiresAtMs - b.expiresAtMs);
    this.timer?.cancel();
    this.arm();
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private arm(): void {
    const [next] = this.table.values();
    if (next === undefined) return this.stop();
    const delayUs = Math.max(0, next.expiresAtMs - this.clock.wallMs()) * US_PER_MS;
    this.timer = this.clock.after(delayUs, () => this.sweep());
  }

  private sweep(): void {
    const nowMs = this.clock.wallMs();
    for (const [key, row] of this.table.entries()) {
      if (row.expiresAtMs > nowMs) break;
      this.table.delete(key);
      this.expired(key, row);
    }
    this.arm();
  }
}
