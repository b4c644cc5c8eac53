/**
 * Bytes as people write them. One notation says what a client sends and what the server must answer; it knows
 * lengths and UTF-8 and nothing else of MQTT, so that a mistake of our codec cannot hide in it.
 *
 *   10 003c        bytes in hex
 *   'a/b'          text with its two-byte length
 *   `hello`        the bytes of a text, without a length
 *   { ... }        a variable byte integer with the length of what is inside, then that
 *   [ ... ]        the same with a two-byte length
 *   61*100         the token before the star, repeated
 *   (packet id)    a remark
 *
 * In expectations also:
 *
 *   ??             any byte
 *   ..             any bytes, as few as possible
 *   < a | !b | .. >  a property section of MQTT 5 that holds the properties `a` in any order, none with
 *                  identifier `b`, and, where `..` stands, others too
 */
export type Pattern = readonly Part[];

type Part =
  | { readonly kind: "bytes"; readonly bytes: Buffer }
  | { readonly kind: "any" }
  | { readonly kind: "rest" }
  | { readonly kind: "sized"; readonly prefix: "varint" | "u16"; readonly inner: Pattern }
  | {
      readonly kind: "properties";
      readonly required: readonly Pattern[];
      readonly absent: readonly number[];
      readonly isOpen: boolean;
    };

const TOKEN =
  /\s+|\((?:[^)]*)\)|'(?<text>[^']*)'|`(?<raw>[^`]*)`|(?<hex>(?:[0-9a-f]{2})+)|(?<sign>\?\?|\.\.|[{}[\]<>|]|!)|\*(?<times>\d+)/gy;

const CLOSING = { "{": "}", "[": "]", "<": ">" } as const;

/** What is wrong with a pattern, with the pattern. */
const faulty = (source: string, what: string): Error => new Error(`${what} in the bytes: ${source}`);

class PatternReader {
  private at = 0;

  constructor(private readonly source: string) {}

  /** Reads up to `closing`, or to the end. */
  sequence(closing: string | undefined): Part[] {
    const parts: Part[] = [];
    for (;;) {
      const token = this.next();
      if (token === undefined && closing === undefined) return parts;
      if (token === undefined) throw faulty(this.source, `A missing ${closing}`);
      if (closing !== undefined && token["sign"] === closing) return parts;
      this.take(token, parts);
    }
  }

  private take(token: Record<string, string | undefined>, parts: Part[]): void {
    const { text, raw, hex, sign, times } = token;
    if (text !== undefined) parts.push(sized("u16", [bytes(Buffer.from(text, "utf8"))]));
    else if (raw !== undefined) parts.push(bytes(Buffer.from(raw, "utf8")));
    else if (hex !== undefined) parts.push(bytes(Buffer.from(hex, "hex")));
    else if (times !== undefined) this.repeat(parts, Number(times));
    else if (sign === "??") parts.push({ kind: "any" });
    else if (sign === "..") parts.push({ kind: "rest" });
    else if (sign === "{") parts.push(sized("varint", this.sequence(CLOSING["{"])));
    else if (sign === "[") parts.push(sized("u16", this.sequence(CLOSING["["])));
    else if (sign === "<") parts.push(this.properties());
    else throw faulty(this.source, `Misplaced ${sign}`);
  }

  private repeat(parts: Part[], times: number): void {
    const last = parts.pop();
    if (last === undefined) throw faulty(this.source, "Nothing to repeat");
    const one = encodeBytes([last]);
    parts.push(bytes(Buffer.alloc(one.length * times, one)));
  }

  private properties(): Part {
    const required: Pattern[] = [];
    const absent: number[] = [];
    let isOpen = false;
    let current: Part[] = [];
    const finish = (): void => {
      if (current.length > 0) required.push(current);
      current = [];
    };
    for (;;) {
      const token = this.next();
      if (token === undefined) throw faulty(this.source, "Unbalanced <");
      if (token["sign"] === ">") break;
      if (token["sign"] === "|") finish();
      else if (token["sign"] === "!") absent.push(Number.parseInt(this.next()?.["hex"] ?? "", 16));
      else if (token["sign"] === ".." && current.length === 0) isOpen = true;
      else this.take(token, current);
    }
    finish();
    return { kind: "properties", required, absent, isOpen };
  }

  private next(): Record<string, string | undefined> | undefined {
    while (this.at < this.source.length) {
      TOKEN.lastIndex = this.at;
      const match = TOKEN.exec(this.source);
      if (match === null) throw faulty(this.source, `Unknown sign at ${this.at}`);
      this.at = TOKEN.lastIndex;
      const groups = match.groups!;
      if (Object.values(groups).some((group) => group !== undefined)) return groups;
    }
    return undefined;
  }
}

const bytes = (value: Buffer): Part => ({ kind: "bytes", bytes: value });
const sized = (prefix: "varint" | "u16", inner: Pattern): Part => ({ kind: "sized", prefix, inner });

/** Reads the notation. */
export const parsePattern = (source: string): Pattern => new PatternReader(source).sequence(undefined);

function varint(value: number): Buffer {
  const digits: number[] = [];
  let left = value;
  do {
    digits.push((left & 127) | (left > 127 ? 128 : 0));
    left >>>= 7;
  } while (left > 0);
  return Buffer.from(digits);
}

