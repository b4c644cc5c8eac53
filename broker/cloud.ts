import {
  type Clock,
  createRandomSource,
  type EventSink,
  hostSecret,
  LANE,
  type RandomSource,
  RealTime,
  type Service,
  ServiceStack,
  silentSink,
  teeSink,
  type TimeSource,
  VirtualTime,
} from "fleetrig/kernel";
import {
  type PacketAcceptor,
  type PacketLink,
  type PacketReceiver,
  type Profile,
  REASON,
} from "fleetrig/protocol";
import { Account, type AccountOptions } from "./account.js";
import { Authorizers } from "./authorizers/index.js";
import { type BrokerLimits, type ConnectInfo, MqttBroker } from "./engine/index.js";
import type { Journal } from "./engine/journal.js";
import { ConnectionDirectory } from "./connections/index.js";
import { RoleAliases } from "./credentials/index.js";
import { DomainConfigurations, DomainPins, EndpointDirectory } from "./domains/index.js";
import { HookRunner, type HookSettings, type HookTarget } from "./hooks/index.js";
import {
  AccessControl,
  type AccessSettings,
  applyRegistryChange,
  Identity,
  type IdentityLimits,
  thingsOf,
} from "./identity/index.js";
import { DeviceManagement, type DeviceManagementSettings } from "./device-management.js";
import type { JobsService, JobsSettings } from "./jobs/index.js";
import { createRegistryEvents, type EventConfigurations, type EventType } from "./events/index.js";
import { Audits } from "./audit/index.js";
import {
  createCloudIndexing,
  type FleetIndexing,
  FleetMetrics,
  type IndexLimits,
} from "./fleet-index/index.js";
import {
  type Listener,
  type ListenerEndpoint,
  type ListenerOptions,
  openListener,
} from "./listeners/index.js";
import type { ApplicationMessage } from "./message.js";
import type { Routing } from "./message-bus.js";
import {
  type CertificateAuthority,
  type CertificateIssuer,
  createCertificateAuthority,
  createVirtualIssuer,
  type VirtualIssuer,
} from "./pki/index.js";
import { Provisioning, type ProvisioningSettings } from "./provisioning/index.js";
import { createPresence, type PresenceOptions } from "./presence/index.js";
import { RecordBook, type RecordJournal } from "./records/index.js";
import { meteredEvents, Metering } from "./metering/index.js";
import { createRegistry, type Registry, Tags } from "./registry/index.js";
import { parseReservedTopic } from "fleetrig/protocol";
import { RuleDirectory, RuleEngine, type TraceOf } from "./rules/index.js";
import { ShadowService } from "./shadow/index.js";
import { uuidV4 } from "./uuid.js";

/** The services a cloud can run beside its broker; `presence` is AWS's lifecycle events. */
export type CloudServiceName = "shadows" | "jobs" | "rules" | "presence";

/** What a cloud is made of; everything has a default. */
export interface CloudOptions {
  /** Default: the machine's time. */
  readonly time?: TimeSource;
  /** Default: seed 1. */
  readonly random?: RandomSource;
  readonly events?: EventSink;
  /** Default: `aws`. */
  readonly profile?: Profile;
  readonly limits?: Partial<BrokerLimits>;
  /** Default: all of them. */
  readonly services?: Partial<Readonly<Record<CloudServiceName, boolean>>>;
  /** Choices of the jobs service, such as what abort percentages are taken of. */
  readonly jobs?: Partial<JobsSettings>;
  /** Artifacts, and where job documents may come from. */
  readonly management?: DeviceManagementSettings;
  /** What ARNs and `accountid()` say. */
  readonly account?: AccountOptions;
  /** Events that are published from the start. Default: none but presence, as in a new AWS account. */
  readonly enabledEvents?: readonly EventType[];
  /** Where services keep what outlives the process. Default: nowhere. */
  readonly journal?: RecordJournal;
  /** Where the broker keeps sessions, messages and wills; `DurableJournal` is both. Default: nowhere. */
  readonly sessionJournal?: Journal;
  /** Who signs device certificates. Default: a new authority, or a virtual issuer where time is virtual. */
  readonly issuer?: CertificateIssuer;
  /** Bounds of certificates and policies. */
  readonly identity?: Partial<IdentityLimits>;
  /** Quotas of fleet indexing. */
  readonly indexing?: Partial<IndexLimits>;
  /** What stands in for AWS Lambda: functions, modules and endpoints by the ARN or the name of the function. */
  readonly hooks?: Readonly<Record<string, HookTarget>>;
  /** What modules of hooks are relative to. Default: the working directory. */
  readonly hookDirectory?: string;
  /** How hooks are bounded. */
  readonly hookSettings?: Partial<HookSettings>;
  /** Rates and lifetimes of provisioning. */
  readonly provisioning?: Partial<ProvisioningSettings>;
  /** How certificates and policies are enforced on connections. Default: not at all, everybody may do everything. */
  readonly access?: Partial<AccessSettings>;
  /** The trace tag that rules hand on with what they republish. Default: the message's user property. */
  readonly traceOf?: TraceOf;
}

