import { type Clock, FleetrigError, type RandomSource } from "fleetrig/kernel";
import { BoardLink, type BoardLinkHandlers } from "../link/board-link.js";
import type { FrameEncoding } from "../link/frame.js";
import { type NoiseSettings, SerialNoise } from "../link/noise.js";
import { BoardLog, type BoardLogHandlers, isPanic } from "../log/index.js";
import type { Port, PortEnd, PortOpener } from "../port/port.js";
import type { BoardPlace } from "./board-parts.js";

export interface BoardLineOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly opener: PortOpener;
  readonly baud: number;
  readonly encoding: FrameEncoding;
  readonly log: BoardLogHandlers;
  readonly link: Omit<BoardLinkHandlers, "text">;
  readonly handlers: BoardLineHandlers;
}

interface BoardLineHandlers {
  opened(): void;
  /** @param code Such as `PORT_BUSY`. */
  refused(code: string, reason: string): void;
  closed(reason: Exclude<PortEnd, "local">): void;
}

/** One opening of a port: what comes of it late is told from what comes of the next one. */
interface Opening {
  port: Port | undefined;
  isOver: boolean;
}

/**
 * The line to a board: whatever port there is at the moment, with link and log behind it. Link and log outlive ports; between two
 * of them nothing comes and what is written is lost, as with a cable that is out.
 */
export class BoardLine {
  readonly link: BoardLink;
  readonly log: BoardLog;
  private readonly fromBoard: SerialNoise;
  private readonly toBoard: SerialNoise;
  private opening: Opening | undefined;

  constructor(private readonly options: BoardLineOptions) {
    const { clock, random, log, link, encoding, baud } = options;
    this.log = new BoardLog({ clock, handlers: log });
    this.link = new BoardLink({
      clock,
      random: random.stream("link"),
      encoding,
      baud,
      isPanic,
      write: (bytes) => this.toBoard.push(bytes, clock.nowUs()),
      handlers: { ...link, text: (bytes, atUs) => this.log.received(bytes, atUs) },
    });
    this.fromBoard = new SerialNoise({
      clock,
      random: random.stream("noise/up"),
      forward: (bytes, atUs) => this.link.received(bytes, atUs),
    });
    this.toBoard = new SerialNoise({
      clock,
      random: random.stream("noise/down"),
      forward: (bytes) => this.port?.write(bytes),
    });
  }

  /** Undefined while it is being opened. */
  get port(): Port | undefined {
    return this.opening?.port;
  }

  get isOpening(): boolean {
    return this.opening !== undefined && this.opening.port === undefined;
  }

  /** Opens the port of that place instead of whatever was open. */
  open(place: BoardPlace): void {
    void this.close();
    const opening: Opening = { port: undefined, isOver: false };
    this.opening = opening;
    void this.openPort(place, opening);
  }

  /** @returns when the port is closed; never rejects. */
  async close(): Promise<void> {
    const { opening } = this;
    if (opening === undefined) return;
    this.opening = undefined;
    opening.isOver = true;
    this.link.stop();
    this.log.detached();
    await opening.port?.close();
  }

  /** A bad line, from now on; `{}` is a good one. */
  setNoise(direction: "up" | "down" | "both", settings: NoiseSettings): void {
    if (direction !== "down") this.fromBoard.set(settings);
    if (direction !== "up") this.toBoard.set(settings);
  }

  private async openPort(place: BoardPlace, opening: Opening): Promise<void> {
    const { opener, baud, handlers, clock } = this.options;
    try {
      const port = await opener.open({
        address: place.address,
        baud,
        ...(place.lines !== undefined && { lines: place.lines }),
        receiver: {
          received: (bytes, atUs) => {
            if (!opening.isOver) this.fromBoard.push(bytes, atUs);
          },
          closed: (reason) => this.ended(opening, reason),
        },
      });
      if (opening.isOver) {
        await port.close();
        return;
      }
      opening.port = port;
      handlers.opened();
      this.link.start();
    } catch (error) {
      if (opening.isOver) return;
      opening.isOver = true;
      if (this.opening === opening) this.opening = undefined;
      const { code, message } =
        error instanceof FleetrigError ? error : { code: "PORT_FAILED", message: String(error) };
      // Never from within the call that asked for it.
      clock.after(0, () => handlers.refused(code, message));
    }
  }

  private ended(opening: Opening, reason: PortEnd): void {
    if (opening.isOver || reason === "local") return;
    opening.isOver = true;
    if (this.opening === opening) this.opening = undefined;
    this.link.stop();
    this.log.detached();
    this.options.handlers.closed(reason);
  }
}
