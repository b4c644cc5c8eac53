import type { Delivery } from "./delivery.js";
import type { Session } from "./session.js";

/**
 * What a durable broker writes down (see ARCHITECTURE, D16). The engine reports every change at the moment it
 * happens and goes on; the journal reads the state it needs when it commits, so that a message which was queued and
 * acknowledged in between is never written. Only sessions that outlive their connection are reported.
 */
export interface Journal {
  /** Everything reported so far is durable: acknowledgements need not wait. */
  readonly isSettled: boolean;
  /** Runs `task` once everything reported so far is durable. Tasks keep their order; after a failed write none runs. */
  afterCommit(task: () => void): void;
  /** Identity, expiry, subscriptions or will of a session. */
  sessionChanged(session: Session): void;
  sessionEnded(session: Session): void;
  /** Packet identifiers: states of what is in flight, QoS 2 identifiers received, the last one issued. */
  flowChanged(session: Session): void;
  /** A message of QoS 1 or 2 waits for this session, or is in flight; sequences grow by arrival. */
  queued(session: Session, sequence: number, delivery: Delivery): void;
  /** It does not any more: acknowledged, dropped or expired. */
  removed(session: Session, sequence: number): void;
  /** The retained message of this topic was set, replaced or cleared. */
  retainedChanged(topic: string): void;
}
