import { type Timer, US_PER_S } from "fleetrig/kernel";
import type { Connection } from "./connection.js";
import { ENDING } from "./ending.js";
import { TokenBucket } from "./token-bucket.js";

/** A client that is this far ahead of its bytes per second cannot be held back, and is disconnected. */
const LONGEST_WAIT_US = 10 * US_PER_S;

/**
 * What one client may send per second where the excess waits instead of being lost: the client is not read from until
 * it is within its rates again. What had been read by then is still taken.
 */
export class IntakePace {
  private timer: Timer | undefined;

  private constructor(
    private readonly connection: Connection,
    private readonly publishes: TokenBucket | undefined,
    private readonly bytes: TokenBucket | undefined,
  ) {}

  /** @returns undefined where no limit asks for one. */
  static for(connection: Connection): IntakePace | undefined {
    const { clock, limits } = connection.core;
    const { publishRatePerConnection, publishRateMode, bytesPerSecondPerConnection } = limits;
    const isDelayed = publishRateMode === "delay" && connection.link.pauseReading !== undefined;
    const publishes = isDelayed ? TokenBucket.for(clock, publishRatePerConnection) : undefined;
    const bytes = TokenBucket.for(clock, bytesPerSecondPerConnection);
    if (publishes === undefined && bytes === undefined) return undefined;
    return new IntakePace(connection, publishes, bytes);
  }

  /** Otherwise publishes above the rate are lost. */
  get delaysPublishes(): boolean {
    return this.publishes !== undefined;
  }

  /** Counts a packet that has come. @returns false when that was the end of the connection. */
  take(isPublish: boolean, wireBytes: number): boolean {
    this.bytes?.spend(wireBytes);
    if (isPublish) this.publishes?.spend(1);
    const waitUs = this.waitUs();
    if (waitUs > 0 && this.timer === undefined && this.connection.hold("rate")) this.arm(waitUs);
    if (this.bytes === undefined || this.bytes.debtUs() <= LONGEST_WAIT_US) return true;
    this.connection.end(ENDING.throttled);
    return false;
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private waitUs(): number {
    return Math.max(this.publishes?.debtUs() ?? 0, this.bytes?.debtUs() ?? 0);
  }

  private arm(waitUs: number): void {
    this.timer = this.connection.core.clock.after(waitUs, IntakePace.waited, this);
  }

  private static waited(this: void, pace: IntakePace): void {
    pace.timer = undefined;
    const waitUs = pace.waitUs();
    if (waitUs > 0) pace.arm(waitUs);
    else pace.connection.unhold("rate");
  }
}
