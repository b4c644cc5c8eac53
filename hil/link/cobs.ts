/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): bytes without zeros, at the cost of one byte in 254. A code byte `n` stands
 * for the n - 1 bytes after it and a zero; 255 for 254 bytes and no zero. The zero at the very end is not written.
 */
const CODE_MAX = 0xff;

/** Longest that `length` bytes become. */
export const cobsMaxBytes = (length: number): number => length + Math.floor(length / 254) + 1;

/**
 * Writes `bytes` without zeros into `target` from `offset` on, where `cobsMaxBytes` must be free.
 * @returns where it ends.
 */
export function encodeCobs(bytes: Uint8Array, target: Uint8Array, offset: number): number {
  let codeAt = offset;
  let end = offset + 1;
  let code = 1;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i]!;
    if (byte !== 0) {
      target[end] = byte;
      end += 1;
      code += 1;
      if (code < CODE_MAX || i === bytes.length - 1) continue;
    }
    target[codeAt] = code;
    codeAt = end;
    end += 1;
    code = 1;
  }
  target[codeAt] = code;
  return end;
}

/** What was encoded; undefined when nothing can have become these bytes. */
export function decodeCobs(bytes: Uint8Array): Uint8Array | undefined {
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  let at = 0;
  while (at < bytes.length) {
    const code = bytes[at]!;
    const next = at + code;
    if (code === 0 || next > bytes.length) return undefined;
    for (at += 1; at < next; at += 1) {
      const byte = bytes[at]!;
      if (byte === 0) return undefined;
      decoded[length] = byte;
      length += 1;
    }
    if (code < CODE_MAX && next < bytes.length) {
      decoded[length] = 0;
      length += 1;
    }
  }
  return decoded.subarray(0, length);
}
