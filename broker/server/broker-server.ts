import {
  type Clock,
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
  type BrokerFeatures,
  type BrokerHooks,
  type BrokerLimits,
  type BrokerStatistics,
  type DisconnectOptions,
  type MemoryLevel,
  MqttBroker,
} from "../engine/index.js";
import {
  type Listener,
  type ListenerContext,
  type ListenerEndpoint,
  type ListenerOptions,
  openListener,
  parseListenerUrl,
  type TlsOptions,
} from "../listeners/index.js";
import type { OutgoingMessage } from "../message-bus.js";
import {
  type ClientPage,
  type ClientQuery,
  type Health,
  type HttpEndpoint,
  type HttpOptions,
  type MemoryGauge,
  MemoryWatch,
  Observatory,
  type ObservedServer,
  openHttpEndpoint,
  type SlowQuery,
  type SlowSubscriber,
  type StoreReading,
  VERSION,
} from "../observe/index.js";
import { type Damage, type Durability, type OpenedStore, openStore } from "../store/index.js";
import { listenerReading } from "./listener-reading.js";
import {
  type LocalSubscriptionOptions,
  LocalSubscriptions,
  type MessageHandler,
} from "./local-subscriptions.js";
import { ServerStorage } from "./server-storage.js";
import { boardHooks, boardListeners, boardSink } from "./board-feeds.js";
import { type BrokerServerEvent, EventBoard, type EventHandler } from "./server-events.js";

/** What a broker server is made of; everything has a default. */
export interface BrokerServerOptions {
  /** Where to listen; see {@link ListenerOptions} and `parseListenerUrl`. Default: nowhere. */
  readonly listen?: readonly (string | ListenerOptions)[];
  /** Keys and certificates of `mqtts:` and `wss:` listeners that bring none of their own. */
  readonly tls?: TlsOptions;
  /** Default `oasis`: MQTT as the standards have it. */
  readonly profile?: Profile;
  readonly limits?: Partial<BrokerLimits>;
  /** Choices that MQTT leaves to the server: who of a share group gets a message, and the like. */
  readonly features?: Partial<BrokerFeatures>;
  /** Authorisation and observation; `authorizeConnect` also allows listening beyond this host. */
  readonly hooks?: Partial<BrokerHooks>;
  /** Default: the machine's time. */
  readonly time?: TimeSource;
  /** Default: a seed that nobody can guess. */
  readonly random?: RandomSource;
  readonly events?: EventSink;
  /**
   * Where sessions, queues, retained messages and wills are kept, so that they survive a restart; see
   * {@link openStore}. Default: in memory only. Only `createBroker` opens it.
   */
  readonly dataDir?: string;
  /** What an acknowledgement promises with `dataDir`. Default `disk`; never lowered by the broker itself. */
  readonly durability?: "disk" | "os";
  /** Default: the heap and the memory of this process; in virtual time none, because the host's means nothing there. */
  readonly memory?: MemoryGauge;
  /** How often `$SYS` topics are published, in seconds; 0 for never. Default 10. Profile `aws` has none. */
  readonly sysIntervalS?: number;
  /** Where the broker can be watched over HTTP. Default: nowhere. */
  readonly http?: HttpOptions;
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
  private readonly tls: TlsOptions | undefined;
  private readonly board = new EventBoard();
  private readonly local: LocalSubscriptions;
  private readonly services = new ServiceStack();
  private readonly open: Listener[] = [];
  private readonly observatory: Observatory;
  private endpoint: HttpEndpoint | undefined;
  private stopping: Promise<void> | undefined;

  private readonly storage: ServerStorage | undefined;

