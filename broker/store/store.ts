import type { FleetrigError } from "fleetrig/kernel";

/**
 * The port to whatever remembers things across restarts: records under keys, changed in batches that take effect
 * entirely or not at all, read back in the order of their keys.
 */

/**
 * What a finished commit means:
 * - `disk`: it is on the device (fdatasync); survives loss of power.
 * - `os`: the operating system has it; survives the death of the process, not of the machine.
 * - `memory`: nothing survives.
 */
export type Durability = "disk" | "os" | "memory";

export type StoreChange =
  | { readonly type: "put"; readonly key: string; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: string };

export interface StoreRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface Store {
  readonly durability: Durability;
  /**
   * Applies all changes or none; later changes to a key win. Commits take effect in the order of the calls.
   * After an error nothing may be committed any more: what is on the device is unknown until it is opened anew.
   */
  commit(changes: readonly StoreChange[], done: (error: FleetrigError | undefined) => void): void;
  /** All records whose key begins with `prefix` (empty: all), in slices, in the order of their keys. */
  scan(prefix: string): AsyncIterable<readonly StoreRecord[]>;
  /** Ends the store once what was committed has been dealt with. */
  close(): Promise<void>;
}

/** Something that was stored and cannot be read back as it was written. It is named and kept, never served. */
export interface Damage {
  /** A file with an offset, or the key of a record. */
  readonly where: string;
  readonly what: string;
}
