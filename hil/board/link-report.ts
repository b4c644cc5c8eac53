import type { Clock, EventSink, Timer } from "fleetrig/kernel";
import type { BoardLink } from "../link/board-link.js";

const EVERY_US = 5_000_000;

/** Tells now and then how well the clocks are fitted, and what went wrong on the link since the time before. */
export class LinkReport {
  private timer: Timer | undefined;
  private retransmissions = 0;
  private badFrames = 0;

  constructor(
    private readonly link: BoardLink,
    private readonly options: { readonly thing: string; readonly clock: Clock; readonly events: EventSink },
  ) {}

  /** The clocks are fitted. */
  resume(): void {
    if (this.timer !== undefined) return;
    this.tell();
    this.timer = this.options.clock.after(EVERY_US, () => {
      this.tell();
      this.timer?.again(EVERY_US);
    });
  }

  /** There is no session: its clock is fitted anew with the next. */
  pause(): void {
    if (this.timer === undefined) return;
    this.timer.cancel();
    this.timer = undefined;
    this.tell();
  }

  stop(): void {
    this.pause();
  }

  private tell(): void {
    const { clock, events, thing } = this.options;
    const { fit, counters } = this.link;
    const atUs = clock.nowUs();
    if (fit.isReady) {
      const { uncertaintyUs, skewPpm } = fit;
      events.emit({ type: "board.clock", atUs, thing, uncertaintyUs: Math.ceil(uncertaintyUs), skewPpm });
    }
    const retransmissions = counters.repeatedByTimeout + counters.repeatedByAck - this.retransmissions;
    const badFrames = counters.badFrames + counters.cutFrames + counters.longFrames - this.badFrames;
    if (retransmissions === 0 && badFrames === 0) return;
    this.retransmissions += retransmissions;
    this.badFrames += badFrames;
    events.emit({ type: "board.link", atUs, thing, retransmissions, badFrames, droppedLogs: 0 });
  }
}
