import { type Timer, US_PER_S } from "fleetrig/kernel";
import { REASON } from "fleetrig/protocol";
import type { Connection } from "./connection.js";
import type { BrokerCore } from "./core.js";
import type { Delivery } from "./delivery.js";
import { type InflightEntry, InflightWindow } from "./inflight.js";
import type { FlowState, InflightState, Journal } from "./journal.js";
import { MessageQueue } from "./message-queue.js";
import { PendingSend } from "./pending-send.js";
import type { Session } from "./session.js";
import type { StoredFlow } from "./stored-flow.js";

/** What an observer may know of an outbox. */
export interface Backlog {
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** Sent on this connection and not acknowledged. */
  readonly inflightMessages: number;
  /** When the message that waits longest came in, in µs of the broker's clock; -1 when none waits. */
  readonly oldestAtUs: number;
}

/** In flight is for a moment: only large buffers are worth a copy. */
const INFLIGHT_SPARE_BYTES = 4_096;

/**
 * What an acknowledgement did. `mismatch`: the identifier is in use, but not by an exchange that has this packet as
 * its next step.
 */
export type AcknowledgeOutcome = "taken" | "unknown" | "mismatch";

/**
 * Everything on its way to one client, in strict order: first what is in flight, then the backlog, then live
 * messages. A live message is sent at once only when nothing waits before it.
 */
export class Outbox implements Backlog {
  private readonly inflight = new InflightWindow();
  private readonly queue = new MessageQueue();
  /** QoS 1 and 2 messages so far. */
  private lastSequence = 0;
  /** Stored messages of a resumed session that still have to go out at `resumeRate`. */
  private pacedLeft = 0;
  private paceTimer: Timer | undefined;

  constructor(
    private readonly core: BrokerCore,
    private readonly session: Session,
  ) {}

  get queuedMessages(): number {
    return this.queue.length;
  }

  get queuedBytes(): number {
    return this.queue.bytes;
  }

  get inflightMessages(): number {
    return this.inflight.outstanding;
  }

  get oldestAtUs(): number {
    return this.inflight.oldest?.message.receivedAtUs ?? this.queue.oldestAtUs;
  }

  get hasBacklog(): boolean {
    return this.queue.length > 0 || this.inflight.hasUnsent;
  }

  /** What the journal has to know of the identifiers in use. */
  get flow(): Omit<FlowState, "received"> {
    return { lastPacketId: this.inflight.lastIssued, inflight: this.inflight.all().map(stateOf) };
  }

  /** Takes over what an earlier process left; only for a session without a connection. */
  restore({ flow, messages, unread, lastSequence = 0 }: StoredFlow): void {
    const { counters } = this.core;
    const waiting = new Map(messages.map(({ sequence, delivery }) => [sequence, delivery]));
    const entries: InflightEntry[] = [];
    for (const { packetId, sequence, phase } of flow.inflight) {
      const delivery = phase === "sent" ? waiting.get(sequence) : undefined;
      if (phase === "sent" && delivery === undefined) continue;
      waiting.delete(sequence);
      entries.push({ packetId, sequence, delivery, dup: true });
    }
    this.inflight.restore(entries, flow.lastPacketId);
    for (const [sequence, delivery] of waiting) {
      this.queue.push(delivery, sequence);
    }
    if (unread !== undefined) this.queue.restore(unread);
    counters.queuedMessages += this.queue.length;
    counters.queuedBytes += this.queue.bytes;
    this.lastSequence = Math.max(lastSequence, messages.at(-1)?.sequence ?? 0);
  }

  /** Messages that the client has not confirmed or not even been sent. */
  get pending(): number {
    return this.inflight.size + this.queue.length;
  }

  /** Would a message of this QoS leave at once? */
  canSend(connection: Connection, qos: number): boolean {
    if (this.hasBacklog || !connection.hasRoom()) return false;
    return qos === 0 || this.hasWindow(connection);
  }

