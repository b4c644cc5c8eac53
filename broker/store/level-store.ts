import { ClassicLevel } from "classic-level";
import { FleetrigError } from "fleetrig/kernel";
import type { Durability, Store, StoreChange, StoreRecord } from "./store.js";

const SLICE_RECORDS = 1_000;
const MIB = 1024 * 1024;
/** Larger than LevelDB's own: fewer, larger tables, and a log that takes a burst without stalling. */
const WRITE_BUFFER_BYTES = 16 * MIB;
const TABLE_BYTES = 16 * MIB;

const ENCODING = { keyEncoding: "utf8", valueEncoding: "view" } as const;
type Level = ClassicLevel<string, Uint8Array>;

export interface LevelStoreOptions {
  readonly location: string;
  readonly durability: Exclude<Durability, "memory">;
}

/** Records in LevelDB; one commit is one write batch, which its log takes entirely or not at all. */
export class LevelStore implements Store {
  readonly durability: Durability;
  private readonly isSynced: boolean;

  private constructor(
    private readonly level: Level,
    durability: Exclude<Durability, "memory">,
  ) {
    this.durability = durability;
    this.isSynced = durability === "disk";
  }

  /** Opens or creates; the caller has made sure that nobody else does. @throws what LevelDB says, as it is. */
  static async open({ location, durability }: LevelStoreOptions): Promise<LevelStore> {
    const level: Level = new ClassicLevel(location, {
      ...ENCODING,
      // Our own check of the files reads blocks as they are, and records are small.
      compression: false,
      writeBufferSize: WRITE_BUFFER_BYTES,
      maxFileSize: TABLE_BYTES,
    });
    await level.open();
    return new LevelStore(level, durability);
  }

  commit(changes: readonly StoreChange[], done: (error: FleetrigError | undefined) => void): void {
    void this.write(changes, done);
  }

  async *scan(prefix: string): AsyncIterable<readonly StoreRecord[]> {
    const iterator = this.level.iterator({
      ...(prefix !== "" && { gte: prefix, lt: successorOf(prefix) }),
      fillCache: false,
      highWaterMarkBytes: MIB,
    });
    // While one slice is looked at, the next one is read. Who awaits it is told of its failure.
    const slice = (): Promise<[string, Uint8Array][]> => {
      const entries = iterator.nextv(SLICE_RECORDS);
      entries.catch(() => undefined);
      return entries;
    };
    try {
      for (let next = slice(); ; ) {
        const entries = await next;
        if (entries.length === 0) return;
        next = slice();
        yield entries.map(([key, value]) => ({ key, value }));
      }
    } finally {
      await iterator.close();
    }
  }

  close(): Promise<void> {
    return this.level.close();
  }

  private async write(
    changes: readonly StoreChange[],
    done: (error: FleetrigError | undefined) => void,
  ): Promise<void> {
    let failure: FleetrigError | undefined;
    try {
      await this.level.batch(changes as StoreChange[], { sync: this.isSynced });
    } catch (cause) {
      failure = writeFailure(cause);
    }
    done(failure);
  }
}

/** The first key after all that begin with `prefix`, which ends with ASCII. */
const successorOf = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

function writeFailure(cause: unknown): FleetrigError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FleetrigError("STORE_WRITE_FAILED", `The store could not be written: ${reason}.`, {
    hint: "Nothing was acknowledged that is not stored. Make space or mend the disk, then restart the broker.",
    context: { reason },
    cause,
  });
}
