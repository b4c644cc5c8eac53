import { type Clock, US_PER_MINUTE } from "fleetrig/kernel";

/** The spans over which loads are averaged, in minutes. */
export const LOAD_MINUTES = [1, 5, 15] as const;

/** A counter's growth per minute, averaged over the last 1, 5 and 15 minutes; recent minutes weigh more. */
export class LoadAverage {
  /** Per minute, in the order of `LOAD_MINUTES`. */
  readonly perMinute: number[] = LOAD_MINUTES.map(() => 0);
  private count = 0;
  private atUs: number;

  constructor(private readonly clock: Clock) {
    this.atUs = clock.nowUs();
  }

  /** To be told now and then, at any interval. */
  sample(count: number): void {
    const nowUs = this.clock.nowUs();
    const passedMinutes = (nowUs - this.atUs) / US_PER_MINUTE;
    if (passedMinutes <= 0) return;
    const rate = (count - this.count) / passedMinutes;
    LOAD_MINUTES.forEach((minutes, index) => {
      const kept = Math.exp(-passedMinutes / minutes);
      this.perMinute[index] = rate + kept * (this.perMinute[index]! - rate);
    });
    this.count = count;
    this.atUs = nowUs;
  }
}
