import { connect, type Socket } from "node:net";
import { encodePacket, type Packet } from "fleetrig/protocol";

/**
 * A load generator that costs little: packets are encoded beforehand, and what comes back is only cut into
 * packets and counted. MQTT 3.1.1.
 */
const TOPIC = "bench/fan-in";
const PAYLOAD = Buffer.alloc(64, 0x78);
const PUBLISHERS = 20;
/** Packets per write. */
const BATCH = 16;
/** Messages under way at most, over all publishers: bounds every queue of the broker. */
const UNDER_WAY_MAX = 4_000;
const TYPE_PUBLISH = 3;

/** Publishes `messages` over 20 connections to one subscriber. @returns deliveries per second. */
export async function fanIn(port: number, qos: 0 | 1, messages: number): Promise<number> {
  const subscriber = await RawClient.open(port, "bench-sub");
  await subscriber.ask({ type: "subscribe", packetId: 1, subscriptions: [{ filter: TOPIC, qos }] });
  const publishers = await Promise.all(
    Array.from({ length: PUBLISHERS }, (_, index) => RawClient.open(port, `bench-pub-${index}`)),
  );
  const batch = batchOf(qos);
  let sent = 0;
  let arrived = 0;
  const startedMs = performance.now();
  const pump = (): void => {
    while (sent < messages && sent - arrived < UNDER_WAY_MAX) {
      publishers[(sent / BATCH) % PUBLISHERS]!.write(batch);
      sent += BATCH;
    }
  };
  await new Promise<void>((resolve, reject) => {
    subscriber.onPublishes = (count) => {
      arrived += count;
      if (arrived >= messages) resolve();
      else pump();
    };
    for (const client of [subscriber, ...publishers]) client.onEnd = reject;
    pump();
  });
  const seconds = (performance.now() - startedMs) / 1000;
  for (const client of [subscriber, ...publishers]) client.close();
  return arrived / seconds;
}

/** Identifiers repeat from batch to batch: to the broker each is free again once it was acknowledged. */
function batchOf(qos: 0 | 1): Buffer {
  const packets = Array.from({ length: BATCH }, (_, index) =>
    encodePacket(
      {
        type: "publish",
        topic: TOPIC,
        payload: PAYLOAD,
        qos,
        retain: false,
        dup: false,
        ...(qos === 1 && { packetId: index + 1 }),
      },
      4,
    ),
  );
  return Buffer.concat(packets);
}

class RawClient {
  onPublishes: (count: number) => void = () => undefined;
  onEnd: (error: Error) => void = () => undefined;
  private answered: () => void = () => undefined;
  private kept: Buffer = Buffer.alloc(0);

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.take(chunk));
    socket.on("error", (error) => this.onEnd(error));
    socket.on("close", () => this.onEnd(new Error("the broker closed a connection of the bench")));
  }

  static async open(port: number, clientId: string): Promise<RawClient> {
    const client = new RawClient(connect(port, "127.0.0.1"));
    await client.ask({ type: "connect", protocolVersion: 4, clientId, cleanStart: true, keepAliveS: 60 });
    return client;
  }

  /** Sends a packet and waits for whatever comes back first. */
  ask(packet: Packet): Promise<void> {
    this.write(encodePacket(packet, 4));
    return new Promise((resolve, reject) => {
      this.answered = resolve;
      this.onEnd = reject;
    });
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.onEnd = () => undefined;
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    const bytes = this.kept.length === 0 ? chunk : Buffer.concat([this.kept, chunk]);
    const acknowledgements: Buffer[] = [];
    let publishes = 0;
    let at = 0;
    for (;;) {
      const end = endOfPacket(bytes, at);
      if (end < 0) break;
      if (bytes[at]! >> 4 === TYPE_PUBLISH) {
        publishes += 1;
        const acknowledgement = acknowledgementOf(bytes, at);
        if (acknowledgement !== undefined) acknowledgements.push(acknowledgement);
      } else {
        this.answered();
      }
      at = end;
    }
    this.kept = bytes.subarray(at);
    if (acknowledgements.length > 0) this.write(Buffer.concat(acknowledgements));
    if (publishes > 0) this.onPublishes(publishes);
  }
}

/** Index after the packet that begins at `at`; -1 while it is incomplete. */
function endOfPacket(bytes: Buffer, at: number): number {
  let length = 0;
  for (let i = at + 1, shift = 0; i < bytes.length; i += 1, shift += 7) {
    length += (bytes[i]! & 0x7f) << shift;
    if ((bytes[i]! & 0x80) !== 0) continue;
    const end = i + 1 + length;
    return end <= bytes.length ? end : -1;
  }
  return -1;
}

/** The topic is known, so the identifier's place is: before it stand type, one or two length bytes and the topic. */
function acknowledgementOf(bytes: Buffer, at: number): Buffer | undefined {
  if ((bytes[at]! & 0x06) === 0) return undefined;
  const lengthBytes = (bytes[at + 1]! & 0x80) === 0 ? 1 : 2;
  const identifier = at + 1 + lengthBytes + 2 + TOPIC.length;
  return Buffer.from([0x40, 0x02, bytes[identifier]!, bytes[identifier + 1]!]);
}
