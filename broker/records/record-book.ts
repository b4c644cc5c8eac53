import type { JsonValue } from "fleetrig/kernel";
import { forgetfulJournal, type RecordJournal } from "./record-journal.js";
import { type RecordCodec, RecordTable } from "./record-table.js";

/** Takes one stored record back. @returns why it is of no use, if it is not. */
export type RestoreRecord = (key: string, value: JsonValue) => string | undefined;

/** Reports that a record has changed; `read` is asked for it when it is written down, undefined for a deleted one. */
export type ReportRecord = (key: string, read: () => JsonValue | undefined) => void;

/** All tables of one cloud, by name: where the services get them, and where stored records go at the start. */
export class RecordBook {
  private readonly tables = new Map<string, RestoreRecord>();
  private readonly restoredHooks: (() => void)[] = [];

  constructor(private readonly journal: RecordJournal = forgetfulJournal) {}

  /** A new table. Each name is used once. */
  table<Row>(name: string, codec: RecordCodec<Row>): RecordTable<Row> {
    const table: RecordTable<Row> = new RecordTable(
      codec,
      this.records(name, (key, value) => table.restore(key, value)),
    );
    return table;
  }

  /** For a service that keeps its rows in a structure of its own. Each name is used once. */
  records(name: string, restore: RestoreRecord): ReportRecord {
    this.tables.set(name, restore);
    return (key, read) => this.journal.recordChanged(name, key, read);
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
    return found === undefined ? `there is no table ${table}` : found(key, value);
  }

  /** Everything stored is back. */
  finish(): void {
    for (const hook of this.restoredHooks) hook();
  }
}
