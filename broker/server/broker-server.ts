import {
  createRandomSource,
  type EventSink,
  EXIT,
  FleetrigError,
  hostSeed,
  LANE,
  type RandomSource,
  RealTime,
  type Service,
  ServiceStack,
  silentSink,
  teeSink,
  type TimeSource,
} from "fleetrig/kernel";
import { isTopicName, type Profile, REASON } from "fleetrig/protocol";
import {
  type BrokerHooks,
  type BrokerLimits,
  type BrokerStatistics,
  type DisconnectOptions,
  type DropReason,
  MqttBroker,
} from "../engine/index.js";
import {
  type Listener,
  type ListenerContext,
  type ListenerEndpoint,
  type ListenerOptions,
  openListener,
} from "../listeners/index.js";
import type { OutgoingMessage } from "../message-bus.js";
import {
  type LocalSubscriptionOptions,
  LocalSubscriptions,
  type MessageHandler,
} from "./local-subscriptions.js";
import { type BrokerServerEvent, EventBoard, type EventHandler } from "./server-events.js";

/** What a broker server is made of; everything has a default. */
export interface BrokerServerOptions {
  /** Where to listen; see {@link ListenerOptions} and `parseListenerUrl`. Default: nowhere. */
  readonly listen?: readonly (string | ListenerOptions)[];
  /** Default `oasis`: MQTT as the standards have it. */
  readonly profile?: Profile;
  readonly limits?: Partial<BrokerLimits>;
  /** Authorisation and observation; `authorizeConnect` also allows listening beyond this host. */
  readonly hooks?: Partial<BrokerHooks>;
  /** Default: the machine's time. */
  readonly time?: TimeSource;
  /** Default: a seed that nobody can guess. */
  readonly random?: RandomSource;
  readonly events?: EventSink;
}

/** A message from the program itself; `qos` is 0 unless told otherwise. */
export type LocalMessage = Omit<OutgoingMessage, "qos"> & Partial<Pick<OutgoingMessage, "qos">>;

const BY_OPERATOR: DisconnectOptions = {
  reasonCode: REASON.administrativeAction,
  awsReason: "SERVER_INITIATED_DISCONNECT",
  sendWill: true,
};

/** An MQTT broker with its doors: the engine, its listeners, and a way to take part without a socket. */
export class BrokerServer implements Service {
  readonly engine: MqttBroker;
  private readonly ownTime: RealTime | undefined;
  private readonly context: ListenerContext;
  private readonly board = new EventBoard();
  private readonly local: LocalSubscriptions;
  private readonly services = new ServiceStack();
  private readonly open: Listener[] = [];
  private stopping: Promise<void> | undefined;

  constructor(options: BrokerServerOptions = {}) {
    this.ownTime = options.time === undefined ? new RealTime() : undefined;
    const clock = (options.time ?? this.ownTime!).lane(LANE.broker);
    const random = options.random ?? createRandomSource(hostSeed());
    this.engine = new MqttBroker({
      clock,
      random: random.stream("broker"),
      events: teeSink(this.dropSink(), options.events ?? silentSink),
      profile: options.profile ?? "oasis",
      ...(options.limits !== undefined && { limits: options.limits }),
      ...(options.hooks !== undefined && { hooks: options.hooks }),
    });
    this.engine.addHooks(this.eventHooks());
    this.local = new LocalSubscriptions(this.engine);
    this.context = {
      acceptor: this.engine,
      clock,
      maxPacketBytes: this.engine.limits.packetBytes,
      connectDeadlineMs: this.engine.limits.connectDeadlineS * 1000,
      authorizes: options.hooks?.authorizeConnect !== undefined,
      observer: {
        refused: (failure, remoteAddress) => this.board.emit("malformed", { failure, remoteAddress }),
      },
    };
  }

  /** In the order in which they were opened. */
  get listeners(): readonly Listener[] {
    return this.open;
  }

  /** Where clients can connect, in the order of the listeners. */
  get endpoints(): readonly ListenerEndpoint[] {
    return this.open.map((listener) => listener.endpoint);
  }

  /** Opens one more listener. */
  async listen(where: string | ListenerOptions): Promise<Listener> {
    const listener = this.services.add(await openListener(where, this.context));
    this.open.push(listener);
    return listener;
  }

  /**
   * Publishes without a client: no authorisation, no quota. By the time it returns, every receiver has it queued.
   * @throws FleetrigError `BROKER_TOPIC_INVALID` for what is no topic name.
   */
  publish(message: LocalMessage): void {
    const { topic, qos = 0 } = message;
    if (!isTopicName(topic))
      throw new FleetrigError("BROKER_TOPIC_INVALID", `${JSON.stringify(topic)} is no topic name.`, {
        hint: "Topic names are non-empty and have no wildcards.",
        context: { topic },
        exitCode: EXIT.usage,
      });
    this.engine.publish({ ...message, qos });
  }

  /**
   * Subscribes without a client.
   * @returns a function that ends the subscription.
   * @throws FleetrigError `BROKER_FILTER_INVALID`.
   */
  subscribe(filter: string, handler: MessageHandler, options?: LocalSubscriptionOptions): () => void {
    return this.local.subscribe(filter, handler, options);
  }

  /** Ends a client's connection; its session stays for as long as it would have. @returns false when it has none. */
  disconnectClient(clientId: string, options: Partial<DisconnectOptions> = {}): boolean {
    return this.engine.disconnectClient(clientId, { ...BY_OPERATOR, ...options });
  }

  statistics(): BrokerStatistics {
    return this.engine.statistics();
  }

  /** @returns a function that stops listening. */
  on<Name extends BrokerServerEvent>(name: Name, handler: EventHandler<Name>): () => void {
    return this.board.on(name, handler);
  }

  /** Tells the clients, ends listeners, connections and timers; nothing is left open. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    this.engine.shutdown(REASON.serverShuttingDown);
    try {
      await this.services.stop();
    } finally {
      this.open.length = 0;
      this.local.clear();
      this.board.clear();
      this.ownTime?.stop();
    }
  }

  private dropSink(): EventSink {
    return {
      emit: (event) => {
        if (event.type !== "broker.dropped") return;
        const { atUs, clientId, topic } = event;
        this.board.emit("dropped", { atUs, clientId, topic, reason: event.reason as DropReason });
      },
    };
  }

  private eventHooks(): Partial<BrokerHooks> {
    const { board } = this;
    return {
      connected: (info) => board.emit("connected", info),
      disconnected: (info) => board.emit("disconnected", info),
      refused: (info) => board.emit("refused", info),
      subscribed: (clientId, filters) => board.emit("subscribed", { clientId, filters }),
      unsubscribed: (clientId, filters) => board.emit("unsubscribed", { clientId, filters }),
    };
  }
}

/**
 * Starts a broker and its listeners.
 *
 * ```ts
 * const broker = await createBroker({ listen: ["mqtt://127.0.0.1:0"] });
 * broker.subscribe("dt/#", (message) => show(message.topic, message.payloadText()));
 * const [{ url }] = broker.endpoints; // any MQTT client can connect there
 * await broker.stop();
 * ```
 * @throws FleetrigError when a listener cannot be opened; those that were opened before are closed again.
 */
export async function createBroker(options: BrokerServerOptions = {}): Promise<BrokerServer> {
  const server = new BrokerServer(options);
  try {
    for (const where of options.listen ?? []) await server.listen(where);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
