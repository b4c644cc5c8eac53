import { type Packet, REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, VARIANTS } from "./bench.js";

const WILL = { topic: "w", payload: Buffer.from("gone"), qos: 0, retain: false } as const;

describe("CONNECT", () => {
  it.each(VARIANTS)(
    "is accepted ($profile, protocol level $protocolVersion)",
    ({ profile, protocolVersion }) => {
      const bench = new Bench({ profile });
      const client = bench.connect("client", { protocolVersion });
      expect(client.connack).toMatchObject({ sessionPresent: false, reasonCode: 0 });
      expect(bench.eventsOf("broker.connected")).toEqual([
        { type: "broker.connected", atUs: 0, clientId: "client", sessionPresent: false },
      ]);
      expect(bench.broker.statistics()).toMatchObject({ connections: 1, sessions: 1, connected: 1 });
      expect(bench.broker.isConnected("client")).toBe(true);
    },
  );

  it("tells an MQTT 5 client what AWS offers", () => {
    const client = new Bench().connect("client", { keepAliveS: 5 });
    expect(client.connack).toEqual({
      type: "connack",
      sessionPresent: false,
      reasonCode: 0,
      maximumQos: 1,
      retainAvailable: true,
      wildcardSubscriptionAvailable: true,
      sharedSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: false,
      receiveMaximum: 100,
      topicAliasMaximum: 8,
      maximumPacketBytes: 149_504,
      serverKeepAliveS: 30,
    });
  });

  it("tells a 3.1.1 client nothing but the result", () => {
    const client = new Bench().connect("client", { protocolVersion: 4 });
    expect(client.connack).toEqual({ type: "connack", sessionPresent: false, reasonCode: 0 });
  });

  it("assigns different identifiers to clients without one [MQTT-3.1.3-6]", () => {
    const bench = new Bench();
    const ids = [1, 2].map(() => bench.connect("").connack.assignedClientId);
    expect(ids[0]).toMatch(/^auto-[0-9a-f]{13}$/);
    expect(ids[1]).toMatch(/^auto-[0-9a-f]{13}$/);
    expect(ids[0]).not.toBe(ids[1]);
    expect(bench.connect("", { protocolVersion: 4 }).connack.reasonCode).toBe(0);
  });

  it.each([
    ["an unknown protocol level", { protocolVersion: 6 }, REASON.unsupportedProtocolVersion],
    [
      "a nameless persistent session [MQTT-3.1.3-8]",
      { protocolVersion: 4, clientId: "", cleanStart: false },
      0x85,
    ],
    ["MQTT 3.1 without a client id", { protocolVersion: 3, clientId: "" }, 0x85],
    ["MQTT 3.1 with a long client id", { protocolVersion: 3, clientId: "c".repeat(24) }, 0x85],
    ["a client id beyond 128 bytes", { clientId: "ä".repeat(65) }, 0x85],
    ["a client id with NUL", { clientId: "a\u0000" }, 0x85],
    ["Receive Maximum 0", { receiveMaximum: 0 }, REASON.protocolError],
    ["Maximum Packet Size 0", { maximumPacketBytes: 0 }, REASON.protocolError],
    ["enhanced authentication", { authenticationMethod: "SCRAM" }, REASON.badAuthenticationMethod],
    ["a QoS 2 will", { will: { ...WILL, qos: 2 } }, REASON.qosNotSupported],
    ["a will with a wildcard topic", { will: { ...WILL, topic: "a/#" } }, REASON.topicNameInvalid],
    [
      "a will on a `$` topic that is not AWS's",
      { will: { ...WILL, topic: "$SYS/x" } },
      REASON.topicNameInvalid,
    ],
    ["a will beyond 128 KB", { will: { ...WILL, payload: Buffer.alloc(131_073) } }, REASON.quotaExceeded],
  ] as const)("is refused for %s", (_, options, reasonCode) => {
    const bench = new Bench();
    const client = bench.connect("client", options);
    expect(client.inbox).toMatchObject([{ type: "connack", sessionPresent: false, reasonCode }]);
    expect(client.state).toBe("closed");
    expect(bench.eventsOf("broker.refused")).toHaveLength(1);
    expect(bench.broker.statistics()).toMatchObject({ connections: 0, sessions: 0, refused: 1 });
  });

  it("is accepted at MQTT 3.1 with a short client id", () => {
    expect(new Bench().connect("c", { protocolVersion: 3 }).connack.reasonCode).toBe(0);
  });

  it.each([
    { type: "pingreq" },
    { type: "subscribe", packetId: 1, subscriptions: [] },
    { type: "disconnect", reasonCode: 0 },
  ] as const)("must come first: $type closes the link without an answer [MQTT-3.1.0-1]", (packet: Packet) => {
    const client = new Bench().dial();
    client.say(packet);
    expect(client.inbox).toEqual([]);
    expect(client.state).toBe("closed");
  });

  it.each([
    [
      "a second CONNECT [MQTT-3.1.0-2]",
      { type: "connect", protocolVersion: 5, clientId: "x", cleanStart: true, keepAliveS: 0 },
    ],
    ["CONNACK", { type: "connack", sessionPresent: false, reasonCode: 0 }],
    ["SUBACK", { type: "suback", packetId: 1, reasonCodes: [0] }],
    ["PINGRESP", { type: "pingresp" }],
    ["PUBREC", { type: "pubrec", packetId: 1, reasonCode: 0 }],
    ["PUBREL", { type: "pubrel", packetId: 1, reasonCode: 0 }],
    ["PUBCOMP", { type: "pubcomp", packetId: 1, reasonCode: 0 }],
    ["AUTH", { type: "auth", reasonCode: 0x18 }],
  ] as const)("makes %s a protocol error", (_, packet: Packet) => {
    const bench = new Bench();
    const client = bench.connect("client");
    client.say(packet);
    expect(client.disconnectCode).toBe(REASON.protocolError);
    expect(client.state).toBe("closed");
    expect(bench.eventsOf("broker.disconnected")[0]).toMatchObject({ reason: "CLIENT_ERROR" });
    const old = bench.connect("old", { protocolVersion: 4 });
    old.clear();
    old.say(packet);
    expect(old.inbox).toEqual([]);
    expect(old.state).toBe("closed");
  });

  it("must come within the connect deadline", () => {
    const bench = new Bench({ limits: { connectDeadlineS: 10 } });
    const silent = bench.dial();
    const prompt = bench.connect("prompt");
    bench.advanceS(9.9);
    expect(silent.state).toBe("open");
    bench.advanceS(0.2);
    expect(silent.state).toBe("closed");
    expect(prompt.state).toBe("open");
    silent.connect("late");
    expect(silent.inbox).toEqual([]);
  });

  it("is refused when a hook says so, before anything changes", () => {
    const refused: unknown[] = [];
    const bench = new Bench({
      hooks: {
        authorizeConnect: (connect) =>
          connect.username === "eve" ? { refuse: REASON.notAuthorized } : "allow",
        refused: (info) => refused.push(info),
      },
    });
    const first = bench.connect("client", { username: "bob" });
    const second = bench.connect("client", { username: "eve" });
    expect(second.connack.reasonCode).toBe(REASON.notAuthorized);
    expect(first.state).toBe("open");
    expect(refused).toEqual([
      {
        clientId: "client",
        atUs: 0,
        connection: expect.any(Object),
        remoteAddress: "test:2",
        reasonCode: 0x87,
      },
    ]);
  });

  it("is refused without a CONNACK when the hook wants silence", () => {
    const hooks = { authorizeConnect: () => ({ refuse: REASON.notAuthorized, isSilent: true }) };
    const bench = new Bench({ hooks });
    const client = bench.connect("client", { protocolVersion: 4 });
    expect([client.inbox, client.state]).toEqual([[], "closed"]);
    expect(bench.eventsOf("broker.refused")).toHaveLength(1);
  });

  it("names its connection to the hooks, so that two with one client id are told apart", () => {
    const heard: [string, object][] = [];
    const hear =
      (name: string) =>
      ({ connection }: { connection: object }) =>
        heard.push([name, connection]);
    const bench = new Bench({
      hooks: {
        authorizeConnect: (_, info) => (hear("asked")(info), "allow"),
        connected: hear("connected"),
      },
    });
    bench.connect("client");
    bench.connect("client");
    expect(heard.map(([name]) => name)).toEqual(["asked", "connected", "asked", "connected"]);
    const [first, second] = [heard[0]![1], heard[2]![1]];
    expect([heard[1]![1], heard[3]![1], first !== second]).toEqual([first, second, true]);
  });

  it("is refused with a will that the client may not publish", () => {
    const bench = new Bench({ hooks: { authorizePublish: (_, { topic }) => topic !== "w" } });
    expect(bench.connect("client", { will: WILL }).connack.reasonCode).toBe(REASON.notAuthorized);
    expect(bench.connect("client").connack.reasonCode).toBe(0);
  });

  it("is refused beyond the number of connections, and accepted again when one ends", () => {
    const bench = new Bench({ limits: { connections: 1 } });
    const first = bench.connect("a");
    expect(bench.connect("b").connack.reasonCode).toBe(REASON.quotaExceeded);
    first.disconnect();
    expect(bench.connect("b").connack.reasonCode).toBe(0);
  });
});

