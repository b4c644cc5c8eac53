import { isUtf8 } from "node:buffer";

const EMPTY = new Uint8Array(0);

/**
 * Reads what `RecordWriter` wrote. The first failure sticks, and every read after it yields nothing: callers read
 * straight on and ask `isSound` once. Bytes and texts are copies.
 */
export class RecordReader {
  isSound = true;
  private at = 0;

  constructor(private readonly body: Buffer) {}

  get isAtEnd(): boolean {
    return this.at >= this.body.length;
  }

  u8(): number {
    if (!this.has(1)) return 0;
    return this.body[this.at++]!;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    return this.broken(0);
  }

  f64(): number {
    if (!this.has(8)) return 0;
    const value = this.body.readDoubleBE(this.at);
    this.at += 8;
    return value;
  }

  text(): string {
    const length = this.varint();
    if (!this.has(length)) return "";
    const bytes = this.body.subarray(this.at, this.at + length);
    this.at += length;
    return isUtf8(bytes) ? bytes.toString("utf8") : this.broken("");
  }

  binary(): Uint8Array {
    const length = this.varint();
    if (length === 0 || !this.has(length)) return EMPTY;
    const bytes = Buffer.from(this.body.subarray(this.at, this.at + length));
    this.at += length;
    return bytes;
  }

  /** How many of something follow; each takes at least one byte. */
  count(): number {
    const count = this.varint();
    return count <= this.body.length - this.at ? count : this.broken(0);
  }

  private has(bytes: number): boolean {
    if (this.isSound && bytes <= this.body.length - this.at) return true;
    this.isSound = false;
    this.at = this.body.length;
    return false;
  }

  private broken<T>(value: T): T {
    this.isSound = false;
    this.at = this.body.length;
    return value;
  }
}
