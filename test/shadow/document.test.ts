import fc from "fast-check";
import {
  applyUpdate,
  computeDelta,
  emptyDocument,
  hasDelta,
  mergeSection,
  metadataOf,
  type ShadowDocument,
  stateOf,
} from "fleetrig/broker";
import { jsonEqual, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const LIMIT = { maxStateBytes: 1_000_000, sizeLimitPer: "document" } as const;

/** Few keys, so that generated objects overlap; some of them attack. */
const key = fc.constantFrom("a", "b", "c", "d", "__proto__", "constructor", "toString");
const scalar = fc.oneof(fc.boolean(), fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", "y", ""));
const arrayValue = fc.array(scalar, { maxLength: 3 });

/** An object built by entries, so that `__proto__` is an ordinary key. */
const objectOf = (member: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> =>
  fc
    .uniqueArray(fc.tuple(key, member), { maxLength: 4, selector: ([name]) => name })
    .map((entries) => Object.fromEntries<JsonValue>(entries));

const treeOf = (leaf: fc.Arbitrary<JsonValue>, levels: number): fc.Arbitrary<JsonObject> =>
  objectOf(levels === 0 ? leaf : fc.oneof(leaf, treeOf(leaf, levels - 1)));

const stateTree = treeOf(fc.oneof(scalar, arrayValue), 2);
const requestTree = treeOf(fc.oneof(scalar, arrayValue, fc.constant(null)), 2);

const withoutNulls = (value: JsonValue): JsonValue => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutNulls(member)]));
};
const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The merge of REF §5.2 again, on maps and without sharing. */
function naiveMerge(before: JsonObject, request: JsonObject): JsonObject {
  const after = new Map(Object.entries(before));
  for (const [name, value] of Object.entries(request)) {
    const old = after.get(name);
    if (value === null) after.delete(name);
    else if (isObject(value) && isObject(old)) after.set(name, naiveMerge(old, value));
    else after.set(name, withoutNulls(value));
  }
  return Object.fromEntries(after);
}

/** Every leaf and array element of metadata as `path -> timestamp`. */
function leavesOf(metadata: JsonValue, path: string): [string, JsonValue][] {
  if (Array.isArray(metadata)) {
    return metadata.flatMap((item: JsonValue, index) => leavesOf(item, `${path}[${index}]`));
  }
  const object = metadata as JsonObject;
  if (typeof object["timestamp"] === "number") return [[path, object["timestamp"]]];
  return Object.keys(object).flatMap((name) => leavesOf(object[name]!, `${path}/${name}`));
}

/** Metadata as REF §5.3 tells it, from the history of requests: path of each leaf to its last write. */
function naiveStamps(
  state: JsonValue,
  request: JsonValue | undefined,
  nowS: number,
  before: Map<string, number>,
) {
  const stamps = new Map<string, number>();
  const visit = (value: JsonValue, asked: JsonValue | undefined, isNew: boolean, path: string): void => {
    if (isObject(value)) {
      for (const [name, member] of Object.entries(value)) {
        const part = isObject(asked) && Object.hasOwn(asked, name) ? asked[name] : undefined;
        visit(member, part, isNew || (part !== undefined && !isObject(part)), `${path}/${name}`);
      }
    } else if (Array.isArray(value)) {
      value.forEach((item: JsonValue, index) => visit(item, asked, isNew, `${path}[${index}]`));
    } else {
      stamps.set(path, isNew || asked !== undefined ? nowS : before.get(path)!);
    }
  };
  visit(state, request, false, "");
  return stamps;
}

function apply(document: ShadowDocument, update: object, nowS: number): ShadowDocument {
  const result = applyUpdate(document, update, { nowS, limit: LIMIT });
  if (!result.ok) throw new TypeError(result.reason);
  return result.document;
}

