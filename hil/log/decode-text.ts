/**
 * Bytes of a console as text: UTF-8 without the terminal's control sequences (ECMA-48), and with everything that is
 * neither shown as `\xNN`, so that noise can be seen and copied.
 */
export function decodeText(bytes: Uint8Array): string {
  if (isPlain(bytes)) return asciiText(bytes, 0, bytes.length);
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!;
    if (byte === ESCAPE) {
      at = skipEscape(bytes, at);
    } else if (byte < 0x80) {
      text += isShown(byte) ? String.fromCharCode(byte) : shownByte(byte);
      at += 1;
    } else {
      const length = sequenceLength(bytes, at);
      text += length === 0 ? shownByte(byte) : decodeSequence(bytes, at, length);
      at += Math.max(1, length);
    }
  }
  return text;
}

const ESCAPE = 0x1b;
const TAB = 0x09;
const BELL = 0x07;

const isShown = (byte: number): boolean => (byte >= 0x20 && byte < 0x7f) || byte === TAB;

const shownByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`;

function isPlain(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i += 1) if (!isShown(bytes[i]!)) return false;
  return true;
}

function asciiText(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode.apply(null, bytes.subarray(from, to) as unknown as number[]);
}

/** @returns Where the text goes on: after `ESC [ ... final`, `ESC ] ... BEL` or `ESC \`, or `ESC ... final`. */
function skipEscape(bytes: Uint8Array, at: number): number {
  const kind = bytes[at + 1];
  if (kind === 0x5b) return skipControlSequence(bytes, at + 2);
  if (kind === 0x5d) return skipCommand(bytes, at + 2);
  // Others: intermediates 20 to 2F, such as those that choose a character set, and a final byte.
  let final = at + 1;
  while (final < bytes.length && bytes[final]! >= 0x20 && bytes[final]! <= 0x2f) final += 1;
  return final < bytes.length && bytes[final]! >= 0x30 && bytes[final]! < 0x7f ? final + 1 : at + 1;
}

/** Parameters and intermediates are 20 to 3F, the final byte 40 to 7E; anything else breaks it off and is text. */
function skipControlSequence(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at]! >= 0x20 && bytes[at]! <= 0x3f) at += 1;
  const final = bytes[at];
  return final !== undefined && final >= 0x40 && final <= 0x7e ? at + 1 : at;
}

function skipCommand(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    if (bytes[at] === BELL) return at + 1;
    if (bytes[at] === ESCAPE) return bytes[at + 1] === 0x5c ? at + 2 : at;
  }
  // Without an end it was noise: only the introducer goes.
  return from;
}

/** Bytes of the UTF-8 sequence that begins here; 0 when none does. Overlong forms and surrogates are none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i += 1) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1]!;
  const isOverlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90);
  const isSurrogate = first === 0xed && second >= 0xa0;
  const isBeyond = first === 0xf4 && second >= 0x90;
  // C1 controls move cursors like their ASCII siblings.
  const isControl = first === 0xc2 && second < 0xa0;
  return isOverlong || isSurrogate || isBeyond || isControl ? 0 : length;
}

function decodeSequence(bytes: Uint8Array, at: number, length: number): string {
  let point = bytes[at]! & (0x7f >> length);
  for (let i = 1; i < length; i += 1) point = (point << 6) | (bytes[at + i]! & 0x3f);
  return String.fromCodePoint(point);
}