  offer(delivery: Delivery): void {
    const { connection } = this.session;
    const isSendable =
      connection !== undefined &&
      !this.hasBacklog &&
      (delivery.qos === 0 || (this.hasWindow(connection) && connection.hasRoom()));
    if (!isSendable) this.enqueue(delivery);
    else if (!connection.accepts(delivery)) return;
    else if (delivery.qos === 0) connection.sendUnacknowledged(delivery);
    else this.transmit(delivery, this.register(delivery));
  }

  /** PUBACK: the end of a QoS 1 message, whatever its reason code [MQTT-4.3.2-3]. */
  acknowledge(packetId: number): AcknowledgeOutcome {
    const entry = this.inflight.find(packetId);
    if (entry === undefined) return "unknown";
    if (entry.delivery?.qos !== 1) return "mismatch";
    this.complete(entry);
    if (this.hasBacklog) this.pump();
    return "taken";
  }

  /** PUBREC: the client has the QoS 2 message and needs it never again [MQTT-4.3.3-6]. */
  release(packetId: number): AcknowledgeOutcome {
    const entry = this.inflight.find(packetId);
    if (entry === undefined) return "unknown";
    // A repeated PUBREC has no other effect than another PUBREL.
    if (entry.delivery === undefined) return "taken";
    if (entry.delivery.qos !== 2) return "mismatch";
    const { journal } = this;
    journal?.removed(this.session, entry.sequence);
    this.inflight.release(entry);
    journal?.flowChanged(this.session, "now");
    return "taken";
  }

  /** PUBREC with a failure: the client does not want the QoS 2 message; no PUBREL follows [MQTT-4.3.3-4]. */
  reject(packetId: number): AcknowledgeOutcome {
    const entry = this.inflight.find(packetId);
    if (entry === undefined) return "unknown";
    if (entry.delivery?.qos !== 2) return "mismatch";
    this.complete(entry);
    entry.delivery = undefined;
    this.pump();
    return "taken";
  }

  /** PUBCOMP: the end of a QoS 2 message. */
  finish(packetId: number): AcknowledgeOutcome {
    const entry = this.inflight.find(packetId);
    if (entry === undefined) return "unknown";
    if (entry.delivery !== undefined) return "mismatch";
    this.complete(entry);
    if (this.hasBacklog) this.pump();
    return "taken";
  }

  /** A new connection took over this session. */
  resume(): void {
    if (!this.hasBacklog) return;
    if (this.core.limits.resumeRate > 0) {
      this.pacedLeft = this.inflight.size + this.queue.length;
      this.pace();
    } else {
      this.pump();
    }
  }

  /** The connection is gone; QoS 0 does not wait for the next one. */
  suspend(): void {
    this.stopPacing();
    this.inflight.rewind();
    if (this.queue.length > 0) this.removeQueued((delivery) => delivery.qos > 0);
  }

  /** Gives up shared messages that are not confirmed: those that `isTaken` says another client gets. */
  releaseShared(isTaken: (delivery: Delivery) => boolean): void {
    // A copy: completing removes from the window.
    for (const entry of this.inflight.all().slice()) {
      const { delivery } = entry;
      // [MQTT-4.8.2-5] what was begun with QoS 2 never moves.
      const isMovable = delivery !== undefined && delivery.share !== undefined && delivery.qos === 1;
      if (isMovable && isTaken(delivery)) this.complete(entry);
    }
    // Handing over may put messages into this very queue: what goes is decided before anything is removed.
    const taken = new Set(
      this.queue.all().filter((delivery) => delivery.share !== undefined && isTaken(delivery)),
    );
    if (taken.size === 0) return;
    this.removeQueued((delivery, sequence) => {
      if (taken.has(delivery)) this.forget(delivery, sequence);
      return !taken.has(delivery);
    });
  }

  /** The session has ended. */
  discard(): void {
    this.stopPacing();
    const { counters, credits } = this.core;
    if (credits.isActive) this.removeQueued(() => false);
    counters.queuedMessages -= this.queue.length;
    counters.queuedBytes -= this.queue.bytes;
    this.queue.clear();
  }

  /** Sends as much of the backlog as the window and the link take. */
  pump(): void {
    if (this.pacedLeft > 0) return;
    while (this.sendNext());
  }

