import { FleetrigError, type Random } from "fleetrig/kernel";
import { MemoryStore, type Store, type StoreChange, type StoreRecord } from "fleetrig/broker";

interface Commit {
  readonly changes: readonly StoreChange[];
  readonly done: (error: FleetrigError | undefined) => void;
}

/** A disk in memory: commits are done when it is told so, and a crash loses what was not. */
export class FakeDisk implements Store {
  readonly durability = "disk";
  /** Records that the next commits fail to write. */
  isBroken = false;
  /** Commits are done at once. */
  isPrompt = false;
  commits = 0;
  private readonly synced: MemoryStore;
  private waiting: Commit[] = [];

  constructor(records: Iterable<readonly [string, Uint8Array]> = []) {
    this.synced = new MemoryStore(records);
  }

  get records(): ReadonlyMap<string, Uint8Array> {
    return this.synced.records;
  }

  get unsynced(): number {
    return this.waiting.length;
  }

  commit(changes: readonly StoreChange[], done: (error: FleetrigError | undefined) => void): void {
    this.waiting.push({ changes, done });
    if (this.isPrompt) this.sync();
  }

  /** The oldest commits become durable. @returns how many. */
  sync(count: number = Number.POSITIVE_INFINITY): number {
    let synced = 0;
    for (; synced < count && this.waiting.length > 0; synced += 1) {
      const { changes, done } = this.waiting.shift()!;
      if (this.isBroken) {
        done(new FleetrigError("STORE_WRITE_FAILED", "The store could not be written: EIO.", {}));
        continue;
      }
      this.commits += 1;
      this.synced.commit(changes, done);
    }
    return synced;
  }

  /**
   * The process or the machine dies: of the commits on their way, any number of the oldest may have made it, though
   * nobody was told.
   */
  crash(random: Random): FakeDisk {
    const survivors = this.waiting.slice(0, random.below(this.waiting.length + 1));
    for (const { changes } of survivors) this.synced.commit(changes, () => undefined);
    this.waiting = [];
    return new FakeDisk(this.records);
  }

  scan(prefix: string): AsyncIterable<readonly StoreRecord[]> {
    return this.synced.scan(prefix);
  }

  async close(): Promise<void> {
    this.sync();
  }
}
