import { isUtf8 } from "node:buffer";

const EMPTY = new Uint8Array(0);

/**
 * Reads what `RecordWriter` wrote. The first failure sticks, and every read after it yields nothing: callers read
 * straight on and ask `isSound` once. Bytes and texts are copies.
 */
export class RecordReader {
  isSound = true;
  private at: number;

  /** Reads `bytes[from..to)`. */
  constructor(
    private readonly bytes: Buffer,
    from: number,
    private readonly end: number,
  ) {
    this.at = from;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (!this.has(1)) return 0;
    return this.bytes[this.at++]!;
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
    const value = this.bytes.readDoubleBE(this.at);
    this.at += 8;
    return value;
  }

  text(): string {
    const length = this.varint();
    if (!this.has(length)) return "";
    const { at } = this;
    this.at += length;
    // Short ASCII, which nearly all are, without a call into the runtime for the check.
    if (this.isAscii(at, this.at)) return this.bytes.toString("latin1", at, this.at);
    const bytes = this.bytes.subarray(at, this.at);
    return isUtf8(bytes) ? bytes.toString("utf8") : this.broken("");
  }

  binary(): Uint8Array {
    const length = this.varint();
    if (length === 0 || !this.has(length)) return EMPTY;
    const bytes = Buffer.from(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return bytes;
  }

  /** How many of something follow; each takes at least one byte. */
  count(): number {
    const count = this.varint();
    return count <= this.end - this.at ? count : this.broken(0);
  }

  private isAscii(from: number, to: number): boolean {
    for (let at = from; at < to; at += 1) if (this.bytes[at]! > 127) return false;
    return true;
  }

  private has(bytes: number): boolean {
    if (this.isSound && bytes <= this.end - this.at) return true;
    this.isSound = false;
    this.at = this.end;
    return false;
  }

  private broken<T>(value: T): T {
    this.isSound = false;
    this.at = this.end;
    return value;
  }
}