  /** Undefined for a session that ends with its connection. */
  private get journal(): Journal | undefined {
    const { journal } = this.core;
    return journal !== undefined && this.session.expiryS > 0 ? journal : undefined;
  }

  private complete(entry: InflightEntry): void {
    this.inflight.remove(entry);
    if (this.core.journal !== undefined) this.reportDone(entry);
  }

  private reportDone({ delivery, sequence }: InflightEntry): void {
    const { journal } = this;
    if (delivery !== undefined) journal?.removed(this.session, sequence);
    journal?.flowChanged(this.session, "soon");
  }

  /** May another message be on its way to the client without its acknowledgement? */
  private hasWindow(connection: Connection): boolean {
    const { inflight } = this;
    return (
      inflight.outstanding < connection.sendWindow &&
      inflight.heldBytes < this.core.limits.inflightBytesPerSession
    );
  }

  /** @returns false when nothing waits or nothing may be sent now. */
  private sendNext(): boolean {
    const { connection } = this.session;
    if (connection === undefined || !connection.hasRoom()) return false;
    if (this.inflight.hasUnsent) {
      if (this.inflight.outstanding >= connection.sendWindow) return false;
      this.sendAgain();
      return true;
    }
    const next = this.queue.peek();
    if (next === undefined || (next.qos > 0 && !this.hasWindow(connection))) return false;
    const sequence = this.queue.frontSequence;
    this.dequeue();
    const obstacle = this.obstacleTo(next, connection);
    if (obstacle !== undefined) this.core.dropped(this.session.clientId, obstacle, next.topic);
    if (obstacle !== undefined || !connection.accepts(next)) this.forget(next, sequence);
    else if (next.qos === 0) connection.sendUnacknowledged(next);
    else this.transmit(next, sequence);
    return true;
  }

  /** Why a message that waited is not sent; what was stored for an absent client may be forbidden by now. */
  private obstacleTo(next: Delivery, connection: Connection): "expired" | "receive-denied" | undefined {
    const { clock, hooks } = this.core;
    if (next.expiresAtUs <= clock.nowUs()) return "expired";
    const wasStored = next.message.receivedAtUs <= connection.connectedAtUs;
    const isDenied =
      wasStored && hooks.checksReceivers && !hooks.authorizeReceive(this.session.clientId, next.message);
    return isDenied ? "receive-denied" : undefined;
  }

  /** [MQTT-3.1.2-25] a client that came back with a smaller Maximum Packet Size has done with what is larger. */
  private sendAgain(): void {
    const entry = this.inflight.takeUnsent()!;
    const { delivery } = entry;
    if (delivery === undefined || this.session.connection!.takesSizeOf(delivery)) {
      this.send(entry);
      return;
    }
    this.core.dropped(this.session.clientId, "packet-too-large", delivery.topic);
    this.complete(entry);
  }

  /** First sending of a QoS 1 or 2 message. */
  private transmit(delivery: Delivery, sequence: number): void {
    delivery.message.detach(INFLIGHT_SPARE_BYTES);
    const entry = this.inflight.add(delivery, sequence);
    if (this.core.journal === undefined) {
      this.session.connection!.sendInflight(entry, delivery);
      return;
    }
    this.journal?.flowChanged(this.session, delivery.qos === 2 ? "now" : "soon");
    this.send(entry);
  }

  private send(entry: InflightEntry): void {
    const connection = this.session.connection!;
    const { packetId, delivery } = entry;
    if (delivery === undefined) connection.answer({ type: "pubrel", packetId, reasonCode: REASON.success });
    else if (delivery.qos === 2 && this.journal?.isSettled === false)
      this.core.journal!.afterCommit(new PendingSend(connection, entry));
    else connection.sendInflight(entry, delivery);
  }

  /** A QoS 1 or 2 message gets its place in the order and in the journal. */
  private register(delivery: Delivery): number {
    const sequence = this.lastSequence + 1;
    this.lastSequence = sequence;
    if (this.core.journal !== undefined) this.journal?.queued(this.session, sequence, delivery);
    return sequence;
  }

