import type { Clock, Timer } from "fleetrig/kernel";
import { BoardLog, compileLinePattern, type LinePattern, type PanicReport } from "../log/index.js";
import type { BoardTracker } from "../board/board-parts.js";
import type { Port, PortOpener } from "../port/port.js";
import type { LineProfile } from "./line-profile.js";

export interface LinePortOptions {
  readonly clock: Clock;
  readonly tracker: BoardTracker;
  readonly opener: PortOpener;
  readonly profile: LineProfile;
  readonly handlers: LinePortHandlers;
}

interface LinePortHandlers {
  line(text: string): void;
  /** It has said what shows that its firmware runs. @param groups What `hello` matched. */
  up(groups: readonly string[], path: string): void;
  down(reason: string): void;
  panicked(report: PanicReport): void;
}

const RETRY_US = 500_000;
const ASK_US = 1_000_000;

/** The line to a board that speaks in lines only: opened again whenever it was lost, wherever the board is. */
export class LinePort {
  readonly log: BoardLog;
  isUp = false;
  private readonly hello: LinePattern | undefined;
  private port: Port | undefined;
  private attempt = 0;
  private retry: Timer | undefined;
  private unwatch: (() => void) | undefined;

  /** @throws FleetrigError `BOARD_LOG_PATTERN` (exit 2) */
  constructor(private readonly options: LinePortOptions) {
    const { clock, profile, handlers } = options;
    this.hello = profile.hello === undefined ? undefined : compileLinePattern(profile.hello);
    this.log = new BoardLog({
      clock,
      handlers: {
        line: ({ text }) => this.heard(text),
        booted: () => undefined,
        panicked: (report) => handlers.panicked(report),
        panicEnded: () => undefined,
      },
    });
  }

  get current(): Port | undefined {
    return this.port;
  }

  open(): void {
    this.unwatch = this.options.tracker.watch(() => this.tryAnew("unplugged"));
    void this.tryOpen();
  }

  write(line: string): void {
    this.port?.write(Buffer.from(line + this.options.profile.lineEnd));
  }

  async close(): Promise<void> {
    this.unwatch?.();
    this.attempt += 1;
    this.retry?.cancel();
    const { port } = this;
    this.port = undefined;
    this.log.detached();
    await port?.close();
  }

  private async tryOpen(): Promise<void> {
    const { opener, tracker, profile, clock } = this.options;
    const { place } = tracker;
    this.attempt += 1;
    const { attempt } = this;
    if (place === undefined) return;
    try {
      const port = await opener.open({
        address: place.address,
        baud: profile.baud,
        ...(place.lines !== undefined && { lines: place.lines }),
        receiver: {
          received: (bytes, atUs) => {
            if (attempt === this.attempt) this.log.received(bytes, atUs);
          },
          closed: (reason) => {
            if (attempt === this.attempt && reason !== "local") this.tryAnew(reason);
          },
        },
      });
      if (attempt !== this.attempt) {
        await port.close();
        return;
      }
      this.port = port;
      this.ask();
    } catch {
      if (attempt === this.attempt) this.retry = clock.after(RETRY_US, () => void this.tryOpen());
    }
  }

  private tryAnew(reason: string): void {
    const { port } = this;
    this.port = undefined;
    this.attempt += 1;
    this.log.detached();
    void port?.close();
    if (this.isUp) {
      this.isUp = false;
      this.options.handlers.down(reason);
    }
    this.retry?.cancel();
    this.retry = this.options.clock.after(RETRY_US, () => void this.tryOpen());
  }

  private ask(): void {
    const { profile, clock } = this.options;
    if (this.isUp || this.port === undefined || profile.ask === undefined) return;
    this.write(profile.ask);
    this.retry = clock.after(ASK_US, () => this.ask());
  }

  private heard(text: string): void {
    const { handlers, tracker } = this.options;
    const groups = this.hello === undefined ? [text] : this.hello.match(text);
    if (groups !== undefined && (!this.isUp || this.hello !== undefined)) {
      this.isUp = true;
      handlers.up(groups, tracker.place?.path ?? "");
    }
    if (this.isUp) handlers.line(text);
  }
}
