import type { DecodeFailure } from "./decode-failure.js";
import { PacketDecoder } from "./decode.js";
import { encodeAll, prepareToSend } from "./encode.js";
import type { LinkCloseReason, LinkPeer, PacketLink, PacketReceiver } from "./link.js";
import type { DecoderRole } from "./packet-reader.js";
import type { Packet, ProtocolVersion } from "./packets.js";
import { FramedPublish } from "./publish-frame.js";
import { REASON } from "./reason-codes.js";
import { wireBytes } from "./wire-size.js";

/**
 * A packet link over a stream of bytes: TCP now, anything with the same face later. Both ends use it.
 * Packets sent in one turn of the event loop leave in one write: system calls, not encoding, are what
 * a broker on loopback spends its time on.
 */

/** The part of a duplex stream (`net.Socket` is one) that a link needs. */
export interface ByteStream {
  readonly writableLength: number;
  write(bytes: Uint8Array): unknown;
  end(): unknown;
  destroy(): unknown;
  pause(): unknown;
  resume(): unknown;
  /** True in the middle of a frame of the stream's own, where it has any. */
  readonly isMidFrame?: boolean;
  /** Listeners are called with the stream as `this`. */
  on(event: "data", listener: (this: this, chunk: Uint8Array) => void): unknown;
  on(event: "end" | "drain" | "close" | "error", listener: (this: this) => void): unknown;
}

/** Collects the links that have something to write and flushes them together, once per turn. */
export class WriteBatch {
  private readonly schedule: (task: () => void) => void;
  private waiting: SocketLink[] = [];

  /** @param schedule Runs a task once the current turn of the event loop is over. */
  constructor(schedule: (task: () => void) => void) {
    this.schedule = schedule;
  }

  add(link: SocketLink): void {
    if (this.waiting.push(link) === 1) this.schedule(() => this.flush());
  }

  /** Flushes now; what is sent meanwhile goes into the next batch. */
  flush(): void {
    const links = this.waiting;
    this.waiting = [];
    for (const link of links) link.flush();
  }
}

/** What the links of one listener or dialer have in common: an idle link must cost little. */
export interface LinkHost {
  readonly role: DecoderRole;
  readonly batch: WriteBatch;
  readonly maxPacketBytes: number;
  /** Needed on a client; a server learns it from CONNECT. */
  readonly version?: ProtocolVersion;
  /** Called once our side of the stream has ended: see to it that it does not stay half open. */
  linger(stream: ByteStream): void;
  /** Ending the stream is closing it: no frame or alert of its own goes before. Default false. */
  readonly endsByClosing?: boolean;
  /** Told why bytes were refused, for logs. */
  refused?(failure: DecodeFailure, remoteAddress: string): void;
}

/** One end of a byte stream. */
export interface LinkEnd {
  readonly stream: ByteStream;
  readonly remoteAddress: string;
  /** What the transport knows about the other side. */
  readonly peer?: LinkPeer;
}

/** Where a stream keeps its link: its listeners are shared functions, not five closures per link. */
const LINK = Symbol("link");

type LinkedStream = ByteStream & { [LINK]?: SocketLink };

/** A server stops reading from a client that leaves this much unread: its answers cannot pile up without end. */
const UNREAD_BYTES_MAX = 1_048_576;

type Phase =
  | "open"
  /** Nothing more is accepted; what was accepted goes out, then the stream ends. */
  | "closing"
  | "closed";

/** A link over a byte stream such as a TCP socket. */
export class SocketLink implements PacketLink {
  readonly remoteAddress: string;
  readonly peer: LinkPeer | undefined;
  readonly stream: ByteStream;
  private readonly host: LinkHost;
  private readonly decoder: PacketDecoder;
  private receiver: PacketReceiver | undefined;
  private pending: Packet[] | undefined;
  private pendingBytes = 0;
  private writtenBytes = 0;
  private queued = false;
  private phase: Phase = "open";
  private hasConnack = false;
  private isPaused = false;
  /** The owner takes nothing more in for the time being. */
  private isHeldBack = false;
  /** A local end, to be reported with the next flush: never from inside `close` or `destroy`. */
  private endedLocally = false;
  /** The other side sends nothing more. */
  private isEndedByPeer = false;

  constructor(host: LinkHost, { stream, remoteAddress, peer }: LinkEnd) {
    this.host = host;
    this.stream = stream;
    this.remoteAddress = remoteAddress;
    this.peer = peer;
    this.decoder = new PacketDecoder(host);
    const linked: LinkedStream = stream;
    linked[LINK] = this;
    linked.on("data", SocketLink.onData);
    linked.on("end", SocketLink.onEnd);
    linked.on("drain", SocketLink.onDrain);
    linked.on("error", SocketLink.onClose);
    linked.on("close", SocketLink.onClose);
  }

  /** Names the owner; to be called before the stream's first event. */
  attach(receiver: PacketReceiver): void {
    this.receiver = receiver;
  }

  /** A server has its CONNECT, a client its CONNACK. */
  get isOpened(): boolean {
    return this.decoder.isOpened;
  }

  /** Part of a packet has come, and the rest has not. */
  get isMidPacket(): boolean {
    return this.decoder.isMidPacket || this.stream.isMidFrame === true;
  }

  get bufferedBytes(): number {
    return this.stream.writableLength + this.pendingBytes;
  }

