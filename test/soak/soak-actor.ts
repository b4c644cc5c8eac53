import { type Clock, type Random, type Timer, US_PER_S } from "fleetrig/kernel";
import type {
  ConnectPacket,
  Packet,
  ProtocolVersion,
  PublishPacket,
  QoS,
  SocketLink,
  SubscriptionRequest,
  Will,
} from "fleetrig/protocol";
import type { MemoryStream } from "./memory-stream.js";
import type { SoakWorld } from "./soak-world.js";

/** What clients talk about: some topics that stay, some that never come again. */
const PLACES = 200;
const GROUPS = 12;
const PACKET_IDS = 65_535;
const QUALITIES: readonly QoS[] = [0, 0, 1, 1, 2];

/** What a client does, and how often in relation to the rest. */
const ACTIONS: readonly (readonly [weight: number, action: (actor: SoakActor) => void])[] = [
  [1_000, (actor) => actor.publish(false)],
  [60, (actor) => actor.publish(true)],
  [40, (actor) => actor.subscribe()],
  [40, (actor) => actor.unsubscribe()],
  [6, (actor) => actor.leave(true)],
  [6, (actor) => actor.leave(false)],
  [4, (actor) => actor.connect()],
  [4, (actor) => actor.stall()],
  [2, (actor) => actor.authenticateAgain()],
  [1, (actor) => actor.misbehave()],
];
const WEIGHTS = ACTIONS.reduce((sum, [weight]) => sum + weight, 0);

const ROLES = ["stays", "stays", "stays", "visits", "ignores"] as const;

export interface SoakActorOptions {
  readonly world: SoakWorld;
  readonly ordinal: number;
  /** Mean time between two actions. */
  readonly pauseS: number;
}

/**
 * A client with habits: it connects one way or another, publishes, subscribes, leaves with or without a word, stays
 * away for longer or shorter than its session lives. Some never use a client id twice, some acknowledge nothing.
 */
export class SoakActor {
  received = 0;
  published = 0;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly role: (typeof ROLES)[number];
  private clientId: string;
  private link: SocketLink | undefined;
  private stream: MemoryStream | undefined;
  private version: ProtocolVersion = 5;
  private isConnected = false;
  private hasAuthentication = false;
  private aliasMaximum = 0;
  private lastPacketId = 0;
  private filters: string[] = [];
  private timer: Timer | undefined;

  constructor(private readonly options: SoakActorOptions) {
    const { world, ordinal } = options;
    this.clock = world.clockOf(ordinal);
    this.random = world.randomOf(ordinal);
    this.role = ROLES[ordinal % ROLES.length]!;
    this.clientId = `client-${ordinal}`;
    this.timer = this.clock.after(this.random.below(10 * US_PER_S), SoakActor.act, this);
  }

