import { REASON, type SubscriptionRequest } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient } from "./bench.js";

const aws = (protocolVersion: 4 | 5): { bench: Bench; client: TestClient } => {
  const bench = new Bench();
  return { bench, client: bench.connect("client", { protocolVersion }) };
};

/** Topics as long and as deep as AWS takes them, and one step more. */
const TOPICS = [
  { topic: "a/b/c/d/e/f/g/h", isFine: true },
  { topic: "a/b/c/d/e/f/g/h/i", isFine: false },
  { topic: "$aws/rules/R/a/b/c/d/e/f/g/h", isFine: true },
  { topic: "$aws/rules/R/a/b/c/d/e/f/g/h/i", isFine: false },
  { topic: "$aws/rules/R", isFine: true },
  { topic: "t".repeat(256), isFine: true },
  { topic: "t".repeat(257), isFine: false },
  { topic: "ä".repeat(129), isFine: false },
  { topic: "$aws/things/T/x", isFine: true },
  { topic: "$SYS/x", isFine: false },
  { topic: "a/+", isFine: false },
  { topic: "a/#", isFine: false },
  { topic: "", isFine: false },
] as const;

describe("limits of AWS: topics", () => {
  it.each(TOPICS)("publishing to $topic is fine: $isFine", ({ topic, isFine }) => {
    for (const protocolVersion of [4, 5] as const) {
      const { bench, client } = aws(protocolVersion);
      client.publish(topic, "x");
      expect(client.state).toBe(isFine ? "open" : "closed");
      expect(client.packets("puback")).toHaveLength(isFine ? 1 : 0);
      if (isFine) continue;
      expect(client.disconnectCode).toBe(protocolVersion === 5 ? REASON.topicNameInvalid : undefined);
      expect(bench.eventsOf("broker.disconnected")[0]).toMatchObject({ reason: "CLIENT_ERROR" });
    }
  });

  it.each(["a/b/c/d/e/f/g/h/+", "f".repeat(257)])("subscribing to %s ends the connection", (filter) => {
    for (const protocolVersion of [4, 5] as const) {
      const { client } = aws(protocolVersion);
      client.subscribe([filter]);
      expect(client.state).toBe("closed");
      expect(client.disconnectCode).toBe(protocolVersion === 5 ? REASON.topicFilterInvalid : undefined);
    }
  });

  it.each(["a/b#", "a/#/b", "+a", ""])("the filter %j is invalid", (filter) => {
    const five = aws(5).client;
    five.subscribe([filter, "fine"]);
    expect(five.suback.reasonCodes).toEqual([REASON.topicFilterInvalid, 1]);
    const four = aws(4).client;
    four.subscribe([filter]);
    expect(four.state).toBe("closed");
  });
});

describe("limits of AWS: sizes and counts", () => {
  it("takes 128 KB of payload and not a byte more", () => {
    const { client } = aws(5);
    client.publish("t", "", { payload: Buffer.alloc(131_072) });
    expect(client.state).toBe("open");
    client.publish("t", "", { payload: Buffer.alloc(131_073) });
    expect(client.disconnectCode).toBe(REASON.quotaExceeded);
  });

  it("ends a connection whose packet is larger than announced", () => {
    const { client } = aws(5);
    client.say({ type: "pingreq" }, 149_505);
    expect(client.disconnectCode).toBe(REASON.packetTooLarge);
  });

  it.each([
    [4, 0x80],
    [5, REASON.quotaExceeded],
  ] as const)("fails all filters of a SUBSCRIBE with nine of them (level %i)", (protocolVersion, code) => {
    const { client, bench } = aws(protocolVersion);
    client.subscribe(Array.from({ length: 9 }, (_, i) => `t/${i}`));
    expect(client.suback.reasonCodes).toEqual(Array.from({ length: 9 }, () => code));
    expect(bench.broker.statistics().subscriptions).toBe(0);
  });

  it("ends a connection that unsubscribes nine filters at once", () => {
    const { client } = aws(5);
    client.unsubscribe(...Array.from({ length: 9 }, (_, i) => `t/${i}`));
    expect(client.disconnectCode).toBe(REASON.quotaExceeded);
  });

  it.each([
    [4, 0x80],
    [5, REASON.quotaExceeded],
  ] as const)(
    "fails the 51st subscription, but replaces an existing one (level %i)",
    (protocolVersion, code) => {
      const { client } = aws(protocolVersion);
      for (let i = 0; i < 50; i += 1) client.subscribe([`t/${i}`]);
      client.subscribe(["t/50", "t/7"]);
      expect(client.suback.reasonCodes).toEqual([code, 1]);
    },
  );

  it.each(["subscribe", "unsubscribe"] as const)("needs a filter in %s [MQTT-3.8.3-2]", (type) => {
    const { client } = aws(5);
    if (type === "subscribe") client.subscribe([]);
    else client.unsubscribe();
    expect(client.disconnectCode).toBe(REASON.protocolError);
  });
});

