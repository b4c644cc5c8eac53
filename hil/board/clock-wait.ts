import type { Clock, Timer } from "fleetrig/kernel";
import type { ClockFit } from "../link/clock-fit.js";

/** Fitted well enough to plan by: what is planned by a clock that is half a second off is off as much. */
const FITTED_US = 5_000;
const LOOK_US = 10_000;
/** After these a bad fit is better than none. */
const LOOKS_MAX = 60;

/** Waits until a board's clock is known. */
export class ClockWait {
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly fit: ClockFit,
    private readonly fitted: () => void,
  ) {}

  start(): void {
    this.stop();
    this.look(LOOKS_MAX);
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private look(looksLeft: number): void {
    if (this.fit.uncertaintyUs <= FITTED_US || looksLeft === 0) this.fitted();
    else this.timer = this.clock.after(LOOK_US, () => this.look(looksLeft - 1));
  }
}
