import { US_PER_S } from "fleetrig/kernel";
import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";
import { HoldableClient } from "./holdable-client.js";

const persistent = { cleanStart: false, sessionExpiryS: 600 };

describe("critical memory", () => {
  it("lets nobody new in until it is over, and says so", () => {
    const bench = new Bench({ profile: "oasis" });
    const early = bench.connect("early");
    bench.broker.memoryLevel = "critical";
    bench.broker.memoryLevel = "critical";
    expect(bench.connect("late").connack.reasonCode).toBe(REASON.serverBusy);
    expect(bench.connect("old", { protocolVersion: 4 }).connack.reasonCode).toBe(REASON.serverBusy);
    early.subscribe(["t"]);
    expect(early.suback.reasonCodes).toEqual([REASON.quotaExceeded]);
    expect(early.state).toBe("open");
    expect(bench.broker.statistics()).toMatchObject({ memory: "critical", refused: 2 });
    bench.broker.memoryLevel = "normal";
    expect(bench.connect("late").connack.reasonCode).toBe(0);
    expect(bench.eventsOf("broker.memory").map(({ level }) => level)).toEqual(["critical", "normal"]);
  });

  it.each([
    { queueOverflow: "drop-oldest", kept: ["t=3", "t=4", "t=5"] },
    { queueOverflow: "drop-newest", kept: ["t=0", "t=1", "t=2"] },
  ] as const)("lets no queue grow ($queueOverflow)", ({ queueOverflow, kept }) => {
    const bench = new Bench({ limits: { resumeRate: 0, queueOverflow } });
    const client = bench.connect("client", persistent);
    const empty = bench.connect("empty", persistent);
    client.subscribe(["t"]);
    empty.subscribe(["e"]);
    for (const one of [client, empty]) one.lose();
    for (let i = 0; i < 3; i += 1) bench.broker.publish({ topic: "t", payload: String(i), qos: 1 });
    const { queuedBytes } = bench.broker.statistics();
    bench.broker.memoryLevel = "critical";
    for (let i = 3; i < 6; i += 1) bench.broker.publish({ topic: "t", payload: String(i), qos: 1 });
    bench.broker.publish({ topic: "e", payload: "x", qos: 1 });
    expect(bench.broker.statistics()).toMatchObject({ queuedBytes, dropped: 4 });
    expect(bench.broker.counters.drops.memory).toBe(4);
    bench.broker.memoryLevel = "high";
    expect(bench.connect("client", persistent).delivered).toEqual(kept);
  });

  it("takes clients for slow that are so by little, and gives QoS 0 to the others only", () => {
    const bench = new Bench();
    const client = bench.connect("client");
    client.subscribe([{ filter: "t", qos: 0 }]);
    client.bufferedBytes = 100 * 1024;
    for (const level of ["high", "critical", "normal"] as const) {
      bench.broker.memoryLevel = level;
      bench.broker.publish({ topic: "t", payload: level, qos: 0 });
    }
    expect(client.delivered).toEqual(["t=high", "t=normal"]);
  });
});

/** How evenly shares are distributed: 1 when all are equal, 1/n when one has everything. */
function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}

const PUBLISHERS = 100;
/** What the subscriber takes, and the max-min fair shares of that: 99 want one a second, one wants a thousand. */
const PER_SECOND = 110;
const fairShare = (n: number): number => (n === 0 ? PER_SECOND - (PUBLISHERS - 1) : 1);

/** @returns what each publisher got of its fair share, in the last 15 of 30 seconds. */
function crowd(bench: Bench, payload: string): number[] {
  const subscriber = bench.connect("subscriber", { receiveMaximum: 10 });
  subscriber.subscribe(["+"]);
  const publishers = Array.from({ length: PUBLISHERS }, (_, n) => HoldableClient.connect(bench, `p${n}`));
  const counts = new Map<string, number>();
  const take = (isCounted: boolean): void => {
    const at = subscriber.inbox.findIndex(({ type }) => type === "publish");
    const [packet] = at < 0 ? [] : subscriber.inbox.splice(at, 1);
    if (packet?.type !== "publish") return;
    if (isCounted) counts.set(packet.topic, (counts.get(packet.topic) ?? 0) + 1);
    subscriber.acknowledge(packet);
  };
  for (let ms = 0; ms < 30_000; ms += 1) {
    if (publishers[0]!.waiting.length < 100) publishers[0]!.publish("p0", payload, { qos: 0 });
    const n = ms % 1_000;
    if (n > 0 && n < PUBLISHERS) publishers[n]!.publish(`p${n}`, payload, { qos: 0 });
    if (Math.floor((ms * PER_SECOND) / 1_000) > Math.floor(((ms - 1) * PER_SECOND) / 1_000))
      take(ms >= 15_000);
    bench.time.advance(1_000);
  }
  return publishers.map((_, n) => (counts.get(`p${n}`) ?? 0) / (15 * fairShare(n)));
}

