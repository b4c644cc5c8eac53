export { fromRecord, toRecord } from "./byte-records.js";
export { RecordBook, type ReportRecord } from "./record-book.js";
export type { RecordJournal } from "./record-journal.js";
export { type RecordCodec, RecordTable } from "./record-table.js";
