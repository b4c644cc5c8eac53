import type { SequencedDelivery } from "./stored-flow.js";

/**
 * Messages of an earlier process that have not been asked for yet. They are known by number and size; a message
 * becomes an object when its turn comes. All have QoS 1 or 2.
 */
export interface StoredMessages {
  /** How many are left. */
  readonly length: number;
  /** What those that are left will take in a queue. */
  readonly footprintBytes: number;
  /** When the first of them came in, in µs of the broker's clock. */
  readonly oldestAtUs: number;
  /** The next few, at least one while there are any. */
  take(): readonly SequencedDelivery[];
}
