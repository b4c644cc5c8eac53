import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";

describe("authorizePublish", () => {
  const denies = { authorizePublish: (_: string, { topic }: { topic: string }) => topic !== "no" };

  it.each([
    { profile: "aws", protocolVersion: 4, qos: 0, acks: [], state: "closed" },
    { profile: "aws", protocolVersion: 4, qos: 1, acks: [], state: "closed" },
    { profile: "aws", protocolVersion: 5, qos: 0, acks: [], state: "closed" },
    { profile: "aws", protocolVersion: 5, qos: 1, acks: [0x87], state: "open" },
    { profile: "oasis", protocolVersion: 4, qos: 1, acks: [0x00], state: "open" },
    { profile: "oasis", protocolVersion: 5, qos: 1, acks: [0x87], state: "open" },
  ] as const)("refuses: $profile, level $protocolVersion, QoS $qos: $state", (row) => {
    const bench = new Bench({ profile: row.profile, hooks: denies });
    const watcher = bench.connect("watcher");
    watcher.subscribe(["#"]);
    const client = bench.connect("client", { protocolVersion: row.protocolVersion });
    client.publish("no", "x", { qos: row.qos });
    expect(watcher.publishes).toEqual([]);
    expect(client.packets("puback").map((ack) => "reasonCode" in ack && ack.reasonCode)).toEqual(row.acks);
    expect(client.state).toBe(row.state);
    expect(bench.eventsOf("broker.dropped")).toMatchObject([{ reason: "publish-denied", topic: "no" }]);
    const reasons = bench.eventsOf("broker.disconnected").map(({ reason }) => reason);
    expect(reasons).toEqual(row.state === "closed" ? ["AUTH_ERROR"] : []);
  });
});

describe("authorizeSubscribe", () => {
  const denies = { authorizeSubscribe: (_: string, { filter }: { filter: string }) => filter !== "no" };

  it.each([
    { profile: "aws", protocolVersion: 4, codes: undefined },
    { profile: "aws", protocolVersion: 5, codes: [1, 0x87] },
    { profile: "oasis", protocolVersion: 4, codes: [1, 0x80] },
    { profile: "oasis", protocolVersion: 5, codes: [1, 0x87] },
  ] as const)("refuses: $profile, level $protocolVersion", ({ profile, protocolVersion, codes }) => {
    const bench = new Bench({ profile, hooks: denies });
    const client = bench.connect("client", { protocolVersion });
    client.subscribe(["yes", "no"]);
    expect(client.suback?.reasonCodes).toEqual(codes);
    expect(client.state).toBe(codes === undefined ? "closed" : "open");
  });

  it("is asked once per valid filter", () => {
    const asked: string[] = [];
    const bench = new Bench({ hooks: { authorizeSubscribe: (_, { filter }) => asked.push(filter) > 0 } });
    bench.connect("client").subscribe(["a", "b#", "c"]);
    expect(asked).toEqual(["a", "c"]);
  });
});

describe("authorizeReceive", () => {
  it("drops the message for one client and keeps its connection", () => {
    const bench = new Bench({ hooks: { authorizeReceive: (clientId) => clientId !== "deaf" } });
    const [deaf, other] = ["deaf", "other"].map((id) => bench.connect(id));
    for (const client of [deaf, other]) client!.subscribe(["t"]);
    bench.broker.publish({ topic: "t", payload: "x", qos: 1 });
    expect(deaf!.publishes).toEqual([]);
    expect(deaf!.state).toBe("open");
    expect(other!.publishes).toHaveLength(1);
  });
});

describe("authorizeReceive for an absent client", () => {
  const session = { cleanStart: false, sessionExpiryS: 600 };

  it.each([
    { isAllowed: true, received: 1 },
    { isAllowed: false, received: 0 },
  ])("is asked again when the client is back: $isAllowed", ({ isAllowed, received }) => {
    const asked: boolean[] = [];
    let answer = true;
    const bench = new Bench({ hooks: { authorizeReceive: () => (asked.push(answer), answer) } });
    const client = bench.connect("client", session);
    client.subscribe(["t"]);
    client.disconnect({ sessionExpiryS: 600 });
    bench.advanceS(1);
    bench.broker.publish({ topic: "t", payload: "x", qos: 1 });
    answer = isAllowed;
    bench.advanceS(1);
    const again = bench.connect("client", session);
    expect(asked).toEqual([true, isAllowed]);
    expect(again.publishes).toHaveLength(received);
    expect(bench.eventsOf("broker.dropped")).toHaveLength(1 - received);
    expect(bench.broker.statistics().queuedMessages).toBe(0);
  });
});

describe("message hook", () => {
  it("sees clients' and the cloud's publishes before delivery and may consume them", () => {
    const seen: (string | undefined)[][] = [];
    const bench = new Bench({
      hooks: {
        message: (message) => {
          seen.push([message.topic, message.publisher]);
          return message.topic.startsWith("$aws/rules/") ? "consumed" : "broker";
        },
      },
    });
    const late: string[] = [];
    bench.broker.addHooks({ message: ({ topic }) => (late.push(topic), "broker") });
    const client = bench.connect("client");
    client.subscribe(["$aws/rules/#", "t"]);
    client.publish("$aws/rules/r/t", "x", { retain: true });
    client.publish("t", "1");
    bench.broker.publish({ topic: "t", payload: "2", qos: 0 });
    expect(seen).toEqual([
      ["$aws/rules/r/t", "client"],
      ["t", "client"],
      ["t", undefined],
    ]);
    expect(late).toEqual(["t", "t"]);
    expect(client.delivered).toEqual(["t=1", "t=2"]);
    expect(client.packets("puback")).toHaveLength(2);
  });

  it("may publish in turn; a loop of such publishes is cut", () => {
    const bench = new Bench();
    bench.broker.addHooks({
      message: ({ topic }) => {
        if (topic === "loop") bench.broker.publish({ topic, payload: "again", qos: 0 });
        return "broker";
      },
    });
    const client = bench.connect("client");
    client.subscribe(["loop"]);
    client.publish("loop", "x");
    expect(client.publishes).toHaveLength(32);
    expect(bench.eventsOf("broker.dropped")).toMatchObject([{ reason: "publish-depth" }]);
    client.publish("loop", "x");
    expect(client.publishes).toHaveLength(64);
  });

  it("may end the connection of the publisher, who then gets no acknowledgement", () => {
    const bench = new Bench();
    bench.broker.addHooks({
      message: () => {
        bench.broker.disconnectClient("client", {
          reasonCode: 0x98,
          awsReason: "API_INITIATED_DISCONNECT",
          sendWill: true,
        });
        return "broker";
      },
    });
    const client = bench.connect("client");
    client.publish("t", "x");
    expect(client.inbox.map(({ type }) => type)).toEqual(["connack", "disconnect"]);
  });
});

