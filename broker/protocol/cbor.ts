/**
 * CBOR (RFC 8949) as far as AWS IoT's topics with `/cbor` use it: what JSON can say, and byte strings. Integers are
 * those that a double holds exactly; keys are text; tags are read past; there is no NaN and no infinity.
 */
export type CborValue = null | boolean | number | string | Uint8Array | readonly CborValue[] | CborMap;
/** Keys may come from the network; `__proto__` is a key like any other. */
export interface CborMap {
  readonly [key: string]: CborValue;
}

/** What a decoder puts up with. */
export interface CborLimits {
  /** Nesting of lists and maps. Default 16. */
  readonly depth?: number;
  /** Values in all, keys included. Default 10,000. */
  readonly items?: number;
}

export type CborParse =
  | { readonly ok: true; readonly value: CborValue }
  | {
      readonly ok: false;
      /** `depth` and `items` are limits; `type` is well-formed CBOR that JSON has no word for. */
      readonly reason: "syntax" | "depth" | "items" | "type";
    };

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6, simple: 7 } as const;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const UNDEFINED = 0xf7;
const HALF = 0xf9;
const SINGLE = 0xfa;
const DOUBLE = 0xfb;
const BREAK = 0xff;
const INDEFINITE = 31;

/** The shortest encoding of each length and integer (§4.2.1); members stay in their order; other numbers are doubles. */
export function encodeCbor(value: CborValue): Uint8Array {
  const writer = new CborWriter();
  writer.value(value);
  return writer.finish();
}

/** Decodes exactly one value that fills `bytes`. Never throws. */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits = {}): CborParse {
  const reader = new CborReader(bytes, { depth: limits.depth ?? 16, items: limits.items ?? 10_000 });
  const value = reader.value();
  if (reader.failure === undefined && reader.hasMore) reader.fail("syntax");
  if (reader.failure !== undefined || value === BROKEN)
    return { ok: false, reason: reader.failure ?? "syntax" };
  return { ok: true, value };
}

class CborWriter {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  value(value: CborValue): void {
    if (value === null) this.byte(NULL);
    else if (typeof value === "boolean") this.byte(value ? TRUE : FALSE);
    else if (typeof value === "number") this.number(value);
    else if (typeof value === "string") this.run(MAJOR.text, Buffer.from(value));
    else if (value instanceof Uint8Array) this.run(MAJOR.bytes, value);
    else if (Array.isArray(value)) {
      this.head(MAJOR.list, value.length);
      for (const item of value as readonly CborValue[]) this.value(item);
    } else this.map(value as CborMap);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private map(value: CborMap): void {
    const keys = Object.keys(value);
    this.head(MAJOR.map, keys.length);
    for (const key of keys) {
      this.run(MAJOR.text, Buffer.from(key));
      this.value(value[key]!);
    }
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.reserve(9);
      this.bytes[this.length] = DOUBLE;
      this.view.setFloat64(this.length + 1, value);
      this.length += 9;
    } else if (value >= 0) this.head(MAJOR.unsigned, value);
    else this.head(MAJOR.negative, -1 - value);
  }

