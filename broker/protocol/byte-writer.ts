import { utf8Bytes } from "./wire-size.js";

/** Up to here a loop in JavaScript beats the call into the runtime. */
const SHORT_TEXT = 64;
const SHORT_BYTES = 16;

/** Writes MQTT's data types (§1.5) one after the other into a buffer that is large enough. */
export class ByteWriter {
  private readonly buffer: Buffer;
  /** Where the next byte goes. */
  position: number;

  constructor(buffer: Buffer, at: number) {
    this.buffer = buffer;
    this.position = at;
  }

  u8(value: number): void {
    this.buffer[this.position++] = value;
  }

  u16(value: number): void {
    this.buffer[this.position++] = value >>> 8;
    this.buffer[this.position++] = value;
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.buffer[this.position++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.buffer[this.position++] = rest;
  }

  text(text: string): void {
    const { length } = text;
    const at = this.position + 2;
    if (length <= SHORT_TEXT && this.ascii(text, at)) {
      this.u16(length);
      this.position += length;
      return;
    }
    const bytes = utf8Bytes(text);
    this.u16(bytes);
    this.buffer.write(text, at, bytes, "utf8");
    this.position += bytes;
  }

  /** Writes ASCII; anything else is noticed afterwards and has to be written again. */
  private ascii(text: string, at: number): boolean {
    let seen = 0;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      seen |= code;
      this.buffer[at + i] = code;
    }
    return seen < 128;
  }

  binary(bytes: Uint8Array): void {
    this.u16(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    const length = bytes.length;
    if (length <= SHORT_BYTES) for (let i = 0; i < length; i += 1) this.buffer[this.position + i] = bytes[i]!;
    else this.buffer.set(bytes, this.position);
    this.position += length;
  }
}
