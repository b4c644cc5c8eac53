import type { EventEmitter } from "node:events";
import { encodePacket, type Packet, PacketDecoder } from "fleetrig/protocol";

const TOPIC = "canary/echo";

/** A client that does everything right, among those that do not: it must not notice them. */
export class Canary {
  private readonly decoder = new PacketDecoder({ role: "client", maxPacketBytes: 1 << 20, version: 4 });
  private songs = 0;

  constructor(
    private readonly stream: EventEmitter & { takeWritten(): readonly Uint8Array[] },
    private readonly takeTurns: () => void,
  ) {
    const session = { protocolVersion: 4, clientId: "canary", cleanStart: true, keepAliveS: 0 } as const;
    this.say({ type: "connect", ...session });
    this.say({ type: "subscribe", packetId: 1, subscriptions: [{ filter: TOPIC, qos: 1 }] });
    this.hear();
  }

  /** Publishes to itself. @returns what went wrong. */
  sing(): string | undefined {
    this.songs += 1;
    const payload = Buffer.from(String(this.songs));
    const packetId = 1 + (this.songs % 65_535);
    this.say({ type: "publish", topic: TOPIC, payload, qos: 1, retain: false, dup: false, packetId });
    const heard = this.hear();
    const echo = heard.find((packet) => packet.type === "publish" && payload.equals(packet.payload));
    if (echo === undefined) return `the canary's echo ${this.songs} is missing`;
    if (heard.some((packet) => packet.type === "puback" && packet.packetId === packetId)) return undefined;
    return `the canary's PUBACK ${packetId} is missing`;
  }

  leave(): void {
    this.say({ type: "disconnect", reasonCode: 0 });
    this.stream.emit("close");
    this.takeTurns();
  }

  private say(packet: Packet): void {
    this.stream.emit("data", encodePacket(packet, 4));
    this.takeTurns();
  }

  private hear(): readonly Packet[] {
    const packets: Packet[] = [];
    for (const bytes of this.stream.takeWritten()) this.decoder.push(bytes, (packet) => packets.push(packet));
    for (const packet of packets)
      if (packet.type === "publish" && packet.qos === 1)
        this.say({ type: "puback", packetId: packet.packetId!, reasonCode: 0 });
    return packets;
  }
}
