import { type Timer, US_PER_S } from "fleetrig/kernel";
import type { Will } from "fleetrig/protocol";
import { ApplicationMessage } from "../message.js";
import type { BrokerCore } from "./core.js";
import type { Session } from "./session.js";

/** A will whose delay is running. */
export interface PendingWill {
  readonly will: Will;
  readonly timer: Timer;
}

/**
 * Wills of lost connections [MQTT-3.1.2-8]: published after their delay or when the session ends, whichever comes
 * first, and never when the client is back before that [MQTT-3.1.3-9].
 */
export class WillBoard {
  constructor(private readonly core: BrokerCore) {}

  /** The connection was lost; the session may or may not live on. */
  connectionLost(session: Session, will: Will): void {
    const delayS = Math.min(will.delayS ?? 0, session.expiryS);
    if (delayS <= 0) {
      this.publish(session.clientId, will);
      return;
    }
    this.arm(session, will, delayS * US_PER_S);
  }

  /** Publishes the will after `delayUs`, unless the client comes back or the session ends before. */
  arm(session: Session, will: Will, delayUs: number): void {
    const timer = this.core.clock.after(delayUs, () => {
      this.sessionEnded(session);
      this.core.journal?.sessionChanged(session);
    });
    session.pendingWill = { will, timer };
    this.core.counters.pendingWills += 1;
  }

  /** The client is back in time. */
  sessionResumed(session: Session): void {
    if (this.take(session) === undefined) return;
    const { events, clock } = this.core;
    events.emit({ type: "will.suppressed", atUs: clock.nowUs(), clientId: session.clientId });
  }

  /** The delay is over, or nobody will resume this session. */
  sessionEnded(session: Session): void {
    const pending = this.take(session);
    if (pending !== undefined) this.publish(session.clientId, pending.will);
  }

  /** Forgets a pending will: the broker is going away. */
  cancel(session: Session): void {
    this.take(session);
  }

  private take(session: Session): PendingWill | undefined {
    const pending = session.pendingWill;
    if (pending === undefined) return undefined;
    pending.timer.cancel();
    session.pendingWill = undefined;
    this.core.counters.pendingWills -= 1;
    return pending;
  }

  private publish(clientId: string, will: Will): void {
    const { clock, events, router } = this.core;
    const atUs = clock.nowUs();
    events.emit({ type: "will.published", atUs, clientId, topic: will.topic });
    router.route(new ApplicationMessage({ ...will, isWill: true }, clientId, atUs));
  }
}
