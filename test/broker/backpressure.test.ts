import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";

const MIB = 1024 * 1024;
const persistent = { cleanStart: false, sessionExpiryS: 600 };

describe("a client that does not read", () => {
  it("loses QoS 0 messages while others get every one", () => {
    const bench = new Bench();
    const [frozen, healthy] = ["frozen", "healthy"].map((id) => bench.connect(id));
    for (const client of [frozen, healthy]) client!.subscribe([{ filter: "t", qos: 0 }]);
    const publisher = bench.connect("publisher");
    publisher.publish("t", "0", { qos: 0 });
    frozen!.bufferedBytes = MIB;
    for (let i = 1; i <= 100; i += 1) publisher.publish("t", String(i), { qos: 0 });
    expect(healthy!.publishes).toHaveLength(101);
    expect(frozen!.publishes).toHaveLength(1);
    expect(bench.broker.statistics().dropped).toBe(100);
    expect(bench.eventsOf("broker.dropped")[0]).toMatchObject({
      clientId: "frozen",
      reason: "slow-client",
      topic: "t",
    });
    frozen!.bufferedBytes = 0;
    publisher.publish("t", "last", { qos: 0 });
    expect(frozen!.delivered).toEqual(["t=0", "t=last"]);
  });

  it("costs no more than its bounds, a hundred times over, and nobody else anything", () => {
    const bench = new Bench({ limits: { queuedBytesPerSession: 100_000 } });
    const clients = Array.from({ length: 200 }, (_, n) => bench.connect(`c${n}`));
    for (const client of clients) client.subscribe([{ filter: "zero", qos: 0 }, "one"]);
    const frozen = clients.filter((_, n) => n % 2 === 0);
    const healthy = clients.filter((_, n) => n % 2 === 1);
    for (const client of frozen) client.bufferedBytes = MIB;
    for (const client of healthy) client.autoAcknowledge = true;
    for (let i = 0; i < 300; i += 1) {
      bench.broker.publish({ topic: "zero", payload: "x".repeat(1000), qos: 0 });
      bench.broker.publish({ topic: "one", payload: "x".repeat(1000), qos: 1 });
    }
    expect(healthy.every((client) => client.publishes.length === 600)).toBe(true);
    expect(frozen.every((client) => client.publishes.length === 0)).toBe(true);
    expect(bench.broker.statistics().queuedBytes).toBeLessThanOrEqual(100 * 100_000);
  });

  it("gets its QoS 1 messages in order once it reads again", () => {
    const bench = new Bench();
    const client = bench.connect("client");
    client.subscribe(["t"]);
    const publisher = bench.connect("publisher");
    client.bufferedBytes = MIB;
    for (let i = 0; i < 5; i += 1) publisher.publish("t", String(i));
    publisher.publish("t", "5", { qos: 0 });
    expect(client.publishes).toEqual([]);
    expect(bench.broker.statistics().queuedMessages).toBe(6);
    client.bufferedBytes = 0;
    bench.advanceS(1);
    expect(client.delivered).toEqual(["t=0", "t=1", "t=2", "t=3", "t=4", "t=5"]);
    // The two keep-alives; nothing watches the client any more.
    expect(bench.time.heap.size).toBe(2);
  });

  it("is disconnected after the write deadline; its session keeps what it has not got", () => {
    const bench = new Bench({ limits: { resumeRate: 0 } });
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.bufferedBytes = 2 * MIB;
    const publisher = bench.connect("publisher");
    publisher.publish("t", "kept");
    bench.advanceS(4);
    publisher.publish("t", "kept too");
    bench.advanceS(5);
    expect(client.state).toBe("open");
    bench.advanceS(2);
    expect(client.state).toBe("destroyed");
    expect(client.disconnectCode).toBe(REASON.quotaExceeded);
    expect(bench.connect("client", persistent).delivered).toEqual(["t=kept", "t=kept too"]);
  });

  it("is noticed also when only answers pile up", () => {
    const bench = new Bench();
    const client = bench.connect("client");
    client.bufferedBytes = MIB;
    client.say({ type: "pingreq" });
    bench.advanceS(12);
    expect(client.state).toBe("destroyed");
  });
});

