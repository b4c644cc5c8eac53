const SHEET_BYTES = 1 << 20;

/** Writes whatever it is told, legal or not: the encoder of the product refuses to. One sheet is used again and again. */
export class ByteSheet {
  private readonly bytes = Buffer.alloc(SHEET_BYTES);
  private at = 0;

  u8(value: number): this {
    this.bytes[this.at] = value;
    this.at += 1;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value);
  }

  varint(value: number): this {
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.u8((rest & 127) | 128);
    return this.u8(rest);
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
    return this;
  }

  /** Two bytes of length, then the content: a text of MQTT or binary data. */
  field(content: string | Uint8Array): this {
    if (typeof content !== "string") return this.u16(content.length).raw(content);
    const length = this.bytes.write(content, this.at + 2, "utf8");
    this.u16(length);
    this.at += length;
    return this;
  }

  /** What was written since the last time. */
  take(): Buffer {
    const taken = Buffer.from(this.bytes.subarray(0, this.at));
    this.at = 0;
    return taken;
  }
}

/** One packet: first byte, remaining length, body. */
export function frame(sheet: ByteSheet, first: number, body: Uint8Array): Buffer {
  return sheet.u8(first).varint(body.length).raw(body).take();
}
