import { formatWallTime } from "fleetrig/kernel";
import { refuseName } from "./refusal.js";

/** DER as X.509 needs it [X.690 §8, §10]: every function gives the bytes of one complete element. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

/** Tag of a context-specific element: `[n]`, primitive unless said otherwise. */
export const contextTag = (number: number, isConstructed = false): number =>
  0x80 | (isConstructed ? 0x20 : 0) | number;

export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const content of contents) length += content.length;
  const header = lengthHeader(tag, length);
  const bytes = Buffer.allocUnsafe(header.length + length);
  bytes.set(header);
  let at = header.length;
  for (const content of contents) {
    bytes.set(content, at);
    at += content.length;
  }
  return bytes;
}

function lengthHeader(tag: number, length: number): readonly number[] {
  if (length < 0x80) return [tag, length];
  if (length < 0x100) return [tag, 0x81, length];
  if (length < 0x1_0000) return [tag, 0x82, length >> 8, length & 0xff];
  return [tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
}

export const sequence = (...contents: readonly Uint8Array[]): Buffer => element(TAG.sequence, ...contents);

export const setOf = (...contents: readonly Uint8Array[]): Buffer =>
  // DER orders the elements of a set [X.690 §11.6].
  element(TAG.set, ...contents.toSorted((a, b) => Buffer.compare(a, b)));

export const explicit = (number: number, ...contents: readonly Uint8Array[]): Buffer =>
  element(contextTag(number, true), ...contents);

export const boolean = (value: boolean): Buffer => Buffer.of(TAG.boolean, 1, value ? 0xff : 0);

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from += 1;
  const significant = bytes.subarray(from);
  return (significant[0] ?? 0) >= 0x80
    ? element(TAG.integer, Buffer.of(0), significant)
    : element(TAG.integer, significant);
}

export const octetString = (bytes: Uint8Array): Buffer => element(TAG.octetString, bytes);

/** @param unusedBits How many of the last byte's bits do not count. */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer =>
  element(TAG.bitString, Buffer.of(unusedBits), bytes);

export const utf8String = (text: string): Buffer => element(TAG.utf8String, Buffer.from(text, "utf8"));

const objectIdentifiers = new Map<string, Buffer>();

/** Only for identifiers of our own tables: every one is kept. */
export function objectIdentifier(dotted: string): Buffer {
  const known = objectIdentifiers.get(dotted);
  if (known !== undefined) return known;
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap(base128);
  const made = element(TAG.objectIdentifier, Buffer.from(bytes));
  objectIdentifiers.set(dotted, made);
  return made;
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

/** 1950 and the end of 9999: what can be written. */
const [FIRST_MS, LAST_MS] = [-631_152_000_000, 253_402_300_799_999];

/** Whole seconds; until 2049 two digits of the year, from 2050 four [RFC 5280 §4.1.2.5]. */
export function time(wallMs: number): Buffer {
  if (!(wallMs >= FIRST_MS && wallMs <= LAST_MS))
    return refuseName("its period begins before 1950 or ends after 9999");
  const text = `${formatWallTime(wallMs).slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
  return text < "2050"
    ? element(TAG.utcTime, Buffer.from(text.slice(2), "latin1"))
    : element(TAG.generalizedTime, Buffer.from(text, "latin1"));
}
