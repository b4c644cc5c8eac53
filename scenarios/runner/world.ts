import { CertificateAuthority, Cloud, type CloudOptions } from "fleetrig/broker";
import type { Bench, BoardDoor, ClaimedBoard } from "fleetrig/hil";
import {
  type Clock,
  createRandomSource,
  type DeliveryProbe,
  EXIT,
  type EventSink,
  FleetrigError,
  LANE,
  type RandomSource,
  RealTime,
  teeSink,
  type TimeSource,
  TRACE_PROPERTY,
  VirtualTime,
} from "fleetrig/kernel";
import { type Dialer, wireBytes } from "fleetrig/protocol";
import {
  createFleet,
  createMemoryDialer,
  createShapedDialer,
  createTcpDialer,
  createTlsDialer,
  type DeviceCredential,
  type FaultSwitch,
  type Fleet,
  type FleetEnvironment,
  type GroupPlan,
  LinkFaults,
  PERFECT_LINK,
  type Wallet,
} from "fleetrig/sim";
import type { Scenario } from "../scenario.js";
import { controlPlaneOptions, furnish, joinWhenProvisioned } from "./control-plane.js";
import type { PlannedFleet } from "./fleet-plan.js";
import { type FirmwareImages, offerImages } from "./firmware-images.js";
import { createGuardedDialer } from "./guarded-dialer.js";
import { Identities } from "./identities.js";
import { OBSERVER_MQTT, observedFilters, Observer } from "./observer.js";

/** How long a TCP connection may take to open, in milliseconds. */
const SOCKET_TIMEOUT_MS = 5_000;

export interface WorldOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly time: VirtualTime | RealTime;
  readonly planned: PlannedFleet;
  readonly probe: DeliveryProbe;
  readonly events: EventSink;
  /** Told what was thrown where nobody could catch it: in a timer or on a socket of a real-time run. */
  readonly failed: (error: unknown) => void;
  /** Name of the run in trace tags and the observer's client id. */
  readonly run: string;
  /** The boards among the members. */
  readonly boards?: BoardsInWorld | undefined;
  readonly images: FirmwareImages;
  /** Folder that relative paths of the scenario are looked up in. */
  readonly folder: string;
}

/** Boards that were claimed for this run, by thing. */
interface BoardsInWorld {
  readonly bench: Bench;
  readonly claimed: ReadonlyMap<string, ClaimedBoard>;
}

