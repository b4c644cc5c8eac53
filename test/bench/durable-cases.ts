import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createBroker, DurableJournal, MqttBroker, openStore } from "fleetrig/broker";
import { createRandomSource, LANE, RealTime, silentSink } from "fleetrig/kernel";
import type { Packet, PacketLink } from "fleetrig/protocol";
import { killNine } from "../durable/kill-nine.js";
import { WireClient } from "../durable/wire-client.js";
import type { BenchCase, Figure } from "./bench-case.js";
import { type RunningBroker, startFleetrig } from "./brokers.js";

const ROUNDS = 5;
const UNBOUNDED = [
  "queuedMessagesPerSession=100000000",
  "queuedBytesPerSession=8000000000",
  "queuedBytes=8000000000",
  "receiveMaximum=1000",
];
const PUBLISHERS = 50;
const SPREAD = 1_000;
const topicOf = (number: number): string => `ingest/${number}`;
const WINDOW = 100;
const WARM_MS = 500;
const INGEST_MS = 2_000;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const inDirectory = async <T>(use: (directory: string) => Promise<T>): Promise<T> => {
  const directory = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
  try {
    return await use(directory);
  } finally {
    // The broker may still be ending.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
};

/** A session that is away and wants this: each such message has to be stored for it. */
const leaveSession = (port: number, filter: string): Promise<void> =>
  new Promise((resolve) => {
    const client = new WireClient({
      port,
      clientId: `away-${filter}`,
      received: (packet) => {
        if (packet.type === "connack") client.subscribe([{ filter, qos: 1 }]);
        if (packet.type !== "suback") return;
        client.end();
        resolve();
      },
      closed: () => undefined,
    });
  });

/** Times of single publishes, from sending to PUBACK, in ms. */
const singlePublishes = ({ port }: RunningBroker, count: number): Promise<number[]> =>
  new Promise((resolve) => {
    const times: number[] = [];
    let sentAt = 0;
    const publish = (): void => {
      sentAt = performance.now();
      const payload = Buffer.alloc(64, times.length);
      client.send({ type: "publish", topic: "one", payload, qos: 1, retain: false, dup: false, packetId: 1 });
    };
    const client = new WireClient({
      port,
      clientId: "single",
      connect: { sessionExpiryS: 0 },
      received: (packet) => {
        if (packet.type === "puback") times.push(performance.now() - sentAt);
        if (times.length < count) publish();
        else {
          client.end();
          resolve(times);
        }
      },
      closed: () => undefined,
    });
  });

/** A subscriber that is there, with a session, and acknowledges what it gets. */
const attend = (port: number, filter: string): Promise<WireClient> =>
  new Promise((resolve) => {
    const client: WireClient = new WireClient({
      port,
      clientId: `there-${filter}`,
      received: (packet) => {
        if (packet.type === "connack") client.subscribe([{ filter, qos: 1 }]);
        if (packet.type === "publish") client.acknowledge(packet);
        if (packet.type === "suback") resolve(client);
      },
      closed: () => undefined,
    });
  });

/** Acknowledgements per second of publishers that keep their windows full, each with the topics that are its. */
async function acknowledgedPerSecond({ port }: RunningBroker, topics: number): Promise<number> {
  let acknowledged = 0;
  const payload = Buffer.alloc(64, 1);
  const clients = Array.from({ length: PUBLISHERS }, (_, i) => {
    let lastPacketId = 0;
    let turn = i;
    const publish = (): void => {
      lastPacketId = (lastPacketId % 65_535) + 1;
      turn = (turn + PUBLISHERS) % topics;
      const topic = topicOf(turn);
      client.send({
        type: "publish",
        topic,
        payload,
        qos: 1,
        retain: false,
        dup: false,
        packetId: lastPacketId,
      });
    };
    const client: WireClient = new WireClient({
      port,
      clientId: `publisher-${i}`,
      connect: { sessionExpiryS: 0 },
      received: (packet) => {
        if (packet.type === "connack") for (let n = 0; n < WINDOW; n += 1) publish();
        if (packet.type !== "puback") return;
        // Anything else than success, "no matching subscribers" included, would mean that nothing was stored.
        if (packet.reasonCode !== 0) throw new Error(`${topicOf(turn)}: PUBACK ${packet.reasonCode}`);
        acknowledged += 1;
        publish();
      },
      closed: () => undefined,
    });
    return client;
  });
  await sleep(WARM_MS);
  const before = acknowledged;
  const startedAt = performance.now();
  await sleep(INGEST_MS);
  const perSecond = ((acknowledged - before) / (performance.now() - startedAt)) * 1_000;
  for (const client of clients) client.end();
  return perSecond;
}

/** Acknowledgements per second by rounds, each with a broker of its own that `prepare` gets ready. */
async function rounds(
  topics: number,
  prepare: (broker: RunningBroker) => Promise<unknown>,
): Promise<number[]> {
  const acknowledged: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    await inDirectory(async (directory) => {
      const broker = await startFleetrig([...UNBOUNDED, `data=${directory}`]);
      try {
        await prepare(broker);
        acknowledged.push(await acknowledgedPerSecond(broker, topics));
      } finally {
        broker.stop();
      }
    });
  return acknowledged;
}

const each = (count: number, start: (topic: string) => Promise<unknown>): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, i) => start(topicOf(i))));