  /** Leaves for good. */
  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.stream?.resume();
    if (this.random.chance(0.5)) this.stream?.destroy();
    else this.sayGoodbye();
  }

  /** A connection that is there is taken over from, or left to the broker to find silent. */
  connect(): void {
    const { world } = this.options;
    const { random } = this;
    if (this.role === "visits") this.clientId = world.newName();
    this.version = random.chance(0.6) ? 5 : 4;
    this.isConnected = false;
    const { link, stream } = world.dial(this.version);
    this.link = link;
    this.stream = stream;
    link.attach({
      received: (packet) => {
        if (this.link === link) this.take(packet);
      },
      closed: () => {
        if (this.link === link) this.lost();
      },
    });
    link.send(this.connectPacket());
  }

  publish(retain: boolean): void {
    const { random, version } = this;
    const qos = random.pick(QUALITIES);
    const isClearing = retain && random.chance(0.3);
    const isOnce = random.chance(0.003);
    const place = random.below(PLACES);
    const topic = isOnce ? `once/${this.clientId}/${this.clock.nowUs()}` : `place/${place}/state`;
    const payload = Buffer.alloc(isClearing ? 0 : 1 + random.below(random.chance(0.02) ? 4_000 : 200));
    // A topic that never comes again must not be retained for ever.
    const expires = version === 5 && (isOnce || random.chance(0.2));
    const alias = version === 5 && !isOnce && this.aliasMaximum > 0 ? (place % 40) + 1 : undefined;
    const packet: PublishPacket = {
      type: "publish",
      topic,
      payload,
      qos,
      retain: retain || (isOnce && expires),
      dup: false,
      ...(qos > 0 && { packetId: this.nextPacketId() }),
      ...(expires && { messageExpiryS: 1 + random.below(600) }),
      ...(alias !== undefined && alias <= this.aliasMaximum && { topicAlias: alias }),
    };
    this.published += 1;
    this.send(packet);
  }

  subscribe(): void {
    const subscriptions = Array.from({ length: 1 + this.random.below(3) }, () => this.subscription());
    this.filters = [...this.filters, ...subscriptions.map(({ filter }) => filter)].slice(-8);
    const subscriptionId = 1 + this.random.below(1_000);
    this.send({
      type: "subscribe",
      packetId: this.nextPacketId(),
      subscriptions,
      ...(this.version === 5 && this.random.chance(0.3) && { subscriptionId }),
    });
  }

  unsubscribe(): void {
    if (this.filters.length === 0) return;
    const filters = this.filters.splice(0, 3);
    this.send({ type: "unsubscribe", packetId: this.nextPacketId(), filters });
  }

  leave(isOrderly: boolean): void {
    if (isOrderly) this.sayGoodbye();
    else this.stream?.destroy();
    this.lost();
  }

  /** Reads nothing until its next action but one. */
  stall(): void {
    this.stream?.pause();
  }

  authenticateAgain(): void {
    if (!this.hasAuthentication) return;
    this.send({ type: "auth", reasonCode: 0x19, authenticationMethod: "soak" });
  }

  /** What ends the connection of whoever says it. */
  misbehave(): void {
    this.send(this.connectPacket());
  }

  private act(): void {
    const { random } = this;
    if (this.link === undefined) {
      this.connect();
    } else if (this.isConnected) {
      if (random.chance(0.02)) this.stream?.resume();
      let left = random.below(WEIGHTS);
      const action = ACTIONS.find(([weight]) => (left -= weight) < 0)![1];
      action(this);
    } else if (random.chance(0.02)) {
      this.stream?.resume();
    }
    const isAway = this.link === undefined;
    const pauseS = isAway ? this.awayS() : this.options.pauseS * random.exponential();
    this.timer?.again(Math.ceil(pauseS * US_PER_S));
  }

  /** Mostly shorter than sessions live, sometimes longer. */
  private awayS(): number {
    const { random } = this;
    return random.chance(0.1) ? random.between(60, 9_000) : random.between(0.1, 60);
  }

  private lost(): void {
    this.link = undefined;
    this.stream = undefined;
    this.isConnected = false;
  }

  private sayGoodbye(): void {
    const { random, version } = this;
    const isChanging = version === 5 && random.chance(0.3);
    const reasonCode = version === 5 && random.chance(0.2) ? 0x04 : 0;
    this.send({ type: "disconnect", reasonCode, ...(isChanging && { sessionExpiryS: 0 }) });
    this.link?.close();
  }

  private take(packet: Packet): void {
    if (packet.type === "connack") {
      this.isConnected = packet.reasonCode === 0;
      this.aliasMaximum = packet.topicAliasMaximum ?? 0;
      if (!packet.sessionPresent) this.filters = [];
      if (this.isConnected && !packet.sessionPresent) this.subscribe();
    } else if (packet.type === "auth") {
      if (packet.reasonCode === 0x18)
        this.send({ ...packet, type: "auth", authenticationData: Buffer.from("me") });
    } else if (packet.type === "publish") {
      this.received += 1;
      if (this.role === "ignores") return;
      if (packet.qos === 1) this.answer("puback", packet.packetId!);
      if (packet.qos === 2) this.answer("pubrec", packet.packetId!);
    } else if (packet.type === "pubrel") {
      this.answer("pubcomp", packet.packetId);
    } else if (packet.type === "pubrec" && packet.reasonCode < 0x80) {
      this.answer("pubrel", packet.packetId);
    }
  }

  private answer(type: "puback" | "pubrec" | "pubrel" | "pubcomp", packetId: number): void {
    this.send({ type, packetId, reasonCode: 0 });
  }

  private send(packet: Packet): void {
    this.link?.send(packet);
  }

  private connectPacket(): ConnectPacket {
    const { random, version } = this;
    const isVersion5 = version === 5;
    this.hasAuthentication = isVersion5 && random.chance(0.1);
    return {
      type: "connect",
      protocolVersion: version,
      clientId: this.clientId,
      cleanStart: random.chance(0.3),
      keepAliveS: 300,
      ...(isVersion5 && { receiveMaximum: 1 + random.below(30), topicAliasMaximum: random.below(20) }),
      ...(isVersion5 && random.chance(0.7) && { sessionExpiryS: random.below(7_200) }),
      ...(isVersion5 && random.chance(0.1) && { maximumPacketBytes: 200 }),
      ...(random.chance(0.5) && { will: this.will() }),
      ...(this.hasAuthentication && { authenticationMethod: "soak" }),
    };
  }

  private will(): Will {
    const { random } = this;
    return {
      topic: `place/${random.below(PLACES)}/gone`,
      payload: Buffer.alloc(random.below(300)),
      qos: random.pick(QUALITIES),
      retain: random.chance(0.3),
      ...(this.version === 5 && { delayS: random.below(3_600), messageExpiryS: 1 + random.below(600) }),
    };
  }

  private subscription(): SubscriptionRequest {
    const { random } = this;
    const place = random.below(PLACES);
    const name = random.chance(0.1) ? this.clientId : random.below(GROUPS);
    const filter = random.pick([
      `place/${place}/state`,
      `place/${place}/state`,
      `place/${place}/#`,
      `place/${place}/+`,
      `own/${this.clientId}/+/of/${place}`,
      `$share/group-${name}/place/${place}/state`,
      `$share/group-${name}/place/${place % 10}/#`,
      ...(random.chance(0.02) ? ["#", "+/+/gone", "$SYS/broker/clients/+"] : []),
    ]);
    const isShared = filter.startsWith("$share/");
    return {
      filter,
      qos: random.pick(QUALITIES),
      ...(this.version === 5 && { noLocal: !isShared && random.chance(0.1), retainAsPublished: true }),
      ...(this.version === 5 && { retainHandling: random.pick([0, 1, 2] as const) }),
    };
  }

  private nextPacketId(): number {
    this.lastPacketId = (this.lastPacketId % PACKET_IDS) + 1;
    return this.lastPacketId;
  }

  private static act(this: void, actor: SoakActor): void {
    actor.act();
  }
}