describe("lifecycle hooks", () => {
  it("tell who came, what was subscribed and who went", () => {
    const calls: unknown[] = [];
    const bench = new Bench({
      hooks: {
        connected: (info) => calls.push(["connected", info]),
        disconnected: (info) => calls.push(["disconnected", info]),
        subscribed: (clientId, filters) => calls.push(["subscribed", clientId, filters]),
        unsubscribed: (clientId, filters) => calls.push(["unsubscribed", clientId, filters]),
      },
    });
    const client = bench.connect("client", { username: "user" });
    client.subscribe(["a", "b#"]);
    client.subscribe(["b#"]);
    client.unsubscribe("a", "unknown");
    client.unsubscribe("unknown");
    client.disconnect();
    const who = { clientId: "client", atUs: 0 };
    expect(calls).toEqual([
      [
        "connected",
        {
          ...who,
          connection: expect.any(Object),
          sessionPresent: false,
          remoteAddress: "test:1",
          protocolVersion: 5,
          username: "user",
        },
      ],
      ["subscribed", "client", ["a"]],
      ["unsubscribed", "client", ["a"]],
      ["disconnected", { ...who, reason: "CLIENT_INITIATED_DISCONNECT", clientInitiated: true }],
    ]);
  });

  it("keep their own `this`", () => {
    class Presence {
      readonly clients: string[] = [];
      connected(info: { readonly clientId: string }): void {
        this.clients.push(info.clientId);
      }
    }
    const presence = new Presence();
    new Bench({ hooks: presence }).connect("client");
    expect(presence.clients).toEqual(["client"]);
  });

  it("may refuse the client they are told about: it then gets nothing of its backlog", () => {
    const bench = new Bench({ limits: { resumeRate: 0 } });
    const persistent = { cleanStart: false, sessionExpiryS: 60 };
    const client = bench.connect("client", persistent);
    client.subscribe(["t"]);
    client.lose();
    bench.broker.publish({ topic: "t", payload: "x", qos: 1 });
    bench.broker.addHooks({
      connected: ({ clientId }) =>
        bench.broker.disconnectClient(clientId, {
          reasonCode: REASON.banned,
          awsReason: "FORBIDDEN_ACCESS",
          sendWill: true,
        }),
    });
    const again = bench.connect("client", persistent);
    expect(again.inbox.map(({ type }) => type)).toEqual(["connack", "disconnect"]);
    expect(bench.broker.statistics()).toMatchObject({ connections: 0, queuedMessages: 1 });
  });
});

describe("sendDirect", () => {
  it("reaches one connected client without a subscription and without the message hook", () => {
    const seen: string[] = [];
    const bench = new Bench({ hooks: { message: ({ topic }) => (seen.push(topic), "broker") } });
    const watcher = bench.connect("watcher");
    watcher.subscribe(["#"]);
    const client = bench.connect("client");
    const message = { topic: "$aws/x", payload: "ä", qos: 1, userProperties: [["k", "v"]] } as const;
    expect(bench.broker.sendDirect("client", message)).toBe(true);
    expect(bench.broker.sendDirect("nobody", message)).toBe(false);
    expect(client.publishes).toMatchObject([
      { topic: "$aws/x", qos: 1, packetId: 1, userProperties: [["k", "v"]] },
    ]);
    expect(client.delivered).toEqual(["$aws/x=ä"]);
    expect(watcher.publishes).toEqual([]);
    expect(seen).toEqual([]);
  });

  it("respects the order of what waits for that client", () => {
    const bench = new Bench({ limits: { maxInflight: 1 } });
    const client = bench.connect("client");
    client.subscribe(["t"]);
    for (const payload of ["1", "2"]) bench.broker.publish({ topic: "t", payload, qos: 1 });
    bench.broker.sendDirect("client", { topic: "d", payload: "3", qos: 0 });
    client.autoAcknowledge = true;
    client.acknowledge(client.publishes[0]!);
    expect(client.delivered).toEqual(["t=1", "t=2", "d=3"]);
  });
});

describe("hasSubscribers", () => {
  it("asks subscriptions and services", () => {
    const bench = new Bench({ hooks: { message: () => "broker", listensTo: (topic) => topic === "rule" } });
    bench.connect("client").subscribe(["a/+"]);
    expect(["a/b", "a", "rule"].map((topic) => bench.broker.hasSubscribers(topic))).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("says true when a service listens to everything", () => {
    const bench = new Bench({ hooks: { message: () => "broker" } });
    expect(bench.broker.hasSubscribers("t")).toBe(true);
    expect(new Bench().broker.hasSubscribers("t")).toBe(false);
  });
});
