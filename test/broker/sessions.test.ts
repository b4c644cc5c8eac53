import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient, VARIANTS } from "./bench.js";

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `t=${from + i}`);

function publishNumbers(publisher: TestClient, from: number, to: number): void {
  for (let i = from; i < to; i += 1) publisher.publish("t", String(i));
}

describe.each(VARIANTS)("session ($profile, protocol level $protocolVersion)", (variant) => {
  const { profile, protocolVersion } = variant;
  const persistent = { protocolVersion, cleanStart: false, sessionExpiryS: 3600 };
  const open = (): Bench =>
    new Bench({ profile, limits: { resumeRate: 0, persistentSessionS: 3600, maxInflight: 100 } });

  it("keeps subscriptions and messages until it expires, 61 minutes later it is gone", () => {
    const bench = open();
    const first = bench.connect("client", persistent);
    expect(first.connack.sessionPresent).toBe(false);
    first.subscribe(["t"]);
    first.lose();
    const publisher = bench.connect("publisher", { protocolVersion });
    publishNumbers(publisher, 0, 25);
    bench.advanceS(59 * 60);
    const second = bench.connect("client", persistent);
    expect(second.connack.sessionPresent).toBe(true);
    expect(second.delivered).toEqual(numbers(0, 25));
    second.lose();
    bench.advanceS(61 * 60);
    expect(bench.eventsOf("session.expired").map(({ clientId }) => clientId)).toEqual(["client"]);
    const third = bench.connect("client", persistent);
    expect(third.connack.sessionPresent).toBe(false);
    publisher.publish("t", "unheard");
    expect(third.delivered).toEqual([]);
    expect(bench.broker.statistics()).toMatchObject({ subscriptions: 0, queuedMessages: 0, queuedBytes: 0 });
  });

  it("ends with its connection when the client wants it clean", () => {
    const bench = open();
    const client = bench.connect("client", { protocolVersion });
    client.subscribe(["t", "a/#"]);
    client.lose();
    expect(bench.broker.statistics()).toMatchObject({ sessions: 0, subscriptions: 0 });
    expect(bench.connect("client", persistent).connack.sessionPresent).toBe(false);
  });

  it("is thrown away by a clean start", () => {
    const bench = open();
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    bench.connect("publisher", { protocolVersion }).publish("t", "x");
    const again = bench.connect("client", { ...persistent, cleanStart: true });
    expect(again.connack.sessionPresent).toBe(false);
    expect(again.publishes).toEqual([]);
    expect(bench.broker.statistics()).toMatchObject({ queuedMessages: 0, subscriptions: 0 });
  });

  it("sends what was not acknowledged again, with DUP, the same ids and in order, before the backlog", () => {
    const bench = open();
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    const publisher = bench.connect("publisher", { protocolVersion });
    publishNumbers(publisher, 0, 3);
    client.acknowledge(client.publishes[1]!);
    client.lose();
    publishNumbers(publisher, 3, 5);
    const again = bench.connect("client", persistent);
    expect(again.publishes.map(({ packetId, dup }) => [packetId, dup])).toEqual([
      [1, true],
      [3, true],
      [4, false],
      [5, false],
    ]);
    expect(again.delivered).toEqual(["t=0", "t=2", "t=3", "t=4"]);
    expect(bench.broker.statistics()).toMatchObject({ delivered: 5, redelivered: 2 });
  });

  it("holds live messages back behind the backlog", () => {
    const bench = open();
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    const publisher = bench.connect("publisher", { protocolVersion });
    publishNumbers(publisher, 0, 150);
    const again = bench.connect("client", persistent);
    expect(again.publishes).toHaveLength(100);
    publishNumbers(publisher, 150, 160);
    publisher.publish("t", "160", { qos: 0 });
    const seen = new Set<number>();
    for (;;) {
      const next = again.publishes.find(({ packetId }) => packetId !== undefined && !seen.has(packetId));
      if (next === undefined) break;
      seen.add(next.packetId!);
      again.acknowledge(next);
    }
    expect(again.delivered).toEqual(numbers(0, 161));
  });

  it("moves to the newer connection, which gets what the older one had not acknowledged", () => {
    const bench = open();
    const older = bench.connect("client", persistent);
    older.subscribe(["t"]);
    bench.connect("publisher", { protocolVersion }).publish("t", "x");
    const newer = bench.connect("client", persistent);
    expect(older.state).toBe("closed");
    expect(newer.connack.sessionPresent).toBe(true);
    expect(newer.publishes).toMatchObject([{ dup: true, packetId: 1 }]);
    expect(bench.broker.statistics().connections).toBe(2);
    expect(bench.eventsOf("will.published")).toEqual([]);
  });

  it("does not keep QoS 0 messages for an absent client", () => {
    const bench = open();
    const client = bench.connect("client", persistent);
    client.subscribe([{ filter: "t", qos: 0 }]);
    client.lose();
    bench.connect("publisher", { protocolVersion }).publish("t", "x");
    expect(bench.broker.statistics().queuedMessages).toBe(0);
    expect(bench.connect("client", persistent).publishes).toEqual([]);
  });

  it("drops QoS 0 messages that waited behind a full window when the connection is lost", () => {
    const bench = new Bench({ profile, limits: { resumeRate: 0, maxInflight: 1 } });
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    const publisher = bench.connect("publisher", { protocolVersion });
    publishNumbers(publisher, 0, 2);
    publisher.publish("t", "2", { qos: 0 });
    expect(bench.broker.statistics().queuedMessages).toBe(2);
    client.lose();
    expect(bench.broker.statistics().queuedMessages).toBe(1);
    const again = bench.dial();
    again.autoAcknowledge = true;
    again.connect("client", persistent);
    expect(again.delivered).toEqual(numbers(0, 2));
    expect(bench.broker.statistics()).toMatchObject({ queuedMessages: 0, queuedBytes: 0 });
  });
});

