export { DurableJournal, type DurableJournalOptions, type JournalStatistics } from "./durable-journal.js";
export type { LoadSummary } from "./load-state.js";
