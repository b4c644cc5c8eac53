import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readLog } from "./level-log.js";
import { tableFlaws } from "./level-table.js";
import { readVarint, type VarintAt } from "./level-varint.js";
import type { Damage } from "./store.js";

/**
 * Reads a LevelDB directory without LevelDB and names every damage: LevelDB skips what it cannot read in a log
 * without a word, and reads tables without looking at their checksums.
 */

/** What the manifest says is there. */
interface LiveFiles {
  readonly tables: Map<number, number>;
  /** Logs from this number on have not been turned into tables yet. */
  logFrom: number;
  isWhole: boolean;
}

/** Tags of the manifest's records (LevelDB's `version_edit`). */
const EDIT = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const;

/** The files that hold records, and what is wrong with them. */
export interface LevelFiles {
  readonly tables: readonly string[];
  readonly logs: readonly string[];
  readonly damage: readonly Damage[];
}

/** Looks through the files in `directory`; a directory that does not exist yet has none. */
export function examineLevel(directory: string): LevelFiles {
  if (!existsSync(directory)) return { tables: [], logs: [], damage: [] };
  const damage: Damage[] = [];
  const files = readdirSync(directory).sort();
  const logs = files.filter((file) => file.endsWith(".log"));
  const tables = files.filter((file) => /\.(?:ldb|sst)$/.test(file));
  if (!files.includes("CURRENT") && logs.length + tables.length > 0)
    damage.push({ where: "CURRENT", what: "the file is missing" });
  const live = files.includes("CURRENT") ? readManifest(directory, damage) : undefined;
  const isLiveLog = (file: string): boolean =>
    live === undefined || Number.parseInt(file, 10) >= live.logFrom;
  const liveLogs = logs.filter(isLiveLog);
  for (const file of liveLogs) name(file, readLog(readFileSync(join(directory, file)), false).flaws, damage);
  const liveTables = live === undefined ? tables : tablesOf(live, directory, damage);
  for (const file of liveTables) name(file, tableFlaws(readFileSync(join(directory, file))), damage);
  // Without the whole manifest nobody knows which tables belong: all of them are looked at.
  return { logs: liveLogs, tables: live?.isWhole === true ? liveTables : tables, damage };
}

const name = (
  file: string,
  flaws: readonly { readonly at: number; readonly what: string }[],
  damage: Damage[],
): void => {
  for (const { at, what } of flaws) damage.push({ where: `${file}@${at}`, what });
};

/** Tables that the manifest names and that are there. */
function tablesOf(live: LiveFiles, directory: string, damage: Damage[]): string[] {
  return Array.from(live.tables).flatMap(([number, bytes]) => {
    const stem = String(number).padStart(6, "0");
    const file = [`${stem}.ldb`, `${stem}.sst`].find((candidate) => existsSync(join(directory, candidate)));
    if (file === undefined) {
      damage.push({ where: `${stem}.ldb`, what: "the table is missing" });
      return [];
    }
    const found = statSync(join(directory, file)).size;
    if (found !== bytes)
      damage.push({ where: file, what: `the table has ${found} bytes instead of ${bytes}` });
    return [file];
  });
}

function readManifest(directory: string, damage: Damage[]): LiveFiles | undefined {
  const current = readFileSync(join(directory, "CURRENT"), "utf8");
  const [, manifest] = /^(MANIFEST-\d+)\n$/.exec(current) ?? [];
  if (manifest === undefined || !existsSync(join(directory, manifest))) {
    damage.push({ where: "CURRENT", what: "it does not name a manifest that is there" });
    return undefined;
  }
  const { records, flaws } = readLog(readFileSync(join(directory, manifest)), true);
  name(manifest, flaws, damage);
  const live: LiveFiles = { tables: new Map(), logFrom: 0, isWhole: flaws.length === 0 };
  if (records.every((record) => applyEdit(record, live))) return live;
  damage.push({ where: manifest, what: "a record cannot be understood" });
  return undefined;
}

/** @returns false for an edit that makes no sense. */
function applyEdit(edit: Buffer, live: LiveFiles): boolean {
  const position: VarintAt = { at: 0 };
  let isSound = true;
  const number = (): number => {
    const value = readVarint(edit, position);
    if (value === undefined) isSound = false;
    return value ?? 0;
  };
  const skipText = (): void => {
    const length = number();
    position.at += length;
  };
  while (position.at < edit.length && isSound) {
    switch (number()) {
      case EDIT.comparator:
        skipText();
        break;
      case EDIT.logNumber:
        live.logFrom = number();
        break;
      case EDIT.nextFile:
      case EDIT.lastSequence:
      case EDIT.previousLog:
        number();
        break;
      case EDIT.compactPointer:
        number();
        skipText();
        break;
      case EDIT.deletedFile:
        number();
        live.tables.delete(number());
        break;
      case EDIT.newFile: {
        number();
        const table = number();
        live.tables.set(table, number());
        skipText();
        skipText();
        break;
      }
      default:
        isSound = false;
    }
  }
  return isSound;
}