/** Everything one run lives in: time, cloud, fleet and observer, wired for virtual or real time. */
export interface World {
  readonly time: TimeSource;
  readonly virtual: VirtualTime | undefined;
  readonly harness: Clock;
  readonly random: RandomSource;
  readonly events: EventSink;
  /** Absent when the broker is somebody else's. */
  readonly cloud: Cloud | undefined;
  /** Certificates of devices; absent when the broker is somebody else's. */
  readonly identities: Identities | undefined;
  readonly fleet: Fleet;
  readonly observer: Observer;
  /** The trace tag of a message, carried or, in MQTT 3.1.1, derived from topic and payload. */
  readonly traceOf: TraceOf;
  /** On the observer's link: what a scenario cannot name, a test of the harness can. */
  readonly observerFaults: FaultSwitch;
  /** Where devices of a real-time run connect to. */
  readonly endpoint: Endpoint | undefined;
  readonly images: FirmwareImages;
  /** Before the measurement ends: boards tell a last time what they have counted. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Builds the world of one run. Nothing has happened yet when it returns, except that sockets listen in real time.
 * @throws FleetrigError `RUN_BROKER_UNREACHABLE` (exit 3) when an external broker does not let the observer in.
 */
export async function createWorld(options: WorldOptions): Promise<World> {
  const { scenario, seed } = options;
  const { time } = options;
  const virtual = time instanceof VirtualTime ? time : undefined;
  const real = time instanceof RealTime ? time : undefined;
  const random = createRandomSource(seed);
  const cloud = scenario.broker.mode === "embedded" ? createEmbeddedCloud(options, time, random) : undefined;
  // Hooks are loaded before: in virtual time nothing waits for them.
  await cloud?.hooks.load();
  const identities = cloud === undefined ? undefined : new Identities(cloud);
  await identities?.issue(scenario, options.planned);
  const endpoint = real === undefined ? undefined : await openEndpoint(scenario, cloud);
  const secure = endpoint === undefined ? undefined : await openSecureDoor(scenario, endpoint, cloud);
  const link = linkFactory({ cloud, identities, endpoint, secure, random, failed: options.failed });
  const fleet = createFleet(options.planned.plan, {
    time,
    random,
    events: options.events,
    probe: options.probe,
    run: options.run,
    linkFor: (member, group, clock) =>
      link({ stream: `thing/${member.name}`, group, clock, thing: member.name }),
    ...(options.boards !== undefined && {
      boardFor: boardFactory(options, options.boards, { random, link, endpoint, secure, identities }),
    }),
  });
  const { observer, faults: observerFaults } = createObserver(options, { time, random, link });
  return {
    time,
    virtual,
    harness: time.lane(LANE.harness),
    random,
    events: options.events,
    cloud,
    identities,
    fleet,
    observer,
    traceOf: traceFrom(options),
    observerFaults,
    endpoint,
    images: options.images,
    settle: async () => options.boards?.bench.settle(),
    stop: async () => {
      // A virtual world holds nothing of the host's: ending it politely would cost time and tell nobody.
      if (real === undefined) return;
      fleet.stop();
      observer.stop();
      await cloud?.stop();
      await options.boards?.bench.close();
      real.stop();
    },
  };
}

type TraceOf = NonNullable<CloudOptions["traceOf"]>;

const traceFrom =
  ({ planned, run }: WorldOptions): TraceOf =>
  (message) =>
    message.userProperty(TRACE_PROPERTY) ?? planned.tracer.tagOf(run, message.topic, () => message.json());

function createEmbeddedCloud(options: WorldOptions, time: TimeSource, random: RandomSource): Cloud {
  const { scenario, planned, events } = options;
  const { limits, profile } = scenario.broker;
  const { events: enabledEvents = [], ...services } = scenario.services;
  const cloud: Cloud = new Cloud({
    ...controlPlaneOptions(scenario, { time, random, folder: options.folder }),
    time,
    random,
    events: scenario.fleet.some(({ identity }) => identity?.claim !== undefined)
      ? teeSink(
          events,
          joinWhenProvisioned(scenario, planned, () => cloud.registry),
        )
      : events,
    profile,
    traceOf: traceFrom(options),
    services: { ...services, presence: true },
    enabledEvents,
    limits: {
      connectOverload: limits.overload,
      ...(limits.connectRatePerSecond !== undefined && { connectRate: limits.connectRatePerSecond }),
      ...(limits.maxQueuedPerSession !== undefined && {
        queuedMessagesPerSession: limits.maxQueuedPerSession,
      }),
      ...(limits.maxInflight !== undefined && { maxInflight: limits.maxInflight }),
    },
  });
  furnish(cloud, scenario, planned);
  offerImages(cloud, options.images);
  for (const rule of scenario.rules) {
    cloud.rules.createRule({
      ruleName: rule.name,
      sql: rule.sql,
      ruleDisabled: rule.ruleDisabled,
      actions: rule.actions as never,
    });
  }
  return cloud;
}

async function openEndpoint(scenario: Scenario, cloud: Cloud | undefined): Promise<Endpoint> {
  if (cloud === undefined) return externalEndpoint(scenario.broker.url!);
  const { host, port } = listenAddress(scenario.broker.listen);
  const listener = await cloud.listen({ host, port });
  return { host: host === "0.0.0.0" ? "127.0.0.1" : host, port: listener.port };
}

/** Devices with certificates come in by mutual TLS, on a free port; the observer and all others by the plain door. */
async function openSecureDoor(
  scenario: Scenario,
  { host }: Endpoint,
  cloud: Cloud | undefined,
): Promise<SecureDoor | undefined> {
  const { issuer } = cloud ?? {};
  const isWanted = scenario.fleet.some(({ identity }) => identity !== undefined);
  if (!isWanted || cloud === undefined || !(issuer instanceof CertificateAuthority)) return undefined;
  const { certificatePem: cert, keyPair } = issuer.issueServerCertificate({ names: [SERVER_NAME] });
  const listener = await cloud.listen({
    transport: "tls",
    host,
    port: 0,
    tls: { key: keyPair.privateKeyPem, cert, clientCertificates: "identify" },
  });
  const server = { certificatePem: cert, keyPem: keyPair.privateKeyPem };
  return { host, port: listener.port, ca: issuer.caCertificatePem, server };
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where devices with certificates connect to, and whom they trust. */
interface SecureDoor extends Endpoint {
  readonly ca: string;
  readonly server: { readonly certificatePem: string; readonly keyPem: string };
}

const SERVER_NAME = "localhost";

function listenAddress(listen: string | undefined): { host: string; port: number } {
  if (listen === undefined) return { host: "127.0.0.1", port: 0 };
  const separator = listen.lastIndexOf(":");
  return { host: listen.slice(0, separator), port: Number(listen.slice(separator + 1)) };
}

const MQTT_PORT = 1883;

function externalEndpoint(url: string): { host: string; port: number } {
  const { protocol, hostname, port } = new URL(url);
  if (protocol === "mqtt:" || protocol === "tcp:")
    return { host: hostname, port: port === "" ? MQTT_PORT : Number(port) };
  throw new FleetrigError(
    "RUN_TRANSPORT_UNSUPPORTED",
    `The broker's URL ${url} uses ${protocol}//, which is not supported yet.`,
    {
      hint: "Use mqtt://host:port.",
      exitCode: EXIT.usage,
    },
  );
}

interface BoardParts extends Pick<World, "random" | "endpoint" | "identities"> {
  readonly link: LinkFactory;
  readonly secure: SecureDoor | undefined;
}

/** Boards take the way that a virtual device in their place would take, or come in by the same doors. */
function boardFactory(
  { events, probe, run, scenario }: WorldOptions,
  { bench, claimed }: BoardsInWorld,
  { link, random, endpoint, secure, identities }: BoardParts,
): NonNullable<FleetEnvironment["boardFor"]> {
  return (plan, group, clock) => {
    const board = claimed.get(plan.name);
    if (board === undefined) return undefined;
    const stream = `thing/${plan.name}`;
    const { dialer, faults } = link({ stream, group, clock, thing: plan.name });
    const own = identities?.walletOf(plan.name)?.own;
    const door =
      endpoint && doorFor(scenario.bench.host ?? endpoint.host, endpoint, secure && own && { secure, own });
    return bench.member(board, {
      plan,
      group,
      clock,
      events,
      probe,
      run,
      seed: random.stream(`${stream}/board`).below(2 ** 31),
      dialer,
      faults,
      ...(door !== undefined && { door }),
    });
  };
}

/** The plain door, or the one that asks for the certificate that the board has. */
const doorFor = (
  host: string,
  { port }: Endpoint,
  certified: { readonly secure: SecureDoor; readonly own: DeviceCredential } | undefined,
): BoardDoor =>
  certified === undefined
    ? { host, port }
    : {
        host,
        port: certified.secure.port,
        tls: {
          serverName: SERVER_NAME,
          caPem: certified.secure.ca,
          certificatePem: certified.own.certificatePem,
          keyPem: certified.own.privateKeyPem,
          server: certified.secure.server,
        },
      };

interface LinkRequest {
  /** Prefix of the random streams. */
  readonly stream: string;
  readonly group: Pick<GroupPlan, "link" | "mqtt">;
  readonly clock: Clock;
  /** Whose link it is; the observer's is nobody's. */
  readonly thing?: string;
}

interface Link {
  readonly dialer: Dialer;
  readonly faults: LinkFaults;
  readonly wallet: Wallet | undefined;
}

type LinkFactory = (request: LinkRequest) => Link;

/**
 * Devices of a virtual run cross a simulated link; those of a real one open sockets, bent to the same profile and
 * open to the same faults.
 */
function linkFactory({
  cloud,
  identities,
  endpoint,
  secure,
  random,
  failed,
}: Pick<World, "cloud" | "identities" | "endpoint" | "random"> &
  Pick<WorldOptions, "failed"> & { readonly secure: SecureDoor | undefined }): LinkFactory {
  return ({ stream, group, clock, thing }) => {
    const wallet = thing === undefined ? undefined : identities?.walletOf(thing);
    const version = group.mqtt.protocolVersion;
    const faults = new LinkFaults({ clock, random: (purpose) => random.stream(`${stream}/${purpose}`) });
    const path = {
      clock,
      faults,
      wireBytes,
      version,
      profile: group.link,
      random: random.stream(`${stream}/network`),
    };
    if (endpoint === undefined) {
      const peer = wallet === undefined ? undefined : () => identities?.peerOf(thing!);
      return { faults, wallet, dialer: createMemoryDialer({ ...path, acceptor: cloud!.acceptor, peer }) };
    }
    const sockets =
      wallet === undefined || secure === undefined
        ? createTcpDialer({ ...endpoint, version, timeoutMs: SOCKET_TIMEOUT_MS })
        : createTlsDialer({
            ...secure,
            version,
            timeoutMs: SOCKET_TIMEOUT_MS,
            serverName: SERVER_NAME,
            wallet,
          });
    const inner = createGuardedDialer(sockets, failed);
    return { faults, wallet, dialer: createShapedDialer({ ...path, inner }) };
  };
}

function createObserver(
  { scenario, planned, probe, run }: WorldOptions,
  { time, random, link }: { time: TimeSource; random: RandomSource; link: LinkFactory },
): { readonly observer: Observer; readonly faults: FaultSwitch } {
  const clock = time.lane(LANE.observer);
  const { dialer, faults } = link({
    stream: "observer",
    group: { link: PERFECT_LINK, mqtt: OBSERVER_MQTT },
    clock,
  });
  const filters = observedFilters(planned.streams, scenario.rules);
  return { observer: new Observer({ clock, random, dialer, probe, run, filters, planned }), faults };
}
