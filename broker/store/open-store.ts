import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { FleetrigError, hostWallText } from "fleetrig/kernel";
import { DirectoryLock } from "./directory-lock.js";
import { examineLevel, type LevelFiles } from "./level-files.js";
import { salvage } from "./level-salvage.js";
import { LevelStore } from "./level-store.js";
import type { Damage, Durability, Store, StoreRecord } from "./store.js";

/**
 * A data directory: `LOCK` names the process that uses it, `FORMAT` the version of what is in it, `store/` holds
 * the records, `DAMAGE.log` every damage ever found. A damaged store is moved to `store.damaged-<n>/` and never
 * touched again; what is intact goes on in a new one.
 */
const FORMAT = 1;
const STORE = "store";
const MENDING = "store.mending";
const MEND_SLICE = 10_000;
const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY_FILE = 0o600;

export interface StoreOptions {
  /** Created when it does not exist. */
  readonly directory: string;
  /** Default `disk`. */
  readonly durability?: Exclude<Durability, "memory">;
}

export interface OpenedStore {
  readonly store: Store;
  /** What is wrong with the files. Everything that is intact is served all the same. */
  readonly damage: readonly Damage[];
  /** Adds to `DAMAGE.log`. */
  readonly record: (damage: readonly Damage[]) => void;
}

/**
 * Opens a data directory for this process alone.
 * @throws FleetrigError `STORE_LOCKED` (naming the owner), `STORE_UNAVAILABLE` (permissions, no directory),
 * `STORE_FORMAT` (written by another version), `STORE_DAMAGED` (cannot be opened).
 */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const directory = prepare(options.directory);
  const lock = DirectoryLock.take(directory);
  try {
    checkFormat(directory);
    finishMending(directory);
    const location = join(directory, STORE);
    const files = examineLevel(location);
    const { damage } = files;
    const record = (found: readonly Damage[]): void => recordDamage(directory, found);
    if (damage.length > 0) {
      record(damage);
      await mend(directory, files);
    }
    const store = await openLevel(directory, options.durability ?? "disk");
    restrict(location);
    return { store: releasing(store, lock), damage, record };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function prepare(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
    const path = realpathSync(directory);
    chmodSync(path, OWNER_ONLY_DIRECTORY);
    writeFileSync(join(path, "DAMAGE.log"), "", { flag: "a", mode: OWNER_ONLY_FILE });
    return path;
  } catch (cause) {
    throw unavailable(directory, (cause as Error).message, cause);
  }
}

const unavailable = (directory: string, reason: string, cause: unknown): FleetrigError =>
  new FleetrigError("STORE_UNAVAILABLE", `The data directory ${directory} cannot be used: ${reason}.`, {
    hint: "Name a directory that this user may create or owns, on a disk with space.",
    context: { directory },
    cause,
  });

function checkFormat(directory: string): void {
  const path = join(directory, "FORMAT");
  if (!existsSync(path)) {
    writeFileSync(path, `${FORMAT}\n`, { mode: OWNER_ONLY_FILE });
    return;
  }
  const format = Number(readFileSync(path, "utf8"));
  if (format === FORMAT) return;
  throw new FleetrigError(
    "STORE_FORMAT",
    `The data directory ${directory} has format ${format}, not ${FORMAT}.`,
    {
      hint: "It was written by another version of fleetrig: use that version, or another directory.",
      context: { directory, format },
    },
  );
}

async function openLevel(directory: string, durability: Exclude<Durability, "memory">): Promise<LevelStore> {
  try {
    return await LevelStore.open({ location: join(directory, STORE), durability });
  } catch (error) {
    const { code = "", message = "" } =
      (error as { cause?: { code?: string; message?: string } }).cause ?? {};
    if (code === "LEVEL_LOCKED") throw lockedElsewhere(directory, error);
    if (code === "LEVEL_CORRUPTION") throw beyondRepair(directory, error);
    throw unavailable(directory, message, error);
  }
}

/**
 * Puts a new store with everything intact in the place of a damaged one, which is kept. Interrupted at any point,
 * either the damaged store is still in its place or {@link finishMending} puts the finished new one there.
 */
async function mend(directory: string, files: LevelFiles): Promise<void> {
  const records = salvage(join(directory, STORE), files);
  const mended = await LevelStore.open({ location: join(directory, MENDING), durability: "disk" });
  for (let at = 0; at < records.length; at += MEND_SLICE)
    await writeAll(mended, records.slice(at, at + MEND_SLICE));
  await mended.close();
  const taken = new Set(readdirSync(directory));
  let n = 1;
  while (taken.has(`${STORE}.damaged-${n}`)) n += 1;
  renameSync(join(directory, STORE), join(directory, `${STORE}.damaged-${n}`));
  finishMending(directory);
}

const writeAll = (store: Store, records: readonly StoreRecord[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const changes = records.map(({ key, value }) => ({ type: "put", key, value }) as const);
    store.commit(changes, (error) => (error === undefined ? resolve() : reject(error)));
  });

function finishMending(directory: string): void {
  const [store, mending] = [join(directory, STORE), join(directory, MENDING)];
  if (!existsSync(mending)) return;
  if (existsSync(store)) rmSync(mending, { recursive: true });
  else renameSync(mending, store);
}

const lockedElsewhere = (directory: string, cause: unknown): FleetrigError =>
  new FleetrigError(
    "STORE_LOCKED",
    `The data directory ${directory} is in use by a process that cannot be seen.`,
    {
      hint: "It may run in another container or as another user: stop it, or use a directory of its own.",
      context: { directory },
      cause,
    },
  );

const beyondRepair = (directory: string, cause: unknown): FleetrigError =>
  new FleetrigError(
    "STORE_DAMAGED",
    `The store in ${directory} cannot be opened although its files look sound.`,
    {
      hint: "Keep a copy and report this; move the folder store away to begin anew, or restore a backup.",
      context: { directory },
      cause,
    },
  );

function recordDamage(directory: string, damage: readonly Damage[]): void {
  const foundAt = hostWallText();
  const lines = damage.map((one) => `${JSON.stringify({ foundAt, ...one })}\n`);
  appendFileSync(join(directory, "DAMAGE.log"), lines.join(""), { mode: OWNER_ONLY_FILE });
}

/** LevelDB makes its files as the umask says; the directory keeps everybody else out in any case. */
function restrict(location: string): void {
  chmodSync(location, OWNER_ONLY_DIRECTORY);
  for (const file of readdirSync(location)) chmodSync(join(location, file), OWNER_ONLY_FILE);
}

const releasing = (store: LevelStore, lock: DirectoryLock): Store => ({
  durability: store.durability,
  commit: (changes, done) => store.commit(changes, done),
  scan: (prefix) => store.scan(prefix),
  close: async () => {
    await store.close();
    lock.release();
  },
});
