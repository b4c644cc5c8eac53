import { join } from "node:path";
import {
  type Clock,
  createRandomSource,
  FleetrigError,
  EXIT,
  hostSecret,
  hostSeed,
  LANE,
  RealTime,
  type Service,
  ServiceStack,
  silentSink,
  teeSink,
} from "fleetrig/kernel";
import type { LinkPeer } from "fleetrig/protocol";
import { ArtifactDirectory, HttpDocuments } from "../artifacts/index.js";
import { Api, decideAccess, OPERATIONS } from "../api/index.js";
import { Cloud } from "../cloud.js";
import type { ConnectInfo } from "../engine/index.js";
import { isOpenTo } from "../identity/index.js";
import { cloudError } from "../cloud-error.js";
import type { EndpointAddresses } from "../domains/index.js";
import { CONSOLE_PATH } from "../console/index.js";
import { CredentialDirectory } from "../credentials/index.js";
import { AwsMetrics, type Gateway } from "../gateway/index.js";
import { type Listener, openListener } from "../listeners/index.js";
import { type Health, MemoryWatch, Observatory, type ObservedServer, VERSION } from "../observe/index.js";
import {
  boardHooks,
  boardListeners,
  boardSink,
  type BrokerServerEvent,
  EventBoard,
  listenerReading,
  type EventHandler,
  ServerStorage,
} from "../server/index.js";
import { type Damage, type Durability, type OpenedStore, openStore } from "../store/index.js";
import type { CloudServerOptions } from "./cloud-server-options.js";
import { type DoorName, doorsOf } from "./doors.js";
import { makeGateway } from "./make-gateway.js";
import { ServerAuthority } from "./server-authority.js";
import { type ServerNames, serverNames } from "./server-names.js";

const MIN_TOKEN_LENGTH = 16;
/** Nobody has to name it. */
const HTTPS_PORT = 443;
/** Requests that are being dealt with may take this long at the end. */
const DRAIN_US = 2_000_000;

/** What carries a request does not matter, only where it comes from. */
const PLAIN: LinkPeer = { transport: "tcp" };

/** The embedded cloud as a server: its doors, its APIs, and a data directory if it is given one. */
export class CloudServer implements Service {
  readonly cloud: Cloud;
  readonly api: Api;
  readonly credentials: CredentialDirectory;
  /** For `/clients`, the console, and metrics from beyond this machine. */
  readonly token: string;
  private readonly names: ServerNames;
  private readonly ownTime: RealTime | undefined;
  private readonly clock: Clock;
  private readonly board = new EventBoard();
  private readonly storage: ServerStorage | undefined;
  private readonly authority: ServerAuthority;
  private readonly gateway: Gateway;
  private readonly observatory: Observatory;
  private readonly services = new ServiceStack();
  private readonly listeners = new Map<DoorName, Listener>();
  private stopping: Promise<void> | undefined;

