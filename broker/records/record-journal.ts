import type { JsonValue } from "fleetrig/kernel";

/**
 * Where services report that a record has changed. The journal asks for its value when it commits (ARCHITECTURE, D17),
 * so a record that changes a hundred times within a commit is written once.
 */
export interface RecordJournal {
  /**
   * @param table Letters, digits and hyphens; names the kind of record for ever.
   * @param key Unique within the table; any text.
   * @param read The record as it is by then; undefined when it was deleted.
   */
  recordChanged(table: string, key: string, read: () => JsonValue | undefined): void;
}

/** Nothing is written down: what a cloud without a data directory has. */
export const forgetfulJournal: RecordJournal = { recordChanged: () => undefined };
