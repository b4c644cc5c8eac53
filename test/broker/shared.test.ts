import type { SharedStrategy } from "fleetrig/broker";
import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type BenchOptions, type TestClient, VARIANTS } from "./bench.js";

const FILTER = "$share/g/t";
const AWAY = { cleanStart: false, sessionExpiryS: 3600 };

/** Clients that share one filter, each keeping its own session. */
function group(
  options: BenchOptions,
  size: number,
  connect: { receiveMaximum?: number } = {},
): { bench: Bench; members: TestClient[] } {
  const bench = new Bench({ profile: "oasis", ...options });
  const members = Array.from({ length: size }, (_, i) => bench.connect(`m${i}`, { ...AWAY, ...connect }));
  for (const member of members) member.subscribe([FILTER]);
  return { bench, members };
}

const publish = (bench: Bench, count: number, qos: 0 | 1 = 1): void => {
  for (let i = 0; i < count; i += 1) bench.broker.publish({ topic: "t", payload: `${i}`, qos });
};

const counts = (members: readonly TestClient[]): number[] => members.map(({ publishes }) => publishes.length);
const total = (members: readonly TestClient[]): number =>
  counts(members).reduce((sum, count) => sum + count, 0);

describe("a shared subscription", () => {
  it.each(VARIANTS)("gives each message to one member: $profile, level $protocolVersion", (variant) => {
    const { profile, protocolVersion } = variant;
    const bench = new Bench({ profile });
    const members = ["a", "b", "c"].map((id) => bench.connect(id, { protocolVersion }));
    for (const member of members) {
      member.autoAcknowledge = true;
      member.subscribe([FILTER]);
      expect(member.suback.reasonCodes).toEqual([1]);
    }
    publish(bench, 60);
    expect(total(members)).toBe(60);
    for (const count of counts(members)) expect(count).toBeGreaterThan(5);
  });

  it("is advertised in CONNACK and counted", () => {
    for (const profile of ["aws", "oasis"] as const) {
      const bench = new Bench({ profile });
      const client = bench.connect("client");
      expect(client.connack.sharedSubscriptionAvailable).toBe(true);
      client.subscribe([FILTER, "t"]);
      expect(bench.broker.statistics()).toMatchObject({ subscriptions: 2, shareGroups: 1 });
      client.unsubscribe(FILTER);
      expect(bench.broker.statistics()).toMatchObject({ subscriptions: 1, shareGroups: 0 });
      publish(bench, 1);
      expect(client.delivered).toEqual(["t=0"]);
    }
  });

  it("delivers beside an ordinary subscription, with the identifiers of each (§4.8.2)", () => {
    const bench = new Bench({ profile: "oasis" });
    const client = bench.connect("client");
    client.subscribe(["t"], { subscriptionId: 1 });
    client.subscribe([FILTER], { subscriptionId: 2 });
    client.subscribe(["$share/h/+"], { subscriptionId: 3 });
    publish(bench, 1);
    expect(client.publishes.map(({ subscriptionIds }) => subscriptionIds)).toEqual([[1], [2], [3]]);
  });

  it("may give a message back to its publisher, and refuses No Local [MQTT-3.8.3-4]", () => {
    const bench = new Bench({ profile: "oasis" });
    const client = bench.connect("client");
    client.subscribe([FILTER]);
    client.publish("t", "own");
    expect(client.delivered).toEqual(["t=own"]);
    client.subscribe([{ filter: FILTER, qos: 1, noLocal: true }]);
    expect(client.disconnectCode).toBe(REASON.protocolError);
  });

  it("keeps to the QoS granted to the member [MQTT-4.8.2-3] and to Retain As Published", () => {
    const bench = new Bench({ profile: "oasis" });
    const client = bench.connect("client");
    client.subscribe([{ filter: FILTER, qos: 0, retainAsPublished: true }]);
    bench.broker.publish({ topic: "t", payload: "x", qos: 1, retain: true });
    expect(client.publishes).toMatchObject([{ qos: 0, retain: true }]);
  });

  it("never causes retained messages (§4.8.2)", () => {
    const bench = new Bench({ profile: "oasis" });
    bench.broker.publish({ topic: "t", payload: "old", qos: 1, retain: true });
    const client = bench.connect("client");
    client.subscribe([{ filter: FILTER, qos: 1, retainHandling: 0 }]);
    expect(client.publishes).toEqual([]);
  });

  it("tells groups apart by name and filter", () => {
    const bench = new Bench({ profile: "oasis" });
    const filters = ["$share/g/t", "$share/h/t", "$share/g/+", "$share/g/#"];
    const members = filters.map((filter) => {
      const member = bench.connect(filter);
      member.subscribe([filter]);
      return member;
    });
    publish(bench, 2);
    expect(counts(members)).toEqual([2, 2, 2, 2]);
  });

  it.each([
    { filter: "$share/g", codes: [REASON.topicFilterInvalid] },
    { filter: "$share//t", codes: [REASON.topicFilterInvalid] },
    { filter: "$share/g/", codes: [REASON.topicFilterInvalid] },
    { filter: "$share/+/t", codes: [REASON.topicFilterInvalid] },
    { filter: "$share/a#/t", codes: [REASON.topicFilterInvalid] },
    { filter: `$share/${"n".repeat(129)}/t`, codes: [REASON.topicFilterInvalid] },
    { filter: `$share/${"n".repeat(128)}/${"t".repeat(256)}`, codes: [1] },
    { filter: `$share/g/${"t".repeat(257)}`, codes: "disconnected" },
    { filter: "$share/g/a/b/c/d/e/f/g/h", codes: [1] },
    { filter: "$share/g/$SYS/x", codes: [REASON.topicFilterInvalid] },
    { filter: "$share/g/$aws/things/+/shadow/#", codes: [1] },
  ] as const)("AWS takes $filter: $codes [MQTT-4.8.2-1] [MQTT-4.8.2-2]", ({ filter, codes }) => {
    const client = new Bench().connect("client");
    client.subscribe([filter]);
    const isClosed = client.disconnectCode === REASON.topicFilterInvalid;
    expect(isClosed ? "disconnected" : client.suback.reasonCodes).toEqual(codes);
  });

  it("fails in SUBACK when there are too many groups or members", () => {
    const bench = new Bench({ limits: { shareGroups: 2, membersPerShareGroup: 2 } });
    const clients = ["a", "b", "c"].map((id) => bench.connect(id));
    for (const client of clients) client.subscribe(["$share/g/t", "$share/h/t", "$share/i/t"]);
    expect(clients.map(({ suback }) => suback.reasonCodes)).toEqual([
      [1, 1, REASON.quotaExceeded],
      [1, 1, REASON.quotaExceeded],
      [REASON.quotaExceeded, REASON.quotaExceeded, REASON.quotaExceeded],
    ]);
    clients[0]!.subscribe(["$share/g/t"]);
    expect(clients[0]!.suback.reasonCodes).toEqual([1]);
  });
});

