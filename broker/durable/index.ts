export { DurableJournal, type DurableJournalOptions, type JournalStatistics } from "./durable-journal.js";
export type { LoadSummary, RecordShelf } from "./load-state.js";
