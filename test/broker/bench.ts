import {
  type BrokerFeatures,
  type BrokerHooks,
  type BrokerLimits,
  type BrokerOptions,
  MqttBroker,
} from "fleetrig/broker";
import { LANE, Random, type RunEvent, US_PER_S, VirtualTime } from "fleetrig/kernel";
import type {
  ConnackPacket,
  ConnectPacket,
  DisconnectPacket,
  LinkCloseReason,
  Packet,
  PacketLink,
  PacketReceiver,
  Profile,
  PublishPacket,
  SubackPacket,
  SubscribePacket,
  SubscriptionRequest,
} from "fleetrig/protocol";

export interface BenchOptions {
  readonly profile?: Profile;
  readonly limits?: Partial<BrokerLimits>;
  readonly hooks?: Partial<BrokerHooks>;
  readonly features?: Partial<BrokerFeatures>;
  readonly journal?: NonNullable<BrokerOptions["journal"]>;
  readonly time?: VirtualTime;
}

/** Both profiles with both protocol versions. */
export const VARIANTS = (["aws", "oasis"] as const).flatMap((profile) =>
  ([4, 5] as const).map((protocolVersion) => ({ profile, protocolVersion })),
);

/** A broker in virtual time, its events, and clients that speak packets over links in memory. */
export class Bench {
  readonly time: VirtualTime;
  readonly events: RunEvent[] = [];
  readonly broker: MqttBroker;
  private clients = 0;

  constructor(options: BenchOptions = {}) {
    this.time = options.time ?? new VirtualTime();
    this.broker = new MqttBroker({
      clock: this.time.lane(LANE.broker),
      random: Random.seeded("bench"),
      events: { emit: (event) => this.events.push(event) },
      profile: options.profile ?? "aws",
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.features === undefined ? {} : { features: options.features }),
      ...(options.hooks === undefined ? {} : { hooks: options.hooks }),
      ...(options.journal === undefined ? {} : { journal: options.journal }),
    });
  }

  /** A link on which nothing has been said yet. */
  dial(): TestClient {
    this.clients += 1;
    return new TestClient(this.broker, `test:${this.clients}`);
  }

  /** A client that is connected. */
  connect(clientId: string, options: Partial<ConnectPacket> = {}): TestClient {
    const client = this.dial();
    client.connect(clientId, options);
    return client;
  }

  advanceS(seconds: number): void {
    this.time.advance(seconds * US_PER_S);
  }

  eventsOf<Type extends RunEvent["type"]>(type: Type): Extract<RunEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type);
  }
}

/** The far end of a link: sends packets at once and keeps what it gets. */
export class TestClient implements PacketLink {
  readonly inbox: Packet[] = [];
  /** `open`, or how the broker ended the link. */
  state: "open" | "closed" | "destroyed" = "open";
  bufferedBytes = 0;
  /** Acknowledges QoS 1 messages from inside their arrival. */
  autoAcknowledge = false;
  private readonly receiver: PacketReceiver;
  private lastPacketId = 0;

  constructor(
    broker: MqttBroker,
    readonly remoteAddress: string,
  ) {
    this.receiver = broker.accept(this);
  }

  send(packet: Packet): void {
    this.inbox.push(packet);
    if (this.autoAcknowledge && packet.type === "publish" && packet.qos === 1) this.acknowledge(packet);
  }

  close(): void {
    this.state = "closed";
  }

  destroy(): void {
    this.state = "destroyed";
  }

  /** What the broker receives. */
  say(packet: Packet, wireBytes = 2): void {
    this.receiver.received(packet, wireBytes);
  }

  connect(clientId: string, options: Partial<ConnectPacket> = {}): void {
    const defaults = { protocolVersion: 5, cleanStart: true, keepAliveS: 0 };
    this.say({ type: "connect", clientId, ...defaults, ...options });
  }

  subscribe(
    filters: readonly (string | SubscriptionRequest)[],
    options: Partial<SubscribePacket> = {},
  ): void {
    const subscriptions = filters.map((filter) =>
      typeof filter === "string" ? ({ filter, qos: 1 } as const) : filter,
    );
    this.say({ type: "subscribe", packetId: this.nextPacketId(), subscriptions, ...options });
  }

  unsubscribe(...filters: string[]): void {
    this.say({ type: "unsubscribe", packetId: this.nextPacketId(), filters });
  }

  /** QoS 1 unless told otherwise. */
  publish(topic: string, payload: string, options: Partial<PublishPacket> = {}): void {
    const qos = options.qos ?? 1;
    const fields = { topic, payload: Buffer.from(payload), qos, retain: false, dup: false };
    const identifier = qos === 0 ? {} : { packetId: this.nextPacketId() };
    this.say({ type: "publish", ...fields, ...identifier, ...options });
  }

  acknowledge(packet: PublishPacket): void {
    this.say({ type: "puback", packetId: packet.packetId!, reasonCode: 0 });
  }

  disconnect(options: Partial<DisconnectPacket> = {}): void {
    this.say({ type: "disconnect", reasonCode: 0, ...options });
  }

  /** The path breaks. */
  lose(reason: LinkCloseReason = "reset"): void {
    this.receiver.closed(reason);
  }

  get connack(): ConnackPacket {
    return this.last("connack") as ConnackPacket;
  }

  get suback(): SubackPacket {
    return this.last("suback") as SubackPacket;
  }

  /** Reason code of the DISCONNECT that ended the link. */
  get disconnectCode(): number | undefined {
    return (this.last("disconnect") as DisconnectPacket | undefined)?.reasonCode;
  }

  get publishes(): PublishPacket[] {
    return this.packets("publish") as PublishPacket[];
  }

  /** `topic=payload` of everything delivered. */
  get delivered(): string[] {
    return this.publishes.map(({ topic, payload }) => `${topic}=${Buffer.from(payload).toString()}`);
  }

  packets(type: Packet["type"]): Packet[] {
    return this.inbox.filter((packet) => packet.type === type);
  }

  /** Forgets what came so far. */
  clear(): void {
    this.inbox.length = 0;
  }

  private last(type: Packet["type"]): Packet | undefined {
    return this.packets(type).at(-1);
  }

  private nextPacketId(): number {
    this.lastPacketId = (this.lastPacketId % 65_535) + 1;
    return this.lastPacketId;
  }
}