  private run(major: number, bytes: Uint8Array): void {
    this.head(major, bytes.length);
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  private head(major: number, argument: number): void {
    this.reserve(9);
    const first = major << 5;
    const { view, length } = this;
    if (argument < 24) {
      this.byte(first | argument);
    } else if (argument < 0x100) {
      view.setUint16(length, ((first | 24) << 8) | argument);
      this.length += 2;
    } else if (argument < 0x1_0000) {
      view.setUint8(length, first | 25);
      view.setUint16(length + 1, argument);
      this.length += 3;
    } else if (argument < 0x1_0000_0000) {
      view.setUint8(length, first | 26);
      view.setUint32(length + 1, argument);
      this.length += 5;
    } else {
      view.setUint8(length, first | 27);
      view.setBigUint64(length + 1, BigInt(argument));
      this.length += 9;
    }
  }

  private byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

/** Stands for a value where there is none; `failure` says why. */
const BROKEN = Symbol("broken");
type Read<Value> = Value | typeof BROKEN;
/** The break that ends what has no stated length. */
const END = Symbol("end");

class CborReader {
  failure: (CborParse & { ok: false })["reason"] | undefined;
  private at = 0;
  private depth = 0;
  private items = 0;
  private readonly view: DataView;
  private readonly utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(
    private readonly bytes: Uint8Array,
    private readonly limits: Required<CborLimits>,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get hasMore(): boolean {
    return this.at < this.bytes.length;
  }

  fail(reason: NonNullable<CborReader["failure"]>): typeof BROKEN {
    this.failure ??= reason;
    return BROKEN;
  }

  value(): Read<CborValue> {
    const value = this.valueOrEnd();
    return value === END ? this.fail("syntax") : value;
  }

  private valueOrEnd(): Read<CborValue> | typeof END {
    for (;;) {
      const first = this.bytes[this.at];
      if (first === undefined) return this.fail("syntax");
      this.at += 1;
      if (first === BREAK) return END;
      this.items += 1;
      if (this.items > this.limits.items) return this.fail("items");
      const major = first >> 5;
      if (major === MAJOR.simple) return this.simple(first);
      const argument = this.argument(first & 31, major);
      if (argument === BROKEN) return BROKEN;
      if (major !== MAJOR.tag) return this.content(major, argument);
      if (argument === undefined) return this.fail("syntax");
    }
  }

  private content(major: number, argument: number | undefined): Read<CborValue> {
    switch (major) {
      case MAJOR.unsigned:
        return argument ?? this.fail("syntax");
      case MAJOR.negative:
        return argument === undefined ? this.fail("syntax") : -1 - argument;
      case MAJOR.bytes:
        return argument === undefined ? this.chunks(major) : this.take(argument);
      case MAJOR.text:
        return this.text(argument === undefined ? this.chunks(major) : this.take(argument));
      default:
        return this.nested(() => (major === MAJOR.list ? this.list(argument) : this.map(argument)));
    }
  }

  /** What follows the first byte; undefined for an indefinite length. */
  private argument(information: number, major: number): Read<number | undefined> {
    if (information < 24) return information;
    if (information === INDEFINITE && major >= MAJOR.bytes && major <= MAJOR.map) return undefined;
    if (information > 27) return this.fail("syntax");
    const size = 1 << (information - 24);
    if (this.at + size > this.bytes.length) return this.fail("syntax");
    const { view, at } = this;
    this.at += size;
    if (size === 1) return view.getUint8(at);
    if (size === 2) return view.getUint16(at);
    if (size === 4) return view.getUint32(at);
    const large = view.getBigUint64(at);
    if (major === MAJOR.tag) return 0;
    const mostAllowed = BigInt(Number.MAX_SAFE_INTEGER) - (major === MAJOR.negative ? 1n : 0n);
    return large > mostAllowed ? this.fail("type") : Number(large);
  }

  private simple(first: number): Read<CborValue> {
    if (first === FALSE || first === TRUE) return first === TRUE;
    if (first === NULL || first === UNDEFINED) return null;
    const sizes: Readonly<Record<number, number>> = { [HALF]: 2, [SINGLE]: 4, [DOUBLE]: 8 };
    const size = sizes[first];
    if (size === undefined) return this.fail(first < 0xf9 ? "type" : "syntax");
    if (this.at + size > this.bytes.length) return this.fail("syntax");
    const { view, at } = this;
    this.at += size;
    const number =
      size === 2 ? halfFloat(view.getUint16(at)) : size === 4 ? view.getFloat32(at) : view.getFloat64(at);
    return Number.isFinite(number) ? number : this.fail("type");
  }

  private take(count: number): Read<Uint8Array> {
    const end = this.at + count;
    if (end > this.bytes.length) return this.fail("syntax");
    const taken = new Uint8Array(this.bytes.subarray(this.at, end));
    this.at = end;
    return taken;
  }

  /** A string in pieces, each with its length (§3.2.3). */
  private chunks(major: number): Read<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (;;) {
      const first = this.bytes[this.at];
      if (first === undefined) return this.fail("syntax");
      this.at += 1;
      if (first === BREAK) return new Uint8Array(Buffer.concat(pieces));
      this.items += 1;
      if (this.items > this.limits.items) return this.fail("items");
      const count = first >> 5 === major ? this.argument(first & 31, major) : undefined;
      if (count === undefined || count === BROKEN) return this.fail("syntax");
      const piece = this.take(count);
      if (piece === BROKEN) return BROKEN;
      pieces.push(piece);
    }
  }

  private text(bytes: Read<Uint8Array>): Read<string> {
    if (bytes === BROKEN) return BROKEN;
    try {
      return this.utf8.decode(bytes);
    } catch {
      return this.fail("syntax");
    }
  }

  private nested(read: () => Read<CborValue>): Read<CborValue> {
    this.depth += 1;
    if (this.depth > this.limits.depth) return this.fail("depth");
    const value = read();
    this.depth -= 1;
    return value;
  }

  private list(count: number | undefined): Read<CborValue> {
    const list: CborValue[] = [];
    for (let left = count ?? Number.POSITIVE_INFINITY; left > 0; left -= 1) {
      const item = this.valueOrEnd();
      if (item === BROKEN) return BROKEN;
      if (item === END) return count === undefined ? list : this.fail("syntax");
      list.push(item);
    }
    return list;
  }

  private map(count: number | undefined): Read<CborValue> {
    const members = new Map<string, CborValue>();
    for (let left = count ?? Number.POSITIVE_INFINITY; left > 0; left -= 1) {
      const key = this.valueOrEnd();
      if (key === END && count === undefined) break;
      if (typeof key !== "string")
        return key === BROKEN ? BROKEN : this.fail(key === END ? "syntax" : "type");
      const value = this.value();
      if (value === BROKEN) return BROKEN;
      if (members.has(key)) return this.fail("syntax");
      members.set(key, value);
    }
    return Object.fromEntries(members);
  }
}

/** IEEE 754 binary16. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
