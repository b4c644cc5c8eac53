import {
  type BoardIdentity,
  BoardLink,
  BoardLog,
  type BoardLogHandlers,
  createPowerControl,
  type Hello,
  HostPorts,
  hostPower,
  KIND_POLICIES,
  LaneListener,
  type Port,
  PortDirectory,
  type PortEnd,
  type PortOpener,
  type PortReceiver,
  powerSettingsOf,
  ResetEngine,
  resolveIdentity,
  WantedPorts,
} from "fleetrig/hil";
import { createRandomSource, FleetrigError, hostSeed, type JsonObject, type Timer } from "fleetrig/kernel";
import type { FoundBoard } from "./find-board.js";
import type { Workplace } from "./workplace.js";

/** What a console tells besides the log. */
export interface ConsoleHandlers extends Partial<BoardLogHandlers> {
  /** Each start's first one. */
  hello?(hello: Hello): void;
  attached?(path: string): void;
  detached?(reason: string): void;
  /** Everything that came, as it came. */
  bytes?(bytes: Uint8Array): void;
  event?(event: JsonObject): void;
}

export interface ConsoleOptions {
  readonly place: Workplace;
  readonly board: FoundBoard;
  readonly handlers?: ConsoleHandlers;
  /** Default: that of the workplace. */
  readonly opener?: PortOpener;
  readonly baud?: number;
  /** How the host writes frames. */
  readonly encoding?: "cobs" | "line";
}

const USUAL_BAUD = 115_200;
const RETRY_US = 500_000;
/** From the request of a session to its answer. */
const HELLO_US = 1_500_000;

/**
 * One board with its port, log, link and resets, followed from port to port. It writes nothing to the board by itself, so it is
 * for boards of any firmware; `converse` begins to speak the link.
 */
export class BoardConsole {
  readonly log: BoardLog;
  readonly link: BoardLink;
  readonly resets: ResetEngine;
  /** Whatever port there is at the moment. */
  readonly port: Port;
  /** What the board said of itself last. */
  hello: Hello | undefined;
  private current: Port | undefined;
  private isOpening = false;
  private isClosed = false;
  /** Bytes are those of a flasher or an interpreter: no log, no link. */
  private isForeign = false;
  private resetting = 0;
  private readonly listener: LaneListener;
  private readonly listeners = new Set<PortReceiver>();
  private readonly source: HostPorts;
  private readonly directory: PortDirectory;
  private readonly tracker: ReturnType<PortDirectory["track"]>;
  private readonly waiting = new Set<() => void>();
  private retry: Timer | undefined;

  constructor(private readonly options: ConsoleOptions) {
    const { place, board, handlers = {}, encoding = usualEncoding(board) } = options;
    const { clock, resetMemory } = place;
    this.log = new BoardLog({
      clock,
      handlers: {
        line: (line) => handlers.line?.(line),
        booted: (report) => {
          this.resets.saw({ kind: "boot", isDownload: report.mode === "download" });
          if (report.mode === "download") this.resets.saw({ kind: "waiting" });
          handlers.booted?.(report);
        },
        panicked: (report) => handlers.panicked?.(report),
        panicEnded: (report) => handlers.panicEnded?.(report),
      },
    });
    this.listener = new LaneListener(clock, {
      text: (bytes, atUs) => this.log.received(bytes, atUs),
      hello: (hello) => this.greeted(hello),
    });
    this.link = new BoardLink({
      clock,
      random: createRandomSource(hostSeed()).stream("link"),
      encoding,
      baud: this.baud,
      write: (bytes) => this.current?.write(bytes),
      handlers: {
        opened: () => this.wake(),
        restarted: () => undefined,
        lost: () => undefined,
        text: () => undefined,
        event: (event) => handlers.event?.(event),
        network: (message) => {
          if (message.net === "dial")
            this.link.sendNetwork({ net: "failed", n: message.n, reason: "refused" });
        },
        networkData: () => undefined,
      },
    });
    this.port = this.facade();
    const { port, known, mac } = board;
    this.resets = new ResetEngine({
      clock,
      adapter: port.adapter.kind,
      key: this.identity.key,
      port: () => this.current,
      power: createPowerControl(
        powerSettingsOf(port, known),
        { port: port.path, mac, usbPath: port.usb?.path },
        hostPower(clock),
      ),
      memory: resetMemory,
      ...(known?.reset !== undefined && { custom: { run: known.reset } }),
    });
    this.source = new HostPorts(clock, () => place.listPorts());
    const wanted = new WantedPorts(this.source);
    this.directory = new PortDirectory(wanted);
    if (!this.source.ports.some(({ path }) => path === port.path)) wanted.want(port.path);
    this.tracker = this.directory.track(port, mac);
  }

  /** As far as it is known. */
  get identity(): BoardIdentity {
    const { port, mac } = this.options.board;
    return resolveIdentity({ helloMac: this.hello?.mac ?? mac, port, address: port.address });
  }

  /** Undefined while there is none. */
  get path(): string | undefined {
    return this.current === undefined ? undefined : this.tracker.place?.path;
  }

  get baud(): number {
    return this.options.baud ?? this.options.board.known?.baud ?? USUAL_BAUD;
  }

  /** @throws FleetrigError those of `PortOpener` (rejections) */
  async open(): Promise<void> {
    await this.openPort();
    this.tracker.watch(() => this.follow());
  }