/** QoS 0 that goes out at once could not be slowed down by the subscriber. */
const publishedAsQos1 = (bench: Bench): void => {
  const { broker } = bench;
  const accept = broker.accept.bind(broker);
  broker.accept = (link) => {
    const receiver = accept(link);
    let packetId = 0;
    return {
      closed: (reason) => receiver.closed(reason),
      received: (packet, wireBytes) => {
        packetId = (packetId % 60_000) + 1;
        receiver.received(packet.type === "publish" ? { ...packet, qos: 1, packetId } : packet, wireBytes);
      },
    };
  };
};

describe("a publisher of a thousand times what the others send", () => {
  const bounded = { queuedMessagesPerSession: 1_000 };

  it("takes no more than its share of a slow subscriber when publishers have a bound in its queue", () => {
    const bench = new Bench({ profile: "oasis", limits: { ...bounded, queuedBytesPerPublisher: 20_000 } });
    publishedAsQos1(bench);
    expect(jainIndex(crowd(bench, "x"))).toBeGreaterThan(0.95);
    expect(bench.broker.statistics()).toMatchObject({ dropped: 0, memory: "normal" });
  });

  it("does not either when memory is high", () => {
    const bench = new Bench({ profile: "oasis", limits: bounded });
    publishedAsQos1(bench);
    bench.broker.memoryLevel = "high";
    expect(jainIndex(crowd(bench, "x".repeat(10_000)))).toBeGreaterThan(0.95);
    expect(bench.broker.statistics().dropped).toBe(0);
    bench.broker.memoryLevel = "normal";
    expect(bench.broker.statistics().heldBack).toBe(0);
  });

  it("pushes the others out of the queue when there is no bound and memory enough", () => {
    const bench = new Bench({ profile: "oasis", limits: bounded });
    publishedAsQos1(bench);
    const [, ...others] = crowd(bench, "x");
    expect(others.reduce((sum, share) => sum + share, 0) / others.length).toBeLessThan(0.2);
    expect(bench.broker.counters.brakes.credit).toBe(0);
  });
});

describe("a publisher that is held back", () => {
  const limits = { queuedBytesPerPublisher: 5_000, queuedMessagesPerSession: 1_000 };

  function toAbsentSubscriber(): { bench: Bench; publisher: HoldableClient } {
    const bench = new Bench({ profile: "oasis", limits });
    const away = bench.connect("away", persistent);
    away.subscribe(["t"]);
    away.lose();
    const publisher = HoldableClient.connect(bench, "publisher", { keepAliveS: 2 });
    for (let i = 0; i < 50; i += 1) publisher.publish("t", String(i));
    return { bench, publisher };
  }

  it("gets its turn once a second, because who does not read may be away for days", () => {
    const { bench, publisher } = toAbsentSubscriber();
    expect(publisher.isHeld).toBe(true);
    const before = bench.broker.statistics().queuedMessages;
    bench.advanceS(10);
    const gained = bench.broker.statistics().queuedMessages - before;
    expect(gained).toBeGreaterThanOrEqual(8);
    expect(gained).toBeLessThanOrEqual(12);
  });

  it("is not silent in the sense of its keep-alive", () => {
    const { bench, publisher } = toAbsentSubscriber();
    bench.time.advance(0.9 * US_PER_S);
    publisher.waiting.length = 0;
    bench.time.advance(0.05 * US_PER_S);
    expect(publisher.isHeld).toBe(true);
    expect(publisher.state).toBe("open");
  });

  it("goes on when the messages are gone, and leaves nothing behind when its link ends", () => {
    const { bench, publisher } = toAbsentSubscriber();
    const returned = bench.connect("away", persistent);
    for (const packet of returned.publishes) returned.acknowledge(packet);
    returned.autoAcknowledge = true;
    bench.time.advance(50_000);
    expect(publisher.isHeld).toBe(false);
    expect(publisher.waiting).toEqual([]);
    returned.lose();
    for (let i = 0; i < 50; i += 1) publisher.publish("t", String(i));
    expect(bench.broker.statistics().heldBack).toBe(1);
    publisher.lose();
    expect(publisher.isHeld).toBe(false);
    expect(bench.broker.statistics().heldBack).toBe(0);
  });
});
