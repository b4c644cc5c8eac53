import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";

const level = fc.constantFrom("a", "b", "c");
const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
const filter = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "+"), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([levels, isOpen]) => (isOpen ? [...levels, "#"] : levels).join("/"));
const step = fc.oneof(
  fc.record({ does: fc.constant("subscribe"), filter }),
  fc.record({ does: fc.constant("unsubscribe"), filter }),
  fc.record({ does: fc.constant("publish"), topic }),
);

/** Matching as the standard words it, without a tree. */
function matches(pattern: string, name: string): boolean {
  const [filters, levels] = [pattern.split("/"), name.split("/")];
  for (const [index, one] of filters.entries()) {
    if (one === "#") return true;
    if (index >= levels.length || (one !== "+" && one !== levels[index])) return false;
  }
  return filters.length === levels.length;
}

describe("cached routes", () => {
  it("are those of the subscriptions at the moment, whatever was subscribed to between publishes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bench = new Bench({ profile: "oasis" });
        const client = bench.connect("client");
        const filters = new Set<string>();
        for (const one of steps) {
          if ("topic" in one) {
            client.clear();
            bench.broker.publish({ topic: one.topic, payload: "x", qos: 0 });
            const expected = [...filters].some((pattern) => matches(pattern, one.topic)) ? 1 : 0;
            expect(client.publishes).toHaveLength(expected);
          } else if (one.does === "subscribe") {
            filters.add(one.filter);
            client.subscribe([one.filter]);
            client.autoAcknowledge = true;
          } else {
            filters.delete(one.filter);
            client.unsubscribe(one.filter);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("stay right when wildcard filters change thousands of times", () => {
    const bench = new Bench({ profile: "oasis" });
    const clients = ["a", "b"].map((id) => bench.connect(id));
    for (let i = 0; i < 12_000; i += 1) {
      const client = clients[i % 2]!;
      client.subscribe([{ filter: `fleet/${i % 50}/#`, qos: 0 }]);
      bench.broker.publish({ topic: `fleet/${i % 50}/state`, payload: "x", qos: 0 });
      client.unsubscribe(`fleet/${i % 50}/#`);
      bench.broker.publish({ topic: `fleet/${i % 50}/state`, payload: "x", qos: 0 });
    }
    for (const client of clients) expect(client.publishes).toHaveLength(6_000);
  });
});