  private forget(delivery: Delivery, sequence: number): void {
    if (delivery.qos > 0) this.journal?.removed(this.session, sequence);
  }

  private enqueue(delivery: Delivery): void {
    const { limits, counters, clock, rates } = this.core;
    if (this.session.connection === undefined && !rates.takeStore()) {
      this.core.dropped(this.session.clientId, "store-rate", delivery.topic);
      return;
    }
    const bytes = delivery.footprintBytes;
    const { isCritical } = this.core.pressure;
    // Under critical memory a queue may change, and not grow.
    const bytesMax = isCritical ? this.queue.bytes : limits.queuedBytesPerSession;
    while (!this.hasSpaceFor(bytes, bytesMax)) {
      const isOldestDropped = limits.queueOverflow === "drop-oldest" && this.queue.length > 0;
      const sequence = this.queue.frontSequence;
      const victim = isOldestDropped ? this.dequeue() : delivery;
      if (isOldestDropped && this.pacedLeft > 1) this.pacedLeft -= 1;
      const isExpired = victim.expiresAtUs <= clock.nowUs();
      const reason = isExpired ? "expired" : isCritical ? "memory" : "queue-full";
      this.core.dropped(this.session.clientId, reason, victim.topic);
      if (!isOldestDropped) return;
      this.forget(victim, sequence);
    }
    delivery.message.detach();
    this.queue.push(delivery, delivery.qos === 0 ? 0 : this.register(delivery));
    counters.queuedMessages += 1;
    counters.queuedUnits += delivery.message.meteredUnits;
    counters.queuedBytes += bytes;
    if (this.core.credits.isActive) this.core.credits.charge(delivery.message.publisher, bytes);
  }

  private hasSpaceFor(bytes: number, bytesMax: number): boolean {
    const { limits, counters } = this.core;
    return (
      this.queue.length < limits.queuedMessagesPerSession &&
      this.queue.bytes + bytes <= bytesMax &&
      counters.queuedBytes + bytes <= limits.queuedBytes
    );
  }

  private removeQueued(isKept: (delivery: Delivery, sequence: number) => boolean): void {
    const bytesBefore = this.queue.bytes;
    const { credits } = this.core;
    const removed = this.queue.filter((delivery, sequence) => {
      const stays = isKept(delivery, sequence);
      if (!stays && credits.isActive) credits.refund(delivery.message.publisher, delivery.footprintBytes);
      return stays;
    });
    this.core.counters.queuedMessages -= removed;
    this.core.counters.queuedBytes -= bytesBefore - this.queue.bytes;
  }

  private dequeue(): Delivery {
    const delivery = this.queue.shift()!;
    const { counters, credits } = this.core;
    const bytes = delivery.footprintBytes;
    counters.queuedMessages -= 1;
    counters.queuedBytes -= bytes;
    if (credits.isActive) credits.refund(delivery.message.publisher, bytes);
    return delivery;
  }

  /**
   * AWS: stored messages are replayed at a bounded rate; one timer per session, not per message. What came since
   * the resume waits behind them and then goes out at full speed: a busy session would never catch up otherwise.
   */
  private pace(): void {
    this.paceTimer = undefined;
    if (this.sendNext()) this.pacedLeft -= 1;
    if (this.session.connection === undefined) return;
    if (this.pacedLeft === 0 || !this.hasBacklog) {
      this.pacedLeft = 0;
      this.pump();
      return;
    }
    const intervalUs = US_PER_S / this.core.limits.resumeRate;
    this.paceTimer = this.core.clock.after(intervalUs, Outbox.paceNext, this);
  }

  private stopPacing(): void {
    this.pacedLeft = 0;
    this.paceTimer?.cancel();
    this.paceTimer = undefined;
  }

  /** @internal Timer callback. */
  static paceNext(outbox: Outbox): void {
    outbox.pace();
  }
}

const stateOf = ({ packetId, sequence, delivery }: InflightEntry): InflightState =>
  delivery === undefined
    ? { packetId, sequence: 0, phase: "released" }
    : { packetId, sequence, phase: "sent" };
