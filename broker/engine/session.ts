import type { Timer } from "fleetrig/kernel";
import type { ProtocolVersion } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";
import type { Connection } from "./connection.js";
import type { BrokerCore } from "./core.js";
import type { Delivery } from "./delivery.js";
import type { FlowState } from "./journal.js";
import { type AcknowledgeOutcome, type Backlog, Outbox } from "./outbox.js";
import { RetainedReplay } from "./retained-replay.js";
import type { StoredFlow } from "./stored-flow.js";
import type { Subscription } from "./subscription.js";
import type { PendingWill } from "./will.js";

/**
 * What the broker remembers of one client id, with or without a connection. Fields that an idle client does not
 * need are created when they are first used: idle sessions are what a large fleet consists of.
 */
export class Session {
  connection: Connection | undefined;
  /** How long it outlives its connection, in seconds; `Infinity` for ever. */
  expiryS = 0;
  expiryTimer: Timer | undefined;
  pendingWill: PendingWill | undefined;
  /** Messages from or for this client that were dropped. */
  dropped = 0;
  /** What its messages take in the queues of others; see PublisherCredits. */
  creditBytes = 0;
  private byFilter: Map<string, Subscription> | undefined;
  private outbox: Outbox | undefined;
  private retainedReplay: RetainedReplay | undefined;
  private receivedIds: Set<number> | undefined;

  constructor(
    private readonly core: BrokerCore,
    readonly clientId: string,
    readonly version: ProtocolVersion,
  ) {}

  get subscriptionCount(): number {
    return this.byFilter?.size ?? 0;
  }

  subscription(filter: string): Subscription | undefined {
    return this.byFilter?.get(filter);
  }

  subscriptions(): Iterable<Subscription> {
    return this.byFilter?.values() ?? [];
  }

  /** Adds the subscription, in place of an earlier one for the same filter. */
  subscribe(subscription: Subscription): void {
    this.byFilter ??= new Map();
    this.byFilter.set(subscription.filter, subscription);
  }

  /** @returns the subscription that was there. */
  unsubscribe(filter: string): Subscription | undefined {
    const subscription = this.byFilter?.get(filter);
    if (subscription !== undefined) this.byFilter!.delete(filter);
    return subscription;
  }

  /** Sends, queues or drops a message for this client. QoS 0 for an absent client is nobody's. */
  deliver(delivery: Delivery): void {
    if (delivery.qos === 0) {
      const { connection } = this;
      if (connection === undefined) return;
      if (this.outbox === undefined || !this.outbox.hasBacklog) {
        if (connection.accepts(delivery)) connection.sendUnacknowledged(delivery);
        return;
      }
    }
    this.outbox ??= new Outbox(this.core, this);
    this.outbox.offer(delivery);
  }

  /** What is on its way to this client; undefined while nothing ever waited. */
  get backlog(): Backlog | undefined {
    return this.outbox;
  }

  /** PUBACK. */
  acknowledge(packetId: number): AcknowledgeOutcome {
    return this.outbox?.acknowledge(packetId) ?? "unknown";
  }

  /** PUBREC that took the message. */
  release(packetId: number): AcknowledgeOutcome {
    return this.outbox?.release(packetId) ?? "unknown";
  }

  /** PUBREC that refused the message. */
  reject(packetId: number): AcknowledgeOutcome {
    return this.outbox?.reject(packetId) ?? "unknown";
  }

  /** PUBCOMP. */
  finish(packetId: number): AcknowledgeOutcome {
    return this.outbox?.finish(packetId) ?? "unknown";
  }

  /** Did the client publish with QoS 2 under this identifier, and has not sent its PUBREL yet? */
  hasReceived(packetId: number): boolean {
    return this.receivedIds?.has(packetId) ?? false;
  }

  /** Identifiers of QoS 2 publishes that lack their PUBREL. */
  get unreleased(): number {
    return this.receivedIds?.size ?? 0;
  }

  /** Remembers a QoS 2 publish: should it come again, it is the same one [MQTT-4.3.3-10]. */
  receive(packetId: number): void {
    this.receivedIds ??= new Set();
    this.receivedIds.add(packetId);
    this.flowChanged();
  }

  /** PUBREL: the identifier may name another message from here on. @returns false when it named none. */
  forgetReceived(packetId: number): boolean {
    if (this.receivedIds?.delete(packetId) !== true) return false;
    this.flowChanged();
    return true;
  }

  /** Packet identifiers in use and their states, for whoever stores them. */
  get flow(): FlowState {
    const sent = this.outbox?.flow ?? { lastPacketId: 0, inflight: [] };
    return { ...sent, received: this.receivedIds ?? [] };
  }

  /** Takes over what was stored of an earlier process; before the first connection. */
  restore(stored: StoredFlow): void {
    const { flow, messages, lastSequence = 0 } = stored;
    for (const packetId of flow.received) (this.receivedIds ??= new Set()).add(packetId);
    if (flow.lastPacketId === 0 && messages.length === 0 && lastSequence === 0) return;
    this.outbox = new Outbox(this.core, this);
    this.outbox.restore(stored);
  }

  /** Messages that the client has not confirmed or not even been sent. */
  get pending(): number {
    return this.outbox?.pending ?? 0;
  }

  /** Would a message of this QoS leave for the client at once? */
  canSend(qos: number): boolean {
    const { connection, outbox } = this;
    if (connection === undefined) return false;
    return outbox === undefined ? connection.hasRoom() : outbox.canSend(connection, qos);
  }

  /** Gives up shared messages that are not confirmed: those that `isTaken` says another client gets. */
  releaseShared(isTaken: (delivery: Delivery) => boolean): void {
    this.outbox?.releaseShared(isTaken);
  }

  /** Sends what could not be sent before, if it can be now. */
  pump(): void {
    this.outbox?.pump();
  }

  /** Retained messages for a new subscription of this session. */
  replay(filter: string, messages: Iterator<ApplicationMessage | undefined>): void {
    this.retainedReplay ??= new RetainedReplay(this.core, this);
    this.retainedReplay.add(filter, messages);
    if (this.retainedReplay.isDone) this.retainedReplay = undefined;
  }

  attach(connection: Connection): void {
    this.connection = connection;
    this.expiryTimer?.cancel();
    this.expiryTimer = undefined;
  }

  resume(): void {
    this.outbox?.resume();
    this.retainedReplay?.resume();
  }

  detach(): void {
    this.connection = undefined;
    this.outbox?.suspend();
    this.retainedReplay?.suspend();
  }

  discard(): void {
    this.core.credits.sessionEnded(this);
    this.expiryTimer?.cancel();
    this.expiryTimer = undefined;
    this.outbox?.discard();
    this.retainedReplay?.stop();
    this.retainedReplay = undefined;
    this.outbox = undefined;
    this.byFilter = undefined;
    this.receivedIds = undefined;
  }

  private flowChanged(): void {
    if (this.expiryS > 0) this.core.journal?.flowChanged(this, "now");
  }
}