async function ingest(): Promise<Figure[]> {
  const p50: number[] = [];
  const p99: number[] = [];
  const acknowledged = await rounds(PUBLISHERS, async (broker) => {
    await leaveSession(broker.port, "#");
    const times = (await singlePublishes(broker, 1_000)).toSorted((a, b) => a - b);
    p50.push(times[500]!);
    p99.push(times[990]!);
  });
  const spread = await rounds(SPREAD, ({ port }) => each(SPREAD, (topic) => leaveSession(port, topic)));
  const attended = await rounds(PUBLISHERS, ({ port }) => each(PUBLISHERS, (topic) => attend(port, topic)));
  return [
    { name: "acknowledged, on disk", value: median(acknowledged), unit: "/s", least: 40_000 },
    { name: "the same, each for one of 1,000 absent sessions", value: median(spread), unit: "/s" },
    { name: "the same, each for one of 50 that acknowledge", value: median(attended), unit: "/s" },
    { name: "one publisher: PUBACK p50", value: median(p50), unit: "ms", most: 2 },
    { name: "one publisher: PUBACK p99", value: median(p99), unit: "ms" },
  ];
}

const SESSIONS = 100_000;
const MESSAGES = 10;
const RESTART_FILTERS = 2;

/** A link on which a client says what it has to say, and nobody listens to the answers. */
class MuteLink implements PacketLink {
  readonly bufferedBytes = 0;
  readonly remoteAddress = "bench";
  send(_packet: Packet): void {}
  close(): void {}
  destroy(): void {}
}

/** Fills a data directory through the engine, without sockets. */
async function fill(directory: string): Promise<void> {
  const time = new RealTime();
  const clock = time.lane(LANE.broker);
  const { store } = await openStore({ directory, durability: "os" });
  const journal = new DurableJournal({ store, clock, schedule: (task) => void setImmediate(task) });
  const random = createRandomSource(1).stream("bench");
  const limits = { queuedBytes: 2 ** 33 };
  const broker = new MqttBroker({ clock, random, events: silentSink, profile: "oasis", limits, journal });
  await journal.recover(broker.restoration());
  for (let i = 0; i < SESSIONS; i += 1) {
    const receiver = broker.accept(new MuteLink());
    const clientId = `device-${i}`;
    receiver.received(
      { type: "connect", protocolVersion: 4, clientId, cleanStart: false, keepAliveS: 0 },
      20,
    );
    for (let filter = 0; filter < RESTART_FILTERS; filter += 1) {
      const subscriptions = [{ filter: `fleet/${i}/${filter}`, qos: 1 } as const];
      receiver.received({ type: "subscribe", packetId: filter + 1, subscriptions }, 20);
    }
    receiver.received({ type: "disconnect", reasonCode: 0 }, 2);
    if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (let n = 0; n < MESSAGES; n += 1)
    for (let i = 0; i < SESSIONS; i += 1) {
      const payload = Buffer.alloc(64, i + n);
      broker.publish({ topic: `fleet/${i}/0`, payload, qos: 1 });
      if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  broker.shutdown();
  await journal.close();
  time.stop();
}

async function restart(): Promise<Figure[]> {
  return inDirectory(async (directory) => {
    await fill(directory);
    globalThis.gc?.();
    const started = performance.now();
    const broker = await createBroker({
      dataDir: directory,
      limits: { queuedBytes: 2 ** 33 },
      listen: ["mqtt://127.0.0.1:0"],
    });
    const seconds = (performance.now() - started) / 1_000;
    const { sessions, queuedMessages, subscriptions } = broker.statistics();
    await broker.stop();
    return [
      { name: "until it listens", value: seconds, unit: "s", most: 15 },
      { name: "sessions", value: sessions, unit: "", least: SESSIONS },
      { name: "subscriptions", value: subscriptions, unit: "", least: SESSIONS * RESTART_FILTERS },
      { name: "queued messages", value: queuedMessages, unit: "", least: SESSIONS * MESSAGES },
    ];
  });
}

async function kills(): Promise<Figure[]> {
  const report = await killNine({ kills: 1_000, seed: 7 });
  return [
    { name: "kills", value: report.kills, unit: "" },
    { name: "acknowledged", value: report.acknowledged, unit: "", least: 1_000_000 },
    { name: "lost", value: report.lost, unit: "", most: 0 },
    { name: "phantoms", value: report.phantoms, unit: "", most: 0 },
    { name: "sessions lost", value: report.sessionsLost, unit: "", most: 0 },
    { name: "retained messages wrong", value: report.retainedWrong, unit: "", most: 0 },
  ];
}

/** What durability costs, and whether it is any. */
export const DURABLE_CASES: readonly BenchCase[] = [
  {
    name: "durable-ingest",
    description: "QoS 1 for a session that is away, each message on disk before its PUBACK",
    run: ingest,
  },
  {
    name: "durable-restart",
    description: "start with 100,000 sessions and 1,000,000 queued messages",
    run: restart,
  },
  {
    name: "kill-nine",
    description: "1,000 times kill -9 in the middle of the work, clients that check every promise",
    isLong: true,
    run: kills,
  },
];
