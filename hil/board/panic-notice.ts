import type { Clock, Timer } from "fleetrig/kernel";
import type { PanicReport } from "../log/index.js";

/** A panic is told within 100 ms of its first byte; until then its dump may still be coming. */
const PATIENCE_US = 80_000;

/**
 * Tells of each panic when all of it was printed, or when it is time; then what was printed later is told as its rest.
 */
export class PanicNotice {
  private waiting: { readonly timer: Timer; readonly report: PanicReport } | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly tell: (report: PanicReport) => void,
    private readonly tellRest: (report: PanicReport) => void,
  ) {}

  panicked(report: PanicReport): void {
    this.settle();
    const leftUs = report.atUs + PATIENCE_US - this.clock.nowUs();
    this.waiting = { report, timer: this.clock.after(leftUs, () => this.settle()) };
  }

  panicEnded(report: PanicReport): void {
    if (this.waiting === undefined) {
      this.tellRest(report);
      return;
    }
    this.waiting.timer.cancel();
    this.waiting = undefined;
    this.tell(report);
  }

  private settle(): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    this.waiting = undefined;
    waiting.timer.cancel();
    this.tell(waiting.report);
  }
}
