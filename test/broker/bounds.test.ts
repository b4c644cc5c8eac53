import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";

const persistent = { cleanStart: false, sessionExpiryS: 600 };

describe("bounds of a broker", () => {
  it("sessions: a client without one is refused when there is no room, one that has one is not", () => {
    const bench = new Bench({ profile: "oasis", limits: { sessions: 2 } });
    bench.connect("a", persistent).disconnect();
    bench.connect("b", persistent);
    expect(bench.connect("c").connack.reasonCode).toBe(REASON.quotaExceeded);
    expect(bench.connect("a", persistent).connack).toMatchObject({ reasonCode: 0, sessionPresent: true });
    bench.connect("b", { cleanStart: true }).disconnect();
    expect(bench.connect("c").connack.reasonCode).toBe(0);
  });

  it("subscriptions of all sessions: one more fails, one in place of another does not", () => {
    const bench = new Bench({ profile: "oasis", limits: { subscriptions: 3 } });
    const [a, b] = [bench.connect("a"), bench.connect("b")];
    a.subscribe(["1", "2"]);
    b.subscribe(["3", "4"]);
    expect(b.suback.reasonCodes).toEqual([1, REASON.quotaExceeded]);
    a.subscribe([{ filter: "1", qos: 0 }]);
    expect(a.suback.reasonCodes).toEqual([0]);
    a.disconnect();
    b.subscribe(["4"]);
    expect(b.suback.reasonCodes).toEqual([1]);
  });

  it("retained messages of one client: what is full for one is not for another, and clearing makes room", () => {
    const bench = new Bench({ profile: "oasis", limits: { retainedMessagesPerClient: 2 } });
    const [a, b] = [bench.connect("a"), bench.connect("b")];
    for (const topic of ["1", "2", "3"]) a.publish(topic, "a", { retain: true });
    b.publish("3", "b", { retain: true });
    expect(bench.broker.statistics().retained).toBe(3);
    expect(bench.eventsOf("broker.dropped")).toMatchObject([
      { reason: "retained-full", clientId: "a", topic: "3" },
    ]);
    a.publish("1", "again", { retain: true });
    a.publish("1", "", { retain: true });
    a.publish("4", "a", { retain: true });
    b.publish("4", "b's now", { retain: true });
    a.publish("5", "a", { retain: true });
    expect(bench.broker.counters.drops["retained-full"]).toBe(1);
    for (let i = 0; i < 10; i += 1)
      bench.broker.publish({ topic: `own/${i}`, payload: "x", qos: 0, retain: true });
    expect(bench.broker.statistics().retained).toBe(14);
  });

  it.each([
    [
      "their number",
      { userPropertiesPerPacket: 2 },
      [
        ["a", "b"],
        ["c", "d"],
        ["e", "f"],
      ],
    ],
    [
      "their size",
      { userPropertyBytes: 10 },
      [
        ["name", "value"],
        ["x", "y"],
      ],
    ],
  ] as const)("user properties: %s", (_, limits, userProperties) => {
    const bench = new Bench({ profile: "oasis", limits });
    const client = bench.connect("client");
    client.publish("t", "x", { userProperties: userProperties.slice(0, -1) });
    expect(client.state).toBe("open");
    client.publish("t", "x", { userProperties });
    expect(client.disconnectCode).toBe(REASON.quotaExceeded);
    const will = { topic: "t", payload: Buffer.from("x"), qos: 0, retain: false, userProperties } as const;
    expect(bench.connect("other", { will }).connack.reasonCode).toBe(REASON.quotaExceeded);
  });

  it("publishes of QoS 2 without PUBREL, also of 3.1.1 clients, which no Receive Maximum bounds", () => {
    const bench = new Bench({ profile: "oasis", limits: { unreleasedPerSession: 5 } });
    const client = bench.connect("client", { protocolVersion: 4 });
    for (let packetId = 1; packetId <= 5; packetId += 1) client.publish("t", "x", { qos: 2, packetId });
    client.publish("t", "x", { qos: 2, packetId: 3 });
    client.say({ type: "pubrel", packetId: 1, reasonCode: 0 });
    client.publish("t", "x", { qos: 2, packetId: 6 });
    expect(client.state).toBe("open");
    client.publish("t", "x", { qos: 2, packetId: 7 });
    expect(client.state).toBe("closed");
    expect(client.packets("pubrec")).toHaveLength(7);
  });
});
