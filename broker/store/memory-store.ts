import type { FleetrigError } from "fleetrig/kernel";
import type { Store, StoreChange, StoreRecord } from "./store.js";

const SLICE_RECORDS = 1_000;

/** A store that lives as long as its object: for tests, and for handing a state from one broker to the next. */
export class MemoryStore implements Store {
  readonly durability = "memory";
  readonly records: Map<string, Uint8Array>;

  /** @param records What it begins with; copied. */
  constructor(records: Iterable<readonly [string, Uint8Array]> = []) {
    this.records = new Map(records);
  }

  commit(changes: readonly StoreChange[], done: (error: FleetrigError | undefined) => void): void {
    for (const change of changes) {
      if (change.type === "put") this.records.set(change.key, change.value);
      else this.records.delete(change.key);
    }
    done(undefined);
  }

  async *scan(prefix: string): AsyncIterable<readonly StoreRecord[]> {
    const found: StoreRecord[] = [];
    for (const [key, value] of this.records) if (key.startsWith(prefix)) found.push({ key, value });
    found.sort((a, b) => (a.key < b.key ? -1 : 1));
    for (let i = 0; i < found.length; i += SLICE_RECORDS) yield found.slice(i, i + SLICE_RECORDS);
  }

  async close(): Promise<void> {}
}
