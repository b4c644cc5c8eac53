import {
  type BoardIdentity,
  BoardLink,
  BoardLog,
  type BoardLogHandlers,
  createPowerControl,
  type Hello,
  hostPower,
  LaneListener,
  type PortEnd,
  type PortOpener,
  type PortReceiver,
  type PowerControl,
  powerSettingsOf,
  ResetEngine,
  type ResetMode,
  type ResetOutcome,
  resolveIdentity,
  silentLinkHandlers,
} from "fleetrig/hil";
import { createRandomSource, FleetrigError, hostSeed, type JsonObject, US_PER_S } from "fleetrig/kernel";
import type { FoundBoard } from "./find-board.js";
import { FollowedPort } from "./followed-port.js";
import type { Workplace } from "./workplace.js";

/** What a terminal tells besides the log. */
export interface TerminalHandlers extends Partial<BoardLogHandlers> {
  /** The first one of each start. */
  hello?(hello: Hello): void;
  attached?(path: string): void;
  detached?(reason: string): void;
  /** Everything that came, as it came. */
  bytes?(bytes: Uint8Array): void;
  event?(event: JsonObject): void;
}

export interface TerminalOptions {
  readonly place: Workplace;
  readonly board: FoundBoard;
  readonly handlers?: TerminalHandlers;
  /** Default: that of the workplace. */
  readonly opener?: PortOpener;
  /** Default: that of the bench file, or 115200. */
  readonly baud?: number;
}

const USUAL_BAUD = 115_200;
/** From the request of a session to its answer. */
const HELLO_US = 2 * US_PER_S;
/** The other machine opens its port only then. */
const REMOTE_HELLO_US = 5 * US_PER_S;
/** A restart that was asked for is seen within this time, or it is another one. */
const RESTART_US = 10 * US_PER_S;

/**
 * One board with its port, log, link and resets, followed from port to port. It writes nothing to the board by itself, so it is
 * for boards of any firmware; `converse` begins to speak the link.
 */
export class BoardTerminal {
  readonly port: FollowedPort;
  readonly log: BoardLog;
  readonly link: BoardLink;
  readonly power: PowerControl;
  /** What the board said of itself last. */
  hello: Hello | undefined;
  private readonly resets: ResetEngine;
  private readonly listener: LaneListener;
  /** Whose the bytes are: a flasher's, an interpreter's. Then there is no log and no link. */
  private readonly receivers = new Set<PortReceiver>();
  private readonly waiting = new Set<() => void>();
  private resetting = 0;

  constructor(private readonly options: TerminalOptions) {
    const { place, board } = options;
    const { clock } = place;
    this.log = this.createLog();
    this.link = this.createLink();
    this.listener = new LaneListener(clock, {
      text: (bytes, atUs) => this.log.received(bytes, atUs),
      hello: (hello) => this.greeted(hello),
    });
    this.port = new FollowedPort({
      place,
      board,
      opener: options.opener,
      baud: this.baud,
      received: (bytes, atUs) => this.received(bytes, atUs),
      attached: (path) => options.handlers?.attached?.(path),
      detached: (reason) => this.lost(reason),
    });
    const { port, known, mac } = board;
    this.power = createPowerControl(
      powerSettingsOf(port, known),
      { port: port.path, mac, usbPath: port.usb?.path },
      hostPower(clock),
    );
    this.resets = new ResetEngine({
      clock,
      adapter: port.adapter.kind,
      key: mac === undefined ? board.key : `mac:${mac}`,
      port: () => (this.port.isOpen ? this.port : undefined),
      power: this.power,
      memory: place.resetMemory,
      ...(known?.reset !== undefined && { custom: { run: known.reset } }),
    });
  }

  /** By its port, and by what it has said of itself. */
  get identity(): BoardIdentity {
    const { port } = this.options.board;
    return resolveIdentity({ helloMac: this.hello?.mac, port, address: port.address });
  }

  get baud(): number {
    return this.options.baud ?? this.options.board.known?.baud ?? USUAL_BAUD;
  }

  /** @throws FleetrigError those of `PortOpener` (rejections) */
  async open(): Promise<void> {
    await this.port.open();
  }

  /**
   * Begins to speak with the board, if it does already: asks who it is.
   * @returns undefined when it does not answer in time
   * @throws FleetrigError BOARD_ANOTHER (rejection) when another board answers
   */
  async converse(): Promise<Hello | undefined> {
    const isRemote = this.options.board.port.adapter.kind === "network";
    const withinUs = isRemote ? REMOTE_HELLO_US : HELLO_US;
    this.link.start();
    if (!(await this.until(() => this.link.isOpen, withinUs))) return undefined;
    const hello = this.link.hello!;
    this.checkIdentity(hello);
    return hello;
  }

