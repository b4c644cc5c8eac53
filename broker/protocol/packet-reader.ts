import { isUtf8 } from "node:buffer";
import { type DecodeFailure, decodeFailure, type DecodeReason } from "./decode-failure.js";
import type { ProtocolVersion } from "./packets.js";
import { REASON } from "./reason-codes.js";

/** Which side decodes: a server reads what clients send. */
export type DecoderRole = "server" | "client";

/** A packet under construction. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const EMPTY = new Uint8Array(0);
const NO_BYTES = Buffer.alloc(0);
/** Recent texts of one connection; a device uses a few topics and names again and again. Power of two. */
const RECENT_SLOTS = 8;
const RECENT_BYTES_MAX = 128;

interface RecentText {
  readonly bytes: Uint8Array;
  readonly text: string;
}

export type RecentTexts = (RecentText | undefined)[];

/** What one direction of a connection knows from packet to packet. */
export interface Conversation {
  readonly role: DecoderRole;
  version: ProtocolVersion;
  /** Maximum Packet Size of the CONNECT that was read. */
  answerBytesMax: number;
  recentTexts: RecentTexts | undefined;
}

const NOBODY: Conversation = { role: "server", version: 4, answerBytesMax: 0, recentTexts: undefined };

/**
 * A cursor over the body of one packet. The first failure sticks and moves the cursor to the end, after which
 * every read yields zeros: callers read straight on and look at `failure` once.
 * Everything handed out is a copy or a string, except for payloads. One reader serves all connections in turn.
 */
export class PacketReader {
  private conversation: Conversation = NOBODY;
  /** The low four bits of the first byte. */
  flags = 0;
  /** Where the fixed header of the packet begins. */
  frameAt = 0;
  at = 0;
  end = 0;
  failure: DecodeFailure | undefined;
  private bytes: Buffer = NO_BYTES;
  /** The same bytes as a plain array: slicing it is several times faster than slicing a Buffer. */
  private plain: Uint8Array = EMPTY;

  get role(): DecoderRole {
    return this.conversation.role;
  }

  get version(): ProtocolVersion {
    return this.conversation.version;
  }

  set version(version: ProtocolVersion) {
    this.conversation.version = version;
  }

  set answerBytesMax(bytes: number) {
    this.conversation.answerBytesMax = bytes;
  }

  /** The bytes being read. */
  get chunk(): Uint8Array {
    return this.plain;
  }

  /** Names whose packet comes next. */
  enter(conversation: Conversation): void {
    this.conversation = conversation;
    this.failure = undefined;
  }

  start(bytes: Buffer, at: number, end: number): void {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.at = at;
    this.end = end;
  }

  /** Lets go of the bytes: an idle link must not keep the chunk that it read last. */
  release(): void {
    this.conversation = NOBODY;
    this.bytes = NO_BYTES;
    this.plain = EMPTY;
  }

  malformed(what: string, spec: string): void {
    this.fail(REASON.malformedPacket, what, spec);
  }

  violation(what: string, spec: string): void {
    this.fail(REASON.protocolError, what, spec);
  }

  fail(reasonCode: DecodeReason, what: string, spec: string): void {
    this.failure ??= decodeFailure(reasonCode, what, spec);
    this.at = this.end;
  }

  u8(): number {
    if (this.at >= this.end) return this.truncated();
    return this.bytes[this.at++]!;
  }

  u16(): number {
    if (this.end - this.at < 2) return this.truncated();
    const value = (this.bytes[this.at]! << 8) | this.bytes[this.at + 1]!;
    this.at += 2;
    return value;
  }

  u32(): number {
    if (this.end - this.at < 4) return this.truncated();
    const value = this.bytes.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  /** A variable byte integer: at most four bytes, as few as possible (§1.5.5). */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 127) << shift;
      if (byte > 127) continue;
      if (byte === 0 && shift > 0) this.malformed("A variable byte integer is not minimal", "MQTT-1.5.5-1");
      return value;
    }
    this.malformed("A variable byte integer is longer than four bytes", "1.5.5");
    return 0;
  }

  packetId(): number {
    const packetId = this.u16();
    if (packetId === 0) this.violation("The packet identifier is 0", "MQTT-2.2.1-3");
    return packetId;
  }

  text(): string {
    const length = this.u16();
    return this.textOf(length);
  }

  /** Like {@link text}; remembers recent ones, so that a repeated one costs a comparison of bytes. */
  recurringText(): string {
    const length = this.u16();
    if (length === 0 || length > RECENT_BYTES_MAX || length > this.end - this.at) return this.textOf(length);
    const { at, bytes } = this;
    const recent = (this.conversation.recentTexts ??= Array.from({ length: RECENT_SLOTS }));
    const slot = (length + bytes[at + length - 1]! + 3 * bytes[at + (length >> 1)]!) & (RECENT_SLOTS - 1);
    const known = recent[slot];
    if (known !== undefined && this.startsWith(known.bytes, length)) {
      this.at += length;
      return known.text;
    }
    const text = this.textOf(length);
    if (this.failure === undefined) recent[slot] = { bytes: this.plain.slice(at, at + length), text };
    return text;
  }

  binary(): Uint8Array {
    const length = this.u16();
    if (length > this.end - this.at) {
      this.truncated();
      return EMPTY;
    }
    return this.copy(length);
  }

  /** Everything up to the end, as a view of the chunk. */
  rest(): Uint8Array {
    const { at, end, plain } = this;
    this.at = end;
    if (at === end) return EMPTY;
    return new Uint8Array(plain.buffer, plain.byteOffset + at, end - at);
  }

  private copy(length: number): Uint8Array {
    if (length === 0) return EMPTY;
    const { at } = this;
    this.at += length;
    return this.plain.slice(at, at + length);
  }

  private startsWith(expected: Uint8Array, length: number): boolean {
    if (expected.length !== length) return false;
    const { at, bytes } = this;
    for (let i = 0; i < length; i += 1) if (expected[i] !== bytes[at + i]) return false;
    return true;
  }

  /** Well-formed UTF-8 without NUL [MQTT-1.5.4-1, 1.5.4-2]; a byte order mark stays [MQTT-1.5.4-3]. */
  private textOf(length: number): string {
    const { at, bytes } = this;
    const end = at + length;
    if (end > this.end) {
      this.truncated();
      return "";
    }
    let highest = 0;
    for (let i = at; i < end; i += 1) {
      const byte = bytes[i]!;
      if (byte === 0) {
        this.malformed("A string contains NUL", "MQTT-1.5.4-2");
        return "";
      }
      highest |= byte;
    }
    this.at = end;
    if (highest < 128) return bytes.toString("latin1", at, end);
    if (!isUtf8(bytes.subarray(at, end))) {
      this.malformed("A string is not well-formed UTF-8", "MQTT-1.5.4-1");
      return "";
    }
    return bytes.toString("utf8", at, end);
  }

  private truncated(): number {
    this.malformed("The packet ends inside a field", "MQTT-2.1.4");
    return 0;
  }
}
