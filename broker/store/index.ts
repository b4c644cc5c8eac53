export { MemoryStore } from "./memory-store.js";
export { type OpenedStore, openStore, type StoreOptions } from "./open-store.js";
export type { Damage, Durability, Store, StoreChange, StoreRecord } from "./store.js";
