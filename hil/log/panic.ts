import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import { isBootLine } from "./boot-log.js";
import { parsePrefix } from "./log-line.js";
import { PanicDump, type PanicFacts } from "./panic-dump.js";
import { type RecognisedPanic, recognisePanic, VAGUE_KINDS } from "./panic-signatures.js";

/**
 * Panics. The first line that looks like one opens a *panic window* and is told at once; what follows is collected until the
 * board restarts, halts, goes on or falls silent.
 */
export interface PanicReport extends PanicFacts {
  /** `load-access-fault`, `abort`, `task-watchdog`, `silent-reboot`, ... The report of the end may know better than the first. */
  readonly kind: string;
  /** The line that says it. */
  readonly cause: string;
  /** First byte of that line. */
  readonly atUs: number;
  /** From that byte to the first report. */
  readonly noticedUs: number;
  /** Undefined while it goes on. */
  readonly end: PanicEnd | undefined;
  /** Everything printed, at most `MAX_PANIC_LINES`. */
  readonly lines: readonly string[];
}

export type PanicEnd =
  /** It said so. */
  | "rebooting"
  /** The next start was seen. */
  | "restarted"
  /** In a debugger's stub, or for good. */
  | "halted"
  /** The firmware went on: a watchdog that only warns, a script's exception. */
  | "went-on"
  | "silent"
  | "detached"
  /** Longer than any dump. */
  | "endless";

export interface PanicHandlers {
  panicked(report: PanicReport): void;
  panicEnded(report: PanicReport): void;
}

const SILENT_US = 3 * US_PER_S;
const ENDLESS_US = 30 * US_PER_S;
const MAX_PANIC_LINES = 300;
/** An unfinished line is taken for what it seems to be when it has not gone on for so long. */
const UNFINISHED_US = 60_000;

const REBOOTING = /Rebooting\.\.\.|Panic handler entered multiple times/;
const HALTED = /Entering gdb stub now\.|^\$T[0-9a-f]{2}#[0-9a-f]{2}|CPU halted\.|Halting system/;

interface Window {
  kind: string;
  cause: string;
  isExact: boolean;
  course: RecognisedPanic["course"];
  readonly atUs: number;
  readonly noticedUs: number;
  readonly dump: PanicDump;
  readonly lines: string[];
}

export class PanicWatch {
  private window: Window | undefined;
  private silence: Timer | undefined;
  /** What a halted board prints belongs to its debugger. */
  private isHalted = false;

  constructor(private readonly options: { readonly clock: Clock; readonly handlers: PanicHandlers }) {}

  /** Between the first line of a panic and its end. */
  get isInPanic(): boolean {
    return this.window !== undefined;
  }

  line(text: string, atUs: number): void {
    if (this.isHalted && !isBootLine(text)) return;
    this.isHalted = false;
    if (this.window === undefined) {
      const seen = recognisePanic(text);
      if (seen === undefined) return;
      this.open(seen, text, atUs);
    }
    this.collect(this.window!, text);
  }

  /** A line without an end yet. What it says for certain counts at once; what it seems to say, when it does not go on. */
  unfinished(text: string, atUs: number): void {
    if (this.window !== undefined || this.isHalted) return;
    const isFresh = this.options.clock.nowUs() - atUs < UNFINISHED_US;
    const seen = recognisePanic(text, isFresh);
    if (seen !== undefined) this.open(seen, text, atUs);
  }

  /** Bytes came, whatever they are: it is not silent yet. */
  heard(): void {
    if (this.window !== undefined) this.silence?.again(SILENT_US);
  }

  /** The board is gone, or has restarted without a line that says so. */
  ended(end: PanicEnd): void {
    this.isHalted = end === "halted";
    if (this.window === undefined) return;
    const report = this.report(this.window, end);
    this.window = undefined;
    this.silence?.cancel();
    this.options.handlers.panicEnded(report);
  }

  private open(seen: RecognisedPanic, text: string, atUs: number): void {
    const noticedUs = Math.max(0, this.options.clock.nowUs() - atUs);
    this.window = { ...seen, cause: text.trim(), atUs, noticedUs, dump: new PanicDump(), lines: [] };
    if (this.silence === undefined) {
      this.silence = this.options.clock.after(SILENT_US, () => this.ended("silent"));
    } else {
      this.silence.again(SILENT_US);
    }
    // An unfinished line comes again whole, and is collected then.
    this.options.handlers.panicked(
      this.report({ ...this.window, dump: this.peek(text), lines: [text] }, undefined),
    );
  }

  private peek(text: string): PanicDump {
    const dump = new PanicDump();
    dump.line(text);
    return dump;
  }

  private collect(window: Window, text: string): void {
    if (window.lines.length > 0 && isBootLine(text)) return this.ended("restarted");
    if (window.course === "survivable" && window.lines.length > 0 && isOrdinary(text))
      return this.ended("went-on");
    this.learn(window, text);
    if (window.lines.length < MAX_PANIC_LINES) window.lines.push(text);
    window.dump.line(text);
    if (window.course === "past") return this.ended("restarted");
    if (REBOOTING.test(text)) return this.ended("rebooting");
    if (HALTED.test(text)) return this.ended("halted");
    if (window.kind === "traceback" && window.dump.isTracebackOver) {
      window.cause = text.trim();
      return this.ended("went-on");
    }
    if (this.options.clock.nowUs() - window.atUs > ENDLESS_US) this.ended("endless");
  }

  /**
   * The first line again, whole now, knows better than its beginning did; a later one where the first was damaged or vague.
   */
  private learn(window: Window, text: string): void {
    const isVague = VAGUE_KINDS.has(window.kind);
    const isFirst = window.lines.length === 0;
    if (window.isExact && !isVague && !isFirst) return;
    const seen = recognisePanic(text);
    if (seen === undefined) return;
    const isBetter = seen.isExact && (isVague ? !VAGUE_KINDS.has(seen.kind) : seen.kind === window.kind);
    if (!isFirst && !isBetter) return;
    Object.assign(window, seen, { cause: text.trim() });
  }

  private report(window: Window, end: PanicEnd | undefined): PanicReport {
    const { kind, cause, atUs, noticedUs } = window;
    return { ...window.dump.facts(), kind, cause, atUs, noticedUs, end, lines: [...window.lines] };
  }
}

/** A line of a log that somebody is still writing; the watchdog's own report is none. */
function isOrdinary(text: string): boolean {
  const { level, tag } = parsePrefix(text);
  return level !== undefined && tag !== "task_wdt";
}