/**
 * The embedded cloud: one broker and the services behind its reserved topics, in one process. It is the same in
 * virtual and in real time; only what stands in front of `acceptor` differs.
 */
export class Cloud implements Service {
  readonly account: Account;
  /** All that services write down. */
  readonly records: RecordBook;
  readonly broker: MqttBroker;
  readonly tags: Tags;
  readonly eventConfigurations: EventConfigurations;
  readonly registry: Registry;
  readonly indexing: FleetIndexing;
  readonly fleetMetrics: FleetMetrics;
  readonly audits: Audits;
  readonly identity: Identity;
  readonly hooks: HookRunner;
  readonly authorizers: Authorizers;
  readonly roleAliases: RoleAliases;
  readonly domains: DomainConfigurations;
  readonly domainPins: DomainPins;
  /** Where clients reach this cloud; whoever opens doors for it says so. */
  readonly endpointDirectory = new EndpointDirectory();
  readonly provisioning: Provisioning;
  /** Undefined where nothing is enforced. */
  readonly access: AccessControl | undefined;
  readonly connections: ConnectionDirectory;
  /** What this would have cost on AWS, in units. */
  readonly metering: Metering;
  readonly shadows: ShadowService;
  /** Jobs, commands, streams and updates, and their files. */
  readonly management: DeviceManagement;
  readonly rules: RuleEngine;
  /** Rules by name, as operators keep them. */
  readonly ruleDirectory: RuleDirectory;
  /** The door for links, simulated or real. */
  readonly acceptor: PacketAcceptor;
  private readonly clock: Clock;
  private readonly ownTime: RealTime | undefined;
  private readonly listeners = new ServiceStack();
  private readonly open: ListenerEndpoint[] = [];
  private readonly enabled: Readonly<Record<CloudServiceName, boolean>>;
  private readonly connected = new Set<string>();
  private ownIssuer: CertificateAuthority | VirtualIssuer | undefined;
  private isDown = false;

