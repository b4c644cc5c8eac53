import {
  HostPorts,
  KIND_POLICIES,
  type ModemLines,
  type Port,
  type PortAddress,
  PortDirectory,
  type PortEnd,
  type PortOpener,
  WantedPorts,
} from "fleetrig/hil";
import { FleetrigError, type Timer } from "fleetrig/kernel";
import type { FoundBoard } from "./find-board.js";
import type { Workplace } from "./workplace.js";

export interface FollowedPortOptions {
  readonly place: Workplace;
  readonly board: FoundBoard;
  /** Default: that of the workplace. */
  readonly opener?: PortOpener | undefined;
  readonly baud: number;
  readonly received: (bytes: Uint8Array, atUs: number) => void;
  readonly attached: (path: string) => void;
  readonly detached: (reason: Exclude<PortEnd, "local">) => void;
}

const RETRY_US = 500_000;

/** The port of one board, wherever that is plugged in: between two ports nothing comes, and what is written is lost. */
export class FollowedPort implements Port {
  readonly address: PortAddress;
  private current: Port | undefined;
  private isOpening = false;
  private isClosed = false;
  private retry: Timer | undefined;
  private readonly source: HostPorts;
  private readonly directory: PortDirectory;
  private readonly tracker: ReturnType<PortDirectory["track"]>;

  constructor(private readonly options: FollowedPortOptions) {
    const { place, board } = options;
    this.address = board.port.address;
    this.source = new HostPorts(place.clock, () => place.listPorts());
    const wanted = new WantedPorts(this.source);
    this.directory = new PortDirectory(wanted);
    if (!this.source.ports.some(({ path }) => path === board.port.path)) wanted.want(board.port.path);
    this.tracker = this.directory.track(board.port, board.isMacGuess ? undefined : board.mac);
  }

  get isOpen(): boolean {
    return this.current !== undefined;
  }

  get bufferedBytes(): number {
    return this.current?.bufferedBytes ?? 0;
  }

  /** From now on the board is followed. @throws FleetrigError those of `PortOpener` (rejections) */
  async open(): Promise<void> {
    await this.openPort();
    this.tracker.watch(() => this.follow());
  }

  /** The board at the present port says that this is its MAC. */
  learned(mac: string): void {
    const { place } = this.tracker;
    if (place !== undefined) this.tracker.learned(place, mac);
  }

  write(bytes: Uint8Array): void {
    this.current?.write(bytes);
  }

  async setLines(lines: ModemLines): Promise<void> {
    await this.present().setLines(lines);
  }

  async setBaud(baud: number): Promise<void> {
    await this.present().setBaud(baud);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.retry?.cancel();
    this.tracker.release();
    this.directory.close();
    this.source.stop();
    await this.current?.close();
    this.current = undefined;
  }

  private present(): Port {
    if (this.current !== undefined) return this.current;
    throw new FleetrigError("PORT_NOT_FOUND", "The board's port is away.", {
      hint: "It comes back when the board is plugged in or has power.",
    });
  }

  private async openPort(): Promise<void> {
    const { place, board, opener = place.opener, baud, received, attached } = this.options;
    const { address, path } = this.tracker.place ?? board.port;
    this.isOpening = true;
    try {
      const port = await opener.open({
        address,
        baud,
        lines: this.tracker.place?.lines ?? KIND_POLICIES[board.port.adapter.kind].idle,
        receiver: { received, closed: (reason) => this.lost(reason) },
      });
      if (this.isClosed) await port.close();
      else this.current = port;
    } finally {
      this.isOpening = false;
    }
    attached(path);
  }

  private lost(reason: PortEnd): void {
    this.current = undefined;
    if (this.isClosed || reason === "local") return;
    this.options.detached(reason);
    this.tracker.look();
    this.follow();
  }

  /** Opens the port that the board has now, as soon as it has one. */
  private follow(): void {
    if (this.isClosed || this.current !== undefined || this.isOpening) return;
    this.retry?.cancel();
    this.retry = this.options.place.clock.after(RETRY_US, () => this.follow());
    if (this.tracker.place === undefined) return;
    // A port that cannot be opened yet is tried again.
    this.openPort().catch(() => undefined);
  }
}