function encodePart(part: Part): Buffer {
  if (part.kind === "bytes") return part.bytes;
  if (part.kind !== "sized") throw new Error("What a client sends has no wildcards.");
  const inner = encodeBytes(part.inner);
  const length =
    part.prefix === "varint" ? varint(inner.length) : Buffer.from([inner.length >> 8, inner.length]);
  return Buffer.concat([length, inner]);
}

/** The bytes of a pattern without wildcards. */
export const encodeBytes = (pattern: Pattern): Buffer => Buffer.concat(pattern.map(encodePart));

/** A length as it stands at `at`: its value and where it ends. */
interface Length {
  readonly value: number;
  readonly end: number;
}

/** @returns undefined where no complete, minimal variable byte integer stands. */
function readVarint(data: Buffer, at: number): Length | undefined {
  let value = 0;
  for (let i = 0; i < 4 && at + i < data.length; i += 1) {
    const byte = data[at + i]!;
    value |= (byte & 127) << (7 * i);
    if (byte < 128) return byte === 0 && i > 0 ? undefined : { value, end: at + i + 1 };
  }
  return undefined;
}

const readU16 = (data: Buffer, at: number): Length | undefined =>
  at + 2 > data.length ? undefined : { value: data.readUInt16BE(at), end: at + 2 };

/** How values of properties are laid out (§2.2.2.2), by identifier. */
const PROPERTY_LAYOUTS: ReadonlyMap<number, "string" | "pair" | "varint" | number> = new Map<
  number,
  "string" | "pair" | "varint" | number
>([
  ...[0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a].map((id) => [id, 1] as const),
  ...[0x13, 0x21, 0x22, 0x23].map((id) => [id, 2] as const),
  ...[0x02, 0x11, 0x18, 0x27].map((id) => [id, 4] as const),
  ...[0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f].map((id) => [id, "string"] as const),
  [0x0b, "varint"],
  [0x26, "pair"],
]);

const endOfString = (data: Buffer, at: number): number => {
  const length = readU16(data, at);
  return length === undefined ? Number.NaN : length.end + length.value;
};

function endOfProperty(data: Buffer, at: number): number {
  const layout = PROPERTY_LAYOUTS.get(data[at]!);
  if (typeof layout === "number") return at + 1 + layout;
  if (layout === "string") return endOfString(data, at + 1);
  if (layout === "pair") return endOfString(data, endOfString(data, at + 1));
  return readVarint(data, at + 1)?.end ?? Number.NaN;
}

/** The properties in a section; undefined when they cannot be told apart. */
function splitProperties(section: Buffer): Buffer[] | undefined {
  const found: Buffer[] = [];
  for (let at = 0; at < section.length; ) {
    const end = endOfProperty(section, at);
    if (!(end <= section.length)) return undefined;
    found.push(section.subarray(at, end));
    at = end;
  }
  return found;
}

function matchProperties(part: Part & { kind: "properties" }, section: Buffer): boolean {
  const left = splitProperties(section);
  if (left === undefined || left.some((property) => part.absent.includes(property[0]!))) return false;
  for (const wanted of part.required) {
    const index = left.findIndex((property) => matchesBytes(wanted, property));
    if (index < 0) return false;
    left.splice(index, 1);
  }
  return part.isOpen || left.length === 0;
}

function matchFrom(pattern: Pattern, index: number, data: Buffer): boolean {
  const part = pattern[index];
  if (part === undefined) return data.length === 0;
  switch (part.kind) {
    case "bytes":
      return (
        data.subarray(0, part.bytes.length).equals(part.bytes) &&
        matchFrom(pattern, index + 1, data.subarray(part.bytes.length))
      );
    case "any":
      return data.length > 0 && matchFrom(pattern, index + 1, data.subarray(1));
    case "rest":
      for (let skipped = 0; skipped <= data.length; skipped += 1)
        if (matchFrom(pattern, index + 1, data.subarray(skipped))) return true;
      return false;
    default: {
      // Short forms of acknowledgements leave the whole section out.
      if (part.kind === "properties" && data.length === 0) return part.required.length === 0;
      const length = part.kind === "sized" && part.prefix === "u16" ? readU16(data, 0) : readVarint(data, 0);
      if (length === undefined || length.end + length.value > data.length) return false;
      const inner = data.subarray(length.end, length.end + length.value);
      const isInside = part.kind === "sized" ? matchFrom(part.inner, 0, inner) : matchProperties(part, inner);
      return isInside && matchFrom(pattern, index + 1, data.subarray(length.end + length.value));
    }
  }
}

/** Are these bytes, all of them, what the pattern says? */
export const matchesBytes = (pattern: Pattern, data: Buffer): boolean => matchFrom(pattern, 0, data);

/** Cuts a stream into packets, by their fixed headers alone. */
export class PacketCutter {
  private left: Buffer = Buffer.alloc(0);

  /** True when the bytes so far end where a packet ends. */
  get isBetweenPackets(): boolean {
    return this.left.length === 0;
  }

  push(chunk: Uint8Array): Buffer[] {
    this.left = Buffer.concat([this.left, chunk]);
    const packets: Buffer[] = [];
    for (;;) {
      const length = readVarint(this.left, 1);
      if (length === undefined || length.end + length.value > this.left.length) return packets;
      packets.push(this.left.subarray(0, length.end + length.value));
      this.left = this.left.subarray(length.end + length.value);
    }
  }
}
