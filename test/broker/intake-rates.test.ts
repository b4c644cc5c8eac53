import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";
import { HoldableClient } from "./holdable-client.js";

describe("publishes above the rate of a connection", () => {
  const limits = { publishRatePerConnection: 10, publishRateMode: "delay" } as const;

  it("wait under `delay`: all are acknowledged, at the rate, and none is lost", () => {
    const bench = new Bench({ profile: "oasis", limits });
    const client = HoldableClient.connect(bench, "client");
    for (let i = 0; i < 60; i += 1) client.publish("t", "x");
    expect(client.packets("puback")).toHaveLength(11);
    bench.advanceS(2);
    expect(client.packets("puback").length).toBeLessThanOrEqual(31);
    bench.advanceS(3);
    expect(client.packets("puback")).toHaveLength(60);
    expect(bench.broker.statistics()).toMatchObject({ received: 60, dropped: 0 });
    bench.advanceS(1);
    expect(bench.broker.statistics().heldBack).toBe(0);
    expect(bench.broker.counters.brakes.rate).toBeGreaterThan(0);
  });

  it("do not count what the client is sent under `delay`", () => {
    const bench = new Bench({ profile: "oasis", limits });
    const client = HoldableClient.connect(bench, "client");
    client.subscribe([{ filter: "t", qos: 0 }]);
    for (let i = 0; i < 50; i += 1) bench.broker.publish({ topic: "t", payload: "x", qos: 0 });
    expect(client.publishes).toHaveLength(50);
  });

  it("are lost under `discard`, and on a link that cannot be held back", () => {
    for (const mode of ["discard", "delay"] as const) {
      const bench = new Bench({ profile: "oasis", limits: { ...limits, publishRateMode: mode } });
      const client = mode === "delay" ? bench.connect("client") : HoldableClient.connect(bench, "client");
      for (let i = 0; i < 15; i += 1) client.publish("t", "x");
      expect(bench.broker.counters.drops["publish-rate"]).toBe(5);
    }
  });
});

describe("bytes above the rate of a connection", () => {
  const limits = { bytesPerSecondPerConnection: 1_000 };

  it("wait; the others' do not", () => {
    const bench = new Bench({ limits });
    const [fast, calm] = ["fast", "calm"].map((id) => HoldableClient.connect(bench, id));
    const say = (client: HoldableClient): void =>
      client.say(
        { type: "publish", topic: "t", payload: Buffer.alloc(0), qos: 0, retain: false, dup: false },
        500,
      );
    for (let i = 0; i < 20; i += 1) say(fast!);
    say(calm!);
    expect(bench.broker.statistics().received).toBe(4);
    expect(calm!.isHeld).toBe(false);
    bench.advanceS(4);
    expect(fast!.waiting.length).toBeGreaterThan(5);
    bench.advanceS(6);
    expect(fast!.waiting).toEqual([]);
    expect(fast!.state).toBe("open");
  });

  it("end a connection that cannot be held back, once they are ten seconds' worth", () => {
    const bench = new Bench({ limits });
    const client = bench.connect("client");
    for (let i = 0; i < 30 && client.state === "open"; i += 1) client.say({ type: "pingreq" }, 500);
    expect(client.packets("pingresp").length).toBeGreaterThan(20);
    expect(client.disconnectCode).toBe(REASON.quotaExceeded);
    expect(bench.eventsOf("broker.disconnected")).toMatchObject([{ reason: "THROTTLED" }]);
    // Nothing of it is left but the deadline of nobody.
    expect(bench.time.heap.size).toBe(0);
  });
});

describe("a client id that two clients take from each other", () => {
  it("is reported once in ten seconds, and has one connection at any time", () => {
    const bench = new Bench({ profile: "oasis" });
    let last = bench.connect("same");
    for (let i = 0; i < 2_000; i += 1) {
      const next = bench.connect("same");
      expect(last.disconnectCode).toBe(REASON.sessionTakenOver);
      expect(bench.broker.statistics()).toMatchObject({ connections: 1, sessions: 1 });
      last = next;
      bench.time.advance(5_000);
    }
    const reports = bench.eventsOf("broker.client-conflict");
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ clientId: "same", addresses: ["test:10", "test:11"] });
    bench.advanceS(1);
    for (let i = 0; i < 10; i += 1) bench.connect("same");
    expect(bench.broker.statistics().conflicts).toBe(2);
  });

  it("is not one that comes back now and then", () => {
    const bench = new Bench({ profile: "oasis" });
    for (let i = 0; i < 50; i += 1) {
      bench.connect("same");
      bench.advanceS(2);
    }
    expect(bench.broker.statistics().conflicts).toBe(0);
  });
});
