import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient, VARIANTS } from "./bench.js";

const WILL = { topic: "gone/client", payload: Buffer.from("bye"), qos: 1, retain: false } as const;

interface Case {
  readonly name: string;
  readonly end: (client: TestClient, bench: Bench) => void;
  readonly reason: string;
  readonly hasWill: boolean;
  readonly code?: number;
}

const CASES: readonly Case[] = [
  { name: "DISCONNECT", end: (c) => c.disconnect(), reason: "CLIENT_INITIATED_DISCONNECT", hasWill: false },
  { name: "a reset", end: (c) => c.lose("reset"), reason: "CONNECTION_LOST", hasWill: true },
  { name: "FIN without DISCONNECT", end: (c) => c.lose("closed"), reason: "CONNECTION_LOST", hasWill: true },
  {
    name: "malformed bytes",
    end: (c) => c.lose("malformed"),
    reason: "CLIENT_ERROR",
    hasWill: true,
  },
  {
    name: "an oversize packet",
    end: (c) => c.lose("too-large"),
    reason: "CLIENT_ERROR",
    hasWill: true,
  },
  {
    name: "the same client id again",
    end: (_, bench) => bench.connect("client"),
    reason: "DUPLICATE_CLIENTID",
    hasWill: true,
    code: REASON.sessionTakenOver,
  },
  {
    name: "silence",
    end: (_, bench) => bench.advanceS(91),
    reason: "MQTT_KEEP_ALIVE_TIMEOUT",
    hasWill: true,
    code: REASON.keepAliveTimeout,
  },
  {
    name: "the API",
    end: (_, bench) =>
      bench.broker.disconnectClient("client", {
        reasonCode: REASON.administrativeAction,
        awsReason: "API_INITIATED_DISCONNECT",
        sendWill: false,
      }),
    reason: "API_INITIATED_DISCONNECT",
    hasWill: false,
    code: REASON.administrativeAction,
  },
  {
    name: "shutdown",
    end: (_, bench) => bench.broker.shutdown(),
    reason: "SERVER_INITIATED_DISCONNECT",
    hasWill: true,
    code: REASON.serverShuttingDown,
  },
];

describe.each(VARIANTS)("end of a connection ($profile, protocol level $protocolVersion)", (variant) => {
  const { profile, protocolVersion } = variant;

  it.each(CASES)("by $name: $reason, will: $hasWill", ({ end, reason, hasWill, code }) => {
    const reasons: string[] = [];
    const bench = new Bench({ profile, hooks: { disconnected: (info) => reasons.push(info.reason) } });
    bench.connect("watcher", { protocolVersion, keepAliveS: 0 }).subscribe(["gone/#"]);
    const client = bench.connect("client", { protocolVersion, keepAliveS: 60, will: WILL });
    end(client, bench);
    const ended = bench.eventsOf("broker.disconnected").find(({ clientId }) => clientId === "client");
    const clientInitiated = reason === "CLIENT_INITIATED_DISCONNECT";
    expect(ended).toMatchObject({ reason, clientInitiated });
    expect(reasons).toContain(reason);
    expect(client.disconnectCode).toBe(protocolVersion === 5 ? code : undefined);
    expect(client.state).not.toBe("open");
    expect(bench.eventsOf("will.published")).toHaveLength(hasWill ? 1 : 0);
  });

  it("delivers the will to subscribers and to services, marked as a will", () => {
    const seen: boolean[] = [];
    const bench = new Bench({ profile, hooks: { message: ({ isWill }) => (seen.push(isWill), "broker") } });
    const watcher = bench.connect("watcher", { protocolVersion });
    watcher.subscribe(["gone/+"]);
    bench.connect("client", { protocolVersion, will: WILL }).lose();
    expect(watcher.delivered).toEqual(["gone/client=bye"]);
    expect(seen).toEqual([true]);
  });

  it("keeps a retained will for later subscribers", () => {
    const bench = new Bench({ profile });
    bench.connect("client", { protocolVersion, will: { ...WILL, retain: true } }).lose();
    const late = bench.connect("late", { protocolVersion });
    late.subscribe(["gone/client"]);
    expect(late.delivered).toEqual(["gone/client=bye"]);
  });

  it("is final: nothing that comes later has any effect", () => {
    const bench = new Bench({ profile });
    const client = bench.connect("client", { protocolVersion });
    client.disconnect();
    client.publish("t", "x");
    client.lose();
    client.disconnect();
    bench.advanceS(10_000);
    expect(bench.eventsOf("broker.disconnected")).toHaveLength(1);
    expect(bench.broker.statistics()).toMatchObject({ connections: 0, sessions: 0, received: 0 });
    expect(
      bench.broker.disconnectClient("client", {
        reasonCode: 0,
        awsReason: "SERVER_ERROR",
        sendWill: true,
      }),
    ).toBe(false);
  });
});

