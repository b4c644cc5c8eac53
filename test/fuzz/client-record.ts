import {
  type Packet,
  PacketDecoder,
  parseSharedFilter,
  type Profile,
  type PublishPacket,
  type SubscribePacket,
  topicMatches,
} from "fleetrig/protocol";

/** Filters by client id and by subscription identifier, ever asked for: what may come at all. */
export class SubscriptionHistory {
  readonly filters = new Map<string, Set<string>>();
  readonly identifiers = new Map<string, Set<number>>();
  /** Topics that are known to be covered. */
  private readonly covered = new Map<string, Set<string>>();

  constructor(readonly profile: Profile) {}

  note(clientId: string, filters: readonly string[], identifier: number | undefined): void {
    const known = setOf(this.filters, clientId);
    for (const filter of filters) known.add(parseSharedFilter(filter)?.filter ?? filter);
    if (identifier !== undefined) setOf(this.identifiers, clientId).add(identifier);
  }

  /** The client got its name after its first subscriptions. */
  rename(from: string, to: string): void {
    for (const sets of [this.filters, this.identifiers] as Map<string, Set<unknown>>[]) {
      const known = sets.get(from);
      if (known !== undefined) sets.set(to, known);
    }
  }

  covers(clientId: string, topic: string): boolean {
    const covered = setOf(this.covered, clientId);
    if (covered.has(topic)) return true;
    for (const filter of this.filters.get(clientId) ?? []) {
      if (!topicMatches(filter, topic, this.profile)) continue;
      covered.add(topic);
      return true;
    }
    return false;
  }
}

function setOf<T>(sets: Map<string, Set<T>>, key: string): Set<T> {
  let set = sets.get(key);
  if (set === undefined) sets.set(key, (set = new Set()));
  return set;
}

/** Answers and what they answer to. */
const ANSWERS = {
  puback: "publish",
  pubrec: "publish",
  pubcomp: "pubrel",
  suback: "subscribe",
  unsuback: "unsubscribe",
} as const;
type AnswerType = keyof typeof ANSWERS;

/**
 * What one connection sent, read by a second decoder that gets every send in one piece, and what the broker answered,
 * checked against it. `complaints` is empty as long as the broker behaves.
 */
export class ClientRecord {
  readonly complaints: string[] = [];
  /** Acknowledgements that a well-behaved client would send now. */
  readonly owed: { readonly type: "puback" | "pubrec" | "pubrel" | "pubcomp"; readonly packetId: number }[] =
    [];
  isRefused = false;
  isConnected = false;
  private readonly sent: PacketDecoder;
  private received: PacketDecoder | undefined;
  private clientId = "";
  private hasConnack = false;
  private isOver = false;
  private receiveMaximum = 65_535;
  private packetBytesMax = Number.POSITIVE_INFINITY;
  private aliasMaximum = 0;
  private readonly aliases = new Map<number, string>();
  private readonly expected = new Map<string, (readonly number[] | undefined)[]>();
  private readonly inflight = new Set<number>();
  /** Acknowledged in this step, maybe before the broker sent it within the same step. */
  private acknowledged = new Set<number>();

  constructor(
    maxPacketBytes: number,
    private readonly history: SubscriptionHistory,
    private readonly unnamed: string,
  ) {
    this.sent = new PacketDecoder({ role: "server", maxPacketBytes });
  }

  /** What a step sends, before the broker gets it. */
  sends(bytes: Uint8Array): void {
    this.acknowledged = new Set();
    this.isRefused = this.sent.push(bytes, (packet) => this.noteSent(packet)) !== undefined;
  }

  /** What the broker wrote in return. */
  receives(bytes: Uint8Array): void {
    this.received ??= new PacketDecoder({
      role: "client",
      maxPacketBytes: 300_000_000,
      version: this.sent.version,
    });
    const failure = this.received.push(bytes, (packet, wireBytes) => this.noteReceived(packet, wireBytes));
    if (failure !== undefined) this.complain(`the broker sent bytes that do not decode: ${failure.message}`);
  }

  get level(): 4 | 5 {
    return this.sent.version;
  }

  private complain(what: string): void {
    this.complaints.push(what);
  }

  private noteSent(packet: Packet): void {
    switch (packet.type) {
      case "connect":
        this.clientId = packet.clientId === "" ? this.unnamed : packet.clientId;
        if (packet.protocolVersion !== 5) return;
        this.receiveMaximum = packet.receiveMaximum ?? 65_535;
        this.packetBytesMax = packet.maximumPacketBytes ?? Number.POSITIVE_INFINITY;
        this.aliasMaximum = packet.topicAliasMaximum ?? 0;
        return;
      case "publish":
        if (packet.qos > 0) this.expect(packet.qos === 1 ? "puback" : "pubrec", packet.packetId!);
        return;
      case "subscribe":
        if (this.isIgnored(packet)) return;
        this.expect(
          "suback",
          packet.packetId,
          packet.subscriptions.map(({ qos }) => qos),
        );
        this.history.note(
          this.clientId,
          packet.subscriptions.map(({ filter }) => filter),
          packet.subscriptionId,
        );
        return;
      case "unsubscribe":
        this.expect(
          "unsuback",
          packet.packetId,
          packet.filters.map(() => 0),
        );
        return;
      case "pubrel":
        this.expect("pubcomp", packet.packetId);
        return;
      case "puback":
      case "pubcomp":
        this.settle(packet.packetId);
        return;
      case "pubrec":
        if (packet.reasonCode >= 0x80) this.settle(packet.packetId);
    }
  }