  constructor(private readonly options: CloudOptions = {}) {
    this.ownTime = options.time === undefined ? new RealTime() : undefined;
    const time = options.time ?? this.ownTime!;
    const random = options.random ?? createRandomSource(1);
    const events = options.events ?? silentSink;
    this.account = new Account(options.account);
    this.records = new RecordBook(options.journal);
    this.clock = time.lane(LANE.broker);
    this.enabled = { shadows: true, jobs: true, rules: true, presence: true, ...options.services };
    this.broker = new MqttBroker({
      clock: this.clock,
      random: random.stream("broker"),
      events,
      profile: options.profile ?? "aws",
      ...(options.limits !== undefined && { limits: options.limits }),
      ...(options.sessionJournal !== undefined && { journal: options.sessionJournal }),
    });
    this.connections = new ConnectionDirectory({ clock: this.clock, broker: this.broker });
    this.broker.addHooks(this.connections);
    this.metering = new Metering({ clock: this.clock, broker: this.broker });
    this.broker.addHooks(this.metering);
    const { metering } = this;
    const jobEvents = teeSink(events, meteredEvents(metering));
    const clock = time.lane(LANE.services);
    const bus = this.broker;
    const { account, records } = this;
    this.tags = new Tags({ records });
    this.registry = createRegistry({ clock, random, account, records, tags: this.tags });
    const { registry } = this;
    const enabled = options.enabledEvents ?? [];
    this.eventConfigurations = createRegistryEvents({
      clock,
      random,
      records,
      bus,
      account,
      registry,
      enabled,
    });
    this.indexing = createCloudIndexing({
      clock,
      records,
      broker: this.broker,
      registry: this.registry,
      connections: this.connections,
      shadows: () => this.shadows,
      limits: options.indexing,
      meter: () => metering.turn("indexQueries"),
    });
    this.fleetMetrics = new FleetMetrics({ clock, records, indexing: this.indexing });
    this.tags.taggable("fleetmetric", (name) => this.fleetMetrics.has(name));
    this.identity = new Identity({
      clock,
      random: random.stream("identity"),
      records,
      issuer: () => this.issuer,
      things: thingsOf(this.registry),
      ...(options.identity !== undefined && { limits: options.identity }),
    });
    const { identity, broker } = this;
    if (options.access !== undefined) {
      const settings = options.access;
      this.access = new AccessControl({ identity, broker, account, clock: this.clock, events, settings });
      broker.addHooks(this.access);
    }
    this.tagIdentity();
    this.audits = new Audits({
      clock,
      random: random.stream("audits"),
      events,
      account,
      identity,
      records,
      registry: this.registry,
    });
    this.broker.addHooks(this.audits.connections);
    this.tags.taggable("scheduledaudit", (name) => this.audits.scheduled.has(name));
    this.tags.taggable("mitigationaction", (name) => this.audits.mitigations.has(name));
    this.registry.principals.checkWith((principal) => identity.isPrincipal(principal));
    this.registry.onChange((change) => applyRegistryChange(change, this));
    this.hooks = new HookRunner({
      clock,
      random: random.stream("hooks"),
      ...(options.hooks !== undefined && { targets: options.hooks }),
      ...(options.hookSettings !== undefined && { settings: options.hookSettings }),
      ...(options.hookDirectory !== undefined && { baseDirectory: options.hookDirectory }),
      onFailure: (failure) => events.emit({ type: "hook.failed", atUs: clock.nowUs(), ...failure }),
    });
    const { hooks } = this;
    this.authorizers = new Authorizers({
      clock,
      random: random.stream("authorizers"),
      records,
      hooks,
      domainOf: (serverName) => this.domains.ofServerName(serverName)?.authorizerConfig,
    });
    const { access, authorizers } = this;
    if (access !== undefined) {
      const source = authorizers.forMqtt((principal) => access.principalChanged(principal));
      broker.addHooks(source);
      access.addSource(source);
    }
    this.tags.taggable("authorizer", (name) => this.authorizers.store.find(name) !== undefined);
    this.roleAliases = new RoleAliases(clock, records);
    this.tags.taggable("rolealias", (name) => this.roleAliases.find(name) !== undefined);
    this.domains = new DomainConfigurations({
      clock,
      records,
      random: random.stream("domains"),
      endpoints: this.endpointDirectory,
      authorizerExists: (name) => this.authorizers.store.find(name) !== undefined,
    });
    this.domainPins = new DomainPins(this.domains);
    broker.addHooks(this.domainPins);
    this.tags.taggable("domainconfiguration", (resource) => this.domains.hasResource(resource));
    const tokens = random.stream("ownership-tokens");
    this.provisioning = new Provisioning({
      clock,
      random: random.stream("provisioning"),
      events,
      records,
      account,
      bus,
      registry: this.registry,
      identity: this.identity,
      issuer: () => this.issuer,
      hooks,
      artifacts: () => this.management.artifacts,
      newToken: time instanceof VirtualTime ? () => uuidV4(tokens) : hostSecret,
      principalOf: (clientId) => access?.principalOf(clientId)?.principalIdentifier,
      ...(options.provisioning !== undefined && { settings: options.provisioning }),
    });
    access?.justInTime.provisionWith((arrival) => this.provisioning.justInTime.provision(arrival));
    this.tags.taggable(
      "provisioningtemplate",
      (name) => this.provisioning.templates.find(name) !== undefined,
    );
    this.shadows = new ShadowService({
      clock,
      bus,
      events,
      records,
      meter: (units) => metering.turn("shadowOperations", units),
      changed: ({ thing, shadowName }) => this.indexing.shadowChanged(thing, shadowName),
    });
    this.management = new DeviceManagement({
      ...options.management,
      clock,
      random,
      records,
      account,
      hasThing: (thingName) => this.registry.hasThing(thingName),
      tags: this.tags,
      jobs: {
        bus,
        events: jobEvents,
        registry: this.registry,
        eventConfigurations: this.eventConfigurations,
        settings: { arnPrefix: this.account.arnPrefix, ...options.jobs },
      },
    });
    this.rules = new RuleEngine({
      clock,
      bus,
      events,
      meter: (actions) => {
        metering.turn("rulesTriggered");
        metering.turn("ruleActions", actions);
      },
      random: random.stream("rules"),
      ...(options.traceOf !== undefined && { traceOf: options.traceOf }),
      accountId: this.account.accountId,
    });
    this.ruleDirectory = new RuleDirectory({ clock, engine: this.rules, records });
    this.tags.taggable("rule", (name) => this.ruleDirectory.has(name));
    if (this.enabled.presence) this.addPresence({ bus, clock, random });
    this.broker.addHooks({
      message: (message) => this.route(message),
      listensTo: (topic) => this.enabled.rules && this.rules.listensTo(topic),
      connected: ({ clientId }) => this.connected.add(clientId),
      disconnected: ({ clientId }) => this.connected.delete(clientId),
    });
    this.acceptor = { accept: (link) => this.accept(link) };
  }

  /** Who signs device certificates; an authority of its own is made when it is first asked for. */
  get issuer(): CertificateIssuer {
    return this.options.issuer ?? (this.ownIssuer ??= this.makeIssuer());
  }

  get jobs(): JobsService {
    return this.management.jobs;
  }

