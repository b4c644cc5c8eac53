import { linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { FleetrigError, hostProcess, hostWallText, isRunning, type ProcessIdentity } from "fleetrig/kernel";

/**
 * One process per data directory. The lock is a file that names its owner; it comes into being complete (a link
 * to a finished file), and the lock of a process that no longer runs is taken over. LevelDB's own lock stands
 * behind this one: it cannot say who holds it, but it holds between containers, which cannot see each other's
 * processes.
 */
interface Owner extends ProcessIdentity {
  readonly host: string;
  readonly since: string;
}

const ATTEMPTS = 20;
/** Locks of this process, by path: a process number does not tell two brokers of one program apart. */
const held = new Set<string>();

const errorCode = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

function readOwner(path: string): Owner | "gone" | "unreadable" {
  try {
    const owner = JSON.parse(readFileSync(path, "utf8")) as Owner;
    return typeof owner.pid === "number" ? owner : "unreadable";
  } catch (error) {
    return errorCode(error) === "ENOENT" ? "gone" : "unreadable";
  }
}

const lockedBy = (directory: string, owner: Owner): FleetrigError =>
  new FleetrigError(
    "STORE_LOCKED",
    `The data directory ${directory} is in use by process ${owner.pid} on ${owner.host} since ${owner.since}.`,
    {
      hint: "Stop that process, or give this broker a directory of its own.",
      context: { directory, pid: owner.pid, host: owner.host, since: owner.since },
    },
  );

export class DirectoryLock {
  private constructor(private readonly path: string) {}

  /** @throws FleetrigError `STORE_LOCKED`, naming the owner. */
  static take(directory: string): DirectoryLock {
    const path = join(directory, "LOCK");
    const me: Owner = { ...hostProcess(), host: hostname(), since: hostWallText() };
    if (held.has(path)) throw lockedBy(directory, me);
    const draft = `${path}.${me.pid}`;
    writeFileSync(draft, `${JSON.stringify(me)}\n`, { mode: 0o600 });
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        if (link(draft, path)) {
          held.add(path);
          return new DirectoryLock(path);
        }
        const owner = readOwner(path);
        if (owner === "gone") continue;
        if (owner !== "unreadable" && isRunning(owner)) throw lockedBy(directory, owner);
        takeAway(path, draft);
      }
    } finally {
      unlinkSync(draft);
    }
    throw new FleetrigError(
      "STORE_LOCKED",
      `The lock of the data directory ${directory} keeps changing hands.`,
      {
        hint: "Several processes want this directory at once: start only one.",
        context: { directory },
      },
    );
  }

  release(): void {
    held.delete(this.path);
    unlinkSync(this.path);
  }
}

/** @returns false when somebody else's lock is there. */
function link(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes the lock of a process that is gone. Only whoever holds the *guard* may: between a look at a lock and its
 * removal, others might remove it too and put theirs in its place. The lock of a dead process changes no more
 * by itself, so what the holder of the guard sees is what it removes.
 */
function takeAway(path: string, draft: string): void {
  const guard = `${path}.guard`;
  if (!link(draft, guard)) {
    // Left by a process that died within these few lines.
    if (isStale(readOwner(guard))) removeIfThere(guard);
    return;
  }
  try {
    if (isStale(readOwner(path))) removeIfThere(path);
  } finally {
    removeIfThere(guard);
  }
}

const isStale = (owner: Owner | "gone" | "unreadable"): boolean =>
  owner === "unreadable" || (owner !== "gone" && !isRunning(owner));

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
