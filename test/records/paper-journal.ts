import type { JsonValue } from "fleetrig/kernel";
import type { RecordBook, RecordJournal } from "fleetrig/broker";

/** Writes records down as text, the way a data directory would, and reads them back into another book. */
export class PaperJournal implements RecordJournal {
  readonly written = new Map<string, string>();
  private readonly pending = new Map<string, () => JsonValue | undefined>();

  recordChanged(table: string, key: string, read: () => JsonValue | undefined): void {
    this.pending.set(`${table}\n${key}`, read);
  }

  /** What has changed since the last call is written. */
  commit(): void {
    for (const [key, read] of this.pending) {
      const value = read();
      if (value === undefined) this.written.delete(key);
      else this.written.set(key, JSON.stringify(value));
    }
    this.pending.clear();
  }

  /** Puts everything written into a book whose tables exist already; fails when a record is refused. */
  restoreInto(book: RecordBook): void {
    for (const place of Array.from(this.written.keys()).sort()) {
      const [table = "", key = ""] = place.split("\n", 2);
      const fault = book.restore(table, key, JSON.parse(this.written.get(place)!) as JsonValue);
      if (fault !== undefined) throw new Error(`${place}: ${fault}`);
    }
    book.finish();
  }
}
