import { crc32 } from "node:zlib";

/**
 * Every value carries a checksum over its key and content, and the version of its format: what comes back is
 * what was written under this very key, or it is not used.
 * Layout: CRC-32 (4 bytes, big-endian) of key and everything that follows, version (1 byte), body.
 */
const FORMAT_VERSION = 1;
export const FRAME_BYTES = 5;
const SMALL_BYTES = 256;

const TABLE = Uint32Array.from(
  { length: 256 },
  (_, byte) => crc32(Uint8Array.of(byte)) ^ crc32(Uint8Array.of(0)),
);

/** CRC-32 of the key: for its few characters a loop in JavaScript beats the call into the runtime. */
function keyChecksum(key: string): number {
  let crc = 0xff_ff_ff_ff;
  for (let i = 0; i < key.length; i += 1) {
    const code = key.charCodeAt(i);
    if (code > 127) return crc32(key);
    crc = TABLE[(crc ^ code) & 255]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** Fills in the frame of a value whose body begins at {@link FRAME_BYTES}. @returns the value. */
export function seal(key: string, value: Buffer): Buffer {
  value[4] = FORMAT_VERSION;
  value.writeUInt32BE(crc32(value.subarray(4), keyChecksum(key)), 0);
  return value;
}

/** @returns why the value, whose body begins at {@link FRAME_BYTES}, cannot be used, if it cannot. */
export function flawOf(key: string, value: Buffer): "checksum" | "version" | undefined {
  if (value.length < FRAME_BYTES) return "checksum";
  if (value.readUInt32BE(0) !== checksum(value, keyChecksum(key))) return "checksum";
  return value[4] === FORMAT_VERSION ? undefined : "version";
}

/** For small values, too, a loop beats the call into the runtime. */
function checksum(value: Buffer, before: number): number {
  if (value.length > SMALL_BYTES) return crc32(value.subarray(4), before);
  let crc = ~before;
  for (let at = 4; at < value.length; at += 1) crc = TABLE[(crc ^ value[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** @returns the body, or why it cannot be used. */
export function unseal(key: string, value: Uint8Array): Buffer | "checksum" | "version" {
  const bytes = asBuffer(value);
  return flawOf(key, bytes) ?? bytes.subarray(FRAME_BYTES);
}

/** The same bytes as a Buffer. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