describe("merging sections", () => {
  it("agrees with a naive merge on any sequence of requests [REF §5.2]", () => {
    fc.assert(
      fc.property(fc.array(requestTree, { maxLength: 6 }), (requests) => {
        let document = emptyDocument(0);
        let expected: JsonObject = {};
        requests.forEach((request, index) => {
          document = apply(document, { reported: request }, index);
          expected = naiveMerge(expected, request);
        });
        expect(jsonEqual(document.reported?.state ?? {}, expected)).toBe(true);
        expect(document.version).toBe(requests.length);
      }),
    );
  });

  it("stamps exactly the leaves a request names, array elements one by one [REF §5.3]", () => {
    fc.assert(
      fc.property(fc.array(requestTree, { minLength: 1, maxLength: 6 }), (requests) => {
        let document = emptyDocument(0);
        let stamps = new Map<string, number>();
        requests.forEach((request, index) => {
          document = apply(document, { reported: request }, 100 + index);
          stamps = naiveStamps(document.reported?.state ?? {}, request, 100 + index, stamps);
        });
        const leaves = leavesOf(metadataOf(document)["reported"] ?? {}, "");
        expect(new Map<string, JsonValue>(leaves)).toEqual(stamps);
      }),
    );
  });

  it("keeps the timestamps of untouched leaves", () => {
    const first = apply(emptyDocument(0), { reported: { a: { x: 1, y: 2 }, l: [1, 2] } }, 10);
    const second = apply(first, { reported: { a: { x: 1 } } }, 20);
    expect(metadataOf(second)).toEqual({
      reported: {
        a: { x: { timestamp: 20 }, y: { timestamp: 10 } },
        l: [{ timestamp: 10 }, { timestamp: 10 }],
      },
    });
  });

  it("shares untouched branches with the previous document, which stays as it was", () => {
    const before = apply(emptyDocument(0), { reported: { a: { x: 1 }, b: { y: [1] } } }, 10);
    const after = apply(before, { reported: { a: { x: 2 } } }, 20);
    expect(after.reported!.state["b"]).toBe(before.reported!.state["b"]);
    expect(stateOf(before)).toEqual({ reported: { a: { x: 1 }, b: { y: [1] } } });
  });

  it("stamps a section that is written whole with one number", () => {
    const whole = { a: 1, b: { c: [1, 2, 3], d: 2 } };
    const section = mergeSection(mergeSection(undefined, whole, 10), { ...whole, b: { c: [1], d: 3 } }, 20);
    expect(section!.stamps).toBe(20);
  });

  it("forgets the stamps of deleted keys, so that churning keys leave nothing behind", () => {
    const section = mergeSection(undefined, { a: 1, b: 2 }, 10);
    expect(mergeSection(section, { a: null }, 20)!.stamps).toEqual({ b: 10 });
    expect(mergeSection(section, { a: null, b: 3 }, 20)!.stamps).toBe(20);
  });

  it("keeps empty objects inside a section and drops empty sections", () => {
    const document = apply(emptyDocument(0), { desired: { a: { b: 1 } }, reported: {} }, 10);
    const emptied = apply(document, { desired: { a: { b: null } } }, 20);
    expect(stateOf(emptied)).toEqual({ desired: { a: {} } });
    expect(metadataOf(emptied)).toEqual({ desired: { a: {} } });
    expect(stateOf(apply(emptied, { desired: { a: null } }, 30))).toEqual({});
  });

  it("replaces on every change of type, and drops nulls of what is new", () => {
    const steps: readonly (readonly [request: JsonObject, state: JsonObject])[] = [
      [{ a: 1 }, { a: 1 }],
      [{ a: { b: 1, n: null, c: { d: null } } }, { a: { b: 1, c: {} } }],
      [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }],
      [{ a: [{ c: 3 }] }, { a: [{ c: 3 }] }],
      [{ a: "x", missing: null }, { a: "x" }],
    ];
    let section = mergeSection(undefined, {}, 0);
    for (const [request, state] of steps) {
      section = mergeSection(section, request, 1);
      expect(section!.state).toEqual(state);
    }
  });
});

describe("delta", () => {
  it("is empty once it has been reported [REF §5.4]", () => {
    fc.assert(
      fc.property(stateTree, stateTree, (desired, reported) => {
        const delta = computeDelta(desired, reported);
        expect(hasDelta(desired, reported)).toBe(delta !== undefined);
        const after = mergeSection({ state: reported, stamps: 1 }, delta ?? {}, 2)?.state ?? {};
        expect(computeDelta(desired, after)).toBeUndefined();
        expect(hasDelta(desired, after)).toBe(false);
      }),
    );
  });

  it("is everything desired where nothing is reported, and nothing where nothing is desired", () => {
    expect(computeDelta({ a: { b: 1 } }, undefined)).toEqual({ a: { b: 1 } });
    expect(computeDelta({}, { a: 1 })).toBeUndefined();
    expect(hasDelta(undefined, { a: 1 })).toBe(false);
    expect(hasDelta({ a: 1 }, undefined)).toBe(true);
  });

  it("compares arrays whole and in order, objects member by member", () => {
    expect(computeDelta({ l: [1, 2], o: { a: 1, b: 2 } }, { l: [2, 1], o: { a: 1 }, x: 1 })).toEqual({
      l: [1, 2],
      o: { b: 2 },
    });
    expect(computeDelta({ a: {}, b: {} }, { a: { z: 1 }, b: 7 })).toEqual({ b: {} });
  });
});
