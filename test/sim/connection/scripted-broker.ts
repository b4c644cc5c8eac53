import {
  type ConnectPacket,
  type Packet,
  type PacketAcceptor,
  type PacketLink,
  type PacketReceiver,
  PINGRESP,
  type PublishPacket,
} from "fleetrig/protocol";

export interface BrokerScript {
  /** CONNACK reason code; 0 accepts. */
  connack?: (connect: ConnectPacket) => number;
  serverKeepAliveS?: number;
  receiveMaximum?: number;
  /** Does not acknowledge publishes while true. */
  withholdsAcks?: boolean;
  /** Does not answer pings while true. */
  ignoresPings?: boolean;
  /** Forgets sessions between connections. */
  forgetsSessions?: boolean;
}

/** Speaks just enough MQTT for a device, by script, and remembers everything it was told. */
export class ScriptedBroker implements PacketAcceptor {
  readonly connects: ConnectPacket[] = [];
  readonly packets: Packet[] = [];
  readonly ends: string[] = [];
  readonly publishes: PublishPacket[] = [];
  readonly links: PacketLink[] = [];
  private readonly sessions = new Set<string>();

  constructor(readonly script: BrokerScript = {}) {}

  /** The newest link. */
  get link(): PacketLink {
    return this.links[this.links.length - 1]!;
  }

  accept(link: PacketLink): PacketReceiver {
    this.links.push(link);
    return {
      received: (packet) => this.take(link, packet),
      closed: (reason) => this.ends.push(reason),
    };
  }

  private take(link: PacketLink, packet: Packet): void {
    this.packets.push(packet);
    switch (packet.type) {
      case "connect":
        return this.onConnect(link, packet);
      case "publish":
        this.publishes.push(packet);
        if (packet.qos === 1 && this.script.withholdsAcks !== true) {
          link.send({ type: "puback", packetId: packet.packetId!, reasonCode: 0 });
        }
        return;
      case "subscribe":
        link.send({
          type: "suback",
          packetId: packet.packetId,
          reasonCodes: packet.subscriptions.map(({ qos }) => qos),
        });
        return;
      case "unsubscribe":
        link.send({ type: "unsuback", packetId: packet.packetId, reasonCodes: packet.filters.map(() => 0) });
        return;
      case "pingreq":
        if (this.script.ignoresPings !== true) link.send(PINGRESP);
        return;
      default:
        return;
    }
  }

  private onConnect(link: PacketLink, connect: ConnectPacket): void {
    this.connects.push(connect);
    const reasonCode = this.script.connack?.(connect) ?? 0;
    const { serverKeepAliveS, receiveMaximum, forgetsSessions } = this.script;
    const hasSession = !connect.cleanStart && forgetsSessions !== true && this.sessions.has(connect.clientId);
    if (reasonCode === 0) this.sessions.add(connect.clientId);
    link.send({
      type: "connack",
      sessionPresent: reasonCode === 0 && hasSession,
      reasonCode,
      ...(serverKeepAliveS === undefined ? {} : { serverKeepAliveS }),
      ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
    });
    if (reasonCode !== 0) link.close();
  }
}
