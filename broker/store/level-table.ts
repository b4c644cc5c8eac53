import { crc32c, crc32cStep, maskedCrc32c } from "./crc32c.js";
import type { LogFlaw } from "./level-log.js";
import { readVarint, type VarintAt } from "./level-varint.js";

/**
 * The format of LevelDB's tables: blocks with a checksum each, an index of them, and a footer that points to the
 * index (see LevelDB's `table_format`). Ours are never compressed. LevelDB itself reads blocks without
 * looking at their checksums unless it is told to, which its binding cannot do.
 */
const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC = Buffer.from([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]);

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/** Everything that can be read of a table, and what is wrong with it. */
interface TableContent {
  readonly blocks: readonly Buffer[];
  readonly flaws: readonly LogFlaw[];
  /** False when data may be missing from `blocks` only because nothing says where it is. */
  readonly isIndexed: boolean;
}

/** Verifies every block of a table. */
export const tableFlaws = (bytes: Buffer): readonly LogFlaw[] => readTable(bytes).flaws;

/** The intact blocks of a table; without a usable index, those at its beginning. */
export function tableBlocks(bytes: Buffer): readonly Buffer[] {
  const { blocks, isIndexed } = readTable(bytes);
  return isIndexed ? blocks : leadingBlocks(bytes);
}

function readTable(bytes: Buffer): TableContent {
  const footerAt = bytes.length - FOOTER_BYTES;
  if (footerAt < 0 || !bytes.subarray(footerAt + 40).equals(MAGIC))
    return {
      blocks: [],
      flaws: [{ at: Math.max(0, footerAt), what: "the footer of the table is not one" }],
      isIndexed: false,
    };
  const position: VarintAt = { at: footerAt };
  const filters = handleAt(bytes, position);
  const index = handleAt(bytes, position);
  const flaws: LogFlaw[] = [];
  const blocks: Buffer[] = [];
  if (verify(bytes, filters, flaws))
    for (const handle of handlesIn(bytes, filters!, flaws)) verify(bytes, handle, flaws);
  const isIndexed = verify(bytes, index, flaws);
  if (isIndexed)
    for (const handle of handlesIn(bytes, index!, flaws))
      if (verify(bytes, handle, flaws)) blocks.push(blockAt(bytes, handle));
  return { blocks, flaws, isIndexed };
}

const blockAt = (bytes: Buffer, { offset, size }: BlockHandle): Buffer =>
  bytes.subarray(offset, offset + size);

function handleAt(bytes: Buffer, position: VarintAt): BlockHandle | undefined {
  const offset = readVarint(bytes, position);
  const size = readVarint(bytes, position);
  return offset === undefined || size === undefined ? undefined : { offset, size };
}

function verify(bytes: Buffer, handle: BlockHandle | undefined, flaws: LogFlaw[]): boolean {
  if (handle === undefined || handle.size < 4 || handle.offset + handle.size + TRAILER_BYTES > bytes.length) {
    flaws.push({ at: handle?.offset ?? 0, what: "a block lies outside the table" });
    return false;
  }
  const end = handle.offset + handle.size;
  if (maskedCrc32c(crc32c(bytes, handle.offset, end + 1)) === bytes.readUInt32LE(end + 1)) return true;
  flaws.push({ at: handle.offset, what: `a block of ${handle.size} bytes fails its checksum` });
  return false;
}

/** The handles that an index block points to: entries of shared length, own length, value length, key, value. */
function handlesIn(bytes: Buffer, block: BlockHandle, flaws: LogFlaw[]): BlockHandle[] {
  const end = block.offset + block.size;
  const restarts = bytes.readUInt32LE(end - 4);
  const entriesEnd = end - 4 - restarts * 4;
  const handles: BlockHandle[] = [];
  const position: VarintAt = { at: block.offset };
  while (position.at < entriesEnd) {
    readVarint(bytes, position);
    const ownBytes = readVarint(bytes, position);
    const valueBytes = readVarint(bytes, position);
    if (ownBytes === undefined || valueBytes === undefined) break;
    const handle = handleAt(bytes, { at: position.at + ownBytes });
    if (handle === undefined) flaws.push({ at: position.at, what: "an index entry points nowhere" });
    else handles.push(handle);
    position.at += ownBytes + valueBytes;
  }
  return handles;
}

/**
 * Blocks follow each other without gaps, and each ends where the checksum of everything since its beginning is
 * what comes next: one pass finds them without an index, up to the first that is damaged.
 */
function leadingBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let start = 0;
  let crc = 0xff_ff_ff_ff;
  for (let at = 0; at + TRAILER_BYTES <= bytes.length; at += 1) {
    crc = crc32cStep(crc, bytes[at]!);
    if (maskedCrc32c(~crc >>> 0) !== bytes.readUInt32LE(at + 1)) continue;
    blocks.push(bytes.subarray(start, at));
    at += TRAILER_BYTES - 1;
    start = at + 1;
    crc = 0xff_ff_ff_ff;
  }
  return blocks;
}
