import { connect, type Socket } from "node:net";
import {
  type ConnectPacket,
  type Packet,
  type PublishPacket,
  SocketLink,
  type SubscriptionRequest,
  WriteBatch,
} from "fleetrig/protocol";

export interface WireClientOptions {
  readonly port: number;
  readonly clientId: string;
  readonly connect?: Partial<ConnectPacket>;
  readonly received: (packet: Packet) => void;
  readonly closed: () => void;
}

/** One connection of an MQTT 5 client that says what it is told to: sessions are the caller's business. */
export class WireClient {
  private static readonly batch = new WriteBatch((task) => setImmediate(task));
  private readonly socket: Socket;
  private readonly link: SocketLink;

  constructor({ port, clientId, connect: extra, received, closed }: WireClientOptions) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket.on("error", () => undefined);
    this.link = new SocketLink(
      {
        role: "client",
        batch: WireClient.batch,
        maxPacketBytes: 1_048_576,
        version: 5,
        linger: () => undefined,
      },
      { stream: this.socket, remoteAddress: "broker" },
    );
    this.link.attach({ received, closed });
    const defaults = { protocolVersion: 5, cleanStart: false, keepAliveS: 0, sessionExpiryS: 100_000 };
    this.link.send({ type: "connect", clientId, ...defaults, ...extra });
  }

  send(packet: Packet): void {
    this.link.send(packet);
  }

  subscribe(subscriptions: readonly SubscriptionRequest[]): void {
    this.link.send({ type: "subscribe", packetId: 1, subscriptions });
  }

  /** Takes part in the handing over of a message, as its receiver. */
  acknowledge({ qos, packetId }: PublishPacket): void {
    if (qos === 1) this.send({ type: "puback", packetId: packetId!, reasonCode: 0 });
    if (qos === 2) this.send({ type: "pubrec", packetId: packetId!, reasonCode: 0 });
  }

  end(): void {
    this.socket.destroy();
  }
}
