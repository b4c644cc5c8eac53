import type { MqttBroker } from "fleetrig/broker";
import type { Packet, PacketLink, PacketReceiver, PublishPacket, QoS } from "fleetrig/protocol";

/** A link on which packets wait until somebody lets them through; what waits when it breaks is lost. */
class Wire implements PacketLink {
  readonly bufferedBytes = 0;
  readonly up: Packet[] = [];
  readonly down: Packet[] = [];
  isClosed = false;
  readonly receiver: PacketReceiver;

  constructor(
    broker: MqttBroker,
    readonly remoteAddress: string,
  ) {
    this.receiver = broker.accept(this);
  }

  send(packet: Packet): void {
    if (!this.isClosed) this.down.push(packet);
  }

  close(): void {
    this.isClosed = true;
  }

  destroy(): void {
    this.isClosed = true;
  }
}

/** A publish from the moment the session owns it until its last acknowledgement. */
interface Outgoing {
  readonly packet: PublishPacket;
  isReleased: boolean;
  wasSent: boolean;
  isOnWire: boolean;
}

export interface PeerOptions {
  readonly clientId: string;
  readonly protocolVersion: 4 | 5;
  /** What this peer takes at once (MQTT 5). */
  readonly receiveMaximum: number;
  /** What the broker takes at once. */
  readonly sendMaximum: number;
}

/**
 * A client that follows the rules of all three qualities of service with a session of its own (§4.3, §4.4, §4.9):
 * the reference against which a broker is held.
 */
export class Peer {
  /** Payloads received, by topic, in order. */
  private readonly received = new Map<string, string[]>();
  /** Payloads published, by QoS; of QoS 0 those that were handed to a link. */
  readonly published: Readonly<Record<QoS, string[]>> = { 0: [], 1: [], 2: [] };
  private readonly outgoing: Outgoing[] = [];
  private readonly receivedIds = new Set<number>();
  private wire: Wire | undefined;
  private isConnected = false;
  private quota = 0;

  constructor(private readonly options: PeerOptions) {}

  /** True while the broker has ended a link that this peer did nothing wrong on. */
  get wasExpelled(): boolean {
    return this.wire?.isClosed === true;
  }

  get isIdle(): boolean {
    return this.outgoing.length === 0 && this.receivedIds.size === 0;
  }

  receivedOn(topic: string): readonly string[] {
    return this.received.get(topic) ?? [];
  }

  connect(broker: MqttBroker): void {
    this.lose();
    const { clientId, protocolVersion, receiveMaximum } = this.options;
    this.wire = new Wire(broker, clientId);
    const session = protocolVersion === 5 ? { sessionExpiryS: 3_600, receiveMaximum } : {};
    const connect = { clientId, protocolVersion, cleanStart: false, keepAliveS: 0, ...session };
    this.wire.receiver.received({ type: "connect", ...connect }, 20);
  }

  /** On `<client id>/<qos>`. */
  publish(qos: QoS): void {
    const topic = `${this.options.clientId}/${qos}`;
    const payload = String(this.published[qos].length);
    const fields = {
      type: "publish",
      topic,
      payload: Buffer.from(payload),
      qos,
      retain: false,
      dup: false,
    } as const;
    if (qos === 0) {
      if (!this.isConnected) return;
      this.published[0].push(payload);
      this.wire!.up.push(fields);
      return;
    }
    this.published[qos].push(payload);
    const packet = { ...fields, packetId: this.nextPacketId() };
    this.outgoing.push({ packet, isReleased: false, wasSent: false, isOnWire: false });
    this.pump();
  }

  /** The path is gone, and so is the broker: nobody there notices. */
  abandon(): void {
    this.wire = undefined;
    this.isConnected = false;
    for (const one of this.outgoing) one.isOnWire = false;
  }

  /** The path breaks. */
  lose(): void {
    const { wire } = this;
    this.abandon();
    if (wire !== undefined && !wire.isClosed) wire.receiver.closed("reset");
  }

  /** Lets packets through to the broker. @returns how many there were. */
  deliverUp(count: number): number {
    const packets = this.wire?.up.splice(0, count) ?? [];
    for (const packet of packets) this.wire?.receiver.received(packet, 2);
    return packets.length;
  }

  /** Lets packets through to this peer. @returns how many there were. */
  deliverDown(count: number): number {
    const packets = this.wire?.down.splice(0, count) ?? [];
    for (const packet of packets) this.take(packet);
    return packets.length;
  }

  private take(packet: Packet): void {
    if (packet.type === "connack") {
      this.isConnected = true;
      this.quota = this.options.sendMaximum;
      this.pump();
    } else if (packet.type === "publish") {
      this.takePublish(packet);
    } else if (packet.type === "puback" || packet.type === "pubcomp") {
      const index = this.outgoing.findIndex((one) => one.packet.packetId === packet.packetId);
      if (index >= 0) this.outgoing.splice(index, 1);
      this.quota = Math.min(this.options.sendMaximum, this.quota + 1);
      this.pump();
    } else if (packet.type === "pubrec") {
      const one = this.outgoing.find(({ packet: { packetId } }) => packetId === packet.packetId);
      if (one !== undefined) one.isReleased = true;
      this.answer("pubrel", packet.packetId);
    } else if (packet.type === "pubrel") {
      this.receivedIds.delete(packet.packetId);
      this.answer("pubcomp", packet.packetId);
    }
  }

  private takePublish({ topic, packetId, qos, payload }: PublishPacket): void {
    const isRepeated = qos === 2 && this.receivedIds.has(packetId!);
    if (!isRepeated) this.received.set(topic, [...this.receivedOn(topic), Buffer.from(payload).toString()]);
    if (qos === 1) this.answer("puback", packetId!);
    if (qos !== 2) return;
    this.receivedIds.add(packetId!);
    this.answer("pubrec", packetId!);
  }

  private answer(type: "puback" | "pubrec" | "pubrel" | "pubcomp", packetId: number): void {
    this.wire!.up.push({ type, packetId, reasonCode: 0 });
  }

  /** In the original order [MQTT-4.4.0-1, 4.6.0-1], as much as the broker takes. */
  private pump(): void {
    if (!this.isConnected) return;
    for (const one of this.outgoing) {
      if (one.isOnWire) continue;
      if (one.isReleased) this.answer("pubrel", one.packet.packetId!);
      else if (this.quota === 0) return;
      else {
        this.quota -= 1;
        this.wire!.up.push({ ...one.packet, dup: one.wasSent });
        one.wasSent = true;
      }
      one.isOnWire = true;
    }
  }

  /** The lowest that is free: identifiers are used again as soon as the rules allow. */
  private nextPacketId(): number {
    const taken = new Set(this.outgoing.map(({ packet }) => packet.packetId));
    let packetId = 1;
    while (taken.has(packetId)) packetId += 1;
    return packetId;
  }
}