  /** AWS: a 3.1.1 client that asks for QoS 2 gets no answer. */
  private isIgnored({ subscriptions }: SubscribePacket): boolean {
    const { profile } = this.history;
    return profile === "aws" && this.sent.version === 4 && subscriptions.some(({ qos }) => qos === 2);
  }

  private expect(answer: AnswerType, packetId: number, detail?: readonly number[]): void {
    const key = `${answer} ${packetId}`;
    const waiting = this.expected.get(key);
    if (waiting === undefined) this.expected.set(key, [detail]);
    else waiting.push(detail);
  }

  private settle(packetId: number): void {
    if (!this.inflight.delete(packetId)) this.acknowledged.add(packetId);
  }

  private noteReceived(packet: Packet, wireBytes: number): void {
    if (this.isOver) this.complain(`${packet.type} after the connection was over`);
    if (wireBytes > this.packetBytesMax) this.complain(`${packet.type} of ${wireBytes} bytes is too large`);
    switch (packet.type) {
      case "connack":
        if (this.hasConnack) this.complain("a second CONNACK");
        this.hasConnack = true;
        this.isConnected = packet.reasonCode === 0;
        this.isOver = !this.isConnected;
        if (packet.assignedClientId !== undefined) this.rename(packet.assignedClientId);
        return;
      case "disconnect":
        this.isOver = true;
        return;
      case "publish":
        return this.notePublish(packet);
      case "pubrel":
        // Not necessarily after its PUBLISH: that may have been on an earlier connection.
        this.owed.push({ type: "pubcomp", packetId: packet.packetId });
        return;
      case "pingresp":
      case "auth":
        return;
      default:
        this.noteAnswer(packet as Packet & { readonly type: AnswerType; readonly packetId: number });
    }
  }

  /** Subscriptions of one connection stay under one name, also when they came before the name was known. */
  private rename(assigned: string): void {
    this.history.rename(this.clientId, assigned);
    this.clientId = assigned;
  }

  private noteAnswer(packet: Packet & { readonly type: AnswerType; readonly packetId: number }): void {
    const waiting = this.expected.get(`${packet.type} ${packet.packetId}`);
    if (waiting === undefined || waiting.length === 0)
      return this.complain(`${packet.type} ${packet.packetId} answers no ${ANSWERS[packet.type]}`);
    const detail = waiting.shift();
    if (packet.type === "pubrec" && packet.reasonCode < 0x80)
      this.owed.push({ type: "pubrel", packetId: packet.packetId });
    if (packet.type !== "suback" && (packet.type !== "unsuback" || this.sent.version !== 5)) return;
    if (packet.reasonCodes.length !== detail!.length)
      this.complain(
        `${packet.type} has ${packet.reasonCodes.length} reason codes for ${detail!.length} filters`,
      );
    if (packet.type === "suback" && packet.reasonCodes.some((code, at) => code < 3 && code > detail![at]!))
      this.complain("SUBACK grants more than was asked for");
  }

  private notePublish(packet: PublishPacket): void {
    const { packetId, qos } = packet;
    if (!this.isConnected) this.complain("PUBLISH before CONNACK");
    if (qos > 0 && !this.inflight.has(packetId!)) {
      if (!this.acknowledged.delete(packetId!)) this.inflight.add(packetId!);
      if (this.inflight.size > this.receiveMaximum)
        this.complain(`${this.inflight.size} in flight, Receive Maximum is ${this.receiveMaximum}`);
    }
    if (qos === 1) this.owed.push({ type: "puback", packetId: packetId! });
    if (qos === 2) this.owed.push({ type: "pubrec", packetId: packetId! });
    const topic = this.topicOf(packet);
    if (topic === undefined) return;
    if (topic === "" || /[+#]/.test(topic)) this.complain(`PUBLISH on ${JSON.stringify(topic)}`);
    if (!this.history.covers(this.clientId, topic))
      this.complain(`${this.clientId} never subscribed to anything like ${JSON.stringify(topic)}`);
    const identifiers = this.history.identifiers.get(this.clientId);
    for (const identifier of packet.subscriptionIds ?? [])
      if (identifiers?.has(identifier) !== true)
        this.complain(`subscription identifier ${identifier} from nowhere`);
  }

  private topicOf({ topic, topicAlias }: PublishPacket): string | undefined {
    if (topicAlias === undefined) return topic;
    if (topicAlias > this.aliasMaximum) this.complain(`topic alias ${topicAlias} of ${this.aliasMaximum}`);
    if (topic !== "") this.aliases.set(topicAlias, topic);
    const known = this.aliases.get(topicAlias);
    if (known === undefined) this.complain(`topic alias ${topicAlias} was never set`);
    return known;
  }
}