describe("keep-alive", () => {
  it.each([
    { profile: "aws", keepAliveS: 10, limitS: 45 },
    { profile: "aws", keepAliveS: 60, limitS: 90 },
    { profile: "aws", keepAliveS: 0, limitS: 1800 },
    { profile: "aws", keepAliveS: 9999, limitS: 1800 },
    { profile: "oasis", keepAliveS: 10, limitS: 15 },
  ] as const)("of $keepAliveS s ends a silent client after $limitS s ($profile)", (row) => {
    const bench = new Bench({ profile: row.profile });
    const client = bench.connect("client", { protocolVersion: 4, keepAliveS: row.keepAliveS });
    bench.advanceS(row.limitS - 0.001);
    expect(client.state).toBe("open");
    bench.advanceS(0.001);
    expect(client.state).toBe("closed");
    expect(bench.eventsOf("broker.disconnected")[0]).toMatchObject({ reason: "MQTT_KEEP_ALIVE_TIMEOUT" });
  });

  it("counts from the last packet of the client, whatever it was", () => {
    const bench = new Bench();
    const client = bench.connect("client", { keepAliveS: 30 });
    bench.advanceS(40);
    client.say({ type: "pingreq" });
    bench.advanceS(40);
    client.publish("t", "x", { qos: 0 });
    bench.advanceS(44.9);
    expect(client.state).toBe("open");
    bench.advanceS(0.2);
    expect(client.state).toBe("closed");
    expect(client.packets("pingresp")).toHaveLength(1);
  });

  it("of 0 is none under oasis", () => {
    const bench = new Bench({ profile: "oasis" });
    const client = bench.connect("client", { keepAliveS: 0 });
    bench.advanceS(1_000_000);
    expect(client.state).toBe("open");
  });
});

describe("will delay [MQTT-3.1.3-9]", () => {
  const delayed = { cleanStart: false, sessionExpiryS: 100, will: { ...WILL, delayS: 30 } };

  it("holds the will back and publishes it when the time is over", () => {
    const bench = new Bench();
    bench.connect("client", delayed).lose();
    bench.advanceS(29);
    expect(bench.eventsOf("will.published")).toEqual([]);
    expect(bench.broker.statistics().pendingWills).toBe(1);
    bench.advanceS(1);
    expect(bench.eventsOf("will.published")).toEqual([
      { type: "will.published", atUs: 30_000_000, clientId: "client", topic: "gone/client" },
    ]);
    expect(bench.broker.statistics().pendingWills).toBe(0);
  });

  it("drops the will of a client that is back in time", () => {
    const bench = new Bench();
    bench.connect("client", delayed).lose();
    bench.advanceS(29);
    bench.connect("client", delayed);
    bench.advanceS(3600);
    expect(bench.eventsOf("will.suppressed")).toHaveLength(1);
    expect(bench.eventsOf("will.published")).toHaveLength(1);
    expect(bench.eventsOf("will.published")[0]!.atUs).toBeGreaterThan(1_000_000_000);
  });

  it("ends early when the session ends: by expiry, or by a clean start", () => {
    const bench = new Bench();
    bench.connect("short", { ...delayed, sessionExpiryS: 5 }).lose();
    bench.advanceS(5);
    expect(bench.eventsOf("will.published")).toHaveLength(1);
    expect(bench.eventsOf("session.expired")).toHaveLength(1);
    bench.connect("clean", delayed).lose();
    bench.connect("clean", { cleanStart: true });
    expect(bench.eventsOf("will.published")).toHaveLength(2);
    expect(bench.eventsOf("will.suppressed")).toEqual([]);
  });

  it("is not waited for without a session to come back to", () => {
    const bench = new Bench();
    bench.connect("client", { will: { ...WILL, delayS: 30 } }).lose();
    expect(bench.eventsOf("will.published")).toHaveLength(1);
  });
});

describe("DISCONNECT", () => {
  it("with reason 0x04 sends the will although the client left in order", () => {
    const bench = new Bench();
    bench.connect("client", { will: WILL }).disconnect({ reasonCode: REASON.disconnectWithWill });
    expect(bench.eventsOf("will.published")).toHaveLength(1);
    expect(bench.eventsOf("broker.disconnected")[0]).toMatchObject({
      reason: "CLIENT_INITIATED_DISCONNECT",
      clientInitiated: true,
    });
  });
});

describe("shutdown", () => {
  it("leaves no timer behind and refuses later links", () => {
    const bench = new Bench();
    bench.connect("online", { keepAliveS: 60 });
    bench.connect("away", { sessionExpiryS: 600, will: { ...WILL, delayS: 60 } }).lose();
    const opening = bench.dial();
    bench.broker.shutdown();
    expect(opening.state).toBe("closed");
    expect(bench.time.heap.size).toBe(0);
    expect(bench.dial().state).toBe("closed");
    expect(bench.broker.statistics()).toMatchObject({
      connections: 0,
      sessions: 0,
      subscriptions: 0,
      pendingWills: 0,
    });
    bench.broker.shutdown(REASON.serverBusy);
    expect(bench.time.heap.size).toBe(0);
  });
});