describe("QoS 2", () => {
  const request: SubscriptionRequest = { filter: "t", qos: 2 };

  it("is never acknowledged by AWS over 3.1.1", () => {
    const { bench, client } = aws(4);
    client.clear();
    client.publish("t", "x", { qos: 2 });
    client.subscribe([request]);
    expect(client.inbox).toEqual([]);
    expect(client.state).toBe("open");
    expect(bench.broker.statistics()).toMatchObject({ received: 0, subscriptions: 0 });
  });

  it("ends an MQTT 5 connection to AWS with 0x9B", () => {
    for (const act of [
      (client: TestClient) => client.publish("t", "x", { qos: 2 }),
      (client: TestClient) => client.subscribe([request]),
    ]) {
      const { client } = aws(5);
      act(client);
      expect(client.disconnectCode).toBe(REASON.qosNotSupported);
    }
  });

  it("is granted and taken under oasis, where CONNACK names no Maximum QoS", () => {
    const bench = new Bench({ profile: "oasis" });
    for (const protocolVersion of [4, 5] as const) {
      const client = bench.connect("client", { protocolVersion });
      expect(client.connack.maximumQos).toBeUndefined();
      client.subscribe([request]);
      expect(client.suback.reasonCodes).toEqual([2]);
      client.publish("t", "x", { qos: 2, packetId: 1 });
      expect(client.packets("pubrec")).toEqual([{ type: "pubrec", packetId: 1, reasonCode: 0 }]);
    }
  });
});

describe("what is not available", () => {
  it("subscription identifiers end a connection to AWS; 0 is a protocol error everywhere", () => {
    const { client } = aws(5);
    client.subscribe(["t"], { subscriptionId: 1 });
    expect(client.disconnectCode).toBe(REASON.subscriptionIdentifiersNotSupported);
    const other = new Bench({ profile: "oasis" }).connect("client");
    other.subscribe(["t"], { subscriptionId: 0 });
    expect(other.disconnectCode).toBe(REASON.protocolError);
  });

  it("AWS has no `$` topics but `$aws/`", () => {
    const { client } = aws(5);
    client.subscribe(["$SYS/#", "$aws/events/#"]);
    expect(client.suback.reasonCodes).toEqual([REASON.topicFilterInvalid, 1]);
  });
});

describe("topic alias", () => {
  it("stands for the topic it was last sent with", () => {
    const { client } = aws(5);
    client.subscribe(["#"]);
    client.publish("a", "1", { topicAlias: 1, qos: 0 });
    client.publish("", "2", { topicAlias: 1, qos: 0 });
    client.publish("b", "3", { topicAlias: 1, qos: 0 });
    client.publish("", "4", { topicAlias: 1, qos: 0 });
    expect(client.delivered).toEqual(["a=1", "a=2", "b=3", "b=4"]);
    expect(client.publishes.every(({ topicAlias }) => topicAlias === undefined)).toBe(true);
  });

  it.each([
    ["0", "a", 0, REASON.topicAliasInvalid],
    ["beyond the maximum", "a", 9, REASON.topicAliasInvalid],
    ["that was never set", "", 3, REASON.protocolError],
  ] as const)("%s ends the connection", (_, topic, topicAlias, code) => {
    const { client } = aws(5);
    client.publish(topic, "x", { topicAlias });
    expect(client.disconnectCode).toBe(code);
  });

  it("does not outlive its connection", () => {
    const { bench, client } = aws(5);
    client.publish("a", "x", { topicAlias: 1 });
    const again = bench.connect("client", { cleanStart: false });
    again.publish("", "x", { topicAlias: 1 });
    expect(again.disconnectCode).toBe(REASON.protocolError);
  });
});
