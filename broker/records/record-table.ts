import type { JsonValue } from "fleetrig/kernel";
import type { ReportRecord } from "./record-book.js";

/** How a row becomes a record and a record a row. */
export interface RecordCodec<Row> {
  /** What is needed to have the row back; never `undefined` inside. */
  write(row: Row): JsonValue;
  /** @returns undefined for a record that cannot be understood. */
  read(value: JsonValue, key: string): Row | undefined;
}

/**
 * A map of rows that is written down, if the cloud has where to. In order of insertion; after a restart in the order of
 * keys, so a service whose lists have another order keeps it in its rows.
 */
export class RecordTable<Row> {
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly codec: RecordCodec<Row>,
    private readonly report: ReportRecord,
  ) {}

  get size(): number {
    return this.rows.size;
  }

  has(key: string): boolean {
    return this.rows.has(key);
  }

  get(key: string): Row | undefined {
    return this.rows.get(key);
  }

  keys(): IterableIterator<string> {
    return this.rows.keys();
  }

  values(): IterableIterator<Row> {
    return this.rows.values();
  }

  entries(): IterableIterator<[string, Row]> {
    return this.rows.entries();
  }

  set(key: string, row: Row): void {
    this.rows.set(key, row);
    this.changed(key);
  }

  /** The row under this key was changed in place. */
  changed(key: string): void {
    this.report(key, () => {
      const row = this.rows.get(key);
      return row === undefined ? undefined : this.codec.write(row);
    });
  }

  delete(key: string): boolean {
    const existed = this.rows.delete(key);
    if (existed) this.changed(key);
    return existed;
  }

  /** Puts a stored record back. @returns why it is of no use, if it is not. */
  restore(key: string, value: JsonValue): string | undefined {
    const row = this.codec.read(value, key);
    if (row === undefined) return "the record cannot be understood";
    this.rows.set(key, row);
    return undefined;
  }

  /** Puts restored rows into the order that `compare` gives. */
  sort(compare: (a: Row, b: Row) => number): void {
    const sorted = Array.from(this.rows).sort(([, a], [, b]) => compare(a, b));
    this.rows.clear();
    for (const [key, row] of sorted) this.rows.set(key, row);
  }
}
