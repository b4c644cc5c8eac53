import type { LinkCloseReason, LinkPeer, Packet, PacketLink, PacketReceiver } from "fleetrig/protocol";
import type { Direction } from "./link-fault.js";
import type { DirectionState, LinkPath } from "./link-path.js";

/** A packet on its way to `target`. */
class Arrival {
  constructor(
    readonly target: MemoryEnd,
    readonly packet: Packet,
    readonly wireBytes: number,
  ) {}
}

/** The end of the stream on its way to `target`. */
class EndOfStream {
  constructor(
    readonly target: MemoryEnd,
    readonly reason: LinkCloseReason,
  ) {}
}

const deliver = (arrival: Arrival): void => arrival.target.take(arrival.packet, arrival.wireBytes);
const deliverEnd = (end: EndOfStream): void => end.target.end(end.reason);

/** One end of a link in memory: what it sends arrives at its peer when the path says so. */
class MemoryEnd implements PacketLink, DirectionState {
  lastArrivalUs = 0;
  busyUntilUs = 0;
  otherEnd!: MemoryEnd;
  receiver: PacketReceiver | undefined;
  /** This side said close() or destroy(), or heard the end: it sends nothing more. */
  private isShut = false;
  /** `closed` was called, or is about to be. */
  private isOver = false;

  constructor(
    private readonly link: MemoryLink,
    private readonly direction: Direction,
    readonly remoteAddress: string,
    readonly peer: LinkPeer | undefined,
  ) {}

  send(packet: Packet): void {
    if (this.isShut) return;
    const path = this.link.path;
    if (this.link.isSevered) {
      this.link.sentIntoNothing(this);
      return;
    }
    const wireBytes = path.wireBytes(packet, path.version);
    const arrivalUs = path.arrivalUs(this, this.direction, packet, wireBytes);
    if (arrivalUs < 0) return;
    path.clock.after(arrivalUs - path.clock.nowUs(), deliver, new Arrival(this.otherEnd, packet, wireBytes));
  }

  close(): void {
    this.shut("closed");
  }

  destroy(): void {
    if (this.isShut) return;
    // Bytes that still wait for their turn die with this end, and the RST does not wait for them.
    if (this.busyUntilUs > this.link.path.clock.nowUs()) this.lastArrivalUs = 0;
    this.shut("reset");
  }

  get bufferedBytes(): number {
    const { bitsPerSecond, clock } = this.link.path;
    if (bitsPerSecond === 0) return 0;
    return Math.max(0, Math.floor(((this.busyUntilUs - clock.nowUs()) * bitsPerSecond) / 8e6));
  }

  take(packet: Packet, wireBytes: number): void {
    if (this.isShut || this.link.isSevered) return;
    this.receiver?.received(packet, wireBytes);
  }

  /** The stream ends here; what arrives later is ignored. */
  end(reason: LinkCloseReason): void {
    if (this.isOver || (this.link.isSevered && reason !== "local")) return;
    this.finish(reason);
  }

  finish(reason: LinkCloseReason): void {
    if (this.isOver) return;
    this.isShut = true;
    this.isOver = true;
    this.link.ended();
    const receiver = this.receiver;
    this.receiver = undefined;
    receiver?.closed(reason);
  }

  private shut(peerHears: LinkCloseReason): void {
    if (this.isShut) return;
    this.isShut = true;
    const { path } = this.link;
    path.clock.after(0, deliverEnd, new EndOfStream(this, "local"));
    if (this.link.isSevered) return;
    const arrivalUs = path.arrivalUs(this, this.direction, undefined, 0);
    if (arrivalUs < 0) return;
    path.clock.after(arrivalUs - path.clock.nowUs(), deliverEnd, new EndOfStream(this.otherEnd, peerHears));
  }
}

/**
 * A connection in memory. Packets cross as objects, on the device's lane in both directions, so that what
 * happens in one microsecond does not depend on the broker.
 */
export class MemoryLink {
  readonly client: MemoryEnd;
  readonly server: MemoryEnd;
  /** Nothing crosses any more; see the blackhole fault. */
  isSevered = false;

  constructor(
    readonly path: LinkPath,
    address: string,
    peer: LinkPeer | undefined,
  ) {
    this.client = new MemoryEnd(this, "up", "memory:broker", undefined);
    this.server = new MemoryEnd(this, "down", address, peer);
    this.client.otherEnd = this.server;
    this.server.otherEnd = this.client;
  }

  /** RST to both sides, at once. */
  reset(): void {
    this.client.finish("reset");
    this.server.finish("reset");
  }

  sever(): void {
    this.isSevered = true;
    this.path.faults.detach(this);
  }

  ended(): void {
    this.path.faults.detach(this);
  }

  /** Once the path works again, who sends on a dead link hears a reset; before, nothing. */
  sentIntoNothing(sender: MemoryEnd): void {
    const { faults, clock } = this.path;
    if (faults.obstruct() === "vanish") return;
    clock.after(this.path.roundTripUs(), finishReset, sender);
  }
}

const finishReset = (end: MemoryEnd): void => end.finish("reset");
