import type { Clock } from "fleetrig/kernel";

/**
 * Restarts that somebody asked for. A reset over EN looks like power on every ESP32, so what was expected is for us to know, not for
 * the reason that the chip tells.
 */
export class ExpectedResets {
  private untilUs = -1;
  private resetAtUs: number | undefined;
  private crashUntilUs = -1;

  constructor(private readonly clock: Clock) {}

  /** A restart may come within that time. */
  expect(withinUs: number): void {
    this.untilUs = Math.max(this.untilUs, this.clock.nowUs() + withinUs);
  }

  /** The firmware is told to fail: a panic may come within that time, and a restart after it. At 0 none may. */
  expectCrash(withinUs: number): void {
    this.crashUntilUs = withinUs === 0 ? -1 : this.clock.nowUs() + withinUs;
  }

  /** The reset begins, or power is switched on, now. */
  resetNow(): void {
    this.resetAtUs = this.clock.nowUs();
  }

  get isExpected(): boolean {
    return this.clock.nowUs() <= Math.max(this.untilUs, this.crashUntilUs);
  }

  get isCrashExpected(): boolean {
    return this.clock.nowUs() <= this.crashUntilUs;
  }

  /** The board has started. @returns when it was reset, where that is known. */
  started(): number | undefined {
    const { resetAtUs } = this;
    this.untilUs = -1;
    this.crashUntilUs = -1;
    this.resetAtUs = undefined;
    return resetAtUs;
  }
}
