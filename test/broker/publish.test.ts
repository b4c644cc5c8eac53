import { describe, expect, it } from "vitest";
import { Bench, VARIANTS } from "./bench.js";

describe.each(VARIANTS)("publish and subscribe ($profile, protocol level $protocolVersion)", (variant) => {
  const { profile, protocolVersion } = variant;

  it("delivers with the lower of both QoS and acknowledges the publisher", () => {
    const bench = new Bench({ profile });
    const [exact, wild, other] = ["exact", "wild", "other"].map((id) =>
      bench.connect(id, { protocolVersion }),
    );
    exact!.subscribe(["a/b"]);
    wild!.subscribe([{ filter: "a/+", qos: 0 }]);
    other!.subscribe(["b/#"]);
    const publisher = bench.connect("publisher", { protocolVersion });
    publisher.publish("a/b", "1");
    publisher.publish("a/b", "2", { qos: 0 });
    expect(exact!.publishes.map(({ qos, packetId, dup }) => ({ qos, packetId, dup }))).toEqual([
      { qos: 1, packetId: 1, dup: false },
      { qos: 0, packetId: undefined, dup: false },
    ]);
    expect(wild!.publishes.map(({ qos }) => qos)).toEqual([0, 0]);
    expect(wild!.delivered).toEqual(["a/b=1", "a/b=2"]);
    expect(other!.publishes).toEqual([]);
    expect(publisher.packets("puback")).toEqual([{ type: "puback", packetId: 1, reasonCode: 0 }]);
  });

  it("stops delivering after UNSUBSCRIBE", () => {
    const bench = new Bench({ profile });
    const client = bench.connect("client", { protocolVersion });
    client.subscribe(["a", "b/+"]);
    client.unsubscribe("a", "b/+", "c");
    client.publish("a", "x");
    client.publish("b/c", "x");
    expect(client.publishes).toEqual([]);
    const reasonCodes = protocolVersion === 5 ? [0x00, 0x00, 0x11] : [];
    expect(client.packets("unsuback")).toEqual([{ type: "unsuback", packetId: 2, reasonCodes }]);
    expect(bench.broker.statistics().subscriptions).toBe(0);
  });

  it("queues for an absent persistent session and delivers in order on resume", () => {
    const bench = new Bench({ profile, limits: { resumeRate: 0 } });
    const persistent = { protocolVersion, cleanStart: false, sessionExpiryS: 600 };
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    const publisher = bench.connect("publisher", { protocolVersion });
    for (let i = 0; i < 250; i += 1) publisher.publish("t", String(i));
    expect(bench.broker.statistics().queuedMessages).toBe(250);
    const again = bench.dial();
    again.autoAcknowledge = true;
    again.connect("client", persistent);
    expect(again.connack.sessionPresent).toBe(true);
    expect(again.delivered).toEqual(Array.from({ length: 250 }, (_, i) => `t=${i}`));
    expect(bench.broker.statistics()).toMatchObject({ queuedMessages: 0, queuedBytes: 0 });
  });

  it("sends retained messages to new subscribers with RETAIN and live copies without", () => {
    const bench = new Bench({ profile });
    const early = bench.connect("early", { protocolVersion });
    early.subscribe(["s/1"]);
    const publisher = bench.connect("publisher", { protocolVersion });
    publisher.publish("s/1", "v", { retain: true });
    const late = bench.connect("late", { protocolVersion });
    late.subscribe(["s/1"]);
    expect(early.publishes[0]!.retain).toBe(false);
    expect(late.publishes[0]!.retain).toBe(true);
    publisher.publish("s/1", "", { retain: true });
    expect(bench.broker.statistics().retained).toBe(0);
  });
});
