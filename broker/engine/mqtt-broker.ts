import type { Clock, EventSink, Random } from "fleetrig/kernel";
import {
  type PacketAcceptor,
  type PacketLink,
  type PacketReceiver,
  type Profile,
  REASON,
} from "fleetrig/protocol";
import { ApplicationMessage } from "../message.js";
import type { MessageBus, OutgoingMessage } from "../message-bus.js";
import { AccountRates } from "./account-rates.js";
import { ClientConflicts } from "./client-conflicts.js";
import { ConnectGate } from "./connect-gate.js";
import { Connection } from "./connection.js";
import type { BrokerCore } from "./core.js";
import { Delivery } from "./delivery.js";
import { type AwsDisconnectReason, detailsOf, type ReasonDetails } from "./ending.js";
import { type BrokerFeatures, defaultFeatures } from "./features.js";
import { type BrokerHooks, HookChain } from "./hooks.js";
import type { Journal } from "./journal.js";
import { type BrokerLimits, DEFAULT_LIMITS } from "./limits.js";
import { type MemoryLevel, MemoryPressure } from "./memory-pressure.js";
import { PROFILE_TRAITS } from "./profiles.js";
import { PublisherCredits } from "./publisher-credits.js";
import { Restoration } from "./restoration.js";
import { RetainedMessages } from "./retained-messages.js";
import { Router } from "./router.js";
import type { Session } from "./session.js";
import { SessionDirectory } from "./session-directory.js";
import { BrokerCounters, type BrokerStatistics, type DropReason } from "./statistics.js";

/** What a broker is made of: where time, randomness and observers come from, and how it is to behave. */
export interface BrokerOptions {
  /** The broker's own lane. */
  readonly clock: Clock;
  /** Draws assigned client identifiers. */
  readonly random: Random;
  readonly events: EventSink;
  readonly profile: Profile;
  /** Overrides of the profile's limits. */
  readonly limits?: Partial<BrokerLimits>;
  /** Choices that MQTT leaves to the server. */
  readonly features?: Partial<BrokerFeatures>;
  readonly hooks?: Partial<BrokerHooks>;
  /** Writes down what must survive; default: nothing does. */
  readonly journal?: Journal;
}

/** How the broker ends a connection of its own accord; `reasonCode` and the details are told to an MQTT 5 client. */
export interface DisconnectOptions extends ReasonDetails {
  readonly reasonCode: number;
  /** Default: SERVER_INITIATED_DISCONNECT. */
  readonly awsReason?: AwsDisconnectReason;
  /** Default: true. */
  readonly sendWill?: boolean;
}

/**
 * An MQTT 3.1, 3.1.1 and 5 server without sockets: links bring packets in and take packets out, time and
 * randomness come from outside, everything happens inside the call that caused it.
 */
export class MqttBroker implements PacketAcceptor, MessageBus {
  private readonly core: CoreOfBroker;

  constructor(options: BrokerOptions) {
    this.core = new CoreOfBroker(options);
    if (options.hooks !== undefined) this.addHooks(options.hooks);
  }

  /** Takes one incoming link; the connection begins with its CONNECT. */
  accept(link: PacketLink): PacketReceiver {
    return this.core.accept(link);
  }

  /** Hook sets are asked in the order in which they were added. */
  addHooks(hooks: Partial<BrokerHooks>): void {
    this.core.hooks.add(hooks);
  }

  publish(message: OutgoingMessage): void {
    this.core.router.route(this.toMessage(message));
  }

  sendDirect(clientId: string, message: OutgoingMessage): boolean {
    const session = this.core.sessions.get(clientId);
    if (session?.connection === undefined) return false;
    const qos = message.qos === 2 && this.core.traits.qos2 === "ignored" ? 1 : message.qos;
    session.deliver(new Delivery(this.toMessage(message), { qos, retain: false }, undefined));
    return true;
  }

  hasSubscribers(topic: string): boolean {
    return this.core.router.hasRoutes(topic) || this.core.hooks.listensTo(topic);
  }

  /**
   * Tells the world about the broker itself, on a `$SYS` topic: QoS 0, kept for later subscribers, in no counter and
   * in no store.
   */
  announce(topic: string, text: string): void {
    const payload = Buffer.from(text, "utf8");
    const fields = { topic, payload, qos: 0, retain: true } as const;
    this.core.router.announce(new ApplicationMessage(fields, undefined, this.core.clock.nowUs()));
  }

  /** Ends a client's connection. @returns false when it has none. */
  disconnectClient(clientId: string, options: DisconnectOptions): boolean {
    const connection = this.core.sessions.get(clientId)?.connection;
    if (connection === undefined) return false;
    const { awsReason = "SERVER_INITIATED_DISCONNECT", reasonCode, sendWill = true } = options;
    const details = detailsOf(options);
    connection.end({
      awsReason,
      reasonCode,
      details,
      sendsWill: sendWill,
      clientInitiated: false,
      abrupt: false,
    });
    return true;
  }

  /** Forgets a client that has no connection: subscriptions, queued messages, all. @returns false when it has no session. */
  discardSession(clientId: string): boolean {
    const session = this.core.sessions.get(clientId);
    if (session === undefined || session.connection !== undefined) return false;
    this.core.sessions.discard(session);
    return true;
  }

  /** What the broker remembers of a client; to be read only. */
  session(clientId: string): Session | undefined {
    return this.core.sessions.get(clientId);
  }