describe("the member that gets a shared message", () => {
  it.each([
    { sharedStrategy: "round-robin", expected: [4, 4, 4] },
    { sharedStrategy: "least-inflight", expected: [4, 4, 4] },
    { sharedStrategy: "sticky", expected: [12, 0, 0] },
  ] as const)("is chosen by strategy: $sharedStrategy", ({ sharedStrategy, expected }) => {
    const { bench, members } = group({ features: { sharedStrategy } }, 3);
    publish(bench, 12);
    expect(counts(members)).toEqual(expected);
  });

  it("has the fewest unconfirmed messages under least-inflight", () => {
    const { bench, members } = group({ features: { sharedStrategy: "least-inflight" } }, 2);
    members[1]!.autoAcknowledge = true;
    publish(bench, 21);
    expect(counts(members)).toEqual([1, 20]);
  });

  it("stays the same under sticky until it is gone", () => {
    const { bench, members } = group({ features: { sharedStrategy: "sticky" } }, 3);
    for (const member of members) member.autoAcknowledge = true;
    publish(bench, 5);
    members[0]!.disconnect();
    publish(bench, 5);
    expect(counts(members)).toEqual([5, 5, 0]);
  });

  it.each(["random", "round-robin", "least-inflight", "sticky"] as SharedStrategy[])(
    "is never one that cannot take it while another can: %s",
    (sharedStrategy) => {
      const { bench, members } = group({ features: { sharedStrategy } }, 4, { receiveMaximum: 1 });
      const [full, slow, away, fit] = members;
      fit!.autoAcknowledge = true;
      slow!.bufferedBytes = 64 * 1024 * 1024;
      away!.lose();
      publish(bench, 40);
      expect(full!.publishes.length).toBeLessThanOrEqual(1);
      expect(counts([slow!, away!])).toEqual([0, 0]);
      expect(total(members)).toBe(40);
    },
  );

  it("is one whose Maximum Packet Size allows it, if there is any", () => {
    const bench = new Bench({ profile: "oasis" });
    const small = bench.connect("small", { maximumPacketBytes: 20 });
    const large = bench.connect("large");
    for (const member of [small, large]) member.subscribe([FILTER]);
    for (let i = 0; i < 4; i += 1) bench.broker.publish({ topic: "t", payload: "x".repeat(50), qos: 1 });
    expect(counts([small, large])).toEqual([0, 4]);
    large.disconnect();
    bench.broker.publish({ topic: "t", payload: "x".repeat(50), qos: 1 });
    expect(bench.eventsOf("broker.dropped")).toMatchObject([{ reason: "packet-too-large" }]);
  });

  it("is one that may receive it", () => {
    const hooks = { authorizeReceive: (clientId: string) => clientId !== "m0" };
    const { bench, members } = group({ hooks }, 2);
    publish(bench, 4);
    expect(counts(members)).toEqual([0, 4]);
    members[1]!.disconnect({ sessionExpiryS: 0 });
    publish(bench, 1);
    expect(bench.eventsOf("broker.dropped")).toMatchObject([{ reason: "receive-denied", clientId: "m0" }]);
  });
});