  /** @param opened The store of `dataDir`; `open` has to follow. */
  constructor(
    private readonly options: CloudServerOptions,
    opened: OpenedStore | undefined,
  ) {
    this.token = tokenOf(options);
    this.names = serverNames(options);
    this.ownTime = options.time === undefined ? new RealTime() : undefined;
    const time = options.time ?? this.ownTime!;
    const random = options.random ?? createRandomSource(hostSeed());
    const metrics = new AwsMetrics();
    const events = teeSink(teeSink(boardSink(this.board), metrics), options.events ?? silentSink);
    const clock = time.lane(LANE.services);
    this.clock = clock;
    this.storage = opened === undefined ? undefined : new ServerStorage({ opened, clock, events });
    this.authority = new ServerAuthority({
      clock,
      random: random.stream("server-authority"),
      directory: options.dataDir,
      ...this.names,
      isOwnDomain: (name) => this.cloud.domains.ofServerName(name) !== undefined,
    });
    const journal = this.storage?.journal;
    this.cloud = new Cloud({
      ...options.cloud,
      access: { openListeners: (info) => this.isOpenTo(info), ...options.cloud?.access },
      time,
      random,
      events,
      issuer: this.authority.authority,
      management: {
        documents: new HttpDocuments({ clock }),
        ...(options.dataDir !== undefined && {
          artifacts: { store: new ArtifactDirectory(join(options.dataDir, "artifacts")) },
        }),
        ...options.cloud?.management,
      },
      ...(options.profile !== undefined && { profile: options.profile }),
      ...(options.limits !== undefined && { limits: options.limits }),
      ...(options.account !== undefined && { account: options.account }),
      ...(journal !== undefined && { journal, sessionJournal: journal }),
    });
    this.cloud.broker.addHooks(boardHooks(this.board));
    this.credentials = new CredentialDirectory(options.credentials ?? [], this.cloud.account.accountId);
    this.api = new Api({
      cloud: this.cloud,
      operations: OPERATIONS,
      clock,
      random: random.stream("api"),
      events,
      decide: decideAccess(this.cloud),
      settled: () => this.settled(),
    });
    this.watchMemory();
    this.observatory = this.services.add(new Observatory(this.observed()));
    this.gateway = makeGateway({
      options,
      cloud: this.cloud,
      api: this.api,
      credentials: this.credentials,
      observatory: this.observatory,
      metrics,
      token: this.token,
      clock,
      random,
      events,
    });
  }

  /** Brings back what the data directory holds, then opens the doors. */
  async open(): Promise<void> {
    await this.cloud.hooks.load();
    await this.storage?.recover(this.cloud.broker, this.cloud.records);
    const { broker, acceptor } = this.cloud;
    const context = {
      acceptor,
      clock: this.clock,
      maxPacketBytes: broker.limits.packetBytes,
      connectDeadlineMs: broker.limits.connectDeadlineS * 1000,
      authorizes: true,
      observer: boardListeners(this.board),
    };
    const { gateway, authority } = this;
    for (const [name, layout] of doorsOf(this.options, { gateway, authority }))
      this.listeners.set(name, this.services.add(await openListener(layout, context)));
    const { artifacts } = this.cloud.management;
    const { http, tls, https } = this.endpoints;
    const address = http ?? tls ?? https;
    if (address !== undefined)
      artifacts.baseUrl ??= new URL(address.replace(/^mqtts?:|^wss?:/, "https:")).origin;
    this.cloud.endpointDirectory.set(this.addresses());
  }

  /** Where it listens; undefined for doors that are closed. */
  port(door: DoorName): number | undefined {
    return this.listeners.get(door)?.port;
  }

  /** Listening addresses by door, as URLs. */
  get endpoints(): Readonly<Partial<Record<DoorName, string>>> {
    return Object.fromEntries(Array.from(this.listeners, ([name, { endpoint }]) => [name, endpoint.url]));
  }

  /** PEM file of the CA certificate that clients have to trust. */
  get caPath(): string {
    return this.authority.caPath;
  }

  /** What clients call this server by: a name that it was given, an address that it listens on, or localhost. */
  get shownHost(): string {
    return this.names.shown;
  }

  /** The console; undefined where there is none. */
  get consoleUrl(): string | undefined {
    const { http, https } = this.endpoints;
    const url = http ?? https;
    return url === undefined ? undefined : `${url}${CONSOLE_PATH}/`;
  }

  get durability(): Durability {
    return this.storage?.durability ?? "memory";
  }

  /** What was stored and could not be read back at the start. */
  get damage(): readonly Damage[] {
    return this.storage?.damage ?? [];
  }

  health(): Health {
    return this.observatory.health();
  }

  /** Metrics in the text format of Prometheus. */
  async metrics(): Promise<string> {
    return (await this.observatory.metrics()).text;
  }

  /** @returns a function that stops listening. */
  on<Name extends BrokerServerEvent>(name: Name, handler: EventHandler<Name>): () => void {
    return this.board.on(name, handler);
  }

