import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LevelFiles } from "./level-files.js";
import { readLog } from "./level-log.js";
import { tableBlocks } from "./level-table.js";
import { readVarint, type VarintAt } from "./level-varint.js";
import { unseal } from "./record-frame.js";
import type { StoreRecord } from "./store.js";

/**
 * Reads what is intact out of damaged LevelDB files. LevelDB's own repair is not used: a block whose keys are
 * garbled makes it end the whole process.
 */

/** The newest known change of one key; a value of undefined says that it was deleted. */
interface Newest {
  readonly sequence: number;
  readonly value: Buffer | undefined;
}

/** Every record whose newest change can be read. The originals are only read. */
export function salvage(directory: string, files: LevelFiles): StoreRecord[] {
  const newest = new Map<string, Newest>();
  const take = (key: string, change: Newest): void => {
    const known = newest.get(key);
    if (known === undefined || known.sequence < change.sequence) newest.set(key, change);
  };
  for (const file of files.tables)
    for (const block of tableBlocks(readFileSync(join(directory, file)))) takeBlock(block, take);
  for (const file of files.logs)
    for (const batch of readLog(readFileSync(join(directory, file)), true).records) takeBatch(batch, take);
  const records: StoreRecord[] = [];
  for (const [key, { value }] of newest) if (value !== undefined) records.push({ key, value });
  return records;
}

type Take = (key: string, change: Newest) => void;

/** A block of entries: each key is given as what it shares with the one before, and the rest. */
function takeBlock(block: Buffer, take: Take): void {
  if (block.length < 4) return;
  const end = block.length - 4 - block.readUInt32LE(block.length - 4) * 4;
  const position: VarintAt = { at: 0 };
  let key = Buffer.alloc(0);
  while (position.at < end) {
    const shared = readVarint(block, position);
    const own = readVarint(block, position);
    const valueBytes = readVarint(block, position);
    if (shared === undefined || own === undefined || valueBytes === undefined) return;
    const valueAt = position.at + own;
    if (shared > key.length || valueAt + valueBytes > end) return;
    key = Buffer.concat([key.subarray(0, shared), block.subarray(position.at, valueAt)]);
    position.at = valueAt + valueBytes;
    takeEntry(key, block.subarray(valueAt, position.at), take);
  }
}

/** LevelDB appends the sequence (7 bytes) and the kind of change (1 = put) to every key. */
function takeEntry(internalKey: Buffer, value: Buffer, take: Take): void {
  const keyBytes = internalKey.length - 8;
  if (keyBytes < 0) return;
  const key = internalKey.toString("utf8", 0, keyBytes);
  const sequence = internalKey.readUIntLE(keyBytes + 1, 6);
  const isPut = internalKey[keyBytes] === 1;
  // Blocks that are not data (an index without a footer that says so) look like entries, but carry no seal.
  if (isPut && unseal(key, value) === "checksum") return;
  take(key, { sequence, value: isPut ? value : undefined });
}

/** One write batch: the sequence of its first change, how many there are, then the changes. */
function takeBatch(batch: Buffer, take: Take): void {
  if (batch.length < 12) return;
  let sequence = batch.readUIntLE(0, 6);
  const position: VarintAt = { at: 12 };
  const text = (): Buffer | undefined => {
    const length = readVarint(batch, position);
    if (length === undefined || position.at + length > batch.length) return undefined;
    const at = position.at;
    position.at += length;
    return batch.subarray(at, position.at);
  };
  while (position.at < batch.length) {
    const isPut = batch[position.at] === 1;
    position.at += 1;
    const key = text();
    const value = isPut ? text() : undefined;
    if (key === undefined || (isPut && value === undefined)) return;
    take(key.toString("utf8"), { sequence, value });
    sequence += 1;
  }
}
