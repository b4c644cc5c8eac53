import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, type Socket } from "node:net";
import type { Connect, Message } from "./script.js";

/** The codec of the `mqtt` client: what the two brokers are compared with shares nothing with ours. */
interface ForeignCodec {
  generate(packet: object, options: { protocolVersion: number }): Buffer;
  parser(options: { protocolVersion: number }): {
    on(event: "packet", listener: (packet: ForeignPacket) => void): void;
    on(event: "error", listener: (error: Error) => void): void;
    parse(bytes: Buffer): void;
  };
}

interface ForeignPacket {
  readonly cmd: string;
  readonly messageId?: number;
  readonly topic?: string;
  readonly payload?: Buffer;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly reasonCode?: number;
  readonly returnCode?: number;
  readonly granted?: readonly number[];
  readonly sessionPresent?: boolean;
  readonly properties?: Readonly<Record<string, unknown>>;
}

const require = createRequire(import.meta.url);
const codec = createRequire(require.resolve("mqtt"))("mqtt-packet") as ForeignCodec;

/** One PUBLISH as a client got it. */
export interface Delivery {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly identifiers: readonly number[];
  readonly properties: string;
}

/** What one slot saw since somebody looked. */
export interface Observation {
  readonly deliveries: Delivery[];
  /** Answers and the end of the connection in order. */
  readonly events: string[];
  /** The same of a connection that was taken over. */
  readonly earlier: string[];
}

const nothing = (): Observation => ({ deliveries: [], events: [], earlier: [] });

/** The client of one slot: raw sockets, one connection at a time, its part of a session from one to the next. */
export class ForeignClient {
  private observation = nothing();
  private connection: Connection | undefined;
  private packetId = 0;
  private isMute = false;
  /** QoS 2 messages that were received and not released. */
  private readonly unreleased = new Set<number>();

  constructor(
    private readonly port: number,
    readonly clientId: string,
  ) {}

  get isConnected(): boolean {
    return this.connection?.isOpen === true;
  }

  /** Counts whatever comes; rest is when it stays the same. */
  get activity(): number {
    return this.connection?.received ?? 0;
  }

  take(): Observation {
    const { observation } = this;
    this.observation = nothing();
    return observation;
  }

  async connect({ version, clean, will, properties }: Connect): Promise<void> {
    const earlier = this.connection;
    const connection: Connection = await Connection.open(this.port, version, (packet) =>
      this.handle(packet, connection),
    );
    this.isMute = false;
    this.connection = connection;
    const answered = connection.next("connack");
    connection.send({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: version,
      clean,
      clientId: this.clientId,
      keepalive: 0,
      ...(will !== undefined && { will: { ...will, payload: Buffer.from(will.payload) } }),
      ...(properties !== undefined && { properties }),
    });
    await answered;
    if (earlier !== undefined) await earlier.closed;
  }

  async subscribe(filters: readonly object[], identifier?: number): Promise<void> {
    const properties = identifier === undefined ? {} : { properties: { subscriptionIdentifier: identifier } };
    await this.ask("suback", { cmd: "subscribe", subscriptions: filters, ...properties });
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    await this.ask("unsuback", { cmd: "unsubscribe", unsubscriptions: filters });
  }

  /** All at once; returns when the last was acknowledged. */
  async publish(messages: readonly Message[]): Promise<void> {
    const { connection } = this;
    if (connection === undefined || !connection.isOpen) return;
    const answers = messages.map((message) => {
      const messageId = message.qos === 0 ? undefined : this.nextPacketId();
      connection.send({
        cmd: "publish",
        ...message,
        payload: Buffer.from(message.payload),
        messageId,
        dup: false,
      });
      if (message.qos === 0) return Promise.resolve();
      return connection.next(message.qos === 1 ? "puback" : "pubcomp", messageId);
    });
    await Promise.all(answers);
  }

  async disconnect(reasonCode: number, expiryS?: number): Promise<void> {
    const { connection } = this;
    if (connection === undefined) return;
    const properties = expiryS === undefined ? {} : { properties: { sessionExpiryInterval: expiryS } };
    connection.send({ cmd: "disconnect", reasonCode, ...properties });
    connection.end();
    await connection.closed;
  }

  async drop(): Promise<void> {
    this.connection?.destroy();
    await this.connection?.closed;
  }

  mute(): void {
    this.isMute = true;
  }

  /** Everything that the server sent before it answered has come. */
  async ping(): Promise<void> {
    const { connection } = this;
    if (connection === undefined || !connection.isOpen) return;
    const answered = connection.next("pingresp");
    connection.send({ cmd: "pingreq" });
    await answered;
  }

