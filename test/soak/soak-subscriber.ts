import type { Packet, PublishPacket } from "fleetrig/protocol";
import { SoakSocket } from "./soak-socket.js";
import { readStamp } from "./stamp.js";

/** What has reached the subscribers. */
export class Tally {
  readonly received: [number, number] = [0, 0];
  /** QoS 1 messages that never came although later ones of their publisher did. */
  lost = 0;
  repeated = 0;
  /** Times on the way, in ms, counted in steps of a tenth. */
  private readonly latencies = new Uint32Array(600_000);
  private latencyCount = 0;

  latency(ms: number): void {
    const step = Math.min(this.latencies.length - 1, Math.max(0, Math.floor(ms * 10)));
    this.latencies[step]! += 1;
    this.latencyCount += 1;
  }

  /** In ms. */
  quantile(fraction: number): number {
    let left = this.latencyCount * fraction;
    for (let step = 0; step < this.latencies.length; step += 1) {
      left -= this.latencies[step]!;
      if (left <= 0) return (step + 1) / 10;
    }
    return this.latencies.length / 10;
  }
}

export interface SoakSubscriberOptions {
  readonly port: number;
  readonly ordinal: number;
  readonly filters: readonly string[];
  /** Its session outlives its connections, and it counts what comes. */
  readonly tally: Tally | undefined;
}

const SESSION_S = 120;

/** Takes what comes and acknowledges it. */
export class SoakSubscriber {
  isReady = false;
  private socket: SoakSocket | undefined;
  private readonly expected = new Map<number, number>();
  private connectedAtMs = 0;
  private lastPacketId = 0;

  constructor(private readonly options: SoakSubscriberOptions) {}

  /** How many QoS 1 messages of this publisher have come. */
  receivedOf(publisher: number): number {
    return this.expected.get(publisher) ?? 0;
  }

  get isOpen(): boolean {
    return this.socket?.isOpen === true;
  }

  connect(): void {
    const { port, ordinal, tally, filters } = this.options;
    const socket = new SoakSocket({
      port,
      clientId: `subscriber-${ordinal}`,
      version: ordinal % 3 === 0 ? 4 : 5,
      sessionS: tally === undefined ? 0 : SESSION_S,
      opened: () => {
        if (this.socket !== socket) return;
        this.connectedAtMs = performance.now();
        if (!this.isReady || tally === undefined) this.subscribe(filters);
      },
      received: (packet) => this.take(socket, packet),
      ended: () => undefined,
    });
    this.socket = socket;
  }

  cut(): void {
    this.socket?.cut();
  }

  leave(): void {
    this.socket?.leave();
  }

  stall(isStalled: boolean): void {
    this.socket?.stall(isStalled);
  }

  subscribe(filters: readonly string[]): void {
    const subscriptions = filters.map((filter) => ({ filter, qos: 1 as const }));
    this.socket?.send({ type: "subscribe", packetId: this.nextPacketId(), subscriptions });
  }

  unsubscribe(filters: readonly string[]): void {
    this.socket?.send({ type: "unsubscribe", packetId: this.nextPacketId(), filters });
  }

  private take(socket: SoakSocket, packet: Packet): void {
    if (packet.type === "suback") this.isReady = true;
    if (packet.type !== "publish") return;
    const { packetId, qos } = packet;
    if (qos === 1) socket.send({ type: "puback", packetId: packetId!, reasonCode: 0 });
    const { tally } = this.options;
    if (tally !== undefined && packet.payload.length >= 16) this.count(tally, packet);
  }

  private count(tally: Tally, { payload, qos }: PublishPacket): void {
    const { publisher, sequence, atMs } = readStamp(payload);
    if (atMs > this.connectedAtMs) tally.latency(performance.now() - atMs);
    if (qos === 0) {
      tally.received[0] += 1;
      return;
    }
    const expected = this.receivedOf(publisher);
    if (sequence < expected) {
      tally.repeated += 1;
      return;
    }
    tally.lost += sequence - expected;
    tally.received[1] += 1;
    this.expected.set(publisher, sequence + 1);
  }

  private nextPacketId(): number {
    this.lastPacketId = (this.lastPacketId % 60_000) + 1;
    return this.lastPacketId;
  }
}