describe("in-flight window", () => {
  it.each([{ receiveMaximum: 5, window: 5 }, { receiveMaximum: 500, window: 100 }, { window: 100 }])(
    "is the smaller of Receive Maximum and the limit: $window",
    ({ window, ...connect }) => {
      const bench = new Bench();
      const client = bench.connect("client", connect);
      client.subscribe(["t"]);
      for (let i = 0; i < 150; i += 1) bench.broker.publish({ topic: "t", payload: String(i), qos: 1 });
      expect(client.publishes).toHaveLength(window);
      client.acknowledge(client.publishes[0]!);
      client.say({ type: "puback", packetId: 9999, reasonCode: 0 });
      expect(client.publishes).toHaveLength(window + 1);
    },
  );

  it("limits redelivery too, when the client comes back with a smaller one", () => {
    const bench = new Bench({ limits: { resumeRate: 0 } });
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    for (let i = 0; i < 10; i += 1) bench.broker.publish({ topic: "t", payload: String(i), qos: 1 });
    client.lose();
    const again = bench.connect("client", { ...persistent, receiveMaximum: 2 });
    expect(again.delivered).toEqual(["t=0", "t=1"]);
    again.acknowledge(again.publishes[1]!);
    expect(again.delivered).toEqual(["t=0", "t=1", "t=2"]);
  });
});

describe("session queue", () => {
  it.each([
    { queueOverflow: "drop-oldest", kept: ["t=2", "t=3", "t=4"], lost: 2 },
    { queueOverflow: "drop-newest", kept: ["t=0", "t=1", "t=2"], lost: 2 },
  ] as const)("is bounded in messages ($queueOverflow)", ({ queueOverflow, kept, lost }) => {
    const bench = new Bench({ limits: { resumeRate: 0, queuedMessagesPerSession: 3, queueOverflow } });
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    for (let i = 0; i < 5; i += 1) bench.broker.publish({ topic: "t", payload: String(i), qos: 1 });
    const dropped = bench.eventsOf("broker.dropped");
    expect(dropped.map(({ reason }) => reason)).toEqual(Array.from({ length: lost }, () => "queue-full"));
    expect(bench.connect("client", persistent).delivered).toEqual(kept);
  });

  it("is bounded in bytes, properties included", () => {
    const bench = new Bench({ limits: { queuedBytesPerSession: 12_000 } });
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    const userProperties = [["k", "v".repeat(3000)]] as const;
    for (let i = 0; i < 5; i += 1) bench.broker.publish({ topic: "t", payload: "", qos: 1, userProperties });
    const { queuedMessages, queuedBytes, dropped } = bench.broker.statistics();
    expect(queuedMessages).toBe(3);
    expect(dropped).toBe(2);
    expect(queuedBytes).toBeGreaterThan(9_000 + 3 * 250);
    expect(queuedBytes).toBeLessThanOrEqual(12_000);
  });

  it("is bounded over all sessions; a session with nothing to give up loses the newest", () => {
    const bench = new Bench({ limits: { queuedBytes: 1_000 } });
    for (const id of ["a", "b"]) {
      const client = bench.connect(id, persistent);
      client.subscribe([id]);
      client.lose();
    }
    for (let i = 0; i < 10; i += 1) bench.broker.publish({ topic: "a", payload: "x", qos: 1 });
    expect(bench.broker.statistics().queuedMessages).toBe(2);
    bench.broker.publish({ topic: "b", payload: "x".repeat(500), qos: 1 });
    expect(bench.eventsOf("broker.dropped").at(-1)).toMatchObject({ clientId: "b", topic: "b" });
    bench.connect("a", { cleanStart: true });
    expect(bench.broker.statistics()).toMatchObject({ queuedMessages: 0, queuedBytes: 0 });
  });
});