  /** @param opened The store of `dataDir`; `recover` has to follow. */
  constructor(options: BrokerServerOptions = {}, opened?: OpenedStore) {
    this.tls = options.tls;
    this.ownTime = options.time === undefined ? new RealTime() : undefined;
    const clock = (options.time ?? this.ownTime!).lane(LANE.broker);
    const random = options.random ?? createRandomSource(hostSeed());
    const events = teeSink(boardSink(this.board), options.events ?? silentSink);
    this.storage = opened === undefined ? undefined : new ServerStorage({ opened, clock, events });
    this.engine = new MqttBroker({
      clock,
      random: random.stream("broker"),
      events,
      ...(this.storage !== undefined && { journal: this.storage.journal }),
      profile: options.profile ?? "oasis",
      ...(options.limits !== undefined && { limits: options.limits }),
      ...(options.features !== undefined && { features: options.features }),
      ...(options.hooks !== undefined && { hooks: options.hooks }),
    });
    this.engine.addHooks(boardHooks(this.board));
    this.watchMemory(clock, options.memory);
    this.local = new LocalSubscriptions(this.engine);
    const { sysIntervalS } = options;
    this.observatory = this.services.add(
      new Observatory(this.observed(clock), { ...(sysIntervalS !== undefined && { sysIntervalS }) }),
    );
    this.context = {
      acceptor: this.engine,
      clock,
      maxPacketBytes: this.engine.limits.packetBytes,
      connectDeadlineMs: this.engine.limits.connectDeadlineS * 1000,
      authorizes: options.hooks?.authorizeConnect !== undefined,
      observer: boardListeners(this.board),
    };
  }

  /** Brings back what the data directory holds; before the first listener. Without one, nothing. */
  async recover(): Promise<void> {
    await this.storage?.recover(this.engine);
  }

  /** What an acknowledgement promises. */
  get durability(): Durability {
    return this.storage?.durability ?? "memory";
  }

  /** How the store is; undefined without a data directory. `failed`: nothing is stored or acknowledged any more. */
  get store(): StoreReading | undefined {
    return this.storage?.reading();
  }

  /** What was stored and could not be read back at the start. It is kept in the data directory. */
  get damage(): readonly Damage[] {
    return this.storage?.damage ?? [];
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
    const listener = this.services.add(await openListener(this.withCertificates(where), this.context));
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

  /** Opens an endpoint with `/health`, `/metrics`, `/clients` and `/slow-subscribers`. */
  async openHttp(options: HttpOptions): Promise<HttpEndpoint> {
    this.endpoint = this.services.add(await openHttpEndpoint(this.observatory, options));
    return this.endpoint;
  }

  /** Where the broker can be watched, and the token for it; undefined before `openHttp`. */
  get http(): HttpEndpoint | undefined {
    return this.endpoint;
  }

  statistics(): BrokerStatistics {
    return this.engine.statistics();
  }

  /** Can clients use this broker, and can they trust what it acknowledges? */
  health(): Health {
    return this.observatory.health();
  }

  /** Metrics in the text format of Prometheus. */
  async metrics(): Promise<string> {
    return (await this.observatory.metrics()).text;
  }

  /** A page of the clients, connected or not. */
  clients(query?: ClientQuery): ClientPage {
    return this.observatory.clients(query);
  }

  /** The clients that keep up worst, slowest first. */
  slowSubscribers(query?: SlowQuery): readonly SlowSubscriber[] {
    return this.observatory.slowSubscribers(query);
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
      await this.storage?.close();
    } finally {
      this.open.length = 0;
      this.local.clear();
      this.board.clear();
      this.ownTime?.stop();
    }
  }

  /** What observers are told. */
  private observed(clock: Clock): ObservedServer {
    return {
      broker: this.engine,
      clock,
      profile: this.engine.profile,
      version: VERSION,
      durability: this.durability,
      listeners: () => this.open.map(listenerReading),
      memory: () => this.engine.memoryLevel,
      store: () => this.store,
    };
  }

  private withCertificates(where: string | ListenerOptions): ListenerOptions {
    const options = typeof where === "string" ? parseListenerUrl(where) : where;
    const isSecured = options.transport === "tls" || options.transport === "wss";
    return isSecured && this.tls !== undefined ? { tls: this.tls, ...options } : options;
  }

  private watchMemory(clock: Clock, gauge: MemoryGauge | undefined): void {
    if (this.ownTime === undefined && gauge === undefined) return;
    const tell = (level: MemoryLevel): void => {
      this.engine.memoryLevel = level;
    };
    this.services.add(new MemoryWatch(clock, tell, gauge));
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
 * @throws FleetrigError when a listener cannot be opened; those that were opened before are closed again. The codes
 * of `openStore` when the data directory cannot be used.
 */
export async function createBroker(options: BrokerServerOptions = {}): Promise<BrokerServer> {
  const { dataDir: directory, durability = "disk" } = options;
  const opened = directory === undefined ? undefined : await openStore({ directory, durability });
  const server = new BrokerServer(options, opened);
  try {
    await server.recover();
    for (const where of options.listen ?? []) await server.listen(where);
    if (options.http !== undefined) await server.openHttp(options.http);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
