import { LANE, VirtualTime } from "fleetrig/kernel";
import type { ConnackPacket, Packet, PacketReceiver } from "fleetrig/protocol";
import { MqttClient, type MqttPlan } from "fleetrig/sim";
import { ProbeLog } from "../connection/probe-log.js";

export const SECOND = 1_000_000;

type PacketOf<T extends Packet["type"]> = Extract<Packet, { type: T }>;

/** A client on a link that the test holds the other end of: packets go and come in the call itself. */
export class ClientBench {
  readonly time = new VirtualTime();
  readonly probe = new ProbeLog();
  readonly calls: string[] = [];
  readonly client: MqttClient;
  /** Packets of the newest link. */
  sent: Packet[] = [];
  linkEnd: "closed" | "destroyed" | undefined;
  receiver!: PacketReceiver;
  private sequence = 0;

  constructor(options: { readonly mqtt?: Partial<MqttPlan> } = {}) {
    this.client = new MqttClient({
      clock: this.time.lane(LANE.firstDevice),
      probe: this.probe,
      run: "test",
      thing: { name: "thing-0", ordinal: 0 },
      mqtt: {
        protocolVersion: 5,
        keepAliveS: 30,
        cleanStart: false,
        sessionExpiryS: 3_600,
        receiveMaximum: 100,
        will: undefined,
        ...options.mqtt,
      },
      handlers: {
        connected: () => this.calls.push("connected"),
        refused: (reason) => this.calls.push(`refused ${reason}`),
        lost: (reason) => this.calls.push(`lost ${reason}`),
        message: ({ topic, dup }) => this.calls.push(dup ? `message ${topic} dup` : `message ${topic}`),
        subscribed: (filter, reasonCode) => this.calls.push(`subscribed ${filter} ${reasonCode}`),
      },
    });
  }

  open(): void {
    this.sent = [];
    this.linkEnd = undefined;
    this.receiver = this.client.open({
      send: (packet) => this.sent.push(packet),
      close: () => {
        this.linkEnd = "closed";
      },
      destroy: () => {
        this.linkEnd = "destroyed";
      },
      bufferedBytes: 0,
      remoteAddress: "test",
    });
  }

  connect(connack: Partial<ConnackPacket> = {}): this {
    this.open();
    this.receive({ type: "connack", sessionPresent: false, reasonCode: 0, ...connack });
    return this;
  }

  lose(): void {
    this.receiver.closed("reset");
  }

  receive(packet: Packet): void {
    this.receiver.received(packet, 0);
  }

  publish(qos: 0 | 1, payloadBytes: number = 0): void {
    const sequence = this.sequence++;
    this.client.publish({
      topic: `d/${sequence}`,
      payload: new Uint8Array(payloadBytes),
      qos,
      retain: false,
      trace: { stream: 0, sequence, scheduledUs: this.time.nowUs() },
    });
  }

  sentOf<T extends Packet["type"]>(type: T): PacketOf<T>[] {
    return this.sent.filter((packet): packet is PacketOf<T> => packet.type === type);
  }

  last<T extends Packet["type"]>(type: T): PacketOf<T> {
    return this.sentOf(type).at(-1)!;
  }

  /** Filters asked for on the newest link. */
  filters(): string[] {
    return this.sentOf("subscribe").flatMap(({ subscriptions }) => subscriptions.map(({ filter }) => filter));
  }
}
