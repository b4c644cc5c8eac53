import type { PassingPacket } from "../links/link-fault.js";

/**
 * Cuts a stream into the packets of MQTT by their fixed headers, and changes nothing: the pieces, put together,
 * are the bytes that came. What no header explains is passed on as it is, since a proxy must not be stricter than
 * the broker behind it.
 */

/** Some bytes on their way: a packet, or what comes after the beginning of a long one. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** What begins here; undefined for bytes that are no packet and for the rest of a long one. */
  readonly packet: PassingPacket | undefined;
  /** It belongs to the packet that began in an earlier piece. */
  readonly isContinuation: boolean;
}

/** Longer packets pass in pieces, so that nobody has to keep 256 MB. */
const WHOLE_PACKET_BYTES_MAX = 65_536;
/** Type, and a remaining length of up to four bytes. */
const HEADER_BYTES_MAX = 5;

const NOTHING = Buffer.alloc(0);

/** By the packet type of the fixed header; 0 is reserved (MQTT 5 §2.1.2). */
const PACKETS: readonly (PassingPacket | undefined)[] = [
  undefined,
  { type: "connect" },
  { type: "connack" },
  { type: "publish" },
  { type: "puback" },
  { type: "pubrec" },
  { type: "pubrel" },
  { type: "pubcomp" },
  { type: "subscribe" },
  { type: "suback" },
  { type: "unsubscribe" },
  { type: "unsuback" },
  { type: "pingreq" },
  { type: "pingresp" },
  { type: "disconnect" },
  { type: "auth" },
];

/** The header is not complete yet. */
const INCOMPLETE = 0;
/** No MQTT: the stream cannot be cut from here on. */
const NO_FRAME = -1;

/** Cuts one direction of one connection. */
export class FrameCutter {
  /** The beginning of a frame that is not complete. */
  private held = NOTHING;
  private heldBytes = 0;
  /** Of the held frame, once its header is complete. */
  private frameBytes = INCOMPLETE;
  /** What is still to come of a long frame. */
  private restBytes = 0;
  private isOpaque: boolean;
  private isPaused = false;
  private unread = NOTHING;
  private readonly take: (piece: Piece) => void;

  /** @param take Called for each piece, in order. */
  constructor(take: (piece: Piece) => void, { isOpaque = false }: { isOpaque?: boolean } = {}) {
    this.take = take;
    this.isOpaque = isOpaque;
  }

  /** Keeps uncut what comes from now on, the rest of the chunk in hand included. */
  pause(): void {
    this.isPaused = true;
  }

  /** Cuts what was kept, and goes on. */
  resume(): void {
    const { unread } = this;
    this.isPaused = false;
    this.unread = NOTHING;
    this.push(unread);
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.isPaused) {
        this.unread = Buffer.concat([this.unread, chunk.subarray(at)]);
        return;
      }
      if (this.isOpaque) {
        this.take({ bytes: chunk.subarray(at), packet: undefined, isContinuation: false });
        return;
      }
      if (this.restBytes > 0) at = this.passRest(chunk, at);
      else if (this.heldBytes > 0) at = this.completeHeld(chunk, at);
      else at = this.cut(chunk, at);
    }
  }

  /** The stream is over: what was held is passed on as it is. */
  end(): void {
    if (this.heldBytes > 0) this.takeHeld(undefined);
  }

  private cut(chunk: Buffer, at: number): number {
    const frameBytes = frameSize(chunk, at, chunk.length);
    if (frameBytes === NO_FRAME) {
      this.isOpaque = true;
      return at;
    }
    const end = at + frameBytes;
    if (frameBytes > WHOLE_PACKET_BYTES_MAX) {
      const bytes = chunk.subarray(at, end);
      this.restBytes = frameBytes - bytes.length;
      this.take({ bytes, packet: packetOf(bytes), isContinuation: false });
      return at + bytes.length;
    }
    if (frameBytes === INCOMPLETE || end > chunk.length) {
      this.frameBytes = frameBytes;
      this.hold(chunk.subarray(at));
      return chunk.length;
    }
    const bytes = chunk.subarray(at, end);
    this.take({ bytes, packet: packetOf(bytes), isContinuation: false });
    return end;
  }

  private passRest(chunk: Buffer, at: number): number {
    const bytes = chunk.subarray(at, at + this.restBytes);
    this.restBytes -= bytes.length;
    this.take({ bytes, packet: undefined, isContinuation: true });
    return at + bytes.length;
  }

  private completeHeld(chunk: Buffer, at: number): number {
    if (this.frameBytes === INCOMPLETE) {
      this.hold(chunk.subarray(at, at + 1));
      this.frameBytes = frameSize(this.held, 0, this.heldBytes);
      if (this.frameBytes === NO_FRAME) {
        this.isOpaque = true;
        this.takeHeld(undefined);
      } else if (this.frameBytes > WHOLE_PACKET_BYTES_MAX) {
        this.restBytes = this.frameBytes - this.heldBytes;
        this.takeHeld(packetOf(this.held));
      } else if (this.frameBytes === this.heldBytes) {
        this.takeHeld(packetOf(this.held));
      }
      return at + 1;
    }
    const bytes = chunk.subarray(at, at + this.frameBytes - this.heldBytes);
    this.hold(bytes);
    if (this.heldBytes === this.frameBytes) this.takeHeld(packetOf(this.held));
    return at + bytes.length;
  }

  /** Grows with the bytes received, never with the bytes announced. */
  private hold(bytes: Buffer): void {
    const heldBytes = this.heldBytes + bytes.length;
    if (this.held.length < heldBytes) {
      const grown = Buffer.allocUnsafeSlow(Math.max(heldBytes, 2 * this.heldBytes, 16));
      this.held.copy(grown, 0, 0, this.heldBytes);
      this.held = grown;
    }
    bytes.copy(this.held, this.heldBytes);
    this.heldBytes = heldBytes;
  }

  private takeHeld(packet: PassingPacket | undefined): void {
    const bytes = this.held.subarray(0, this.heldBytes);
    this.held = NOTHING;
    this.heldBytes = 0;
    this.frameBytes = INCOMPLETE;
    this.take({ bytes, packet, isContinuation: false });
  }
}

const packetOf = (bytes: Buffer): PassingPacket | undefined => PACKETS[bytes[0]! >> 4];

/** Bytes of the frame at `at`, its header included; or one of the two values above. */
function frameSize(bytes: Buffer, at: number, end: number): number {
  if (bytes[at]! >> 4 === 0) return NO_FRAME;
  let remaining = 0;
  for (let i = 1; i < HEADER_BYTES_MAX; i += 1) {
    if (at + i >= end) return INCOMPLETE;
    const byte = bytes[at + i]!;
    remaining |= (byte & 127) << (7 * (i - 1));
    if (byte < 128) return 1 + i + remaining;
  }
  return NO_FRAME;
}
