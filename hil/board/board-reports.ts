import { type BoardFact, type Clock, type EventSink, US_PER_S } from "fleetrig/kernel";
import { describeBacktrace } from "../elf/index.js";
import type { Hello } from "../link/hello.js";
import type { BoardLog, PanicReport } from "../log/index.js";
import type { BoardPlace } from "./board-parts.js";
import type { ExpectedResets } from "./expected-resets.js";
import { PanicNotice } from "./panic-notice.js";

export interface BoardReportsOptions {
  readonly thing: string;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Names an address of its program. */
  readonly symbol?: (address: number) => string;
}

/** What is told of one board: each start, panic and place once, and whether it was expected. */
export class BoardReports {
  readonly panics: PanicNotice;
  private attachedAt: BoardPlace | undefined;
  /** The run of the board that was told of last. */
  private start: Pick<Hello, "bootId" | "boots"> | undefined;
  private bootSeenUs: number | undefined;
  private isCrashExpected = false;
  /** Before it has said hello, whoever wants a board is told, and nobody else. */
  private isQuiet = true;

  constructor(
    private readonly options: BoardReportsOptions,
    private readonly expected: ExpectedResets,
  ) {
    this.panics = new PanicNotice(
      options.clock,
      (report) => this.panicked(report),
      (report) => this.panicEnded(report),
    );
  }

  /** The first line of a start. */
  bootSeen(atUs: number): void {
    this.bootSeenUs = atUs;
  }

  /** A hello. @returns whether it is that of another start than the one before. */
  hello(hello: Hello, place: BoardPlace, log: BoardLog): boolean {
    const { start } = this;
    this.isQuiet = false;
    if (place !== this.attachedAt) {
      this.attachedAt = place;
      this.emit({ type: "board.attached", path: place.path, chip: hello.chip, mac: hello.mac });
    }
    if (start?.bootId === hello.bootId && start.boots === hello.boots) return false;
    this.start = { bootId: hello.bootId, boots: hello.boots };
    if (start === undefined) this.expected.started();
    else this.booted(hello, log);
    return true;
  }

  detached(reason: string): void {
    // A port that was only looked at for it was never its place.
    if (this.attachedAt === undefined) return;
    this.attachedAt = undefined;
    this.emit({ type: "board.detached", reason });
  }

  recovered(lostUs: number, rung: string): void {
    this.emit({ type: "board.recovered", tookUs: this.options.clock.nowUs() - lostUs, rung });
  }

  givenUp(reason: string): void {
    if (!this.isQuiet) this.emit({ type: "board.given-up", reason });
  }

  private booted(hello: Hello, log: BoardLog): void {
    const { isExpected, isCrashExpected } = this.expected;
    const { crash } = hello;
    this.isCrashExpected = isCrashExpected;
    // A crash without a word is one all the same, though somebody wanted it.
    if (isExpected && !isCrashExpected) log.expectRestart(US_PER_S);
    log.restarted({
      resetReason: hello.reset,
      ...(crash !== undefined && {
        crash: { kind: crash.kind, ...(crash.pc !== undefined && { programCounter: crash.pc }) },
      }),
    });
    const resetUs = this.expected.started();
    // The first byte comes when EN is released, which is later than the wish for it: what came before it was of the run before.
    const beganUs = this.bootSeenUs === undefined ? resetUs : Math.max(this.bootSeenUs, resetUs ?? 0);
    this.bootSeenUs = undefined;
    this.emit({
      type: "board.booted",
      resetReason: hello.reset,
      isExpected,
      bootUs: beganUs === undefined ? undefined : this.options.clock.nowUs() - beganUs,
      version: hello.version,
    });
  }

  private panicked(report: PanicReport): void {
    const { symbol, clock } = this.options;
    // Before addresses are looked up, which takes the first one a while.
    const noticedUs = Math.max(0, clock.nowUs() - report.atUs);
    this.emit({
      type: "board.panicked",
      kind: report.kind,
      cause: report.cause,
      backtrace: describeBacktrace(report, symbol),
      noticedUs,
      isExpected: this.isCrashExpected || this.expected.isCrashExpected,
    });
    this.isCrashExpected = false;
  }

  private panicEnded(report: PanicReport): void {
    const { kind, cause } = report;
    const backtrace = describeBacktrace(report, this.options.symbol);
    this.emit({ type: "board.panic-ended", kind, cause, backtrace });
  }

  private emit(fact: BoardFact): void {
    const { events, clock, thing } = this.options;
    events.emit({ ...fact, atUs: clock.nowUs(), thing });
  }
}
