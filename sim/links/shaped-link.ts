import type { LinkCloseReason, Packet, PacketLink, PacketReceiver } from "fleetrig/protocol";
import type { Direction, Passage } from "./link-fault.js";
import type { DirectionState, LinkPath } from "./link-path.js";

/** One direction of a shaped link: what is held back, in order. */
class Lane implements DirectionState {
  lastArrivalUs = 0;
  busyUntilUs = 0;
  private readonly held: (() => void)[] = [];

  constructor(
    private readonly path: LinkPath,
    private readonly direction: Direction,
  ) {}

  /** Runs `passOn` when the path says so: never, later, or at once where nothing is to be waited for. */
  pass(packet: Passage["packet"], wireBytes: number, passOn: () => void): void {
    const { clock } = this.path;
    const arrivalUs = this.path.arrivalUs(this, this.direction, packet, wireBytes);
    if (arrivalUs < 0) return;
    const delayUs = arrivalUs - clock.nowUs();
    if (delayUs <= 0 && this.held.length === 0) {
      passOn();
      return;
    }
    this.held.push(passOn);
    clock.after(delayUs, releaseOldest, this.held);
  }
}

const releaseOldest = (held: (() => void)[]): void => held.shift()?.();

/**
 * A link of another kind, a socket say, bent to a profile and its faults: what the device sends is held back
 * before it goes on, what comes in before the device hears of it. One thing a socket cannot do: a device that
 * gives up a severed link ends it for the broker too, since the operating system would not keep it otherwise.
 */
export class ShapedLink implements PacketLink, PacketReceiver {
  /** Who listens on the device's side, once it knows of the link. */
  receiver: PacketReceiver | undefined;
  private readonly up: Lane;
  private readonly down: Lane;
  private isSevered = false;
  /** This side ended it: nothing more goes out. */
  private isShut = false;
  /** The device was told of the end, or is about to be. */
  private isOver = false;

  constructor(
    private readonly inner: PacketLink,
    private readonly path: LinkPath,
  ) {
    this.up = new Lane(path, "up");
    this.down = new Lane(path, "down");
  }

  get bufferedBytes(): number {
    return this.inner.bufferedBytes;
  }

  get remoteAddress(): string {
    return this.inner.remoteAddress;
  }

  /** The other side, or a fault, ended it. */
  get hasEnded(): boolean {
    return this.isOver;
  }

  send(packet: Packet): void {
    if (this.isShut) return;
    if (this.isSevered) {
      if (this.path.faults.obstruct() !== "vanish") this.reset();
      return;
    }
    this.up.pass(packet, this.path.wireBytes(packet, this.path.version), () => {
      if (!this.isSevered) this.inner.send(packet);
    });
  }

  close(): void {
    if (this.isShut) return;
    this.isShut = true;
    if (this.isSevered) this.inner.destroy();
    else this.up.pass(undefined, 0, () => this.inner.close());
  }

  destroy(): void {
    this.isShut = true;
    this.inner.destroy();
  }

  pauseReading(): void {
    this.inner.pauseReading?.();
  }

  resumeReading(): void {
    this.inner.resumeReading?.();
  }

  received(packet: Packet, wireBytes: number): void {
    if (this.isSevered) return;
    this.down.pass(packet, wireBytes, () => {
      if (!this.isSevered && !this.isOver && !this.isShut) this.receiver?.received(packet, wireBytes);
    });
  }

  closed(reason: LinkCloseReason): void {
    this.path.faults.detach(this);
    if (reason === "local") this.end(reason);
    else if (!this.isSevered) this.down.pass(undefined, 0, () => this.end(reason));
  }

  /** RST to both sides. */
  reset(): void {
    this.path.faults.detach(this);
    this.isShut = true;
    this.end("reset");
    this.inner.destroy();
  }

  sever(): void {
    this.isSevered = true;
    this.path.faults.detach(this);
  }

  private end(reason: LinkCloseReason): void {
    if (this.isOver) return;
    this.isOver = true;
    this.receiver?.closed(reason);
  }
}
