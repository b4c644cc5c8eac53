import type { Packet, PublishPacket } from "fleetrig/protocol";
import { WireClient } from "./wire-client.js";

const WINDOW = 128;
const RETAIN_EVERY = 100;

interface Outstanding {
  readonly sequence: number;
  readonly retained: boolean;
  isReleased: boolean;
}

/** One session, one connection after another. */
abstract class Reconnecting {
  protected client: WireClient | undefined;

  protected constructor(readonly name: string) {}

  connect(port: number): void {
    const client = new WireClient({
      port,
      clientId: this.name,
      received: (packet) => {
        if (client === this.client) this.take(packet);
      },
      closed: () => undefined,
    });
    this.client = client;
  }

  lose(): void {
    this.client?.end();
    this.client = undefined;
  }

  /** Of the connection that stands. */
  protected abstract take(packet: Packet): void;
}

/** Publishes without a pause, and brings again whatever was not acknowledged; its session outlives brokers. */
export class TirelessPublisher extends Reconnecting {
  /** Sequences begin with 0; this is how many there are. */
  published = 0;
  acknowledged = 0;
  retainedAcknowledged = -1;
  retainedSent = -1;
  isStopped = false;
  private readonly outstanding = new Map<number, Outstanding>();
  private lastPacketId = 0;

  constructor(
    name: string,
    readonly topic: string,
    readonly qos: 1 | 2,
  ) {
    super(name);
  }

  get isIdle(): boolean {
    return this.outstanding.size === 0;
  }

  protected take(packet: Packet): void {
    if (packet.type === "connack" && packet.reasonCode === 0) this.resume();
    else if (packet.type === "puback" || packet.type === "pubcomp") this.done(packet.packetId);
    else if (packet.type === "pubrec") {
      const one = this.outstanding.get(packet.packetId);
      if (one !== undefined) one.isReleased = true;
      this.client!.send({ type: "pubrel", packetId: packet.packetId, reasonCode: 0 });
    }
  }

  private done(packetId: number): void {
    const one = this.outstanding.get(packetId);
    if (one === undefined) return;
    this.outstanding.delete(packetId);
    this.acknowledged += 1;
    if (one.retained) this.retainedAcknowledged = one.sequence;
    this.fill();
  }

  /** In the original order [MQTT-4.4.0-1]. */
  private resume(): void {
    for (const [packetId, one] of this.outstanding)
      if (one.isReleased) this.client!.send({ type: "pubrel", packetId, reasonCode: 0 });
      else this.send(packetId, one, true);
    this.fill();
  }

  private fill(): void {
    while (!this.isStopped && this.outstanding.size < WINDOW) {
      this.lastPacketId = (this.lastPacketId % 65_535) + 1;
      const sequence = this.published;
      const one = { sequence, retained: sequence % RETAIN_EVERY === 0, isReleased: false };
      this.published += 1;
      this.outstanding.set(this.lastPacketId, one);
      this.send(this.lastPacketId, one, false);
    }
  }

  private send(packetId: number, { sequence, retained }: Outstanding, dup: boolean): void {
    if (retained) this.retainedSent = Math.max(this.retainedSent, sequence);
    const payload = Buffer.from(`${this.name}:${sequence}:${"x".repeat(40)}`);
    const { topic, qos } = this;
    this.client!.send({ type: "publish", topic, payload, qos, retain: retained, dup, packetId });
  }
}

/** Receives with a session of its own that outlives brokers, and holds every promise against what it gets. */
export class ExactingSubscriber extends Reconnecting {
  /** Next sequence expected, by publisher: everything before it has come. */
  private readonly next = new Map<string, number>();
  private readonly receivedIds = new Set<number>();
  /** Messages that nobody published, or that came twice although the quality of service rules that out. */
  phantoms = 0;
  /** Messages that came although one before them was missing. */
  gaps = 0;
  duplicates = 0;
  received = 0;
  sessionsLost = 0;
  private isKnown = false;

  constructor(
    name: string,
    readonly filter: string,
    private readonly publishers: ReadonlyMap<string, TirelessPublisher>,
  ) {
    super(name);
  }

  /** How many of this publisher's messages came, without a gap. */
  have(publisher: string): number {
    return this.next.get(publisher) ?? 0;
  }

  protected take(packet: Packet): void {
    if (packet.type === "connack") this.welcome(packet.sessionPresent);
    else if (packet.type === "suback") this.isKnown = true;
    else if (packet.type === "publish") this.takePublish(packet);
    else if (packet.type === "pubrel") {
      this.receivedIds.delete(packet.packetId);
      this.client!.send({ type: "pubcomp", packetId: packet.packetId, reasonCode: 0 });
    }
  }

  private welcome(sessionPresent: boolean): void {
    if (this.isKnown) {
      if (!sessionPresent) this.sessionsLost += 1;
      return;
    }
    this.client!.subscribe([{ filter: this.filter, qos: 2, retainHandling: 2 }]);
  }

  private takePublish(packet: PublishPacket): void {
    const isRepeated = packet.qos === 2 && this.receivedIds.has(packet.packetId!);
    if (packet.qos === 2) this.receivedIds.add(packet.packetId!);
    if (!isRepeated) this.judge(Buffer.from(packet.payload).toString(), packet.qos);
    this.client!.acknowledge(packet);
  }

  private judge(text: string, qos: number): void {
    const [name = "", digits = "", filling] = text.split(":");
    const publisher = this.publishers.get(name);
    const sequence = Number(digits);
    if (publisher === undefined || sequence >= publisher.published || filling?.length !== 40) {
      this.phantoms += 1;
      return;
    }
    this.received += 1;
    const expected = this.have(name);
    if (sequence < expected) {
      this.duplicates += 1;
      if (qos === 2) this.phantoms += 1;
    } else {
      if (sequence > expected) this.gaps += sequence - expected;
      this.next.set(name, sequence + 1);
    }
  }
}
