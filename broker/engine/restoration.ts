import type { ProtocolVersion, Will } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";
import type { BrokerCore } from "./core.js";
import { Session } from "./session.js";
import type { StoredFlow } from "./stored-flow.js";
import { Subscription, type SubscriptionOptions } from "./subscription.js";

/** A session as an earlier process left it. */
export interface StoredSession {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  /** How long it outlives a connection, in seconds. */
  readonly expiryS: number;
  /** Until it expires; undefined when it had a connection, which is lost. `Infinity` is never. */
  readonly expiresInUs: number | undefined;
  readonly will: StoredWill | undefined;
}

interface StoredWill {
  readonly will: Will;
  /** Until it is published; undefined when its connection was open: its delay begins now. */
  readonly dueInUs: number | undefined;
}

interface Restored {
  readonly session: Session;
  readonly stored: StoredSession;
}

/**
 * Puts what was stored back into a broker that nobody is connected to yet. Nothing happens by it before `finish`:
 * then clocks go on where they would be by now, and what fell due meanwhile happens at once.
 */
export class Restoration {
  private readonly restored: Restored[] = [];

  constructor(private readonly core: BrokerCore) {}

  session(stored: StoredSession): Session {
    const session = new Session(this.core, stored.clientId, stored.version);
    session.expiryS = stored.expiryS;
    this.core.sessions.adopt(session);
    this.restored.push({ session, stored });
    return session;
  }

  has(clientId: string): boolean {
    return this.core.sessions.get(clientId) !== undefined;
  }

  subscription(session: Session, filter: string, options: SubscriptionOptions): void {
    const subscription = new Subscription(session, filter, options);
    session.subscribe(subscription);
    this.core.router.add(subscription);
  }

  flow(session: Session, stored: StoredFlow): void {
    session.restore(stored);
  }

  /** @returns false for a message that has expired. */
  retained(message: ApplicationMessage): boolean {
    return this.core.retained.store(message) && this.core.retained.get(message.topic) !== undefined;
  }

  finish(): void {
    const { sessions } = this.core;
    for (const { session, stored } of this.restored) sessions.goOn(session, stored);
  }
}
