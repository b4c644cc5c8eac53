import { connect, type Socket } from "node:net";
import {
  type ConnectPacket,
  type Packet,
  type ProtocolVersion,
  SocketLink,
  type Will,
  WriteBatch,
} from "fleetrig/protocol";

export interface SoakSocketOptions {
  readonly port: number;
  readonly clientId: string;
  readonly version: ProtocolVersion;
  /** How long the session outlives a connection; 0 for a clean one. */
  readonly sessionS: number;
  readonly will?: Will;
  /** CONNACK came. */
  opened(): void;
  received(packet: Packet): void;
  /** The connection is gone, whoever ended it. */
  ended(): void;
}

const batch = new WriteBatch((task) => setImmediate(task));
const MAX_PACKET_BYTES = 1_048_576;

/** One TCP connection of a client; a client that comes back has another one. */
export class SoakSocket {
  isOpen = false;
  private readonly socket: Socket;
  private readonly link: SocketLink;
  private isOver = false;

  constructor(private readonly options: SoakSocketOptions) {
    const { port, version } = options;
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.link = new SocketLink(
      {
        role: "client",
        version,
        batch,
        maxPacketBytes: MAX_PACKET_BYTES,
        linger: (stream) => stream.destroy(),
      },
      { stream: this.socket, remoteAddress: "" },
    );
    this.link.attach({
      received: (packet) => this.take(packet),
      closed: () => this.end(),
    });
    this.link.send(this.connectPacket());
  }

  send(packet: Packet): void {
    if (!this.isOver) this.link.send(packet);
  }

  /** Reads nothing until told otherwise. */
  stall(isStalled: boolean): void {
    if (isStalled) this.socket.pause();
    else this.socket.resume();
  }

  /** Without a word. */
  cut(): void {
    this.socket.resetAndDestroy();
    this.end();
  }

  leave(): void {
    this.send({ type: "disconnect", reasonCode: 0 });
    this.link.close();
    this.end();
  }

  private take(packet: Packet): void {
    if (this.isOver) return;
    if (packet.type !== "connack") this.options.received(packet);
    else if (packet.reasonCode === 0) {
      this.isOpen = true;
      this.options.opened();
    }
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isOpen = false;
    this.options.ended();
  }

  private connectPacket(): ConnectPacket {
    const { clientId, version, sessionS, will } = this.options;
    return {
      type: "connect",
      protocolVersion: version,
      clientId,
      cleanStart: sessionS === 0,
      keepAliveS: 30,
      ...(version === 5 && sessionS > 0 && { sessionExpiryS: sessionS }),
      ...(version === 5 && { topicAliasMaximum: 10 }),
      ...(will !== undefined && { will }),
    };
  }
}