  get sentBytes(): number {
    return this.writtenBytes + this.pendingBytes;
  }

  /** After `close` or `destroy`, or when the other side is gone, packets are dropped. */
  send(packet: Packet): void {
    if (this.phase !== "open") return;
    const { version } = this.decoder;
    const isServer = this.host.role === "server";
    // In 3.1.1 only clients send DISCONNECT; a server just closes (3.1.1 §3.14).
    if (isServer && version === 4 && packet.type === "disconnect") return;
    this.pendingBytes += prepareToSend(packet, version);
    if (this.pending === undefined) this.pending = [packet];
    else this.pending.push(packet);
    if (packet.type === "connack") this.hasConnack = true;
    this.queue();
  }

  close(): void {
    if (this.phase !== "open") return;
    this.shut("closing");
    this.endedLocally = true;
    this.queue();
  }

  destroy(): void {
    if (this.phase === "closed") return;
    if (this.phase === "open") this.endedLocally = true;
    this.shut("closed");
    this.discard();
    this.stream.destroy();
    this.queue();
  }

  pauseReading(): void {
    this.isHeldBack = true;
    this.stream.pause();
  }

  resumeReading(): void {
    this.isHeldBack = false;
    if (!this.isPaused) this.stream.resume();
  }

  /** Writes everything accepted so far in one piece. */
  flush(): void {
    this.queued = false;
    if (this.pendingBytes > 0) this.write();
    if (this.phase === "closing") {
      this.phase = "closed";
      this.finish();
    }
    if (this.endedLocally) this.report("local");
  }

  /** Ends our side of the stream; where both sides are done with it, there is nothing to wait for. */
  private finish(): void {
    const { stream, host } = this;
    if (this.isEndedByPeer && host.endsByClosing === true && stream.writableLength === 0) {
      stream.destroy();
      return;
    }
    stream.end();
    host.linger(stream);
  }

  private queue(): void {
    if (this.queued) return;
    this.queued = true;
    this.host.batch.add(this);
  }

  private write(): void {
    const { stream, host } = this;
    const bytes = this.encoded();
    this.writtenBytes += bytes.byteLength;
    this.discard();
    stream.write(bytes);
    if (host.role === "server" && !this.isPaused && stream.writableLength > UNREAD_BYTES_MAX) {
      this.isPaused = true;
      stream.pause();
    }
  }

  /** Everything pending in one piece; a PUBLISH that goes to many is not even copied. */
  private encoded(): Uint8Array {
    const pending = this.pending!;
    const { version } = this.decoder;
    const first = pending[0]!;
    if (pending.length === 1 && first.type === "publish") {
      const bytes = FramedPublish.frameOf(first)?.find(first, version)?.asIs(first);
      if (bytes !== undefined) return bytes;
    }
    const buffer = Buffer.allocUnsafe(this.pendingBytes);
    encodeAll(pending, version, buffer);
    return buffer;
  }

  private discard(): void {
    this.pending = undefined;
    this.pendingBytes = 0;
  }

  private drained(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (!this.isHeldBack) this.stream.resume();
  }

  private read(chunk: Uint8Array): void {
    if (this.phase !== "open") return;
    this.receiver?.arriving?.();
    const failure = this.decoder.push(chunk, SocketLink.deliver, this);
    if (failure !== undefined && this.phase === "open") this.refuse(failure);
  }

  /** MQTT 5 says why (§4.13): in CONNACK while the client still waits for it, in DISCONNECT after that. */
  private refuse(failure: DecodeFailure): void {
    const { reasonCode } = failure;
    const isDisconnect = this.host.role === "client" || this.hasConnack;
    const answer: Packet = isDisconnect
      ? { type: "disconnect", reasonCode }
      : { type: "connack", sessionPresent: false, reasonCode };
    // [MQTT-3.1.2-24] a client may take packets so small that not even this is one.
    if (this.decoder.version === 5 && wireBytes(answer, 5) <= this.decoder.answerBytesMax) this.send(answer);
    this.shut("closing");
    this.queue();
    this.host.refused?.(failure, this.remoteAddress);
    this.report(reasonCode === REASON.packetTooLarge ? "too-large" : "malformed");
  }

  private endedByPeer(): void {
    this.isEndedByPeer = true;
    if (this.phase !== "open") return;
    this.shut("closing");
    this.queue();
    this.report("closed");
  }

  private broken(): void {
    this.discard();
    if (this.phase !== "closed") this.shut("closed");
    if (!this.endedLocally) this.report("reset");
  }

  private shut(phase: Phase): void {
    this.phase = phase;
    this.decoder.stop();
  }

  /** Tells the owner once. */
  private report(reason: LinkCloseReason): void {
    const { receiver } = this;
    this.receiver = undefined;
    this.endedLocally = false;
    receiver?.closed(reason);
  }

  private static deliver(this: void, packet: Packet, bytes: number, link: SocketLink): void {
    link.receiver?.received(packet, bytes);
  }

  private static onData(this: LinkedStream, chunk: Uint8Array): void {
    this[LINK]!.read(chunk);
  }

  private static onEnd(this: LinkedStream): void {
    this[LINK]!.endedByPeer();
  }

  private static onDrain(this: LinkedStream): void {
    this[LINK]!.drained();
  }

  private static onClose(this: LinkedStream): void {
    this[LINK]!.broken();
  }
}
