import { crc32 as zlibCrc32 } from "node:zlib";

/** CRC-32/IEEE as Ethernet and zlib have it: check value `cbf43926` of the text `123456789`. Unsigned. */
export const crc32 = (bytes: Uint8Array): number => zlibCrc32(bytes);
