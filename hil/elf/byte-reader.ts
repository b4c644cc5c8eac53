import { FleetrigError } from "fleetrig/kernel";

/** Reads little-endian numbers from a part of a file and never beyond it. */
export class ByteReader {
  private readonly view: DataView;
  private at: number;

  /** @param name What it is a part of, for messages. */
  constructor(
    readonly bytes: Uint8Array,
    readonly name: string,
    from = 0,
    private readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (from < 0 || end > bytes.length || from > end) throw damaged(`${name} reaches beyond its end`);
    this.at = from;
  }

  get offset(): number {
    return this.at;
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  i8(): number {
    return this.view.getInt8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** Exact up to 2^53; no file or address that matters here is larger. */
  u64(): number {
    const low = this.u32();
    return this.u32() * 2 ** 32 + low;
  }

  /** An offset or address of 4 or 8 bytes. */
  word(size: number): number {
    if (size === 4) return this.u32();
    if (size === 8) return this.u64();
    throw damaged(`${this.name} has words of ${size} bytes`);
  }

  /** LEB128, as DWARF writes numbers. */
  unsigned(): number {
    let value = 0;
    for (let scale = 1, count = 0; count < MAX_LEB_BYTES; count += 1, scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw damaged(`${this.name} has a number that does not end`);
  }

  signed(): number {
    let value = 0;
    for (let scale = 1, count = 0; count < MAX_LEB_BYTES; count += 1, scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return (byte & 0x40) === 0 ? value : value - scale * 128;
    }
    throw damaged(`${this.name} has a number that does not end`);
  }

  skip(count: number): void {
    this.take(count);
  }

  /** Passes a text that ends with a zero. @returns where it begins */
  skipText(): number {
    const from = this.at;
    const zero = this.bytes.indexOf(0, from);
    if (zero < 0 || zero >= this.end) throw damaged(`${this.name} has a text that does not end`);
    this.at = zero + 1;
    return from;
  }

  /** The next `count` bytes as a reader of their own. */
  part(count: number): ByteReader {
    const from = this.take(count);
    return new ByteReader(this.bytes, this.name, from, from + count);
  }

  private take(count: number): number {
    if (!Number.isSafeInteger(count) || count < 0 || count > this.left) {
      throw damaged(`${this.name} is cut off`);
    }
    const from = this.at;
    this.at += count;
    return from;
  }
}

const MAX_LEB_BYTES = 10;
const MAX_NAME_BYTES = 1024;

/** A text that ends with a zero, or as much of it as a name may have; empty when it is out of bounds. */
export function textAt(bytes: Uint8Array, from: number): string {
  if (from < 0 || from >= bytes.length) return "";
  const part = bytes.subarray(from, from + MAX_NAME_BYTES);
  const zero = part.indexOf(0);
  return Buffer.from(zero < 0 ? part : part.subarray(0, zero)).toString("utf8");
}

export const damaged = (what: string): FleetrigError =>
  new FleetrigError("FIRMWARE_ELF_INVALID", `This is no ELF file that can be read: ${what}.`, {
    hint: "Give the .elf file that the firmware's build made, not the .bin file that is flashed.",
  });
