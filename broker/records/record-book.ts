import type { JsonValue } from "fleetrig/kernel";
import { forgetfulJournal, type RecordJournal } from "./record-journal.js";
import { type RecordCodec, RecordTable } from "./record-table.js";

/** A table as the book knows it when it puts records back. */
interface Restorable {
  restore(key: string, value: JsonValue): string | undefined;
}

/** All tables of one cloud, by name: where the services get them, and where stored records go at the start. */
export class RecordBook {
  private readonly tables = new Map<string, Restorable>();
  private readonly restoredHooks: (() => void)[] = [];

  constructor(private readonly journal: RecordJournal = forgetfulJournal) {}

  /** A new table. Each name is used once. */
  table<Row>(name: string, codec: RecordCodec<Row>): RecordTable<Row> {
    const table = new RecordTable<Row>(name, this.journal, codec);
    this.tables.set(name, table);
    return table;
  }

  /**
   * `task` runs once all records are back, in the order of these calls: time to rebuild what is derived from rows
   * and to arm timers. Not called when nothing is restored.
   */
  whenRestored(task: () => void): void {
    this.restoredHooks.push(task);
  }

  /** Puts one stored record back. @returns why it is of no use, if it is not. */
  restore(table: string, key: string, value: JsonValue): string | undefined {
    const found = this.tables.get(table);
    return found === undefined ? `there is no table ${table}` : found.restore(key, value);
  }

  /** Everything stored is back. */
  finish(): void {
    for (const hook of this.restoredHooks) hook();
  }
}
