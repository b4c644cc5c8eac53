import type { Clock, EventSink, Timer } from "fleetrig/kernel";
import type { BoardLink } from "../link/board-link.js";
import { BoardStatsReader } from "./board-stats.js";

const EVERY_US = 5_000_000;
/** A board on a quiet link is asked for its counters only at every so many looks. */
const ASK_EVERY = 6;

/**
 * Tells now and then how well the clocks are fitted, and what went wrong on the link since the time before: at the host's end, and at
 * the board's, which is asked soon after the session began, after trouble on the link, every half a minute and at the end of the run.
 */
export class LinkReport {
  private timer: Timer | undefined;
  private looks = 0;
  private retransmissions = 0;
  private badFrames = 0;
  private readonly stats: BoardStatsReader;

  constructor(
    private readonly link: BoardLink,
    private readonly options: { readonly thing: string; readonly clock: Clock; readonly events: EventSink },
  ) {
    this.stats = new BoardStatsReader(link);
  }

  /** The clocks are fitted. */
  resume(isNewStart: boolean): void {
    if (isNewStart) this.stats.restarted();
    if (this.timer !== undefined) return;
    this.looks = 0;
    this.tell();
    this.timer = this.options.clock.after(EVERY_US, () => {
      this.look();
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

  /** Hears a last time what the board counts, within a second. */
  async settle(): Promise<void> {
    if (this.timer === undefined) return;
    this.tell();
    await this.ask();
  }

  private look(): void {
    const wasTrouble = this.tell();
    if (wasTrouble || this.looks % ASK_EVERY === 0) void this.ask();
    this.looks += 1;
  }

  private async ask(): Promise<void> {
    const stats = await this.stats.read();
    if (stats === undefined) return;
    const { clock, events, thing } = this.options;
    const { droppedLogs, droppedEvents, heapFreeBytes, longestLoopUs } = stats;
    const atUs = clock.nowUs();
    events.emit({ type: "board.stats", atUs, thing, heapFreeBytes, longestLoopUs });
    if (droppedLogs + droppedEvents === 0) return;
    const common = { type: "board.link", atUs, thing, retransmissions: 0, badFrames: 0 } as const;
    events.emit({ ...common, droppedLogs, droppedEvents });
  }

  /** @returns whether something went wrong at this end. */
  private tell(): boolean {
    const { clock, events, thing } = this.options;
    const { fit, counters } = this.link;
    const atUs = clock.nowUs();
    if (fit.isReady) {
      const { uncertaintyUs, skewPpm } = fit;
      events.emit({ type: "board.clock", atUs, thing, uncertaintyUs: Math.ceil(uncertaintyUs), skewPpm });
    }
    const retransmissions = counters.repeatedByTimeout + counters.repeatedByAck - this.retransmissions;
    const badFrames = counters.badFrames + counters.cutFrames + counters.longFrames - this.badFrames;
    if (retransmissions === 0 && badFrames === 0) return false;
    this.retransmissions += retransmissions;
    this.badFrames += badFrames;
    const common = { type: "board.link", atUs, thing, retransmissions, badFrames } as const;
    events.emit({ ...common, droppedLogs: 0, droppedEvents: 0 });
    return true;
  }
}
