import type { Clock } from "fleetrig/kernel";
import type { Profile } from "fleetrig/protocol";
import type { MemoryLevel, MqttBroker } from "../engine/index.js";
import type { Durability } from "../store/index.js";

/**
 * What an observer needs to know of a running server. *Readings* are plain values of one moment: taking them changes
 * nothing, and nothing is computed until somebody asks.
 */
export interface ObservedServer {
  readonly broker: MqttBroker;
  readonly clock: Clock;
  readonly profile: Profile;
  readonly version: string;
  /** What an acknowledgement promises: on disk, with the operating system, or neither. */
  readonly durability: Durability;
  listeners(): readonly ListenerReading[];
  memory(): MemoryLevel;
  /** Undefined for a broker that keeps everything in memory. */
  store(): StoreReading | undefined;
}

/** One listening address. */
export interface ListenerReading {
  /** As clients would write it, e.g. `mqtts://127.0.0.1:8883`. */
  readonly url: string;
  readonly transport: string;
  readonly isListening: boolean;
  readonly openSockets: number;
  readonly acceptedSockets: number;
  /** Sockets closed before they became a connection, by reason. */
  readonly droppedSockets: Readonly<Record<string, number>>;
}

/** What the store has done so far. */
export interface StoreReading {
  /** `failed`: nothing more is written or acknowledged. `damaged`: part of the files could not be read. */
  readonly state: "ok" | "damaged" | "failed";
  /** What is wrong, for people; empty when nothing is. */
  readonly detail: string;
  readonly commits: number;
  readonly commitSecondsSum: number;
  /** Records written by all commits. */
  readonly writtenRecords: number;
  /** Changes that are not durable yet. */
  readonly pendingRecords: number;
}
