import type { ApplicationMessage } from "../message.js";
import type { QoS } from "fleetrig/protocol";
import type { Delivery } from "./delivery.js";
import type { Session } from "./session.js";

/**
 * What a durable broker writes down (see ARCHITECTURE, D17). The engine reports every change at the moment it
 * happens and goes on; the journal reads the state it needs when it commits, so that a message which was queued and
 * acknowledged in between is never written. Only sessions that outlive their connection are reported.
 */
export interface Journal {
  /** Everything reported so far is durable: acknowledgements need not wait. Progress that may come late does not count. */
  readonly isSettled: boolean;
  /** A write failed: nothing becomes durable any more, and nothing may be promised. */
  readonly hasFailed: boolean;
  /** Too much waits for the disk: whoever publishes with QoS above 0 is not read from until `whenRelieved`. */
  readonly isCongested: boolean;
  /** Tells the waiter once everything reported so far is durable, or never will be. Waiters keep their order. */
  afterCommit(waiter: CommitWaiter): void;
  whenRelieved(task: () => void): void;
  /** Identity, expiry or will of a session, or whether it has a connection. */
  sessionChanged(session: Session): void;
  /** A filter was subscribed to, with these options or others than before, or unsubscribed from. */
  subscriptionChanged(session: Session, filter: string): void;
  sessionEnded(session: Session): void;
  /**
   * Packet identifiers: what is in flight, QoS 2 identifiers received, the last one issued. The states of QoS 2
   * are needed `now`: the next packet promises them. For those of QoS 1 `soon` is enough: losing them only means
   * that a message is sent again.
   */
  flowChanged(session: Session, urgency: "now" | "soon"): void;
  /** A message of QoS 1 or 2 waits for this session, or is in flight; sequences grow by arrival, from 1. */
  queued(session: Session, sequence: number, delivery: Delivery): void;
  /** It does not any more: acknowledged, dropped or expired. */
  removed(session: Session, sequence: number): void;
  /** The retained message of this topic was set, replaced or cleared (undefined), by a publish of this QoS. */
  retainedChanged(topic: string, message: ApplicationMessage | undefined, qos: QoS): void;
  /** The broker ends: the state as it is now is the one to come back to, whatever is reported afterwards. */
  freeze(): void;
}

/** Whoever must not speak before its promise is on disk. Exactly one of the two is called, once. */
export interface CommitWaiter {
  committed(): void;
  failed(): void;
}

/** A session's packet identifiers at the moment of a commit. */
export interface FlowState {
  readonly lastPacketId: number;
  /** Oldest first. */
  readonly inflight: Iterable<InflightState>;
  /** QoS 2 identifiers from the client, received and not yet released. */
  readonly received: Iterable<number>;
}

export interface InflightState {
  readonly packetId: number;
  /** Of the message, as in {@link Journal.queued}; 0 once only the identifier is left. */
  readonly sequence: number;
  /** `released` after PUBREC: the message is gone, PUBREL was sent. */
  readonly phase: "sent" | "released";
}