  /**
   * Begins to speak with the board, if it does already: asks who it is.
   * @returns undefined when it does not answer in time
   * @throws FleetrigError BOARD_ANOTHER when another board answers
   */
  async converse(withinUs = HELLO_US): Promise<Hello | undefined> {
    this.link.start();
    await this.until(() => this.link.isOpen, withinUs);
    if (!this.link.isOpen) return undefined;
    const hello = this.link.hello!;
    this.checkIdentity(hello);
    return hello;
  }

  /** @returns whether it came true in time; looked at whenever the board says something. */
  until(isTrue: () => boolean, withinUs: number): Promise<boolean> {
    if (isTrue()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        this.waiting.delete(look);
        timer.cancel();
        resolve(result);
      };
      const look = (): void => {
        if (isTrue()) end(true);
      };
      const timer = this.options.place.clock.after(withinUs, () => end(isTrue()));
      this.waiting.add(look);
    });
  }

  /** Restarts the board; its log hears of it even while a flasher has the line. @throws see `ResetEngine.reset` */
  async reset(mode: "run" | "download") {
    this.resetting += 1;
    this.log.expectRestart(10_000_000);
    try {
      return await this.resets.reset(mode);
    } finally {
      this.resetting -= 1;
      this.wake();
    }
  }

  /** From now on bytes are somebody else's: a flasher's, an interpreter's. */
  listen(receiver: PortReceiver): () => void {
    this.isForeign = true;
    this.link.stop();
    this.listeners.add(receiver);
    return () => {
      this.listeners.delete(receiver);
      this.isForeign = this.listeners.size > 0;
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.retry?.cancel();
    this.link.stop();
    this.listener.stop();
    this.log.detached();
    this.tracker.release();
    this.directory.close();
    this.source.stop();
    await this.current?.close();
    this.current = undefined;
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
    const isNew = this.hello?.bootId !== hello.bootId || this.hello.boots !== hello.boots;
    const isRestart = this.hello !== undefined && isNew;
    this.hello = hello;
    this.resets.saw({ kind: "hello", bootId: hello.bootId });
    if (isNew) {
      if (isRestart) this.log.restarted(restartNotice(hello));
      place.seen.note(hello, board.key, place.clock.wallMs());
      handlers?.hello?.(hello);
    }
    this.wake();
  }

  private async openPort(): Promise<void> {
    const { place, board, opener = place.opener, handlers } = this.options;
    const { address, path } = this.tracker.place ?? board.port;
    const lines = this.tracker.place?.lines ?? KIND_POLICIES[board.port.adapter.kind].idle;
    this.isOpening = true;
    try {
      const opened = await opener.open({
        address,
        baud: this.baud,
        lines,
        receiver: {
          received: (bytes, atUs) => this.received(bytes, atUs),
          closed: (reason) => this.lost(reason),
        },
      });
      this.current = opened;
      if (this.isClosed) await opened.close();
      handlers?.attached?.(path);
    } finally {
      this.isOpening = false;
    }
  }

  private received(bytes: Uint8Array, atUs: number): void {
    this.options.handlers?.bytes?.(bytes);
    for (const listener of [...this.listeners]) listener.received(bytes, atUs);
    if (this.isForeign && this.resetting === 0) return;
    this.listener.received(bytes, atUs);
    if (!this.isForeign) this.link.received(bytes, atUs);
    this.wake();
  }

  private lost(reason: PortEnd): void {
    this.current = undefined;
    if (this.isClosed || reason === "local") return;
    this.log.detached();
    this.options.handlers?.detached?.(reason);
    // A chip's own USB goes away while it restarts.
    if (this.resetting === 0) for (const listener of [...this.listeners]) listener.closed(reason);
    this.tracker.look();
    this.follow();
    this.wake();
  }

  /** Opens the port that the board has now, as soon as it has one. */
  private follow(): void {
    if (this.isClosed || this.current !== undefined || this.isOpening) return;
    this.retry?.cancel();
    this.retry = this.options.place.clock.after(RETRY_US, () => this.follow());
    if (this.tracker.place === undefined) return;
    this.openPort().then(
      () => this.retry?.cancel(),
      () => undefined,
    );
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }

  private facade(): Port {
    const gone = (): FleetrigError =>
      new FleetrigError("PORT_NOT_FOUND", "The board's port is away.", {
        hint: "It comes back when the board is plugged in or has power.",
      });
    const { board } = this.options;
    const current = (): Port | undefined => this.current;
    return {
      address: board.port.address,
      get bufferedBytes() {
        return current()?.bufferedBytes ?? 0;
      },
      write: (bytes) => this.current?.write(bytes),
      setLines: async (lines) => {
        if (this.current === undefined) throw gone();
        await this.current.setLines(lines);
      },
      setBaud: async (baud) => {
        if (this.current === undefined) throw gone();
        await this.current.setBaud(baud);
      },
      close: () => this.close(),
    };
  }
}

const usualEncoding = ({ port, seen }: FoundBoard): "cobs" | "line" =>
  port.virtual?.kind === "micropython" || seen?.firmware === "fleetrig-micropython" ? "line" : "cobs";

const restartNotice = ({ reset, crash }: Hello) => ({
  resetReason: reset,
  ...(crash !== undefined && {
    crash: { kind: crash.kind, ...(crash.pc !== undefined && { programCounter: crash.pc }) },
  }),
});
