import { type DecodeFailure, decodeFailure } from "./decode-failure.js";
import { PACKET_FORMS, type PacketForm } from "./packet-bodies.js";
import { type Conversation, type DecoderRole, PacketReader, type RecentTexts } from "./packet-reader.js";
import type { Packet, ProtocolVersion } from "./packets.js";
import { REASON } from "./reason-codes.js";

/**
 * Bytes to packets. A *frame* is one packet with its fixed header. A frame that arrives in one piece is read where
 * it lies; only one that is cut by the end of a chunk is *held*: collected in a buffer that grows with the bytes
 * received, never with the bytes announced.
 */
export interface DecoderOptions {
  readonly role: DecoderRole;
  /** Largest packet accepted, fixed header included. */
  readonly maxPacketBytes: number;
  /** The same before CONNECT was seen. Default 65,536, but at most `maxPacketBytes`. */
  readonly maxConnectBytes?: number;
  /** A client knows its version; a server learns it from CONNECT. Default 4. */
  readonly version?: ProtocolVersion;
}

/** Called for each packet; `wireBytes` is its size on the wire, fixed header included. */
export type PacketHandler<Owner = undefined> = (packet: Packet, wireBytes: number, owner: Owner) => void;

const DEFAULT_MAX_CONNECT_BYTES = 65_536;
/** Type and the longest remaining length. */
const MAX_HEADER_BYTES = 5;
/** No packet is larger (§2.1.4). */
const MQTT_MAX_PACKET_BYTES = 268_435_460;

/** Decoding a frame is one synchronous step, so that all decoders share a reader. */
const READER = new PacketReader();

/**
 * A streaming decoder for one direction of one connection. It never throws, whatever the bytes, and yields the
 * same packets and the same failure however they are cut into chunks. After a failure it stays failed.
 * Payloads are views of the chunk, which must therefore not change any more; whoever keeps one for long copies it,
 * lest ten bytes keep a read of 64 KiB alive.
 */
export class PacketDecoder implements Conversation {
  /** On a server: 5 from the moment a CONNECT says so (also one refused later on), else 4. */
  version: ProtocolVersion;
  /** On a server: the largest packet that the client takes [MQTT-3.1.2-24]. */
  answerBytesMax = MQTT_MAX_PACKET_BYTES;
  /** @internal The reader's. */
  recentTexts: RecentTexts | undefined;
  private readonly options: DecoderOptions;
  private hold: Buffer | undefined;
  private heldBytes = 0;
  /** Size of the frame whose header was scanned last; 0 while the header is incomplete. */
  private frameBytes = 0;
  private headerBytes = 0;
  private opened = false;
  private stopped = false;
  private failed: DecodeFailure | undefined;

  constructor(options: DecoderOptions) {
    this.options = options;
    this.version = options.version ?? 4;
  }

  get role(): DecoderRole {
    return this.options.role;
  }

  /** A server has read CONNECT, a client CONNACK. */
  get isOpened(): boolean {
    return this.opened;
  }

  /** The beginning of a frame is held, and its end has not come. */
  get isMidPacket(): boolean {
    return this.heldBytes > 0;
  }

  /** Ignores the rest of the chunk being decoded and everything after it. */
  stop(): void {
    this.stopped = true;
    this.hold = undefined;
  }

  /**
   * Decodes as much as there is, calling `onPacket` in order, with `owner`: handlers of many decoders can be one
   * function.
   * @returns why the bytes were refused; the packets before that have been delivered.
   */
  push<Owner>(chunk: Uint8Array, onPacket: PacketHandler<Owner>, owner: Owner): DecodeFailure | undefined;
  push(chunk: Uint8Array, onPacket: PacketHandler): DecodeFailure | undefined;
  push<Owner>(chunk: Uint8Array, onPacket: PacketHandler<Owner>, of?: Owner): DecodeFailure | undefined {
    if (this.failed !== undefined || this.stopped) return this.failed;
    const owner = of as Owner;
    const bytes = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = bytes.length;
    let at = this.heldBytes > 0 ? this.completeHeld(bytes, onPacket, owner) : 0;
    while (at < end && this.failed === undefined && !this.stopped) {
      this.scanHeader(bytes, at, end);
      if (this.failed !== undefined) break;
      const frameEnd = at + this.frameBytes;
      if (this.frameBytes === 0 || frameEnd > end) {
        this.keep(bytes, at, end);
        break;
      }
      const packet = this.readFrame(bytes, at);
      if (packet !== undefined) onPacket(packet, this.frameBytes, owner);
      at = frameEnd;
    }
    READER.release();
    return this.failed;
  }

  /** Fixed header (§2.1): type and flags, then the remaining length. Everything it can refuse is refused here. */
  private scanHeader(bytes: Buffer, at: number, end: number): void {
    this.frameBytes = 0;
    const first = bytes[at]!;
    const form = PACKET_FORMS[first >> 4];
    this.failed = this.refusal(form, first);
    if (form === undefined || this.failed !== undefined) return;
    let remaining = 0;
    for (let i = 1; i < MAX_HEADER_BYTES; i += 1) {
      if (at + i >= end) return;
      const byte = bytes[at + i]!;
      remaining |= (byte & 127) << (7 * (i - 1));
      if (byte > 127) continue;
      if (byte === 0 && i > 1)
        this.failed = decodeFailure(
          REASON.malformedPacket,
          "The remaining length is not minimal",
          "MQTT-1.5.5-1",
        );
      else this.measured(form, 1 + i, remaining);
      return;
    }
    this.failed = decodeFailure(
      REASON.malformedPacket,
      "The remaining length is longer than four bytes",
      "1.5.5",
    );
  }