describe("session expiry of MQTT 5", () => {
  it("is bounded and announced by AWS", () => {
    const bench = new Bench();
    expect(bench.connect("a", { sessionExpiryS: 0xff_ff_ff_ff }).connack.sessionExpiryS).toBe(604_800);
    expect(bench.connect("b", { sessionExpiryS: 100 }).connack.sessionExpiryS).toBeUndefined();
  });

  it("of 0xFFFFFFFF never comes under oasis", () => {
    const bench = new Bench({ profile: "oasis" });
    bench.connect("client", { sessionExpiryS: 0xff_ff_ff_ff }).lose();
    bench.advanceS(1e8);
    expect(bench.connect("client", { cleanStart: false }).connack.sessionPresent).toBe(true);
  });

  it("may be changed by DISCONNECT", () => {
    const bench = new Bench();
    bench.connect("longer", { sessionExpiryS: 10 }).disconnect({ sessionExpiryS: 100 });
    bench.connect("none", { sessionExpiryS: 10 }).disconnect({ sessionExpiryS: 0 });
    expect(bench.broker.statistics().sessions).toBe(1);
    bench.advanceS(99);
    expect(bench.broker.statistics().sessions).toBe(1);
    bench.advanceS(1);
    expect(bench.broker.statistics().sessions).toBe(0);
  });

  it("may not be raised from 0 by DISCONNECT", () => {
    const bench = new Bench();
    const client = bench.connect("client");
    client.disconnect({ sessionExpiryS: 100 });
    expect(client.disconnectCode).toBe(REASON.protocolError);
    expect(bench.broker.statistics().sessions).toBe(0);
  });
});

describe("session across protocol versions", () => {
  it.each([
    { profile: "aws", sessionPresent: false },
    { profile: "oasis", sessionPresent: true },
  ] as const)("is resumed: $sessionPresent ($profile)", ({ profile, sessionPresent }) => {
    const bench = new Bench({ profile });
    bench.connect("client", { protocolVersion: 4, cleanStart: false }).lose();
    const again = bench.connect("client", { protocolVersion: 5, cleanStart: false });
    expect(again.connack.sessionPresent).toBe(sessionPresent);
  });
});

