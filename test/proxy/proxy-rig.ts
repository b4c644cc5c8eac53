import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import { encodePacket, type Packet, PacketDecoder, type ProtocolVersion } from "fleetrig/protocol";
import { createFaultProxy, type FaultProxy, type FaultProxyOptions } from "fleetrig/sim";

/** One end of a connection: what it received, and how it ended. */
export class Peer {
  received = Buffer.alloc(0);
  ending: "fin" | "reset" | undefined;

  constructor(readonly socket: Socket) {
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on("end", () => {
      this.ending ??= "fin";
    });
    socket.on("error", () => {
      this.ending ??= "reset";
    });
  }

  send(packet: Packet, version: ProtocolVersion = 4): void {
    this.socket.write(encodePacket(packet, version));
  }

  /** The packets received so far. */
  packets(role: "server" | "client"): Packet[] {
    const packets: Packet[] = [];
    const decoder = new PacketDecoder({ role, maxPacketBytes: 1_000_000 });
    decoder.push(this.received, (packet) => packets.push(packet));
    return packets;
  }

  /** Payloads of the PUBLISH packets received so far, as text. */
  payloads(role: "server" | "client"): string[] {
    return this.packets(role).flatMap((packet) =>
      packet.type === "publish" ? [Buffer.from(packet.payload).toString()] : [],
    );
  }
}

/** A server that only listens: tests answer in its name. */
class Target {
  readonly peers: Peer[] = [];
  private readonly server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
    this.peers.push(new Peer(socket)),
  );

  async listen(): Promise<number> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A target, a proxy in front of it whose time stands still unless a test advances it, and clients. */
export class ProxyRig {
  readonly time = new VirtualTime();
  readonly target = new Target();
  readonly clients: Peer[] = [];
  proxy!: FaultProxy;

  async start(options: Partial<FaultProxyOptions> = {}): Promise<this> {
    const port = await this.target.listen();
    this.proxy = await createFaultProxy({
      port: 0,
      to: { host: "127.0.0.1", port },
      clock: this.time.lane(LANE.harness),
      random: createRandomSource(1),
      ...options,
    });
    return this;
  }

  /** A socket that is connected, unless it was turned away at once; nothing sent. */
  async dial(): Promise<Peer> {
    const socket = connect({ host: "127.0.0.1", port: this.proxy.port, noDelay: true, allowHalfOpen: true });
    const peer = new Peer(socket);
    this.clients.push(peer);
    await until(() => !socket.connecting);
    return peer;
  }

  /** A client whose CONNECT has reached the target, and the target's end of it. */
  async open(clientId: string): Promise<{ client: Peer; server: Peer }> {
    const before = this.target.peers.length;
    const client = await this.dial();
    client.send(connectPacket(clientId));
    await until(() => (this.target.peers[before]?.received.length ?? 0) > 0);
    return { client, server: this.target.peers[before]! };
  }

  async stop(): Promise<void> {
    for (const { socket } of this.clients) socket.destroy();
    await this.proxy?.stop();
    await this.target.stop();
  }
}

export const connectPacket = (clientId: string): Packet => ({
  type: "connect",
  protocolVersion: 4,
  clientId,
  cleanStart: true,
  keepAliveS: 60,
});

export const publish = (payload: string, topic = "t"): Packet => ({
  type: "publish",
  topic,
  payload: Buffer.from(payload),
  qos: 0,
  retain: false,
  dup: false,
});

const TURNS_MAX = 200_000;

/** Lets the event loop turn until the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > TURNS_MAX) throw new TypeError(`not within ${TURNS_MAX} turns: ${String(condition)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
