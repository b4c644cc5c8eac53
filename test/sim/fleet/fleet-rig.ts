import {
  createRandomSource,
  type DeliveryProbe,
  type JsonObject,
  type JsonValue,
  type RandomSource,
  type RunEvent,
  VirtualTime,
} from "fleetrig/kernel";
import { type PacketAcceptor, type PublishPacket, wireBytes } from "fleetrig/protocol";
import {
  BUILTIN_MODELS,
  createFleet,
  createMemoryDialer,
  type Fleet,
  type FleetEnvironment,
  type GroupPlan,
  LinkFaults,
  PERFECT_LINK,
  type TelemetryPlan,
} from "fleetrig/sim";
import { type BrokerScript, ScriptedBroker } from "../connection/scripted-broker.js";

export const S = 1_000_000;

export const climate: TelemetryPlan = {
  stream: 0,
  name: "climate",
  everyUs: 30 * S,
  phase: "random",
  topic: "site/{site}/{thingName}",
  qos: 1,
  retain: false,
  payload: { thing: "{thingName}", temperature: "{state.temperature}", seq: "{seq}" },
};

export interface GroupOptions extends Partial<Omit<GroupPlan, "model" | "members">> {
  readonly model?: string;
  readonly count?: number;
  readonly attributes?: (index: number) => JsonObject;
  readonly connectAtUs?: (index: number) => number;
  readonly firstOrdinal?: number;
}

export function groupPlan(options: GroupOptions = {}): GroupPlan {
  const { model = "temperature-sensor", count = 1, firstOrdinal = 0, group = "sensors" } = options;
  const members = Array.from({ length: count }, (_, index) => ({
    name: `${group}-${index}`,
    ordinal: firstOrdinal + index,
    index,
    attributes: options.attributes?.(index) ?? { site: "hq", floor: index % 4 },
    connectAtUs: options.connectAtUs?.(index) ?? 0,
  }));
  return {
    link: PERFECT_LINK,
    mqtt: {
      protocolVersion: 5,
      keepAliveS: 60,
      cleanStart: false,
      sessionExpiryS: 3600,
      receiveMaximum: 100,
      will: undefined,
    },
    reconnect: { policy: "full-jitter", baseUs: S, capUs: 60 * S, resetAfterUs: 60 * S },
    telemetry: [climate],
    buffer: { capacity: 100, overflow: "drop-oldest" },
    signals: {},
    settings: {},
    ...options,
    group,
    model: BUILTIN_MODELS[model]!,
    members,
  };
}

/** Remembers when each message was wanted and when it went. */
export class SentLog implements DeliveryProbe {
  readonly sends: { thing: number; sequence: number; scheduledUs: number; sentUs: number }[] = [];
  sent(_stream: number, thing: number, sequence: number, scheduledUs: number, sentUs: number): void {
    this.sends.push({ thing, sequence, scheduledUs, sentUs });
  }
  acked(): void {}
  retransmitted(): void {}
  discarded(): void {}
  received(): void {}
  ruleOutput(): void {}
}

/** Links in memory from every member to one door. */
export function memoryLinks(acceptor: PacketAcceptor, random: RandomSource): FleetEnvironment["linkFor"] {
  return (member, group, clock) => {
    const stream = (purpose: string) => random.stream(`thing/${member.name}/${purpose}`);
    const faults = new LinkFaults({ clock, random: stream });
    const dialer = createMemoryDialer({
      acceptor,
      clock,
      profile: group.link,
      random: stream("network"),
      wireBytes,
      version: group.mqtt.protocolVersion,
      faults,
    });
    return { dialer, faults };
  };
}

/** A fleet in virtual time, on links in memory to a broker that follows a script. */
export class FleetRig {
  readonly time = new VirtualTime();
  readonly broker: ScriptedBroker;
  readonly probe = new SentLog();
  readonly events: RunEvent[] = [];
  readonly fleet: Fleet;

  constructor(groups: readonly GroupPlan[], script: BrokerScript = {}, seed = 42) {
    this.broker = new ScriptedBroker(script);
    const random = createRandomSource(seed);
    this.fleet = createFleet(
      { groups },
      {
        time: this.time,
        random,
        events: { emit: (event) => this.events.push(event) },
        probe: this.probe,
        run: "test",
        linkFor: memoryLinks(this.broker, random),
      },
    );
  }

  start(): this {
    this.fleet.start();
    return this;
  }

  advance(seconds: number): this {
    this.time.advance(seconds * S);
    return this;
  }

  /** Publishes of devices to the topic, with their bodies. */
  published(topic: string): JsonValue[] {
    return this.broker.publishes.filter((packet) => packet.topic === topic).map(bodyOf);
  }

  /** The broker sends to the device that connected last. */
  deliver(topic: string, body: JsonValue): void {
    const packet: PublishPacket = {
      type: "publish",
      topic,
      payload: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
      qos: 0,
      retain: false,
      dup: false,
    };
    this.broker.link.send(packet);
    this.time.advance(0);
  }

  eventsOf<T extends RunEvent["type"]>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }
}

const bodyOf = ({ payload }: PublishPacket): JsonValue => {
  const text = Buffer.from(payload).toString();
  return text === "" ? "" : (JSON.parse(text) as JsonValue);
};
