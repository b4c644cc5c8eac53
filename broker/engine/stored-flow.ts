import type { Delivery } from "./delivery.js";
import type { FlowState } from "./journal.js";
import type { StoredMessages } from "./stored-messages.js";

/** A stored message with its place in the order. */
export interface SequencedDelivery {
  readonly sequence: number;
  readonly delivery: Delivery;
}

/** What a session goes on with after the process that held it ended. */
export interface StoredFlow {
  readonly flow: FlowState;
  /** Every QoS 1 and 2 message of the session that was not done with, by ascending sequence, in flight or not. */
  readonly messages: readonly SequencedDelivery[];
  /** The same, unread; in place of `messages`, and only when none of them is in flight. */
  readonly unread?: StoredMessages;
  /** The highest sequence ever given out, if it is none of theirs. */
  readonly lastSequence?: number;
}
