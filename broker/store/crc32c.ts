/** CRC-32C (Castagnoli) as LevelDB uses it for its own files; Node's zlib only has the other polynomial. */
const POLYNOMIAL = 0x82f63b78;
const MASK_DELTA = 0xa282ead8;

/** Eight tables, so that eight bytes are taken at a time. */
const TABLES = Array.from({ length: 8 }, () => new Uint32Array(256));
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  TABLES[0]![byte] = crc;
}
for (let byte = 0; byte < 256; byte += 1)
  for (let slice = 1; slice < 8; slice += 1) {
    const before = TABLES[slice - 1]![byte]!;
    TABLES[slice]![byte] = TABLES[0]![before & 255]! ^ (before >>> 8);
  }
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/** The checksum of `bytes[from..to)`. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xff_ff_ff_ff;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      T7[crc & 255]! ^
      T6[(crc >>> 8) & 255]! ^
      T5[(crc >>> 16) & 255]! ^
      T4[crc >>> 24]! ^
      T3[bytes[at + 4]!]! ^
      T2[bytes[at + 5]!]! ^
      T1[bytes[at + 6]!]! ^
      T0[bytes[at + 7]!]!;
  }
  for (; at < to; at += 1) crc = T0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** One byte more; begins with all bits set, and the checksum is the complement of what comes out. */
export const crc32cStep = (crc: number, byte: number): number => T0[(crc ^ byte) & 255]! ^ (crc >>> 8);

/** LevelDB stores checksums masked, because a checksum of data that holds checksums is a weak one. */
export const maskedCrc32c = (crc: number): number => (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
