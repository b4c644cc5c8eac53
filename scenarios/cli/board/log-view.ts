import {
  type AddressDecoder,
  type BoardLogHandlers,
  type BootReport,
  describeBacktrace,
  type Hello,
  type LogLine,
  type PanicReport,
  shownMac,
} from "fleetrig/hil";
import pc from "picocolors";
import { consoleOptions, type Host, writeLine } from "../host.js";

/** How a board's log is shown. */
export interface LogViewFlags {
  /** One JSON object per line. */
  readonly json?: boolean;
}

type Level = NonNullable<LogLine["level"]>;
type Paint = ReturnType<typeof pc.createColors>;

const LEVEL_COLOURS: Readonly<Record<Level, (paint: Paint) => (text: string) => string>> = {
  error: ({ red }) => red,
  warn: ({ yellow }) => yellow,
  info: ({ green }) => green,
  debug: ({ cyan }) => cyan,
  verbose: ({ dim }) => dim,
};

/** A board's log for people or for programs: lines with their levels, starts with their reasons, panics with the places they name. */
export class LogView implements BoardLogHandlers {
  private readonly paint: Paint;

  /** @param decoder Names addresses of the board's program. */
  constructor(
    private readonly host: Host,
    private readonly flags: LogViewFlags,
    private readonly decoder?: AddressDecoder,
  ) {
    this.paint = pc.createColors(consoleOptions(host).color);
  }

  line({ atUs, text, level, tag, message, boardMs }: LogLine): void {
    if (this.flags.json === true) this.object("line", atUs, { level, tag, message, boardMs, text });
    else this.row(atUs, level === undefined ? text : LEVEL_COLOURS[level](this.paint)(text));
  }

  booted({ atUs, chip, resetReason, resetClass, mode, bootWord, isExpected }: BootReport): void {
    if (this.flags.json === true) {
      this.object("boot", atUs, { mode, resetReason, resetClass, chip, bootWord, isExpected });
      return;
    }
    const why = resetReason === undefined ? "" : `: ${resetReason} (${resetClass})`;
    this.note(atUs, `${STARTS[mode]}${why}`);
  }

  /** Everything about it is told when it has ended, a moment later. */
  panicked(): void {
    // What was printed so far is in the log already.
  }

  panicEnded(report: PanicReport): void {
    const frames = this.framesOf(report);
    const { atUs, kind, cause, elfSha256, end, noticedUs } = report;
    if (this.flags.json === true) {
      this.object("panic", atUs, { kind, cause, frames, elfSha256, end, noticedMs: noticedUs / 1_000 });
      return;
    }
    const { bold, red } = this.paint;
    writeLine(this.host.stdout, bold(red(`${stamp(atUs)}  !! panic ${kind}: ${cause}`)));
    for (const frame of frames) writeLine(this.host.stdout, red(`${" ".repeat(10)}     at ${frame}`));
    if (this.isOtherProgram(report))
      writeLine(
        this.host.stdout,
        `${" ".repeat(10)}     The board runs another program than the ELF file: its SHA-256 begins with ${elfSha256}.`,
      );
  }

  hello(atUs: number, hello: Hello): void {
    const { fw, version, chip, mac, boots, reset } = hello;
    if (this.flags.json === true)
      this.object("hello", atUs, { firmware: fw, version, chip, mac, boots, reset, crash: hello.crash });
    else this.note(atUs, `${fw} ${version} on ${chip}, ${shownMac(mac)}, start ${boots}: ${reset}`);
  }

  attached(atUs: number, path: string): void {
    if (this.flags.json === true) this.object("attached", atUs, { path });
    else this.note(atUs, `${path} is open`);
  }

  detached(atUs: number, reason: string): void {
    if (this.flags.json === true) this.object("detached", atUs, { reason });
    else this.note(atUs, `the port is gone (${reason}); waiting for the board to come back`);
  }

  private framesOf(report: PanicReport): readonly string[] {
    const { decoder } = this;
    const { source } = report;
    if (report.backtrace.length === 0) return source === undefined ? [] : [`${source.file}:${source.line}`];
    const isOther = decoder === undefined || this.isOtherProgram(report);
    return describeBacktrace(report, isOther ? undefined : (address) => decoder.decode(address));
  }

  private isOtherProgram({ elfSha256 }: PanicReport): boolean {
    return elfSha256 !== undefined && this.decoder !== undefined && !this.decoder.isOf(elfSha256);
  }

  /** Something else that happened. */
  note(atUs: number, text: string): void {
    writeLine(this.host.stdout, this.paint.bold(`${stamp(atUs)}  -- ${text}`));
  }

  private row(atUs: number, text: string): void {
    writeLine(this.host.stdout, `${this.paint.dim(stamp(atUs))}  ${text}`);
  }

  private object(event: string, atUs: number, members: Readonly<Record<string, unknown>>): void {
    writeLine(this.host.stdout, JSON.stringify({ event, atMs: Math.round(atUs / 1_000), ...members }));
  }
}

const STARTS: Readonly<Record<BootReport["mode"], string>> = {
  firmware: "the board starts",
  download: "the board waits for a download",
  "no-image": "the board finds nothing to start",
};

/** Seconds since the command began, ten characters wide. */
const stamp = (atUs: number): string => (atUs / 1_000_000).toFixed(3).padStart(10);
