import { TAG } from "./der-writer.js";
import type { Refuse } from "./refusal.js";

/** One element of DER: `content` and `bytes` (with tag and length) are views, not copies. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Reads the elements that stand side by side in `bytes`, strictly: one spelling per value [X.690 §10.1], because
 * the fingerprint of a certificate must be that of what TLS shows. It never descends by itself, so nesting costs nothing.
 */
export class DerReader {
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly refuse: Refuse,
  ) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The tag of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.bytes[this.at];
  }

  /** The next element, which must have that tag when one is given. */
  next(tag?: number): DerElement {
    const { bytes, at, refuse } = this;
    const found = bytes[at];
    const first = bytes[at + 1];
    if (found === undefined || first === undefined) return refuse("it ends too early");
    if ((found & 0x1f) === 0x1f) return refuse("it has a tag that X.509 does not know");
    if (tag !== undefined && found !== tag) return refuse("its structure is not that of X.509");
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || lengthBytes > 3) return refuse("an element has no proper length");
    let length = lengthBytes === 0 ? first : 0;
    for (let i = 0; i < lengthBytes; i += 1) length = length * 256 + (bytes[at + 2 + i] ?? 0);
    if (lengthBytes > 0 && (length < 0x80 || length < 256 ** (lengthBytes - 1)))
      return refuse("a length is not in its shortest form");
    const start = at + 2 + lengthBytes;
    if (start + length > bytes.length) return refuse("it ends too early");
    this.at = start + length;
    return {
      tag: found,
      content: bytes.subarray(start, this.at),
      bytes: bytes.subarray(at, this.at),
    };
  }

  /** The next element if it has that tag. */
  optional(tag: number): DerElement | undefined {
    return this.nextTag === tag ? this.next() : undefined;
  }

  /** A reader of what the next element holds. */
  into(tag: number): DerReader {
    return new DerReader(this.next(tag).content, this.refuse);
  }

  /** A reader of other bytes that refuses as this one does. */
  of(bytes: Uint8Array): DerReader {
    return new DerReader(bytes, this.refuse);
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.isAtEnd) this.refuse("something follows where nothing may");
  }

  objectIdentifier(): string {
    const { content } = this.next(TAG.objectIdentifier);
    return this.dotted(content);
  }

  dotted(content: Uint8Array): string {
    if (content.length === 0 || content.length > MAX_IDENTIFIER_BYTES || (content.at(-1) ?? 0) >= 0x80)
      return this.refuse("an object identifier is broken");
    const arcs: number[] = [];
    let arc = 0;
    for (const byte of content) {
      if (arc === 0 && byte === 0x80) return this.refuse("an object identifier is broken");
      arc = arc * 128 + (byte & 0x7f);
      if (arc > Number.MAX_SAFE_INTEGER / 128) return this.refuse("an object identifier is too large");
      if (byte >= 0x80) continue;
      arcs.push(arc);
      arc = 0;
    }
    const [first = 0, ...rest] = arcs;
    const root = Math.min(2, Math.floor(first / 40));
    return [root, first - root * 40, ...rest].join(".");
  }

  boolean(): boolean {
    const { content } = this.next(TAG.boolean);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
      return this.refuse("a truth value is broken");
    return content[0] === 0xff;
  }

  /** The bytes of an integer, of which there is at least one. */
  integer(): Uint8Array {
    const { content } = this.next(TAG.integer);
    const [first, second = 0] = content;
    if (first === undefined) return this.refuse("a number is empty");
    if (content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
      return this.refuse("a number is not in its shortest form");
    return content;
  }

  /** An integer of at most 4 bytes. */
  smallInteger(): number {
    const bytes = this.integer();
    if (bytes.length > 4 || bytes[0]! >= 0x80) return this.refuse("a number is out of range");
    return bytes.reduce((value, byte) => value * 256 + byte, 0);
  }

  /** What a bit string holds that consists of whole bytes. */
  wholeBits(): Uint8Array {
    const { content } = this.next(TAG.bitString);
    if (content[0] !== 0) return this.refuse("a bit string does not consist of whole bytes");
    return content.subarray(1);
  }

  time(): number {
    const { tag, content } = this.next();
    if (tag !== TAG.utcTime && tag !== TAG.generalizedTime) return this.refuse("a time is missing");
    const text = Buffer.from(content).toString("latin1");
    const digits = tag === TAG.utcTime ? `${text < "50" ? "20" : "19"}${text}` : text;
    const [, year, month, day, hour, minute, second] = TIME.exec(digits)?.map(Number) ?? [];
    if (year === undefined || day! > daysOfMonth(year, month!)) return this.refuse("a time cannot be read");
    const days = daysSince1970(year, month!, day!);
    return (((days * 24 + hour!) * 60 + minute!) * 60 + second!) * 1000;
  }
}

const MAX_IDENTIFIER_BYTES = 64;
const TIME = /^(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)([0-5]\d)Z$/;

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const daysOfMonth = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

/** Days of the Gregorian calendar, counted from March so that the leap day is the last of its year. */
function daysSince1970(year: number, month: number, day: number): number {
  const fromMarch = month > 2 ? month - 3 : month + 9;
  const years = month > 2 ? year : year - 1;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  return years * 365 + leapDays + Math.floor((fromMarch * 153 + 2) / 5) + day - 719_469;
}