  /** @returns whether it came true in time; looked at whenever the board says something. */
  until(isTrue: () => boolean, withinUs: number): Promise<boolean> {
    if (isTrue()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (): void => {
        this.waiting.delete(look);
        timer.cancel();
        resolve(isTrue());
      };
      const look = (): void => {
        if (isTrue()) end();
      };
      const timer = this.options.place.clock.after(withinUs, end);
      this.waiting.add(look);
    });
  }

  /** Restarts the board; its boot text counts even while a flasher has the line. @throws as `ResetEngine.reset` */
  async reset(mode: ResetMode): Promise<ResetOutcome> {
    this.resetting += 1;
    this.log.expectRestart(RESTART_US);
    try {
      return await this.resets.reset(mode);
    } finally {
      this.resetting -= 1;
      this.wake();
    }
  }

  /** From now on the bytes are somebody else's. @returns ends that */
  listen(receiver: PortReceiver): () => void {
    this.link.stop();
    this.receivers.add(receiver);
    return () => void this.receivers.delete(receiver);
  }

  async close(): Promise<void> {
    this.link.stop();
    await this.port.close();
    this.listener.stop();
    this.log.detached();
  }

  private createLog(): BoardLog {
    const { place, handlers = {} } = this.options;
    return new BoardLog({
      clock: place.clock,
      handlers: {
        line: (line) => {
          handlers.line?.(line);
          if (WAITING.test(line.text)) this.resets.saw({ kind: "waiting" });
        },
        booted: (report) => {
          this.resets.saw({ kind: "boot", isDownload: report.mode === "download" });
          handlers.booted?.(report);
        },
        panicked: (report) => handlers.panicked?.(report),
        panicEnded: (report) => handlers.panicEnded?.(report),
      },
    });
  }

  private createLink(): BoardLink {
    const { place, board, handlers } = this.options;
    return new BoardLink({
      clock: place.clock,
      random: createRandomSource(hostSeed()).stream("link"),
      encoding: usualEncoding(board),
      baud: this.baud,
      write: (bytes) => this.port.write(bytes),
      handlers: {
        ...silentLinkHandlers,
        opened: () => this.wake(),
        event: (event) => handlers?.event?.(event),
        // There is no broker here.
        network: (message) => {
          if (message.net === "dial")
            this.link.sendNetwork({ net: "failed", n: message.n, reason: "refused" });
        },
      },
    });
  }

  private checkIdentity({ mac }: Hello): void {
    const { board } = this.options;
    if (board.mac === undefined || board.isMacGuess || board.mac === mac) return;
    throw new FleetrigError("BOARD_ANOTHER", `The board at ${board.port.path} is ${mac}, not ${board.mac}.`, {
      hint: "Boards change their ports when they are plugged in anew: fleetrig board list --probe asks who is where.",
      context: { port: board.port.path, mac, expected: board.mac },
    });
  }

  private greeted(hello: Hello): void {
    const { place, board, handlers } = this.options;
    const before = this.hello;
    const isNew = before?.bootId !== hello.bootId || before.boots !== hello.boots;
    this.hello = hello;
    this.resets.saw({ kind: "hello", bootId: hello.bootId });
    if (isNew) {
      if (before !== undefined) this.log.restarted(restartNotice(hello));
      this.port.learned(hello.mac);
      place.seen.note(hello, board.key, place.clock.wallMs());
      handlers?.hello?.(hello);
    }
    this.wake();
  }

  private received(bytes: Uint8Array, atUs: number): void {
    this.options.handlers?.bytes?.(bytes);
    for (const receiver of this.receivers) receiver.received(bytes, atUs);
    if (this.receivers.size === 0) this.link.received(bytes, atUs);
    if (this.receivers.size === 0 || this.resetting > 0) this.listener.received(bytes, atUs);
    this.wake();
  }

  private lost(reason: Exclude<PortEnd, "local">): void {
    this.log.detached();
    this.options.handlers?.detached?.(reason);
    // A chip's own USB goes away while it restarts.
    if (this.resetting === 0) for (const receiver of this.receivers) receiver.closed(reason);
    this.wake();
  }

  private wake(): void {
    for (const look of this.waiting) look();
  }
}

/** The ROM's line tells the mode, the loader's own line that it is there. */
const WAITING = /waiting for download|wait usb download/;

const usualEncoding = ({ port, seen }: FoundBoard): "cobs" | "line" =>
  port.virtual?.kind === "micropython" || seen?.firmware === "fleetrig-micropython" ? "line" : "cobs";

const restartNotice = ({ reset, crash }: Hello) => ({
  resetReason: reset,
  ...(crash !== undefined && {
    crash: { kind: crash.kind, ...(crash.pc !== undefined && { programCounter: crash.pc }) },
  }),
});
