import fc from "fast-check";
import { topicMatches } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";
import { RecordingJournal } from "./recording-journal.js";

const publishRetained = (bench: Bench, topic: string, payload: string): void =>
  bench.broker.publish({ topic, payload, qos: 1, retain: true });

describe("retained messages", () => {
  it("reach wildcard filters under oasis and exact filters only under AWS", () => {
    for (const profile of ["aws", "oasis"] as const) {
      const bench = new Bench({ profile });
      publishRetained(bench, "s/1", "v");
      const client = bench.connect("client");
      client.subscribe(["s/#", "+/1", "#"]);
      expect(client.delivered).toEqual(profile === "aws" ? [] : ["s/1=v", "s/1=v", "s/1=v"]);
    }
  });

  it("are never kept on `$` topics by AWS", () => {
    const bench = new Bench();
    publishRetained(bench, "$aws/things/T/x", "v");
    expect(bench.broker.statistics().retained).toBe(0);
  });

  it("come with the lower QoS, with RETAIN, and once per SUBSCRIBE", () => {
    const bench = new Bench();
    publishRetained(bench, "s", "v");
    const client = bench.connect("client");
    client.subscribe([{ filter: "s", qos: 0 }]);
    client.subscribe(["s"]);
    expect(client.publishes.map(({ qos, retain }) => [qos, retain])).toEqual([
      [0, true],
      [1, true],
    ]);
  });

  it.each([
    { handling: 0, counts: [1, 2] },
    { handling: 1, counts: [1, 1] },
    { handling: 2, counts: [0, 0] },
  ] as const)("follow Retain Handling $handling", ({ handling, counts }) => {
    const bench = new Bench();
    publishRetained(bench, "s", "v");
    const client = bench.connect("client");
    const received = [1, 2].map(() => {
      client.subscribe([{ filter: "s", qos: 0, retainHandling: handling }]);
      return client.publishes.length;
    });
    expect(received).toEqual(counts);
  });

  it("keep RETAIN on live copies for a subscription with Retain As Published", () => {
    const bench = new Bench();
    const [asPublished, plain, low] = ["asPublished", "plain", "low"].map((id) => bench.connect(id));
    asPublished!.subscribe([{ filter: "s", qos: 1, retainAsPublished: true }]);
    plain!.subscribe(["s"]);
    low!.subscribe([{ filter: "s", qos: 0 }]);
    bench.connect("second plain").subscribe([{ filter: "s", qos: 0 }]);
    publishRetained(bench, "s", "v");
    expect([asPublished, plain, low].map((client) => client!.publishes[0]!.retain)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("that expired do not stay because nobody asks for them", () => {
    for (const profile of ["aws", "oasis"] as const) {
      const journal = new RecordingJournal();
      const bench = new Bench({ profile, journal });
      for (let number = 0; number < 2_500; number += 1)
        bench.broker.publish({
          topic: `once/${number}`,
          payload: "v",
          qos: 0,
          retain: true,
          messageExpiryS: number < 2_000 ? 10 : 100,
        });
      publishRetained(bench, "stays", "v");
      bench.advanceS(75);
      expect(bench.broker.statistics().retained).toBe(501);
      bench.advanceS(75);
      expect(bench.broker.statistics()).toMatchObject({ retained: 1, retainedBytes: 6 });
      expect(journal.reports.filter((report) => report === "retained cleared")).toHaveLength(2_500);
      expect(bench.time.heap.size).toBe(0);
    }
  });

  it("are not looked for any more after the end", () => {
    const bench = new Bench();
    bench.broker.publish({ topic: "s", payload: "v", qos: 0, retain: true, messageExpiryS: 100 });
    expect(bench.time.heap.size).toBe(1);
    bench.broker.shutdown();
    expect(bench.time.heap.size).toBe(0);
  });

  it("vanish when their expiry interval is over", () => {
    const bench = new Bench({ profile: "oasis" });
    bench.connect("publisher").publish("a/b", "v", { retain: true, messageExpiryS: 10 });
    bench.advanceS(4);
    const client = bench.connect("client");
    client.subscribe(["a/b"]);
    expect(client.publishes[0]!.messageExpiryS).toBe(6);
    bench.advanceS(6);
    client.clear();
    client.subscribe(["a/b", "#"]);
    expect(client.publishes).toEqual([]);
    expect(bench.broker.statistics().retained).toBe(0);
  });

  it("are bounded in number and bytes; replacing and clearing make room", () => {
    const bench = new Bench({ limits: { retainedMessages: 2, retainedBytes: 100 } });
    publishRetained(bench, "a", "1");
    publishRetained(bench, "b", "1");
    publishRetained(bench, "c", "1");
    publishRetained(bench, "a", "2".repeat(100));
    expect(bench.eventsOf("broker.dropped").map(({ topic, reason }) => [topic, reason])).toEqual([
      ["c", "retained-full"],
      ["a", "retained-full"],
    ]);
    publishRetained(bench, "a", "");
    publishRetained(bench, "unknown", "");
    publishRetained(bench, "c", "1".repeat(90));
    expect(bench.broker.statistics().retained).toBe(2);
  });

  it("are found by a wildcard exactly when the filter matches their topic", () => {
    const level = fc.constantFrom("a", "b", "", "$x");
    const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
    const levels = fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 3 });
    const filters = fc
      .tuple(levels, fc.constantFrom("a", "+", "#"))
      .map(([first, last]) => [...first, last].join("/"));
    const named = topics.filter((topic) => topic !== "");
    fc.assert(
      fc.property(fc.uniqueArray(named), fc.array(named), filters, (all, cleared, filter) => {
        const bench = new Bench({ profile: "oasis" });
        for (const topic of all) publishRetained(bench, topic, "v");
        for (const topic of cleared) publishRetained(bench, topic, "");
        const client = bench.connect("client");
        client.subscribe([filter]);
        const expected = all.filter(
          (topic) => !cleared.includes(topic) && topicMatches(filter, topic, "oasis"),
        );
        expect(client.publishes.map(({ topic }) => topic).sort()).toEqual(expected.sort());
      }),
      { numRuns: 150 },
    );
  });

  it("are withheld from a client that may not receive them", () => {
    const bench = new Bench({ hooks: { authorizeReceive: () => false } });
    publishRetained(bench, "s", "v");
    const client = bench.connect("client");
    client.subscribe(["s"]);
    expect(client.publishes).toEqual([]);
    expect(bench.eventsOf("broker.dropped")).toMatchObject([
      { reason: "receive-denied", clientId: "client" },
    ]);
  });
});