describe("limits that the client or the account sets", () => {
  it("Maximum Packet Size: a larger message is dropped for that client only", () => {
    const bench = new Bench({ profile: "oasis" });
    const [small, large] = [bench.connect("small", { maximumPacketBytes: 100 }), bench.connect("large")];
    for (const client of [small, large]) client.subscribe(["t"], { subscriptionId: 7 });
    const properties = {
      contentType: "text/plain",
      responseTopic: "r",
      correlationData: Buffer.from("c"),
      payloadFormat: 1,
      messageExpiryS: 60,
      userProperties: [["k", "v"]],
    } as const;
    for (const qos of [0, 1] as const) {
      bench.connect("publisher").publish("t", "x".repeat(60), { qos, ...properties });
      bench.connect("publisher").publish("t", "x", { qos, ...properties });
    }
    expect(small.publishes.map(({ payload }) => payload.byteLength)).toEqual([1, 1]);
    expect(small.publishes[0]).toMatchObject({ ...properties, subscriptionIds: [7] });
    expect(large.publishes).toHaveLength(4);
    expect(bench.eventsOf("broker.dropped")).toMatchObject([
      { reason: "packet-too-large", clientId: "small" },
      { reason: "packet-too-large", clientId: "small" },
    ]);
  });

  it("publishes per second and connection count both directions, and the excess is discarded", () => {
    const bench = new Bench({ limits: { publishRatePerConnection: 10 } });
    const [client, old] = [bench.connect("client"), bench.connect("old", { protocolVersion: 4 })];
    for (let i = 0; i < 15; i += 1) for (const one of [client, old]) one.publish("t", "x");
    expect(client.packets("puback").map((ack) => "reasonCode" in ack && ack.reasonCode)).toEqual([
      ...Array.from({ length: 10 }, () => 0),
      ...Array.from({ length: 5 }, () => REASON.quotaExceeded),
    ]);
    expect(old.packets("puback")).toHaveLength(10);
    bench.advanceS(1);
    client.subscribe(["d"]);
    for (let i = 0; i < 15; i += 1) bench.broker.publish({ topic: "d", payload: "x", qos: 0 });
    expect(client.publishes).toHaveLength(10);
    expect(bench.eventsOf("broker.dropped").every(({ reason }) => reason === "publish-rate")).toBe(true);
  });

  it("publishes per second of the account: the excess is discarded", () => {
    const bench = new Bench({ limits: { publishRate: 3 } });
    const clients = ["a", "b"].map((id) => bench.connect(id, { protocolVersion: 4 }));
    for (let i = 0; i < 4; i += 1) for (const client of clients) client.publish("t", "x");
    expect(bench.broker.statistics()).toMatchObject({ received: 3, dropped: 5 });
  });

  it("stored messages per second: the excess is lost for clients that are away, not for those that are here", () => {
    const bench = new Bench({ limits: { storeRate: 3, maxInflight: 1 } });
    const away = bench.connect("away", persistent);
    const here = bench.connect("here");
    for (const client of [away, here]) client.subscribe(["t"]);
    away.lose();
    for (let i = 0; i < 5; i += 1) bench.broker.publish({ topic: "t", payload: "x", qos: 1 });
    expect(bench.broker.statistics()).toMatchObject({ queuedMessages: 3 + 4, dropped: 2 });
    expect(bench.eventsOf("broker.dropped")[0]).toMatchObject({ clientId: "away", reason: "store-rate" });
  });

  it("subscriptions per second: the excess fails in SUBACK", () => {
    const bench = new Bench({ limits: { subscribeRate: 2 } });
    const client = bench.connect("client");
    client.subscribe(["a", "b", "c"]);
    expect(client.suback.reasonCodes).toEqual([1, 1, REASON.quotaExceeded]);
    bench.advanceS(1);
    client.subscribe(["c"]);
    expect(client.suback.reasonCodes).toEqual([1]);
  });

  it("keeps further messages in the queue while those on their way hold too much memory", () => {
    const bench = new Bench({ profile: "oasis", limits: { inflightBytesPerSession: 10_000 } });
    const client = bench.connect("client");
    client.subscribe(["t"]);
    const publisher = bench.connect("publisher");
    for (let i = 0; i < 10; i += 1) publisher.publish("t", "x".repeat(4_000), { qos: 1 });
    expect(client.publishes).toHaveLength(3);
    expect(bench.broker.statistics().queuedMessages).toBe(7);
    for (let i = 0; i < 10; i += 1) client.acknowledge(client.publishes[i]!);
    expect(client.publishes).toHaveLength(10);
    expect(bench.broker.statistics().queuedMessages).toBe(0);
  });
});
