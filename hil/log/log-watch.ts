import type { Clock, Timer } from "fleetrig/kernel";
import { compileLinePattern, type LinePattern } from "./line-pattern.js";
import type { LogHistory } from "./log-history.js";
import type { LogLine } from "./log-line.js";

/**
 * Waits for lines of a log. A watch has a *cursor*: it tries what came since the wait before, then what comes. So a line that was
 * faster than the wait for it counts, and no line counts for two waits in a row.
 *
 * A panic, an unexpected restart and the loss of the board end a wait with that cause; the timeout is for boards that just
 * say nothing.
 */
export interface LineWait {
  /** RE2's syntax; it may match anywhere in a line. */
  readonly pattern: string;
  readonly withinUs: number;
  /** Panics and restarts do not end it; the loss of the board does not either, as long as there is time. */
  readonly survivesRestart: boolean;
}

export interface LineWaitOutcome {
  /** Undefined when the line came; otherwise `timeout`, `panic: ...`, `restarted`, `detached` or `cancelled`. */
  readonly failure: string | undefined;
  readonly line: LogLine | undefined;
  /** What the pattern's groups matched, the whole match first. */
  readonly groups: readonly string[];
  /** 0 when the line had come before. */
  readonly waitedUs: number;
  /** Lines since the cursor that were no longer kept when the wait began. */
  readonly missedLines: number;
}

interface Waiting {
  readonly wait: LineWait;
  readonly pattern: LinePattern;
  readonly done: (outcome: LineWaitOutcome) => void;
  readonly sinceUs: number;
  /** Lines before it are no concern of this wait. */
  readonly from: number;
  readonly missedLines: number;
  timer: Timer | undefined;
}

export class LogWatch {
  private cursor: number;
  private readonly waiting = new Set<Waiting>();

  /** @param options.from Position to begin at; default: every line that is kept. */
  constructor(
    private readonly options: {
      readonly clock: Clock;
      readonly history: LogHistory;
      readonly from?: number;
    },
  ) {
    this.cursor = options.from ?? options.history.start;
  }

  /**
   * Waits for a line; `done` is called once, at once when the line has come already.
   * @returns Cancels the wait.
   * @throws FleetrigError `BOARD_LOG_PATTERN`
   */
  await(wait: LineWait, done: (outcome: LineWaitOutcome) => void): () => void {
    const { clock, history } = this.options;
    const missedLines = Math.max(0, history.start - this.cursor);
    const waiting: Waiting = {
      wait,
      pattern: compileLinePattern(wait.pattern),
      done,
      sinceUs: clock.nowUs(),
      from: this.cursor,
      missedLines,
      timer: undefined,
    };
    for (let position = Math.max(this.cursor, history.start); position < history.end; position += 1) {
      if (this.tried(waiting, history.at(position)!)) return () => undefined;
    }
    this.waiting.add(waiting);
    waiting.timer = clock.after(wait.withinUs, () => this.fail(waiting, "timeout"));
    return () => this.fail(waiting, "cancelled");
  }

  /** A line came, or what there is of one that does not go on. */
  heard(line: LogLine): void {
    const waiting = [...this.waiting];
    for (const one of waiting) this.tried(one, line);
  }

  /** Ends the waits that do not survive it. */
  interrupted(cause: string): void {
    // What `done` begins is not part of it.
    const waiting = [...this.waiting];
    for (const one of waiting) if (!one.wait.survivesRestart) this.fail(one, cause);
  }

  private tried(waiting: Waiting, line: LogLine): boolean {
    if (line.position < waiting.from) return false;
    const groups = waiting.pattern.match(line.text);
    if (groups === undefined) return false;
    this.cursor = Math.max(this.cursor, line.position + 1);
    this.settle(waiting, { failure: undefined, line, groups });
    return true;
  }

  private fail(waiting: Waiting, failure: string): void {
    if (this.waiting.has(waiting)) this.settle(waiting, { failure, line: undefined, groups: [] });
  }

  private settle(waiting: Waiting, outcome: Pick<LineWaitOutcome, "failure" | "line" | "groups">): void {
    this.waiting.delete(waiting);
    waiting.timer?.cancel();
    const waitedUs = this.options.clock.nowUs() - waiting.sinceUs;
    waiting.done({ ...outcome, waitedUs, missedLines: waiting.missedLines });
  }
}