  private measured(form: PacketForm, headerBytes: number, remaining: number): void {
    const frameBytes = headerBytes + remaining;
    const limitBytes = this.limitBytes();
    if (frameBytes > limitBytes) {
      const what = `${form.name} of ${frameBytes} bytes exceeds the limit of ${limitBytes}`;
      this.failed = decodeFailure(REASON.packetTooLarge, what, "MQTT-3.1.2-24");
      return;
    }
    this.headerBytes = headerBytes;
    this.frameBytes = frameBytes;
  }

  /** Before CONNECT anybody may be there: less is taken from them. */
  private limitBytes(): number {
    const { role, maxPacketBytes, maxConnectBytes = DEFAULT_MAX_CONNECT_BYTES } = this.options;
    return this.opened || role === "client" ? maxPacketBytes : Math.min(maxConnectBytes, maxPacketBytes);
  }

  private refusal(form: PacketForm | undefined, first: number): DecodeFailure | undefined {
    const { role, version } = this;
    if (form === undefined)
      return decodeFailure(REASON.malformedPacket, "Packet type 0 is reserved", "2.1.2");
    if (form.flags !== undefined && (first & 15) !== form.flags)
      return decodeFailure(REASON.malformedPacket, `${form.name} has wrong reserved flags`, "MQTT-2.1.3-1");
    const senders = role === "server" ? form.fromClient : form.fromServer;
    if (((senders >> version) & 1) === 0)
      return decodeFailure(REASON.protocolError, `${form.name} cannot come from this side`, "2.1.2");
    return this.opened ? this.refusalAfterOpening(form) : this.refusalBeforeOpening(form);
  }

  private refusalBeforeOpening({ name }: PacketForm): DecodeFailure | undefined {
    if (this.role === "server")
      return name === "CONNECT"
        ? undefined
        : decodeFailure(REASON.protocolError, `${name} came before CONNECT`, "MQTT-3.1.0-1");
    return name === "CONNACK" || name === "AUTH"
      ? undefined
      : decodeFailure(REASON.protocolError, `${name} came before CONNACK`, "MQTT-3.2.0-1");
  }

  private refusalAfterOpening({ name }: PacketForm): DecodeFailure | undefined {
    if (name === "CONNECT")
      return decodeFailure(REASON.protocolError, "A second CONNECT came", "MQTT-3.1.0-2");
    if (name === "CONNACK")
      return decodeFailure(REASON.protocolError, "A second CONNACK came", "MQTT-3.2.0-2");
    return undefined;
  }

  /** Reads the frame of `frameBytes` at `at`, which is complete. */
  private readFrame(bytes: Buffer, at: number): Packet | undefined {
    const reader = READER;
    reader.enter(this);
    const first = bytes[at]!;
    reader.flags = first & 15;
    reader.frameAt = at;
    reader.start(bytes, at + this.headerBytes, at + this.frameBytes);
    const packet = PACKET_FORMS[first >> 4]!.read(reader);
    if (reader.at < reader.end) reader.malformed("The packet is longer than its content", "2.1.4");
    this.failed = reader.failure;
    if (this.failed !== undefined) return undefined;
    if (!this.opened) this.opened = packet.type === "connect" || packet.type === "connack";
    return packet;
  }

  /** Keeps the beginning of a frame until the rest comes. */
  private keep(bytes: Buffer, from: number, to: number): void {
    const keptBytes = this.heldBytes + to - from;
    if (this.hold === undefined || this.hold.length < keptBytes) {
      const doubled = Math.max(keptBytes, 2 * this.heldBytes, 16);
      const grown = Buffer.allocUnsafeSlow(
        this.frameBytes === 0 ? doubled : Math.min(doubled, this.frameBytes),
      );
      this.hold?.copy(grown, 0, 0, this.heldBytes);
      this.hold = grown;
    }
    bytes.copy(this.hold, this.heldBytes, from, to);
    this.heldBytes = keptBytes;
  }

  /** Adds to the held frame until it is complete or the chunk is used up. @returns bytes taken. */
  private completeHeld<Owner>(bytes: Buffer, onPacket: PacketHandler<Owner>, owner: Owner): number {
    let at = 0;
    while (this.frameBytes === 0 && at < bytes.length) {
      this.keep(bytes, at, at + 1);
      at += 1;
      this.scanHeader(this.hold!, 0, this.heldBytes);
      if (this.failed !== undefined) return at;
    }
    if (this.frameBytes === 0) return at;
    const take = Math.min(this.frameBytes - this.heldBytes, bytes.length - at);
    if (take > 0) this.keep(bytes, at, at + take);
    if (this.heldBytes < this.frameBytes) return at + take;
    const hold = this.hold!;
    this.heldBytes = 0;
    this.hold = undefined;
    const packet = this.readFrame(hold, 0);
    if (packet !== undefined) onPacket(packet, this.frameBytes, owner);
    return at + take;
  }
}
