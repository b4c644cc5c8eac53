import { type ProtocolVersion, REASON } from "fleetrig/protocol";
import { US_PER_S } from "fleetrig/kernel";
import type { Connection } from "./connection.js";
import type { BrokerCore } from "./core.js";
import { ENDING, type Ending } from "./ending.js";
import type { StoredSession } from "./restoration.js";
import { Session } from "./session.js";
import { WillBoard } from "./will.js";

export interface SessionRequest {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  readonly cleanStart: boolean;
  readonly expiryS: number;
}

export interface OpenedSession {
  readonly session: Session;
  readonly sessionPresent: boolean;
}

/** All sessions by client id: who is connected, who is away and for how long (§4.1, §3.1.2.4). */
export class SessionDirectory {
  private readonly sessions = new Map<string, Session>();
  private readonly wills: WillBoard;

  constructor(private readonly core: BrokerCore) {
    this.wills = new WillBoard(core);
  }

  get size(): number {
    return this.sessions.size;
  }

  /** Every session, in the order in which they began. */
  all(): Iterable<Session> {
    return this.sessions.values();
  }

  get(clientId: string): Session | undefined {
    return this.sessions.get(clientId);
  }

  /** Finds or makes the session of a connecting client; a connection that still holds it ends [MQTT-3.1.4-3]. */
  open(request: SessionRequest, connection: Connection): OpenedSession {
    const holder = this.sessions.get(request.clientId)?.connection;
    if (holder !== undefined) this.takeOver(holder, connection);
    const stored = this.sessions.get(request.clientId);
    const isResumed = stored !== undefined && !request.cleanStart && this.isTransferable(stored, request);
    if (stored !== undefined) {
      if (isResumed) this.wills.sessionResumed(stored);
      else this.discard(stored);
    }
    const session = isResumed ? stored : new Session(this.core, request.clientId, request.version);
    session.expiryS = request.expiryS;
    session.attach(connection);
    this.sessions.set(request.clientId, session);
    return { session, sessionPresent: isResumed };
  }

  /** Two clients that take a client id from each other all the time are two devices with one name. */
  private takeOver(holder: Connection, successor: Connection): void {
    const { clientId, link } = holder;
    const { conflicts, counters, events, clock } = this.core;
    const addresses = [link.remoteAddress, successor.link.remoteAddress] as const;
    holder.end(ENDING.takenOver);
    if (!conflicts.tookOver(clientId)) return;
    counters.conflicts += 1;
    events.emit({ type: "broker.client-conflict", atUs: clock.nowUs(), clientId, addresses });
  }

  /** Takes over a session of an earlier process; {@link goOn} follows. */
  adopt(session: Session): void {
    this.sessions.set(session.clientId, session);
  }

  /** The time of a session that was adopted goes on; a connection it had when the earlier process died is lost. */
  goOn(session: Session, { expiresInUs, will }: StoredSession): void {
    if (will?.dueInUs !== undefined) this.wills.arm(session, will.will, will.dueInUs);
    else if (will !== undefined) this.wills.connectionLost(session, will.will);
    if (session.expiryS <= 0 || expiresInUs === 0) this.expire(session);
    else if (expiresInUs === undefined) this.armExpiry(session, session.expiryS * US_PER_S);
    else this.armExpiry(session, expiresInUs);
    // Its time of expiry was unknown until now.
    if (expiresInUs === undefined) this.core.journal?.sessionChanged(session);
  }

  /** The connection of this session is gone: the will goes out or waits, the session ends or stays for a while. */
  connectionEnded(session: Session, connection: Connection, ending: Ending): void {
    session.detach();
    if (ending.sendsWill && connection.will !== undefined)
      this.wills.connectionLost(session, connection.will);
    // A client that takes over goes on with its messages itself.
    if (session.expiryS > 0 && ending !== ENDING.takenOver) this.core.router.shares.connectionLost(session);
    if (session.expiryS <= 0) {
      this.discard(session);
    } else {
      this.armExpiry(session, session.expiryS * US_PER_S);
      this.core.journal?.sessionChanged(session);
    }
  }

  /** Ends a session and everything it stood for. */
  discard(session: Session): void {
    if (this.sessions.get(session.clientId) === session) this.sessions.delete(session.clientId);
    for (const subscription of session.subscriptions()) this.core.router.remove(subscription);
    this.core.router.shares.sessionEnded(session);
    this.core.journal?.sessionEnded(session);
    session.discard();
    this.wills.sessionEnded(session);
  }

  /** Ends every connection, then cancels what would still fire. */
  shutdown(reasonCode: number): void {
    const ending =
      reasonCode === REASON.serverShuttingDown ? ENDING.shutDown : { ...ENDING.shutDown, reasonCode };
    this.core.router.shares.stop();
    for (const session of this.sessions.values()) session.connection?.end(ending);
    this.core.journal?.freeze();
    for (const session of this.sessions.values()) {
      this.wills.cancel(session);
      this.discard(session);
    }
  }

  /** AWS: sessions do not move between MQTT 3.1.1 and 5 (REF §2.2). */
  private isTransferable(stored: Session, request: SessionRequest): boolean {
    return this.core.traits.sessionsCrossVersions || stored.version === request.version;
  }

  private armExpiry(session: Session, delayUs: number): void {
    if (!Number.isFinite(delayUs)) return;
    session.expiryTimer = this.core.clock.after(delayUs, () => this.expire(session));
  }

  private expire(session: Session): void {
    const { events, clock } = this.core;
    events.emit({ type: "session.expired", atUs: clock.nowUs(), clientId: session.clientId });
    this.discard(session);
  }
}