describe("connect rate", () => {
  it("refuses what exceeds it under `refuse`", () => {
    const bench = new Bench({ limits: { connectRate: 2, connectOverload: "refuse" } });
    const codes = (): number[] => [1, 2, 3].map((n) => bench.connect(`c${n}`).connack.reasonCode);
    expect(codes()).toEqual([0, 0, REASON.quotaExceeded]);
    bench.advanceS(0.5);
    expect(codes()).toEqual([0, REASON.quotaExceeded, REASON.quotaExceeded]);
  });

  it("lets clients wait in order under `queue`, and skips those that gave up", () => {
    const bench = new Bench({ limits: { connectRate: 10, connectOverload: "queue" } });
    const clients = Array.from({ length: 30 }, (_, n) => bench.connect(`c${n}`, { cleanStart: true }));
    const connected = (): number => clients.filter((client) => client.inbox.length > 0).length;
    expect(connected()).toBe(10);
    expect(bench.broker.statistics().connectQueue).toBe(20);
    for (const client of clients.slice(10, 15)) client.lose();
    bench.advanceS(1);
    expect(connected()).toBe(20);
    expect(clients.slice(15, 25).every((client) => client.inbox.length > 0)).toBe(true);
    bench.advanceS(1);
    expect(connected()).toBe(25);
    expect(bench.broker.statistics().connectQueue).toBe(0);
  });

  it("keeps what a waiting client sent ahead, within bounds", () => {
    const bench = new Bench({ limits: { connectRate: 1, connectOverload: "queue" } });
    bench.connect("first");
    const eager = bench.connect("eager");
    eager.subscribe(["t"]);
    eager.publish("t", "x", { qos: 0 });
    const greedy = bench.connect("greedy");
    for (let i = 0; i < 40; i += 1) greedy.say({ type: "pingreq" });
    expect(greedy.state).toBe("closed");
    expect(eager.inbox).toEqual([]);
    bench.advanceS(1);
    expect(eager.inbox.map(({ type }) => type)).toEqual(["connack", "suback", "publish"]);
  });

  it("refuses when too many wait, and forgets those that wait at shutdown", () => {
    const bench = new Bench({ limits: { connectRate: 1, connectOverload: "queue", connectQueue: 1 } });
    const [, waiting, refused] = ["a", "b", "c"].map((id) => bench.connect(id));
    expect(refused!.connack.reasonCode).toBe(REASON.quotaExceeded);
    bench.broker.shutdown();
    expect(waiting!.state).toBe("closed");
    bench.advanceS(10);
    expect(waiting!.inbox).toMatchObject([{ type: "connack", reasonCode: REASON.serverUnavailable }]);
  });
});
