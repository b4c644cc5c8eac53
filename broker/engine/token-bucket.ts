import { type Clock, US_PER_S } from "fleetrig/kernel";

/** Lets `ratePerS` things per second pass, and up to one second's worth at once. */
export class TokenBucket {
  private tokens: number;
  private updatedAtUs: number;

  constructor(
    private readonly clock: Clock,
    private readonly ratePerS: number,
  ) {
    this.tokens = Math.max(1, ratePerS);
    this.updatedAtUs = clock.nowUs();
  }

  /** @returns undefined for a rate of 0, which means no limit. */
  static for(clock: Clock, ratePerS: number): TokenBucket | undefined {
    return ratePerS > 0 ? new TokenBucket(clock, ratePerS) : undefined;
  }

  /** Takes a token if there is one. */
  take(): boolean {
    this.refill();
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Takes as many tokens as something cost that has happened already: what is missing is a debt. */
  spend(count: number): void {
    this.refill();
    this.tokens -= count;
  }

  /** Microseconds until nothing is owed any more; 0 when nothing is. */
  debtUs(): number {
    if (this.tokens >= 0) return 0;
    this.refill();
    return this.tokens >= 0 ? 0 : Math.ceil((-this.tokens / this.ratePerS) * US_PER_S);
  }

  /** Microseconds until the next token; 0 when there is one. */
  waitUs(): number {
    this.refill();
    return this.tokens >= 1 ? 0 : Math.ceil(((1 - this.tokens) / this.ratePerS) * US_PER_S);
  }

  private refill(): void {
    const nowUs = this.clock.nowUs();
    const gained = ((nowUs - this.updatedAtUs) / US_PER_S) * this.ratePerS;
    // Rounding up by a hair: a timer of waitUs() must find its token.
    this.tokens = Math.min(Math.max(1, this.ratePerS), this.tokens + gained + 1e-9);
    this.updatedAtUs = nowUs;
  }
}