  private async ask(answer: string, packet: object): Promise<void> {
    const { connection } = this;
    if (connection === undefined || !connection.isOpen) return;
    const messageId = this.nextPacketId();
    const answered = connection.next(answer, messageId);
    connection.send({ ...packet, messageId });
    await answered;
  }

  private nextPacketId(): number {
    this.packetId = (this.packetId % 65_535) + 1;
    return this.packetId;
  }

  private handle(packet: ForeignPacket, connection: Connection): void {
    const { observation } = this;
    const isEarlier = this.connection !== undefined && this.connection !== connection;
    const events = isEarlier ? observation.earlier : observation.events;
    const { cmd, messageId } = packet;
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    switch (cmd) {
      case "connack":
        if (packet.sessionPresent !== true) this.unreleased.clear();
        events.push(`connack ${code} ${packet.sessionPresent === true ? "with" : "without"} session`);
        return;
      case "suback":
      case "unsuback":
        events.push(`${cmd} ${(packet.granted ?? []).join(",")}`);
        return;
      case "puback":
      case "pubrec":
        if (code >= 0x80) events.push(`${cmd} ${code}`);
        else if (cmd === "pubrec") connection.send({ cmd: "pubrel", messageId });
        return;
      case "pubrel":
        this.unreleased.delete(messageId!);
        if (!this.isMute) connection.send({ cmd: "pubcomp", messageId });
        return;
      case "disconnect":
        events.push(`disconnect ${code}`);
        return;
      case "closed":
        events.push("closed");
        return;
      case "publish":
        this.handlePublish(packet, connection);
    }
  }

  private handlePublish(packet: ForeignPacket, connection: Connection): void {
    const { topic, payload, qos = 0, retain, dup, messageId, properties = {} } = packet;
    const { subscriptionIdentifier, topicAlias, messageExpiryInterval, ...others } = properties;
    const isRepeated = qos === 2 && this.unreleased.has(messageId!);
    this.observation.deliveries.push({
      topic: connection.resolve(topic!, topicAlias as number | undefined),
      payload: payload!.toString(),
      qos,
      retain: retain === true,
      dup: dup === true || isRepeated,
      identifiers: [subscriptionIdentifier ?? []].flat() as number[],
      properties: JSON.stringify({
        ...others,
        ...(messageExpiryInterval !== undefined && { expires: true }),
      }),
    });
    if (qos === 2) this.unreleased.add(messageId!);
    if (qos > 0 && !this.isMute) connection.send({ cmd: qos === 1 ? "puback" : "pubrec", messageId });
  }
}

interface Waiter {
  readonly cmd: string;
  readonly messageId: number | undefined;
  readonly resolve: () => void;
}

/** One socket, from its opening to its end. */
class Connection {
  received = 0;
  isOpen = true;
  readonly closed: Promise<void>;
  private waiters: Waiter[] = [];
  private readonly aliases = new Map<number, string>();

  private constructor(
    private readonly socket: Socket,
    private readonly version: number,
    private readonly handler: (packet: ForeignPacket) => void,
  ) {
    const parser = codec.parser({ protocolVersion: version });
    parser.on("packet", (packet) => this.take(packet));
    parser.on("error", (error) => this.take({ cmd: "disconnect", reasonCode: -1, topic: error.message }));
    socket.setNoDelay(true);
    socket.on("data", (bytes) => parser.parse(bytes));
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.isOpen = false;
        this.take({ cmd: "closed" });
        for (const waiter of this.waiters) waiter.resolve();
        resolve();
      });
    });
  }

  static async open(
    port: number,
    version: number,
    handler: (packet: ForeignPacket) => void,
  ): Promise<Connection> {
    const socket = connect({ host: "127.0.0.1", port });
    await once(socket, "connect");
    return new Connection(socket, version, handler);
  }

  send(packet: object): void {
    if (!this.isOpen) return;
    this.socket.write(codec.generate(packet, { protocolVersion: this.version }));
  }

  /** The next packet of that type, or the end of the connection. */
  next(cmd: string, messageId?: number): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ cmd, messageId, resolve }));
  }

  resolve(topic: string, alias: number | undefined): string {
    if (alias === undefined) return topic;
    if (topic !== "") this.aliases.set(alias, topic);
    return this.aliases.get(alias) ?? "unknown alias";
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private take(packet: ForeignPacket): void {
    if (packet.cmd !== "pingresp") this.received += 1;
    this.handler(packet);
    const at = this.waiters.findIndex(
      ({ cmd, messageId }) =>
        cmd === packet.cmd && (messageId === undefined || messageId === packet.messageId),
    );
    if (at >= 0) this.waiters.splice(at, 1)[0]!.resolve();
  }
}
