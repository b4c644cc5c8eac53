import type { LinkPeer, Packet, PacketLink, PacketReceiver, PublishPacket, QoS } from "fleetrig/protocol";
import type { ApiWorld, Json } from "./api-client.js";

export interface ClientExtras {
  readonly cleanStart?: boolean;
  readonly username?: string;
  /** What a TLS listener would know of it. */
  readonly peer?: LinkPeer;
}

/** An MQTT 5 client on a link in memory, which acknowledges what it gets. */
export interface MemoryClient {
  readonly isOpen: boolean;
  /** Everything the cloud has sent, oldest first. */
  readonly packets: readonly Packet[];
  subscribe(filter: string, qos?: QoS): void;
  publish(topic: string, payload: unknown, qos?: QoS): void;
  /** Messages since the last call. */
  take(): readonly PublishPacket[];
  /** Messages since the last call on this topic, as JSON. */
  takeJson(topic: string): readonly Json[];
  /** The network is gone. */
  lose(): void;
}

/** Bytes as they are, text as UTF-8, anything else as JSON. */
const bytesOf = (payload: unknown): Uint8Array =>
  payload instanceof Uint8Array
    ? payload
    : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));

/** Connects; whether it was let in is in `packets`. */
export function connectClient(
  { cloud }: Pick<ApiWorld, "cloud">,
  clientId: string,
  extras: ClientExtras = {},
): MemoryClient {
  const packets: Packet[] = [];
  const messages: PublishPacket[] = [];
  let isOpen = true;
  let packetId = 0;
  const link: PacketLink = {
    bufferedBytes: 0,
    remoteAddress: "127.0.0.1:50000",
    ...(extras.peer !== undefined && { peer: extras.peer }),
    send: (packet) => {
      packets.push(packet);
      if (packet.type !== "publish") return;
      messages.push(packet);
      if (packet.qos === 1) receiver.received({ type: "puback", packetId: packet.packetId! } as Packet, 4);
    },
    close: () => {
      isOpen = false;
    },
    destroy: () => {
      isOpen = false;
    },
  };
  const receiver: PacketReceiver = cloud.acceptor.accept(link);
  const { cleanStart = true, username } = extras;
  receiver.received(
    {
      type: "connect",
      clientId,
      protocolVersion: 5,
      cleanStart,
      keepAliveS: 60,
      ...(!cleanStart && { sessionExpiryS: 3600 }),
      ...(username !== undefined && { username }),
    },
    20,
  );
  const next = (): number => (packetId += 1);
  return {
    get isOpen() {
      return isOpen;
    },
    packets,
    subscribe: (filter, qos = 1) => {
      const subscription = {
        filter,
        qos,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      } as const;
      receiver.received({ type: "subscribe", packetId: next(), subscriptions: [subscription] }, 10);
    },
    publish: (topic, payload, qos = 1) => {
      const bytes = bytesOf(payload);
      const fields = { type: "publish", topic, payload: bytes, qos, retain: false, dup: false } as const;
      receiver.received(qos === 0 ? fields : { ...fields, packetId: next() }, bytes.byteLength);
    },
    take: () => messages.splice(0),
    takeJson: (topic) =>
      messages
        .splice(0)
        .filter((message) => message.topic === topic)
        .map(({ payload }) => JSON.parse(Buffer.from(payload).toString())),
    lose: () => {
      isOpen = false;
      receiver.closed("reset");
    },
  };
}