  /** Answers what is being dealt with, tells the clients, ends listeners, connections and timers. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    await this.drained();
    try {
      await this.cloud.stop();
      await this.services.stop();
      await this.authority.stop();
      await this.storage?.close();
    } finally {
      this.listeners.clear();
      this.board.clear();
      this.ownTime?.stop();
    }
  }

  private async drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.clock.after(DRAIN_US, resolve);
      void this.gateway.drain().finally(resolve);
    });
  }

  /** Resolves once everything that has changed so far is as durable as it will be. */
  private settled(): Promise<void> {
    const journal = this.storage?.journal;
    if (journal === undefined || journal.isSettled) return Promise.resolve();
    return new Promise((resolve, reject) => {
      journal.afterCommit({
        committed: resolve,
        failed: () =>
          reject(
            cloudError("ServiceUnavailableException", "The store has failed: nothing is kept any more.", {
              hint: "Look at the log and at the disk, then start anew.",
            }),
          ),
      });
    });
  }

  /** What DescribeEndpoint says. Tools for MQTT bring a port of their own; for the others it is part of the address. */
  private addresses(): EndpointAddresses {
    const { shownHost, options } = this;
    const at = (door: DoorName): string => {
      const port = this.port(door);
      const authority = shownHost.includes(":") ? `[${shownHost}]` : shownHost;
      return port === undefined || port === HTTPS_PORT ? authority : `${authority}:${port}`;
    };
    return {
      data: options.dataEndpoint === "host:port" ? at("tls") : shownHost,
      credentialProvider: at("https"),
      jobs: at("tls"),
    };
  }

  /** Nothing has to be proven on plain listeners of this machine; WebSockets are requests, which may have to be signed. */
  private isOpenTo(info: ConnectInfo): boolean {
    const { allowInsecure = false } = this.options;
    if (info.peer?.upgrade === undefined) return isOpenTo(info, allowInsecure ? "all" : "loopback");
    return !this.credentials.areRequired && (allowInsecure || isOpenTo({ ...info, peer: PLAIN }, "loopback"));
  }

  private watchMemory(): void {
    if (this.ownTime === undefined) return;
    const { broker } = this.cloud;
    this.services.add(
      new MemoryWatch(this.clock, (level) => {
        broker.memoryLevel = level;
      }),
    );
  }

  /** What observers are told. */
  private observed(): ObservedServer {
    const { broker } = this.cloud;
    return {
      broker,
      clock: this.clock,
      profile: broker.profile,
      version: VERSION,
      durability: this.durability,
      listeners: () => Array.from(this.listeners.values(), listenerReading),
      memory: () => broker.memoryLevel,
      store: () => this.storage?.reading(),
    };
  }
}

function tokenOf({ token = hostSecret() }: CloudServerOptions): string {
  if (token.length >= MIN_TOKEN_LENGTH) return token;
  throw new FleetrigError("OBSERVE_TOKEN_SHORT", `The token has ${token.length} characters.`, {
    hint: `Give it ${MIN_TOKEN_LENGTH} or more, or leave it out: a good one is made then.`,
    exitCode: EXIT.usage,
  });
}

/**
 * Starts the embedded cloud as a server.
 *
 * ```ts
 * const server = await createCloudServer({ ports: { mqtt: 0, mqtts: 0, tls: 0, https: 0, http: 0 } });
 * const iot = new IoTClient({ endpoint: server.endpoints.http, region: "us-east-1" });
 * await server.stop();
 * ```
 * @throws FleetrigError when a door cannot be opened, or the data directory cannot be used.
 */
export async function createCloudServer(options: CloudServerOptions = {}): Promise<CloudServer> {
  const { dataDir: directory, durability = "disk" } = options;
  const opened = directory === undefined ? undefined : await openStore({ directory, durability });
  let server: CloudServer;
  try {
    server = new CloudServer(options, opened);
  } catch (error) {
    await opened?.store.close();
    throw error;
  }
  try {
    await server.open();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
