import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import type { AcceptRate } from "./listener-options.js";

/** Addresses remembered; an attacker with more of them than this gets the memory of the oldest. */
const MAX_ADDRESSES = 65_536;

interface Bucket {
  tokens: number;
  updatedAtUs: number;
}

/** New sockets per second, by remote address. An address that has been quiet long enough costs nothing. */
export class AcceptRates {
  private readonly buckets = new Map<string, Bucket>();
  private readonly burst: number;
  private readonly perSecond: number;
  private sweeping: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    { perSecond, burst = Math.max(1, perSecond) }: AcceptRate,
  ) {
    this.perSecond = perSecond;
    this.burst = burst;
  }

  /** @returns false when this address has had its share. */
  admits(address: string): boolean {
    const nowUs = this.clock.nowUs();
    const bucket = this.buckets.get(address) ?? this.remember(address, nowUs);
    const gained = ((nowUs - bucket.updatedAtUs) / US_PER_S) * this.perSecond;
    bucket.tokens = Math.min(this.burst, bucket.tokens + gained);
    bucket.updatedAtUs = nowUs;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  stop(): void {
    this.sweeping?.cancel();
    this.buckets.clear();
  }

  private remember(address: string, nowUs: number): Bucket {
    if (this.buckets.size >= MAX_ADDRESSES) {
      const [oldest] = this.buckets.keys();
      if (oldest !== undefined) this.buckets.delete(oldest);
    }
    const bucket = { tokens: this.burst, updatedAtUs: nowUs };
    this.buckets.set(address, bucket);
    this.sweeping ??= this.clock.after(this.fillUs, () => this.forgetFull());
    return bucket;
  }

  /** Time in which an empty bucket becomes a full one, which is as good as none. */
  private get fillUs(): number {
    return Math.ceil((this.burst / this.perSecond) * US_PER_S);
  }

  private forgetFull(): void {
    const beforeUs = this.clock.nowUs() - this.fillUs;
    for (const [address, bucket] of this.buckets)
      if (bucket.updatedAtUs <= beforeUs) this.buckets.delete(address);
    this.sweeping =
      this.buckets.size === 0 ? undefined : this.clock.after(this.fillUs, () => this.forgetFull());
  }
}
