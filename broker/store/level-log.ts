import { crc32c, maskedCrc32c } from "./crc32c.js";

/**
 * The format of LevelDB's write-ahead logs and manifests: blocks of 32 KiB with *fragments* of records, each with
 * a checksum (see LevelDB's `log_format`). A log that simply ends inside a fragment was cut off by the death of
 * its writer; any other flaw is damage.
 */
const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const FRAGMENT = { full: 1, first: 2, middle: 3, last: 4 } as const;

export interface LogFlaw {
  readonly at: number;
  readonly what: string;
}

export interface LogContent {
  readonly records: readonly Buffer[];
  readonly flaws: readonly LogFlaw[];
}

interface Fragment {
  readonly type: number;
  readonly data: Buffer;
  readonly end: number;
}

/** Reads every intact record; `keepsRecords: false` only looks for flaws. */
export function readLog(bytes: Buffer, keepsRecords: boolean): LogContent {
  const records: Buffer[] = [];
  const flaws: LogFlaw[] = [];
  let parts: Buffer[] | undefined;
  let at = 0;
  while (at < bytes.length) {
    const fragment = readFragment(bytes, at);
    if (fragment === "cut off") break;
    if (fragment === "trailer") {
      at = nextBlock(at);
    } else if (fragment === "bad") {
      flaws.push({ at, what: `a record in the block of ${BLOCK_BYTES} bytes fails its checksum` });
      parts = undefined;
      // Where a length may be wrong, nothing before the next block can be trusted: LevelDB does the same.
      at = nextBlock(at);
    } else {
      at = fragment.end;
      const { type, data } = fragment;
      if (type === FRAGMENT.full || type === FRAGMENT.first) parts = [data];
      else parts?.push(data);
      if (parts !== undefined && keepsRecords && (type === FRAGMENT.full || type === FRAGMENT.last))
        records.push(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    }
  }
  return { records, flaws };
}

const nextBlock = (at: number): number => (Math.floor(at / BLOCK_BYTES) + 1) * BLOCK_BYTES;

function readFragment(bytes: Buffer, at: number): Fragment | "trailer" | "cut off" | "bad" {
  const blockEnd = nextBlock(at);
  // Too little room for a header: filled with zeros.
  if (blockEnd - at < HEADER_BYTES) return isZero(bytes, at, blockEnd) ? "trailer" : "bad";
  if (bytes.length - at < HEADER_BYTES) return "cut off";
  const length = bytes.readUInt16LE(at + 4);
  const type = bytes[at + 6]!;
  const end = at + HEADER_BYTES + length;
  if (end > blockEnd) return "bad";
  if (end > bytes.length) return "cut off";
  if (maskedCrc32c(crc32c(bytes, at + 6, end)) !== bytes.readUInt32LE(at)) return "bad";
  if (type < FRAGMENT.full || type > FRAGMENT.last) return "bad";
  return { type, data: bytes.subarray(at + HEADER_BYTES, end), end };
}

function isZero(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < Math.min(to, bytes.length); at += 1) if (bytes[at] !== 0) return false;
  return true;
}
