import { type Clock, type Service, ServiceStack } from "fleetrig/kernel";
import {
  type PacketAcceptor,
  type PacketLink,
  type PacketReceiver,
  parseReservedTopic,
  REASON,
} from "fleetrig/protocol";
import type { Account } from "./account.js";
import type { Audits } from "./audit/index.js";
import type { Authorizers } from "./authorizers/index.js";
import type { CloudOptions, CloudServiceName } from "./cloud-options.js";
import { Admission } from "./composition/admission.js";
import { DeviceServices } from "./composition/device-services.js";
import { CloudGround } from "./composition/ground.js";
import { Inventory } from "./composition/inventory.js";
import { Onboarding } from "./composition/onboarding.js";
import type { ConnectionDirectory } from "./connections/index.js";
import type { RoleAliases } from "./credentials/index.js";
import type { DeviceManagement } from "./device-management.js";
import type { DomainConfigurations, DomainPins, EndpointDirectory } from "./domains/index.js";
import type { ConnectInfo, MqttBroker } from "./engine/index.js";
import type { EventConfigurations } from "./events/index.js";
import type { FleetIndexing, FleetMetrics } from "./fleet-index/index.js";
import type { HookRunner } from "./hooks/index.js";
import type { AccessControl, Identity } from "./identity/index.js";
import type { JobsService } from "./jobs/index.js";
import {
  type Listener,
  type ListenerEndpoint,
  type ListenerOptions,
  openListener,
} from "./listeners/index.js";
import type { ApplicationMessage } from "./message.js";
import type { Routing } from "./message-bus.js";
import type { Metering } from "./metering/index.js";
import type { CertificateIssuer } from "./pki/index.js";
import { createPresence } from "./presence/index.js";
import type { Provisioning } from "./provisioning/index.js";
import type { RecordBook } from "./records/index.js";
import type { Registry, Tags } from "./registry/index.js";
import type { RuleDirectory, RuleEngine } from "./rules/index.js";
import type { ShadowService } from "./shadow/index.js";

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
  readonly endpointDirectory: EndpointDirectory;
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
  private readonly ground: CloudGround;
  private readonly admission: Admission;
  /** What has to be ended, from the last to the first. */
  private readonly parts: readonly { stop(): void }[];
  private readonly listeners = new ServiceStack();
  private readonly open: ListenerEndpoint[] = [];
  private readonly enabled: Readonly<Record<CloudServiceName, boolean>>;
  private readonly connected = new Set<string>();
  private isDown = false;

  constructor(options: CloudOptions = {}) {
    const ground = new CloudGround(options);
    this.ground = ground;
    this.enabled = { shadows: true, jobs: true, rules: true, presence: true, ...options.services };
    ({ account: this.account, records: this.records, broker: this.broker, tags: this.tags } = ground);
    ({ connections: this.connections, metering: this.metering, brokerClock: this.clock } = ground);

    const inventory = new Inventory(ground, () => this.shadows);
    ({ registry: this.registry, eventConfigurations: this.eventConfigurations } = inventory);
    ({ indexing: this.indexing, fleetMetrics: this.fleetMetrics } = inventory);

    const admission = new Admission(ground, inventory);
    this.admission = admission;
    ({ identity: this.identity, access: this.access, audits: this.audits } = admission);

    const artifacts = () => this.management.artifacts;
    const onboarding = new Onboarding(ground, { inventory, admission, artifacts });
    ({ hooks: this.hooks, authorizers: this.authorizers, roleAliases: this.roleAliases } = onboarding);
    ({ domains: this.domains, domainPins: this.domainPins, provisioning: this.provisioning } = onboarding);
    this.endpointDirectory = onboarding.endpoints;

    const deviceServices = new DeviceServices(ground, inventory);
    ({ shadows: this.shadows, management: this.management } = deviceServices);
    ({ rules: this.rules, ruleDirectory: this.ruleDirectory } = deviceServices);

    this.parts = [deviceServices, inventory, admission, onboarding];
    if (this.enabled.presence) this.addPresence();
    this.broker.addHooks({
      message: (message) => this.route(message),
      listensTo: (topic) => this.enabled.rules && this.rules.listensTo(topic),
      connected: ({ clientId }) => this.connected.add(clientId),
      disconnected: ({ clientId }) => this.connected.delete(clientId),
    });
    this.acceptor = { accept: (link) => this.accept(link) };
  }

  /** Who signs device certificates. */
  get issuer(): CertificateIssuer {
    return this.admission.issuer;
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
    for (const part of this.parts) part.stop();
    await this.listeners.stop();
    this.ground.stop();
  }

  private addPresence(): void {
    const { access } = this;
    const { broker: bus, clock, random } = this.ground;
    const names = {
      principalOf: (info: ConnectInfo) => access?.principalIdentifierOf(info),
      thingOf: (info: ConnectInfo) => access?.exclusiveThingOf(info),
    };
    this.broker.addHooks(createPresence({ bus, clock, random, ...(access !== undefined && names) }));
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