  /** Milliseconds since 1970 of a moment on the broker's clock. */
  toWallMs(atUs: number): number {
    return Math.round(this.clock.wallMs() - (this.clock.nowUs() - atUs) / 1000);
  }

  /** Where it listens, in the order of the `listen` calls. */
  get endpoints(): readonly ListenerEndpoint[] {
    return this.open;
  }

  /**
   * Opens a listener, on loopback and a free port unless told otherwise; `port` of the answer is the one that was free.
   * A test bench may be reached by boards, so a host that is named is listened on without further ado.
   */
  async listen(where: string | ListenerOptions = {}): Promise<Listener> {
    const listener = await openListener(where, {
      acceptor: this.acceptor,
      clock: this.clock,
      maxPacketBytes: this.broker.limits.packetBytes,
      connectDeadlineMs: this.broker.limits.connectDeadlineS * 1000,
      authorizes: true,
    });
    this.open.push(listener.endpoint);
    return this.listeners.add(listener);
  }

  /**
   * Drops every connection and refuses new ones for `downUs`. Sessions survive, as with durable storage;
   * wills fire as after any loss of the server's connection.
   */
  restart(downUs: number): void {
    this.isDown = true;
    for (const clientId of Array.from(this.connected)) {
      this.broker.disconnectClient(clientId, {
        reasonCode: REASON.serverShuttingDown,
        awsReason: "SERVER_INITIATED_DISCONNECT",
        sendWill: true,
      });
    }
    this.clock.after(downUs, () => {
      this.isDown = false;
    });
  }

  /** Ends listeners, connections and timers; nothing is left open. */
  async stop(): Promise<void> {
    this.broker.shutdown(REASON.serverShuttingDown);
    this.management.stop();
    this.indexing.stop();
    this.fleetMetrics.stop();
    this.audits.stop();
    this.provisioning.stop();
    await this.listeners.stop();
    if (this.ownIssuer !== undefined && "stop" in this.ownIssuer) this.ownIssuer.stop();
    this.ownTime?.stop();
  }

  private tagIdentity(): void {
    const { identity, tags } = this;
    tags.taggable("policy", (name) => identity.policies.find(name) !== undefined);
    tags.taggable("cacert", (id) => identity.authorities.find(id) !== undefined);
    identity.onChange((change) => {
      if (!("change" in change) || change.change !== "deleted") return;
      if (change.kind === "policy") tags.forget("policy", change.policyName);
      if (change.kind === "caCertificate") tags.forget("cacert", change.certificateId);
    });
  }

  private addPresence(parts: PresenceOptions): void {
    const { access } = this;
    const names = {
      principalOf: (info: ConnectInfo) => access?.principalIdentifierOf(info),
      thingOf: (info: ConnectInfo) => access?.exclusiveThingOf(info),
    };
    this.broker.addHooks(createPresence({ ...parts, ...(access !== undefined && names) }));
  }

  private makeIssuer(): CertificateAuthority | VirtualIssuer {
    const { time, random: source = createRandomSource(1) } = this.options;
    const random = source.stream("issuer");
    if (time instanceof VirtualTime) return createVirtualIssuer(random);
    return createCertificateAuthority({ clock: this.clock, random });
  }

  private accept(link: PacketLink): PacketReceiver {
    if (!this.isDown) return this.broker.accept(link);
    link.destroy();
    return { received: () => undefined, closed: () => undefined };
  }

  /** Reserved topics go to their service first; rules see whatever the broker goes on to deliver. */
  private route(message: ApplicationMessage): Routing {
    if (message.topic.startsWith("$") && this.serve(message) === "consumed") return "consumed";
    return this.enabled.rules ? this.rules.handle(message) : "broker";
  }

  private serve(message: ApplicationMessage): Routing {
    const reserved = parseReservedTopic(message.topic);
    if (reserved?.service === "shadow" && this.enabled.shadows) return this.shadows.handle(message);
    if (reserved?.service === "provisioning") return this.provisioning.handle(message);
    if (reserved?.service === "streams" || reserved?.service === "commands")
      return this.management.handle(message, reserved);
    // Without a meaning it may still be below a thing's jobs/ topics, which answer InvalidTopic.
    if ((reserved === undefined || reserved.service === "jobs") && this.enabled.jobs)
      return this.jobs.handle(message);
    return "broker";
  }
}

/**
 * Starts the embedded cloud and its listeners.
 *
 * ```ts
 * const cloud = await createCloud({ listen: [{ port: 0 }] });
 * const [{ host, port }] = cloud.endpoints; // any MQTT client can connect there
 * await cloud.stop();
 * ```
 */
export async function createCloud(
  options: CloudOptions & { readonly listen?: readonly (string | ListenerOptions)[] } = {},
): Promise<Cloud> {
  const cloud = new Cloud(options);
  for (const listen of options.listen ?? []) await cloud.listen(listen);
  return cloud;
}
