import type { Packet, PublishPacket } from "fleetrig/protocol";
import { SoakSocket } from "./soak-socket.js";
import { STAMP_BYTES, writeStamp } from "./stamp.js";

const PACKET_IDS = 65_535;
const LARGEST_BYTES = 300;
/** Unacknowledged at a time: what MQTT 3.1.1 clients usually dare. */
const WINDOW = 500;

interface Outgoing {
  packetId: number;
  readonly packet: PublishPacket;
}

/** Sends QoS 0 and 1 in turn and keeps what is not acknowledged for its next connection. */
export class SoakPublisher {
  /** Messages so far, by QoS. */
  readonly sent: [number, number] = [0, 0];
  private unacknowledged: Outgoing[] = [];
  private socket: SoakSocket | undefined;
  private lastPacketId = 0;
  private turn = 0;

  constructor(
    private readonly port: number,
    readonly ordinal: number,
  ) {}

  get topic(): string {
    return `soak/${this.ordinal % 10}/${this.ordinal}/data`;
  }

  get isDone(): boolean {
    return this.unacknowledged.length === 0;
  }

  get isOpen(): boolean {
    return this.socket?.isOpen === true;
  }

  /** A connection that is still there is taken over from. */
  connect(): void {
    const socket = new SoakSocket({
      port: this.port,
      clientId: `publisher-${this.ordinal}`,
      version: this.ordinal % 2 === 0 ? 5 : 4,
      sessionS: 0,
      opened: () => {
        if (this.socket === socket) this.sendAgain();
      },
      received: (packet) => this.take(packet),
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

  publish(): void {
    this.turn += 1;
    const qos = this.turn % 2 === 0 ? 0 : 1;
    // QoS 0 without a connection is lost before it begins.
    if (qos === 0 && !this.isOpen) return;
    const isImmediate = this.isOpen && this.unacknowledged.length < WINDOW;
    const payload = Buffer.allocUnsafe(STAMP_BYTES + ((this.turn * 37) % (LARGEST_BYTES - STAMP_BYTES)));
    const atMs = isImmediate ? performance.now() : -1;
    writeStamp(payload, { publisher: this.ordinal, sequence: this.sent[qos]++, atMs });
    const { topic } = this;
    const packet: PublishPacket = { type: "publish", topic, payload, qos, retain: false, dup: false };
    if (qos === 0) {
      this.socket!.send(packet);
      return;
    }
    const outgoing = { packet, packetId: 0 };
    this.unacknowledged.push(outgoing);
    if (isImmediate) this.send(outgoing);
  }

  private sendAgain(): void {
    for (const outgoing of this.unacknowledged) outgoing.packetId = 0;
    this.fillWindow();
  }

  private fillWindow(): void {
    for (const outgoing of this.unacknowledged.slice(0, WINDOW))
      if (outgoing.packetId === 0) this.send(outgoing);
  }

  private send(outgoing: Outgoing): void {
    this.lastPacketId = (this.lastPacketId % PACKET_IDS) + 1;
    outgoing.packetId = this.lastPacketId;
    // The session is new each time: for the broker it is another message, and never a repetition.
    this.socket!.send({ ...outgoing.packet, packetId: outgoing.packetId });
  }

  private take(packet: Packet): void {
    if (packet.type !== "puback") return;
    const index = this.unacknowledged.findIndex(({ packetId }) => packetId === packet.packetId);
    if (index < 0) return;
    this.unacknowledged.splice(index, 1);
    if (this.unacknowledged.length >= WINDOW) this.fillWindow();
  }
}
