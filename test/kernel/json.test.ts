import fc from "fast-check";
import {
  canonicalJson,
  isJsonObject,
  jsonEqual,
  type JsonValue,
  nestingDepth,
  parseJson,
} from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const anyJson = fc.jsonValue() as fc.Arbitrary<JsonValue>;

describe("jsonEqual", () => {
  it("agrees with canonical text on any two values", () => {
    fc.assert(
      fc.property(anyJson, anyJson, (a, b) => jsonEqual(a, b) === (canonicalJson(a) === canonicalJson(b))),
    );
  });

  it("holds between a value and its copy", () => {
    fc.assert(fc.property(anyJson, (value) => jsonEqual(value, structuredClone(value))));
  });

  it.each([
    [{ a: undefined as unknown as JsonValue }, {}],
    [
      [1, 2],
      [2, 1],
    ],
    [[], {}],
    [null, {}],
    [undefined, null],
  ])("tells %j from %j", (a, b) => {
    expect(jsonEqual(a, b)).toBe(false);
  });
});

describe("canonicalJson", () => {
  it("does not depend on the order in which keys were written", () => {
    expect(canonicalJson({ b: 1, a: [{ d: 1, c: 2 }] })).toBe('{"a":[{"c":2,"d":1}],"b":1}');
  });
});

describe("parseJson", () => {
  it("measures nesting without recursion, so a depth bomb costs one scan", () => {
    const bomb = "[".repeat(1_000_000);
    expect(parseJson(bomb, 64)).toEqual({ ok: false, reason: "depth", depth: 1_000_000 });
  });

  it("does not count brackets inside strings", () => {
    expect(nestingDepth(String.raw`{"a":"[[[\"{{{","b":[1]}`)).toBe(2);
  });

  it("keeps __proto__ as an ordinary key", () => {
    const parsed = parseJson('{"__proto__":{"polluted":true}}', 8);
    expect(parsed.ok && isJsonObject(parsed.value) && Object.hasOwn(parsed.value, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("reports text that is not JSON", () => {
    expect(parseJson("{", 8)).toMatchObject({ ok: false, reason: "syntax" });
  });
});