describe("a shared message", () => {
  it("waits with the members that have a session while all are away; QoS 0 does not", () => {
    const { bench, members } = group({}, 2);
    for (const member of members) member.lose();
    publish(bench, 10);
    publish(bench, 10, 0);
    expect(bench.broker.statistics().queuedMessages).toBe(10);
    const back = bench.connect("m1", AWAY);
    back.autoAcknowledge = true;
    expect(back.publishes).toHaveLength(10);
    expect(bench.broker.statistics().queuedMessages).toBe(0);
  });

  it.each([true, false])("goes to another member when a connection is lost: %s", (sharedRedelivery) => {
    const { bench, members } = group({ features: { sharedRedelivery } }, 2);
    publish(bench, 6);
    expect(counts(members)).toEqual([3, 3]);
    members[0]!.lose();
    expect(counts(members)).toEqual(sharedRedelivery ? [3, 6] : [3, 3]);
    expect(members[1]!.publishes.every(({ dup }) => !dup)).toBe(true);
    const back = bench.connect("m0", AWAY);
    expect(back.delivered).toEqual(sharedRedelivery ? [] : ["t=0", "t=2", "t=4"]);
    expect(bench.broker.statistics().sharedReassigned).toBe(sharedRedelivery ? 3 : 0);
  });

  it("goes to another member when the session ends, whatever the option says", () => {
    const { bench, members } = group({ features: { sharedRedelivery: false } }, 2);
    publish(bench, 6);
    members[0]!.disconnect({ sessionExpiryS: 0 });
    expect(members[1]!.publishes).toHaveLength(6);
    members[1]!.lose();
    bench.connect("m2", AWAY).subscribe([FILTER]);
    bench.connect("m1", { cleanStart: true });
    expect(bench.broker.statistics().sharedReassigned).toBe(9);
  });

  it("stays with a client that takes its own session over", () => {
    const { bench, members } = group({}, 2);
    publish(bench, 4);
    const again = bench.connect("m0", AWAY);
    expect(again.publishes).toMatchObject([{ dup: true }, { dup: true }]);
    expect(members[1]!.publishes).toHaveLength(2);
  });

  it("does not outlive its expiry on the way from member to member", () => {
    const { bench, members } = group({}, 2, { receiveMaximum: 1 });
    const publisher = bench.connect("publisher");
    for (let i = 0; i < 6; i += 1) publisher.publish("t", `${i}`, { messageExpiryS: 5 });
    bench.advanceS(6);
    members[0]!.lose();
    members[1]!.acknowledge(members[1]!.publishes[0]!);
    expect(counts(members)).toEqual([1, 1]);
  });
});
