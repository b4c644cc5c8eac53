import { DEFAULT_INDEX_LIMITS, DocumentIndex, type FieldMap, fieldTraits, parseQuery } from "fleetrig/broker";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documents, queries } from "./naive-search.js";

const LIMITS = {
  ...DEFAULT_INDEX_LIMITS,
  maxTerms: 100,
  maxLeadingWildcards: 100,
  maxLeadingWildcardQueryLength: 5_000,
  maxQueryLength: 5_000,
};

function indexOf(things: Readonly<Record<string, FieldMap>>): DocumentIndex {
  const index = new DocumentIndex(fieldTraits);
  for (const [name, fields] of Object.entries(things)) index.put(name, fields);
  return index;
}

const found = (index: DocumentIndex, query: string): readonly string[] =>
  index.namesOf(index.select(parseQuery(query, LIMITS)));

describe("the index", () => {
  const fleet = indexOf({
    lamp: [
      ["thingName", "lamp"],
      ["thingGroupNames", ["Hall", "floor-1"]],
      ["attributes.site", "HQ"],
      ["attributes.myAttribute", "75"],
      ["attributes.version", "2.10.0"],
      ["shadow.reported.location", "New York"],
      ["shadow.reported.myvalues", [1, 2, 3]],
      ["shadow.reported.stats.battery", 78],
      ["shadow.hasDelta", true],
      ["registry.version", 3],
      ["connectivity.connected", true],
      ["connectivity.disconnectReason", "NONE"],
    ],
    fan: [
      ["thingName", "fan"],
      ["attributes.version", "2.9.0"],
      ["attributes.myAttribute", "80"],
      ["shadow.reported.stats.battery", "78"],
      ["shadow.hasDelta", false],
    ],
  });

  it.each([
    ["abc", []],
    ["hq", ["lamp"]],
    ["attributes.site:hq", ["lamp"]],
    ["Attributes.site:hq", []],
    ["thingName:?a*", ["lamp", "fan"]],
    ["thingName:la*p", ["lamp"]],
    ["thingGroupNames:hall", ["lamp"]],
    ["thingGroupNames:(hall AND floor-1)", ["lamp"]],
    ["attributes.myAttribute:75", ["lamp"]],
    ["attributes.myAttribute:75.0", ["lamp"]],
    ["attributes.myAttribute:[75 TO 80]", ["lamp", "fan"]],
    ["attributes.myAttribute:{75 TO 80]", ["fan"]],
    ['attributes.version:["2.10.0" TO "2.8"]', ["lamp"]],
    ["attributes.version < 2.9.0", ["lamp"]],
    ["shadow.reported.location:york", ["lamp"]],
    ['shadow.reported.location:"new york"', ["lamp"]],
    ['shadow.reported.location:"york new"', []],
    ["shadow.reported.myvalues:2", ["lamp"]],
    ["shadow.reported.myvalues:{1 TO 3}", ["lamp"]],
    ["shadow.reported.stats.battery>70", ["lamp"]],
    ["shadow.reported.stats.battery:78", ["lamp", "fan"]],
    ["shadow.hasDelta:true", ["lamp"]],
    ["shadow.reported.location:*", ["lamp"]],
    ["NOT shadow.reported.location:*", ["fan"]],
    ["registry.version:3", []],
    ["connectivity.connected:true", ["lamp"]],
    ["none", []],
    ["connectivity.disconnectReason:none", ["lamp"]],
    ["*", ["lamp", "fan"]],
    ["thingName:(la* -fan)", ["lamp"]],
    ["shadow.reported.stats.battery:{70 TO 100} (hall OR floor-2) NOT attributes.model:legacy", ["lamp"]],
    ["batterylevel > 50", []],
  ])("answers %s", (query, names) => {
    expect(found(fleet, query)).toEqual(names);
  });

  it("finds a character outside the basic plane with one question mark", () => {
    const index = indexOf({ one: [["shadow.reported.mood", "x🙂y"]] });
    expect(found(index, "x?y")).toEqual(["one"]);
    expect(found(index, "x??y")).toEqual([]);
  });

  it("gives the answers of the naive search, after any changes, and so do standing queries", () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.option(documents, { freq: 5 }));
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 30 }),
        fc.array(queries, { minLength: 1, maxLength: 5 }),
        (changes, asked) => {
          const index = new DocumentIndex(fieldTraits);
          const things = new Map<string, FieldMap>();
          const members = asked.map(() => new Set<string>());
          asked.forEach(({ text }, at) => {
            index.watch(parseQuery(text, LIMITS), {
              joined: (name) => {
                expect(members[at]!.has(name)).toBe(false);
                members[at]!.add(name);
              },
              left: (name) => expect(members[at]!.delete(name)).toBe(true),
            });
          });
          for (const [ordinal, document] of changes) {
            const name = `thing-${ordinal}`;
            if (document === null) {
              things.delete(name);
              index.remove(name);
            } else {
              things.set(name, document);
              index.put(name, document);
            }
          }
          asked.forEach(({ text, matches }, at) => {
            const expected = Array.from(things)
              .filter(([, document]) => matches(document))
              .map(([name]) => name)
              .sort();
            expect({ text, names: found(index, text).toSorted() }).toEqual({ text, names: expected });
            expect({ text, names: Array.from(members[at]!).sort() }).toEqual({ text, names: expected });
          });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("keeps its answers when sets grow into bitmaps and columns", () => {
    const index = new DocumentIndex(fieldTraits);
    const put = (ordinal: number, value: number): void =>
      index.put(`t${ordinal}`, [
        ["attributes.parity", ordinal % 2 === 0 ? "even" : "odd"],
        ["shadow.reported.n", value],
        ["shadow.reported.list", ordinal % 100 === 0 ? [value, -value] : value],
      ]);
    for (let ordinal = 0; ordinal < 5_000; ordinal += 1) put(ordinal, ordinal);
    expect(found(index, "even")).toHaveLength(2_500);
    expect(found(index, "even shadow.reported.n:[100 TO 109]")).toEqual([
      "t100",
      "t102",
      "t104",
      "t106",
      "t108",
    ]);
    expect(found(index, "shadow.reported.list < 0")).toHaveLength(49);
    for (let ordinal = 0; ordinal < 5_000; ordinal += 1) put(ordinal, ordinal + 10_000);
    expect(found(index, "shadow.reported.n < 10000")).toHaveLength(0);
    for (let ordinal = 0; ordinal < 5_000; ordinal += 2) index.remove(`t${ordinal}`);
    expect(found(index, "even")).toHaveLength(0);
    expect(found(index, "*")).toHaveLength(2_500);
    for (let ordinal = 0; ordinal < 5_000; ordinal += 1) put(ordinal, ordinal);
    expect(found(index, "odd shadow.reported.n<5")).toEqual(["t1", "t3"]);
  });
});
