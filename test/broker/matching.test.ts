import fc from "fast-check";
import { type Profile, topicMatches } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";

/** REF §2.9, and the standard's own examples (§4.7). */
const VECTORS = [
  { filter: "a/#", topic: "a", aws: false, oasis: true },
  { filter: "a/#", topic: "a/b/c", aws: true, oasis: true },
  { filter: "a/+", topic: "a/", aws: true, oasis: true },
  { filter: "a/+", topic: "a", aws: false, oasis: false },
  { filter: "+", topic: "/a", aws: false, oasis: false },
  { filter: "+/+", topic: "/a", aws: true, oasis: true },
  { filter: "/+", topic: "/a", aws: true, oasis: true },
  { filter: "#", topic: "$aws/events/presence/connected/c1", aws: false, oasis: false },
  { filter: "+/events/#", topic: "$aws/events/presence/connected/c1", aws: false, oasis: false },
  { filter: "$aws/events/#", topic: "$aws/events/presence/connected/c1", aws: true, oasis: true },
  { filter: "$aws/+/x", topic: "$aws/events/x", aws: true, oasis: true },
  { filter: "a/+/c", topic: "a/b/c", aws: true, oasis: true },
  { filter: "a/+/c", topic: "a/b/c/d", aws: false, oasis: false },
  { filter: "a/+/#", topic: "a/b", aws: false, oasis: true },
  { filter: "A", topic: "a", aws: false, oasis: false },
] as const;

const PROFILES = ["aws", "oasis"] as const;

/** Levels from a tiny alphabet, so that random filters and topics meet. */
const level = fc.constantFrom("a", "b", "", "$x");
const topics = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 4 }), fc.constantFrom("a", "+", "#", ""))
  .map(([levels, last]) => [...levels, last].join("/"));
const isUsable = (text: string): boolean => text !== "";

/** The broker's own tree, reached through its front door; `$x` would be refused under aws from outside. */
function deliveredFilters(profile: Profile, wanted: readonly string[], topic: string): string[] {
  const bench = new Bench({ profile, limits: { filtersPerPacket: 1000 } });
  for (const filter of wanted) bench.connect(`to ${filter}`).subscribe([filter]);
  const publisher = bench.connect("publisher");
  const reached: string[] = [];
  bench.broker.addHooks({ authorizeReceive: (clientId) => reached.push(clientId.slice(3)) > 0 });
  publisher.publish(topic, "x");
  return reached.sort();
}

describe("subscription matching", () => {
  it.each(VECTORS)("$filter against $topic (aws $aws, oasis $oasis)", ({ filter, topic, ...expected }) => {
    for (const profile of PROFILES)
      expect(deliveredFilters(profile, [filter], topic)).toEqual(expected[profile] ? [filter] : []);
  });

  it("agrees with the definition for any filters and topic", () => {
    const property = (profile: Profile): void =>
      fc.assert(
        fc.property(
          fc.uniqueArray(filters.filter(isUsable), { maxLength: 12 }),
          topics.filter(isUsable),
          (all, name) => {
            const isReserved = (text: string): boolean => profile === "aws" && text.startsWith("$");
            const wanted = all.filter((filter) => !isReserved(filter));
            fc.pre(!isReserved(name));
            const expected = wanted.filter((filter) => topicMatches(filter, name, profile)).sort();
            expect(deliveredFilters(profile, wanted, name)).toEqual(expected);
          },
        ),
        { numRuns: 150 },
      );
    PROFILES.forEach(property);
  });

  it("agrees with the definition after any subscribing and unsubscribing, with cached routes", () => {
    const step = fc.record({
      client: fc.nat(2),
      filter: filters.filter(isUsable),
      isAdded: fc.boolean(),
      topic: topics.filter(isUsable),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const bench = new Bench({ profile: "oasis" });
        const clients = [0, 1, 2].map((n) => bench.connect(`c${n}`));
        const held = clients.map(() => new Set<string>());
        for (const { client, filter, isAdded, topic } of steps) {
          if (isAdded) clients[client]!.subscribe([filter]);
          else clients[client]!.unsubscribe(filter);
          if (isAdded) held[client]!.add(filter);
          else held[client]!.delete(filter);
          clients.forEach((one) => one.clear());
          bench.broker.publish({ topic, payload: "x", qos: 0 });
          const reached = clients.map((one) => one.publishes.length);
          const matches = (filters: Set<string>): boolean =>
            [...filters].some((f) => topicMatches(f, topic, "oasis"));
          expect(reached).toEqual(held.map((filters) => (matches(filters) ? 1 : 0)));
        }
        held.forEach((filters, n) => filters.forEach((filter) => clients[n]!.unsubscribe(filter)));
        expect(bench.broker.statistics().subscriptions).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe("overlapping subscriptions", () => {
  it("deliver once, with the highest QoS and every identifier", () => {
    const bench = new Bench({ profile: "oasis" });
    const client = bench.connect("client");
    client.subscribe([{ filter: "a/b", qos: 0 }], { subscriptionId: 1 });
    client.subscribe(["a/+"], { subscriptionId: 2 });
    client.subscribe(["#"]);
    bench.connect("publisher").publish("a/b", "x");
    expect(client.publishes).toHaveLength(1);
    expect(client.publishes[0]).toMatchObject({ qos: 1, subscriptionIds: [1, 2] });
  });

  it("carry no identifiers to a 3.1.1 client", () => {
    const bench = new Bench({ profile: "oasis" });
    const client = bench.connect("client", { protocolVersion: 4 });
    client.subscribe(["a"], { subscriptionId: 1 });
    bench.connect("publisher").publish("a", "x", { userProperties: [["k", "v"]] });
    expect(Object.keys(client.publishes[0]!)).not.toContain("subscriptionIds");
    expect(Object.keys(client.publishes[0]!)).not.toContain("userProperties");
  });

  it("are told apart by No Local: the client's own messages come only through the others", () => {
    const bench = new Bench({ profile: "oasis" });
    const client = bench.connect("client");
    const other = bench.connect("other");
    client.subscribe([{ filter: "a/+", qos: 1, noLocal: true }], { subscriptionId: 1 });
    client.publish("a/b", "own");
    other.publish("a/b", "foreign");
    expect(client.delivered).toEqual(["a/b=foreign"]);
    client.subscribe([{ filter: "a/b", qos: 0 }], { subscriptionId: 2 });
    client.clear();
    client.publish("a/b", "own");
    other.publish("a/b", "foreign");
    expect(client.publishes).toMatchObject([
      { qos: 0, subscriptionIds: [2] },
      { qos: 1, subscriptionIds: [2, 1] },
    ]);
  });
});

describe("PUBACK", () => {
  it.each([
    { profile: "aws", code: 0x00 },
    { profile: "oasis", code: 0x10 },
  ] as const)("says $code when nobody subscribed ($profile)", ({ profile, code }) => {
    const bench = new Bench({ profile });
    const client = bench.connect("client");
    client.publish("t", "x");
    expect(client.packets("puback")).toMatchObject([{ reasonCode: code }]);
    client.subscribe(["t"]);
    client.publish("t", "x");
    expect(client.packets("puback")[1]).toMatchObject({ reasonCode: 0 });
  });
});
