import type { Clock, Timer } from "fleetrig/kernel";

/**
 * One moment at which something is to happen, moved far more often than it comes: moving it to a later time costs nothing, because the
 * timer that is set already looks again when it fires.
 */
export class Deadline {
  private dueUs = Number.POSITIVE_INFINITY;
  private timer: Timer | undefined;
  private timerDueUs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    /** @param lateUs How long ago it was: more than a little when the process was held up. */
    private readonly reached: (lateUs: number) => void,
  ) {}

  get isSet(): boolean {
    return this.dueUs !== Number.POSITIVE_INFINITY;
  }

  /** Replaces the moment that was set before. */
  set(delayUs: number): void {
    const nowUs = this.clock.nowUs();
    this.dueUs = nowUs + Math.max(0, Math.round(delayUs));
    if (this.timerDueUs <= this.dueUs) return;
    this.arm(this.dueUs - nowUs);
  }

  clear(): void {
    this.dueUs = Number.POSITIVE_INFINITY;
  }

  /** As `clear`, and leaves no timer behind. */
  stop(): void {
    this.clear();
    this.timer?.cancel();
    this.timerDueUs = Number.POSITIVE_INFINITY;
  }

  private arm(delayUs: number): void {
    this.timerDueUs = this.dueUs;
    if (this.timer === undefined) this.timer = this.clock.after(delayUs, this.fired);
    else this.timer.again(delayUs);
  }

  private readonly fired = (): void => {
    this.timerDueUs = Number.POSITIVE_INFINITY;
    if (!this.isSet) return;
    const leftUs = this.dueUs - this.clock.nowUs();
    if (leftUs > 0) {
      this.arm(leftUs);
      return;
    }
    this.clear();
    this.reached(-leftUs);
  };
}
