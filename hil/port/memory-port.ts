import type { Clock } from "fleetrig/kernel";
import { portClosed, portError } from "./port-error.js";
import type { ModemLines, Port, PortAddress, PortEnd, PortOpening } from "./port.js";

/** The far end of a memory port: what a board has. */
export interface MemoryPeer {
  received(bytes: Uint8Array, atUs: number): void;
  /** Called with both lines at once, as a driver sets them. */
  lines?(lines: ModemLines): void;
  baud?(baud: number): void;
  /** The near end was closed, or torn off. */
  closed?(): void;
}

export interface MemoryPortOptions {
  readonly clock: Clock;
  readonly opening: PortOpening;
  readonly peer: MemoryPeer;
  /** From the write to the peer, and back; default 0: still never in the same call. */
  readonly delayUs?: number;
  /** False: as a pty, it has no modem lines. Default: true. */
  readonly hasLines?: boolean;
}

/**
 * A port without a device: what is written arrives at the peer `delayUs` later, in order, in virtual or real time. For tests, and for
 * boards that run in this process.
 */
export class MemoryPort implements Port {
  readonly address: PortAddress;
  private readonly delayUs: number;
  private end: PortEnd | undefined;
  private underway = 0;

  constructor(private readonly options: MemoryPortOptions) {
    this.address = options.opening.address;
    this.delayUs = options.delayUs ?? 0;
    const { lines = { dtr: false, rts: false }, baud } = options.opening;
    options.peer.baud?.(baud);
    if (options.hasLines !== false) options.peer.lines?.(lines);
  }

  get bufferedBytes(): number {
    return this.underway;
  }

  write(bytes: Uint8Array): void {
    if (this.end !== undefined || bytes.length === 0) return;
    this.underway += bytes.length;
    const copy = bytes.slice();
    this.options.clock.after(this.delayUs, () => {
      this.underway -= copy.length;
      if (this.end === undefined) this.options.peer.received(copy, this.options.clock.nowUs());
    });
  }

  async setLines(lines: ModemLines): Promise<void> {
    if (this.end !== undefined) throw portClosed(this.address);
    if (this.options.hasLines === false) throw portError(this.address, "Inappropriate ioctl for device");
    this.options.peer.lines?.(lines);
  }

  async setBaud(baud: number): Promise<void> {
    if (this.end !== undefined) throw portClosed(this.address);
    this.options.peer.baud?.(baud);
  }

  async close(): Promise<void> {
    this.finish("local");
  }

  /** The peer's side: these bytes come in. */
  send(bytes: Uint8Array): void {
    if (this.end !== undefined || bytes.length === 0) return;
    const copy = bytes.slice();
    this.options.clock.after(this.delayUs, () => {
      if (this.end === undefined) this.options.opening.receiver.received(copy, this.options.clock.nowUs());
    });
  }

  /** The peer's side: pulls the cable, or lets the driver hang. */
  tear(reason: PortEnd = "disconnected"): void {
    this.finish(reason);
  }

  private finish(reason: PortEnd): void {
    if (this.end !== undefined) return;
    this.end = reason;
    this.options.peer.closed?.();
    this.options.opening.receiver.closed(reason);
  }
}
