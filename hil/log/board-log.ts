import type { Clock } from "fleetrig/kernel";
import { BootLog, type BootMode, type BootReport } from "./boot-log.js";
import { LogHistory } from "./log-history.js";
import type { LogLine } from "./log-line.js";
import { LogWatch } from "./log-watch.js";
import { type PanicReport, PanicWatch } from "./panic.js";
import { resetClassOfName } from "./reset-reason.js";
import { type TextLine, TextLane } from "./text-lane.js";

/** What a board's log tells. Within one line: the line itself first, then a start or panic that it is part of. */
export interface BoardLogHandlers {
  line(line: LogLine): void;
  /** A start; see `BootReport.mode`. */
  booted(report: BootReport): void;
  /** Within 100 ms of the first byte of the panic. */
  panicked(report: PanicReport): void;
  /** The same panic with all that was printed of it. */
  panicEnded(report: PanicReport): void;
  /** A line that stops without an end, such as a prompt. It comes as `line` when it ends. */
  paused?(line: LogLine): void;
}

/** What a hello says of a start that nobody may have seen. */
export interface RestartNotice {
  /** The ROM's word: `POWERON`, `PANIC`. */
  readonly resetReason: string;
  /** What the firmware remembers of its crash. */
  readonly crash?: { readonly kind: string; readonly programCounter?: number };
}

const NO_FACTS = {
  core: undefined,
  registers: {},
  programCounter: undefined,
  backtrace: [],
  elfSha256: undefined,
  source: undefined,
  hasCoreDump: false,
} as const;

/** A board's log: bytes of the text lane in, lines, starts and panics out, and waits for lines. */
export class BoardLog {
  readonly history: LogHistory;
  private readonly lane: TextLane;
  private readonly boots: BootLog;
  private readonly panics: PanicWatch;
  private readonly watches = new Set<LogWatch>();
  private expectedUntilUs = -1;
  /** A panic was told and no start since. */
  private hasPanicked = false;
  private mode: BootMode | undefined;

  /** @param options.historyLines Lines that are kept; default 2000. */
  constructor(
    private readonly options: {
      readonly clock: Clock;
      readonly handlers: BoardLogHandlers;
      readonly historyLines?: number;
    },
  ) {
    const { clock } = options;
    this.history = new LogHistory(options.historyLines);
    this.lane = new TextLane({
      clock,
      line: (line) => this.take(line),
      unfinished: (line, isQuiet) => this.glimpse(line, isQuiet),
    });
    this.boots = new BootLog({ booted: (start) => this.booted({ ...start, isExpected: this.isExpected }) });
    this.panics = new PanicWatch({
      clock,
      handlers: {
        panicked: (report) => this.panicked(report),
        panicEnded: (report) => this.panicEnded(report),
      },
    });
  }

  /** @param atUs When the host had the bytes. */
  received(bytes: Uint8Array, atUs: number): void {
    this.panics.heard();
    this.lane.received(bytes, atUs);
  }

  /** The harness resets the board, makes it crash or sleep: what comes within that time ends no wait. */
  expectRestart(withinUs: number): void {
    this.expectedUntilUs = this.options.clock.nowUs() + withinUs;
  }

  /**
   * A hello with a new boot id. A restart that nobody asked for and that left no panic on the line is a panic of kind
   * `silent-reboot`, unless it was for want of power, from outside or a sleep that is over.
   */
  restarted({ resetReason, crash }: RestartNotice): void {
    this.lane.flush();
    this.panics.ended("restarted");
    const isExplained = this.hasPanicked || this.isExpected;
    this.hasPanicked = false;
    this.expectedUntilUs = -1;
    const resetClass = resetClassOfName(resetReason);
    const isFromOutside = ["power", "host", "sleep"].includes(resetClass) && crash === undefined;
    if (isExplained || isFromOutside) return;
    const programCounter = crash?.programCounter;
    const report: PanicReport = {
      ...NO_FACTS,
      kind: "silent-reboot",
      cause: `Restarted without a word (${resetReason}${crash === undefined ? "" : `, ${crash.kind}`})`,
      programCounter,
      backtrace: programCounter === undefined ? [] : [programCounter],
      atUs: this.options.clock.nowUs(),
      noticedUs: 0,
      end: "restarted",
      lines: [],
    };
    this.interrupt(`panic: ${report.kind}`);
    this.options.handlers.panicked(report);
    this.options.handlers.panicEnded(report);
  }

  /** The port is gone; what was being said is over. */
  detached(): void {
    this.lane.flush();
    this.panics.ended("detached");
    this.interrupt("detached");
  }

  /** A reader with a cursor of its own, from the oldest line that is kept or from now on. */
  watch(from: "start" | "now" = "start"): LogWatch {
    const { clock } = this.options;
    const position = from === "start" ? this.history.start : this.history.end;
    const watch = new LogWatch({ clock, history: this.history, from: position });
    this.watches.add(watch);
    return watch;
  }

  /** The newest lines, oldest first. */
  lastLines(count = 200): LogLine[] {
    return this.history.last(count);
  }

  get isInPanic(): boolean {
    return this.panics.isInPanic;
  }

  /** What the last start that was seen leads to; undefined before one was. */
  get bootMode(): BootMode | undefined {
    return this.mode;
  }

  private get isExpected(): boolean {
    return this.options.clock.nowUs() <= this.expectedUntilUs;
  }

  private take(text: TextLine): void {
    const line = this.history.append(text);
    this.options.handlers.line(line);
    for (const watch of this.watches) watch.heard(line);
    this.panics.line(text.text, text.atUs);
    this.boots.line(text.text, text.resumedUs);
  }

  private glimpse(text: TextLine, isQuiet: boolean): void {
    if (isQuiet) {
      const line = this.history.preview(text);
      this.options.handlers.paused?.(line);
      for (const watch of this.watches) watch.heard(line);
    }
    this.panics.unfinished(text.text, text.atUs);
  }

  private panicked(report: PanicReport): void {
    this.hasPanicked = true;
    this.interrupt(`panic: ${report.cause}`);
    this.options.handlers.panicked(report);
  }

  private panicEnded(report: PanicReport): void {
    if (report.end === "went-on") this.hasPanicked = false;
    this.options.handlers.panicEnded(report);
  }

  private booted(report: BootReport): void {
    this.mode = report.mode;
    this.interrupt("restarted");
    this.options.handlers.booted(report);
  }

  private interrupt(cause: string): void {
    if (this.isExpected && cause !== "detached") return;
    for (const watch of this.watches) watch.interrupted(cause);
  }
}
