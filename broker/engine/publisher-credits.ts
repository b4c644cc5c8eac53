import { type Timer, US_PER_S } from "fleetrig/kernel";
import type { Connection } from "./connection.js";
import type { BrokerCore } from "./core.js";
import type { Session } from "./session.js";

/** How often those who are held back are looked at. */
const REVIEW_US = 20_000;
/** Nobody waits longer for a read: what fills the queues may wait for clients that are away for days. */
const LONGEST_HOLD_US = US_PER_S;
/** What every publisher may have in queues, however little memory there is. */
const FLOOR_BYTES = 262_144;

/**
 * Publishers by the memory that their messages take in the queues of others. Who has more than `queuedBytesPerPublisher`
 * there, or under memory pressure more than the average, is not read from until half of that has drained, but never
 * longer than a second at a time. Counted is what is queued while a limit or the memory asks for it; messages that go
 * straight out, which is nearly all of them, cost nothing.
 */
export class PublisherCredits {
  /** False while nobody needs to count. */
  isActive: boolean;
  private usedBytes = 0;
  private debtors = 0;
  /** Who is held back, and since when. */
  private readonly held = new Map<Connection, number>();
  private timer: Timer | undefined;

  constructor(private readonly core: BrokerCore) {
    this.isActive = Number.isFinite(core.limits.queuedBytesPerPublisher);
  }

  levelChanged(): void {
    const { limits, pressure, sessions } = this.core;
    const wasActive = this.isActive;
    this.isActive = Number.isFinite(limits.queuedBytesPerPublisher) || pressure.level !== "normal";
    if (this.isActive || !wasActive) return;
    for (const session of sessions.all()) session.creditBytes = 0;
    this.usedBytes = 0;
    this.debtors = 0;
    this.review();
  }

  /** A message of this client is queued once more. */
  charge(publisher: string | undefined, bytes: number): void {
    const session = this.sessionOf(publisher);
    if (session === undefined) return;
    if (session.creditBytes === 0) this.debtors += 1;
    session.creditBytes += bytes;
    this.usedBytes += bytes;
    const { connection } = session;
    if (connection === undefined || session.creditBytes < this.boundBytes || this.held.has(connection))
      return;
    if (!connection.hold("credit")) return;
    this.held.set(connection, this.core.clock.nowUs());
    this.timer ??= this.core.clock.after(REVIEW_US, PublisherCredits.reviewDue, this);
  }

  /** It is in that queue no more. */
  refund(publisher: string | undefined, bytes: number): void {
    const session = this.sessionOf(publisher);
    // Messages that were queued before anybody counted are not in the sum.
    if (session !== undefined) this.pay(session, Math.min(bytes, session.creditBytes));
  }

  sessionEnded(session: Session): void {
    this.pay(session, session.creditBytes);
  }

  stop(): void {
    this.timer?.cancel();
    this.held.clear();
  }

  private pay(session: Session, bytes: number): void {
    if (bytes === 0) return;
    session.creditBytes -= bytes;
    this.usedBytes -= bytes;
    if (session.creditBytes === 0) this.debtors -= 1;
  }

  private sessionOf(publisher: string | undefined): Session | undefined {
    return publisher === undefined ? undefined : this.core.sessions.get(publisher);
  }

  private get boundBytes(): number {
    const { limits, pressure } = this.core;
    if (pressure.level === "normal") return limits.queuedBytesPerPublisher;
    const share = this.usedBytes / Math.max(1, this.debtors);
    return Math.min(limits.queuedBytesPerPublisher, Math.max(FLOOR_BYTES, share));
  }

  private review(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const nowUs = this.core.clock.nowUs();
    const enoughBytes = this.boundBytes / 2;
    for (const [connection, sinceUs] of this.held) {
      const creditBytes = connection.isConnected ? connection.session!.creditBytes : 0;
      if (creditBytes > enoughBytes && nowUs - sinceUs < LONGEST_HOLD_US) continue;
      this.held.delete(connection);
      connection.unhold("credit");
    }
    if (this.held.size > 0) this.timer = this.core.clock.after(REVIEW_US, PublisherCredits.reviewDue, this);
  }

  private static reviewDue(this: void, credits: PublisherCredits): void {
    credits.review();
  }
}
