import { FRAME_BYTES, seal } from "../store/record-frame.js";

const CHUNK_BYTES = 65_536;
/** Up to here a loop in JavaScript beats the call into the runtime. */
const SHORT_TEXT = 48;
const VARINT_BYTES = 8;

/**
 * Writes records one after the other into chunks of memory: what a commit writes lies together and is given up
 * together. Numbers are variable-length, least significant part first; texts and bytes carry their length.
 */
export class RecordWriter {
  private chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private start = 0;
  private at = 0;

  /** Begins a record; one at a time. */
  begin(): void {
    if (this.chunk.length - this.at < 1_024) this.renew(0);
    this.start = this.at;
    this.at += FRAME_BYTES;
  }

  /** Ends the record. @returns its value, sealed for this key. */
  finish(key: string): Buffer {
    return seal(key, this.chunk.subarray(this.start, this.at));
  }

  /** Size of the record so far. */
  get bytes(): number {
    return this.at - this.start;
  }

  u8(value: number): void {
    this.reserve(1);
    this.chunk[this.at++] = value;
  }

  /** 0 to 2^53 - 1. */
  varint(value: number): void {
    this.reserve(VARINT_BYTES);
    let rest = value;
    while (rest > 127) {
      this.chunk[this.at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.chunk[this.at++] = rest;
  }

  f64(value: number): void {
    this.reserve(8);
    this.at = this.chunk.writeDoubleBE(value, this.at);
  }

  text(text: string): void {
    const { length } = text;
    this.reserve(length * 3 + VARINT_BYTES);
    if (length <= SHORT_TEXT && this.ascii(text)) return;
    const bytes = Buffer.byteLength(text);
    this.varint(bytes);
    this.at += this.chunk.write(text, this.at, bytes, "utf8");
  }

  binary(bytes: Uint8Array): void {
    const { length } = bytes;
    this.varint(length);
    this.reserve(length);
    this.chunk.set(bytes, this.at);
    this.at += length;
  }

  /** Writes ASCII; anything else is noticed afterwards and has to be written again. */
  private ascii(text: string): boolean {
    const { chunk, at } = this;
    const { length } = text;
    let seen = 0;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      seen |= code;
      chunk[at + 1 + i] = code;
    }
    if (seen > 127) return false;
    chunk[at] = length;
    this.at = at + 1 + length;
    return true;
  }

  private reserve(bytes: number): void {
    if (this.chunk.length - this.at < bytes) this.renew(bytes);
  }

  /** A new chunk, with the record that is being written at its beginning. */
  private renew(bytes: number): void {
    const written = this.at - this.start;
    const chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, (written + bytes) * 2));
    this.chunk.copy(chunk, 0, this.start, this.at);
    this.chunk = chunk;
    this.start = 0;
    this.at = written;
  }
}
