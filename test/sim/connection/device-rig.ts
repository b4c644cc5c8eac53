import { createRandomSource, type JsonObject, LANE, type RunEvent, VirtualTime } from "fleetrig/kernel";
import { type PacketAcceptor, type PublishPacket, type Will, wireBytes } from "fleetrig/protocol";
import {
  type BufferPlan,
  createMemoryDialer,
  DeviceConnection,
  LinkFaults,
  type LinkProfile,
  type MqttPlan,
  PERFECT_LINK,
  type ReconnectPlan,
} from "fleetrig/sim";
import { ProbeLog } from "./probe-log.js";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker.js";

export const SECOND = 1_000_000;
export const MS = 1_000;

export const MQTT5: MqttPlan = {
  protocolVersion: 5,
  keepAliveS: 30,
  cleanStart: false,
  sessionExpiryS: 3_600,
  receiveMaximum: 100,
  will: undefined,
};

export const CONSTANT_1S: ReconnectPlan = {
  policy: "constant",
  baseUs: SECOND,
  capUs: 60 * SECOND,
  resetAfterUs: 10 * SECOND,
};

export interface RigOptions {
  readonly seed?: number;
  readonly name?: string;
  readonly ordinal?: number;
  readonly time?: VirtualTime;
  readonly acceptor?: PacketAcceptor;
  readonly script?: BrokerScript;
  readonly link?: LinkProfile;
  readonly mqtt?: Partial<MqttPlan>;
  readonly will?: Will;
  readonly reconnect?: Partial<ReconnectPlan>;
  readonly buffer?: BufferPlan;
}

/** One device on a link in memory, in virtual time. */
export class DeviceRig {
  readonly time: VirtualTime;
  readonly broker: ScriptedBroker;
  readonly probe = new ProbeLog();
  readonly events: RunEvent[] = [];
  readonly messages: PublishPacket[] = [];
  readonly calls: string[] = [];
  readonly faults: LinkFaults;
  readonly connection: DeviceConnection;
  private sequence = 0;

  constructor(options: RigOptions = {}) {
    this.time = options.time ?? new VirtualTime();
    this.broker = new ScriptedBroker(options.script);
    const ordinal = options.ordinal ?? 0;
    const name = options.name ?? `thing-${ordinal}`;
    const clock = this.time.lane(LANE.firstDevice + ordinal);
    const source = createRandomSource(options.seed ?? 1);
    const stream = (purpose: string) => source.stream(`thing/${name}/${purpose}`);
    const mqtt = { ...MQTT5, ...options.mqtt };
    this.faults = new LinkFaults({ clock, random: stream });
    const dialer = createMemoryDialer({
      acceptor: options.acceptor ?? this.broker,
      clock,
      profile: options.link ?? PERFECT_LINK,
      random: stream("network"),
      wireBytes,
      version: mqtt.protocolVersion,
      faults: this.faults,
    });
    this.connection = new DeviceConnection({
      thing: { name, ordinal },
      clock,
      random: { stream },
      events: { emit: (event) => this.events.push(event) },
      probe: this.probe,
      run: "test",
      dialer,
      mqtt,
      will: options.will,
      reconnect: { ...CONSTANT_1S, ...options.reconnect },
      buffer: options.buffer ?? { capacity: 1_000, overflow: "drop-oldest" },
      handlers: {
        online: (sessionPresent) => this.calls.push(`online ${sessionPresent}`),
        offline: (reason) => this.calls.push(`offline ${reason}`),
        message: (packet) => this.messages.push(packet),
      },
    });
  }

  /** Connects at once and lets the handshake finish. */
  online(): this {
    this.connection.start(0);
    this.time.advance(0);
    if (!this.connection.isOnline) this.time.advance(5 * SECOND);
    return this;
  }

  publish(qos: 0 | 1 = 1): number {
    const sequence = this.sequence++;
    this.connection.publish({
      topic: `d/${sequence}`,
      payload: new Uint8Array([sequence & 255]),
      qos,
      retain: false,
      trace: { stream: 0, sequence, scheduledUs: this.time.nowUs() },
    });
    return sequence;
  }

  inject(fault: string, detail: JsonObject = {}): void {
    this.faults.set(fault, true, detail);
  }

  heal(fault: string): void {
    this.faults.set(fault, false, {});
  }

  /** Events of the kind, without their type and thing. */
  eventsOf(type: RunEvent["type"]): Record<string, unknown>[] {
    return this.events
      .filter((event) => event.type === type)
      .map((event) => ({ ...event, type: undefined, thing: undefined }));
  }

  attemptsAtUs(): number[] {
    return this.events.flatMap((event) => (event.type === "connection.attempt" ? [event.atUs] : []));
  }
}

export const constantLatency = (us: number): LinkProfile => ({
  name: "constant",
  latency: { dist: "constant", value: us },
  loss: 0,
  bitsPerSecond: 0,
});