  isConnected(clientId: string): boolean {
    return this.core.sessions.get(clientId)?.connection !== undefined;
  }

  /** For whoever has stored the state of an earlier broker; before the first link. */
  restoration(): Restoration {
    return new Restoration(this.core);
  }

  get profile(): Profile {
    return this.core.traits.profile;
  }

  /** The bounds in force: the profile's, with the options' changes. */
  get limits(): BrokerLimits {
    return this.core.limits;
  }

  /** Tells how full the memory is; the broker itself cannot know. */
  set memoryLevel(level: MemoryLevel) {
    this.core.pressure.set(level);
  }

  get memoryLevel(): MemoryLevel {
    return this.core.pressure.level;
  }

  /** Every retained message, in no particular order. */
  allRetained(): Iterable<ApplicationMessage> {
    return this.core.retained.all();
  }

  /** Retained messages that a new subscription to `filter` would get. */
  retained(filter: string): readonly ApplicationMessage[] {
    return Array.from(this.core.retained.matching(filter)).filter((message) => message !== undefined);
  }

  statistics(): BrokerStatistics {
    const { counters, sessions, router, retained, gate, pressure } = this.core;
    return {
      ...counters.snapshot(),
      sessions: sessions.size,
      subscriptions: router.subscriptions,
      shareGroups: router.shares.size,
      retained: retained.size,
      retainedBytes: retained.storedBytes,
      connectQueue: gate.length,
      memory: pressure.level,
    };
  }

  /** @internal Counters for observers: read, never written. */
  get counters(): Readonly<BrokerCounters> {
    return this.core.counters;
  }

  /** @internal Every session with or without a connection, for observers. */
  sessions(): Iterable<Session> {
    return this.core.sessions.all();
  }

  /**
   * Ends all connections and sessions and cancels every timer. Links that come later are closed at once.
   * @param reasonCode For MQTT 5 clients; default 0x8B, server shutting down.
   */
  shutdown(reasonCode: number = REASON.serverShuttingDown): void {
    this.core.shutdown(reasonCode);
  }

  private toMessage(outgoing: OutgoingMessage): ApplicationMessage {
    const { payload, retain = false } = outgoing;
    const bytes = typeof payload === "string" ? Buffer.from(payload, "utf8") : payload;
    const fields = { ...outgoing, payload: bytes, retain };
    return new ApplicationMessage(fields, undefined, this.core.clock.nowUs());
  }
}

/** Puts the parts together. */
class CoreOfBroker implements BrokerCore {
  readonly clock;
  readonly random;
  readonly events;
  readonly traits;
  readonly limits: BrokerLimits;
  readonly features: BrokerFeatures;
  readonly hooks = new HookChain();
  readonly journal: Journal | undefined;
  readonly counters = new BrokerCounters();
  readonly retained: RetainedMessages;
  readonly status: RetainedMessages;
  readonly router: Router;
  readonly sessions: SessionDirectory;
  readonly gate: ConnectGate;
  readonly rates: AccountRates;
  readonly conflicts: ClientConflicts;
  readonly pressure: MemoryPressure;
  readonly credits: PublisherCredits;
  /** Links that have not become connections yet. */
  private readonly opening = new Set<Connection>();
  private isShutDown = false;

  constructor(options: BrokerOptions) {
    const { clock, random, events, profile, limits, journal, features } = options;
    this.clock = clock;
    this.random = random;
    this.events = events;
    this.journal = journal;
    this.traits = PROFILE_TRAITS[profile];
    this.limits = { ...DEFAULT_LIMITS[profile], ...limits };
    this.features = { ...defaultFeatures(profile), ...features };
    this.retained = new RetainedMessages(clock, this.limits, profile, this.traits.retainedOnWildcards);
    if (journal !== undefined)
      this.retained.whenExpired = (topic) => journal.retainedChanged(topic, undefined, 0);
    this.status = new RetainedMessages(clock, this.limits, profile, true);
    this.gate = new ConnectGate(clock, this.limits);
    this.rates = new AccountRates(clock, this.limits);
    this.conflicts = new ClientConflicts(clock);
    this.pressure = new MemoryPressure(this);
    this.credits = new PublisherCredits(this);
    this.router = new Router(this);
    this.sessions = new SessionDirectory(this);
  }

  accept(link: PacketLink): PacketReceiver {
    const connection = new Connection(this, link);
    this.opening.add(connection);
    if (this.isShutDown) connection.fail(REASON.serverShuttingDown);
    return connection;
  }

  opened(connection: Connection): void {
    this.opening.delete(connection);
  }

  closed(connection: Connection): void {
    this.counters.linkEnded(connection);
    this.opening.delete(connection);
  }

  dropped(clientId: string, reason: DropReason, topic: string): void {
    this.counters.dropped += 1;
    this.counters.drops[reason] += 1;
    const session = this.sessions.get(clientId);
    if (session !== undefined) session.dropped += 1;
    this.events.emit({ type: "broker.dropped", atUs: this.clock.nowUs(), clientId, reason, topic });
  }

  shutdown(reasonCode: number): void {
    this.isShutDown = true;
    this.gate.stop();
    this.credits.stop();
    this.retained.stop();
    for (const connection of this.opening) connection.fail(reasonCode);
    this.sessions.shutdown(reasonCode);
  }
}
