import { LANE, VirtualTime } from "fleetrig/kernel";
import { BoardLog, type BootReport, type LogLine, type PanicReport } from "../../../hil/log/index.js";

/** A board's log with everything that it tells, in virtual time. */
export class BoardRig {
  readonly lines: LogLine[] = [];
  readonly paused: LogLine[] = [];
  readonly boots: BootReport[] = [];
  readonly panics: PanicReport[] = [];
  readonly ended: PanicReport[] = [];
  readonly log: BoardLog;

  constructor(
    readonly time = new VirtualTime(),
    historyLines = 2000,
  ) {
    this.log = new BoardLog({
      clock: time.lane(LANE.firstDevice),
      historyLines,
      handlers: {
        line: (line) => this.lines.push(line),
        paused: (line) => this.paused.push(line),
        booted: (report) => this.boots.push(report),
        panicked: (report) => this.panics.push(report),
        panicEnded: (report) => this.ended.push(report),
      },
    });
  }

  /** @param atUs When it comes; default: now. */
  say(text: string | Uint8Array, atUs = this.time.nowUs()): void {
    this.time.runUntil(atUs);
    this.log.received(typeof text === "string" ? Buffer.from(text, "utf8") : text, atUs);
  }
}