describe("resume rate", () => {
  it("replays stored messages at 10 per second by default under aws, live ones behind them", () => {
    const bench = new Bench();
    const persistent = { cleanStart: false, sessionExpiryS: 600 };
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    const publisher = bench.connect("publisher");
    publishNumbers(publisher, 0, 1);
    client.lose();
    publishNumbers(publisher, 1, 25);
    const again = bench.dial();
    again.autoAcknowledge = true;
    again.connect("client", persistent);
    bench.advanceS(0.999);
    expect(again.publishes).toHaveLength(10);
    publishNumbers(publisher, 25, 30);
    bench.advanceS(1);
    expect(again.publishes).toHaveLength(20);
    bench.advanceS(2);
    expect(again.delivered).toEqual(numbers(0, 30));
    publishNumbers(publisher, 30, 35);
    expect(again.delivered).toEqual(numbers(0, 35));
  });

  it("holds for what was stored, not for what comes while it is replayed", () => {
    const bench = new Bench();
    const persistent = { cleanStart: false, sessionExpiryS: 600 };
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    const publisher = bench.connect("publisher");
    publishNumbers(publisher, 0, 20);
    const again = bench.dial();
    again.autoAcknowledge = true;
    again.connect("client", persistent);
    for (let second = 0; second < 4; second += 1) {
      publishNumbers(publisher, 20 + second * 100, 120 + second * 100);
      bench.advanceS(1);
    }
    expect(again.delivered).toEqual(numbers(0, 420));
  });

  it("stops with the connection", () => {
    const bench = new Bench();
    const persistent = { cleanStart: false, sessionExpiryS: 600 };
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    publishNumbers(bench.connect("publisher"), 0, 5);
    const again = bench.connect("client", persistent);
    again.lose();
    bench.advanceS(10);
    expect(again.delivered).toEqual(numbers(0, 1));
    expect(bench.broker.statistics().queuedMessages).toBe(4);
  });
});

describe("packet identifiers", () => {
  it("skip those in use after all of them were issued", () => {
    const bench = new Bench({ limits: { maxInflight: 3 } });
    const client = bench.connect("client");
    client.subscribe(["t"]);
    const publisher = bench.connect("publisher");
    publishNumbers(publisher, 0, 3);
    const [stuck, ...others] = client.publishes;
    others.forEach((packet) => client.acknowledge(packet));
    for (let i = 0; i < 65_532; i += 1) {
      client.clear();
      publisher.publish("t", "x");
      client.acknowledge(client.publishes[0]!);
    }
    client.clear();
    publishNumbers(publisher, 0, 2);
    expect(stuck!.packetId).toBe(1);
    expect(client.publishes.map(({ packetId }) => packetId)).toEqual([2, 3]);
  });
});

describe("message expiry [MQTT-3.3.2-5]", () => {
  const persistent = { cleanStart: false, sessionExpiryS: 600 };

  it("drops queued messages that are too old and shortens the interval of the others", () => {
    const bench = new Bench({ limits: { resumeRate: 0 } });
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    const publisher = bench.connect("publisher");
    publisher.publish("t", "short", { messageExpiryS: 5 });
    publisher.publish("t", "long", { messageExpiryS: 60 });
    bench.advanceS(6.5);
    const again = bench.connect("client", persistent);
    expect(again.delivered).toEqual(["t=long"]);
    expect(again.publishes[0]!.messageExpiryS).toBe(54);
    expect(bench.eventsOf("broker.dropped")).toMatchObject([{ clientId: "client", reason: "expired" }]);
  });

  it("passes through unchanged when nothing waited; AWS treats 0 as 1 and bounds it to a week", () => {
    const bench = new Bench();
    const client = bench.connect("client");
    client.subscribe(["t"]);
    for (const messageExpiryS of [0, 100, 700_000]) client.publish("t", "x", { messageExpiryS, qos: 0 });
    expect(client.publishes.map(({ messageExpiryS }) => messageExpiryS)).toEqual([1, 100, 604_800]);
  });
});
