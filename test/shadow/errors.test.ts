import { FleetrigError } from "fleetrig/kernel";
import type { ShadowSettings } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { bodyOf, ShadowBench, topicsOf } from "./shadow-bench.js";

/** `{"desired":{"l1":{"l2":…}}}` with the section as level 1. */
function nested(levels: number): object {
  let section: object = {};
  for (let level = levels; level > 1; level -= 1) section = { [`l${level}`]: section };
  return { desired: section };
}

/** A state whose JSON text has exactly this many bytes. */
const stateOfBytes = (bytes: number): object => ({
  desired: { a: "x".repeat(bytes - '{"desired":{"a":""}}'.length) },
});

const state = (value: unknown): string => JSON.stringify({ state: value });

const INVALID: readonly (readonly [payload: string, message: string])[] = [
  ["", "Invalid JSON"],
  ["{", "Invalid JSON"],
  ["[1]", "Invalid JSON"],
  ["7", "Invalid JSON"],
  ["null", "Invalid JSON"],
  ["{}", "Missing required node: state"],
  ['{"__proto__":{"state":{}}}', "Missing required node: state"],
  [state(7), "State node must be an object"],
  [state([]), "State node must be an object"],
  [state({ desired: 7 }), "Desired node must be an object"],
  [state({ desired: [] }), "Desired node must be an object"],
  [state({ reported: "x" }), "Reported node must be an object"],
  [state({ delta: { a: 1 } }), "State contains an invalid node: 'delta'"],
  [state({ desired: {}, extra: 1 }), "State contains an invalid node: 'extra'"],
  ['{"state":{"__proto__":{}}}', "State contains an invalid node: '__proto__'"],
  [state({ desired: { l: [1, null] } }), "State contains an invalid node"],
  [state({ reported: { l: [[null]] } }), "State contains an invalid node"],
  [state({ reported: { l: [{ a: null }] } }), "State contains an invalid node"],
  ['{"state":{},"version":"1"}', "Invalid version"],
  ['{"state":{},"version":1.5}', "Invalid version"],
  ['{"state":{},"version":-1}', "Invalid version"],
  ['{"state":{},"version":null}', "Invalid version"],
  ['{"state":{},"clientToken":1}', "Invalid clientToken"],
  [`{"state":{},"clientToken":"${"t".repeat(65)}"}`, "Invalid clientToken"],
  [`{"state":{},"clientToken":"${"ü".repeat(33)}"}`, "Invalid clientToken"],
  [state(nested(7)), "JSON contains too many levels of nesting; maximum is 6"],
  [state({ desired: { a: [[[[[[1]]]]]] } }), "JSON contains too many levels of nesting; maximum is 6"],
  ["[".repeat(100_000), "JSON contains too many levels of nesting; maximum is 6"],
  ['{"a":'.repeat(20_000), "JSON contains too many levels of nesting; maximum is 6"],
];

describe("refused shadow requests", () => {
  it.each(INVALID)("answer %.60s with 400 %s", (payload, message) => {
    const bench = new ShadowBench();
    const sent = bench.request("update", payload);
    expect(sent).toEqual([{ topic: "update/rejected", body: { code: 400, message, timestamp: bench.nowS } }]);
    expect(bench.service.document({ thing: "T" })).toBeUndefined();
  });

  it("apply to in-process payloads alike", () => {
    for (const [text, message] of INVALID) {
      let payload: unknown;
      try {
        payload = JSON.parse(text);
      } catch {
        continue;
      }
      const { service } = new ShadowBench();
      const result = service.update({ thing: "T", payload: payload as never });
      expect(result).toEqual({ ok: false, error: { code: 400, message } });
    }
  });

  it("quote no more than the beginning of a key", () => {
    const [sent] = new ShadowBench().update({ ["k".repeat(5000)]: 1 });
    expect(String(sent!.body["message"])).toHaveLength(
      `State contains an invalid node: '${"k".repeat(64)}'`.length,
    );
  });

  it("answer text that is not UTF-8 with 415", () => {
    const bench = new ShadowBench();
    const sent = bench.request("update", Uint8Array.of(0x7b, 0xff, 0x7d));
    expect(bodyOf(sent, "update/rejected")).toMatchObject({
      code: 415,
      message: "Unsupported documented encoding; supported encoding is UTF-8",
    });
  });

  it("check the payload of a get, which may be empty", () => {
    const bench = new ShadowBench();
    bench.update({ reported: { a: 1 } });
    expect(topicsOf(bench.request("get"))).toEqual(["get/accepted"]);
    for (const payload of ["{", "[]", '"x"']) {
      expect(bodyOf(bench.request("get", payload), "get/rejected")).toMatchObject({
        code: 400,
        message: "Invalid JSON",
      });
    }
    expect(bodyOf(bench.request("get", '{"clientToken":7}'), "get/rejected")).toMatchObject({
      code: 400,
      message: "Invalid clientToken",
    });
  });

  it("echo a token of exactly 64 bytes", () => {
    const clientToken = "ü".repeat(32);
    const sent = new ShadowBench().update({}, { clientToken });
    expect(bodyOf(sent, "update/accepted")).toMatchObject({ clientToken });
  });

  it("include unknown things where the registry is asked", () => {
    const bench = new ShadowBench({ thingExists: (thing) => thing !== "T" });
    expect(bodyOf(bench.update({}, { clientToken: "t" }), "update/rejected")).toMatchObject({
      code: 404,
      message: "Thing not found",
      clientToken: "t",
    });
    expect(bench.service.update({ thing: "U", payload: { state: {} } })).toMatchObject({ ok: true });
  });

  it("compare the version of a shadow that does not exist with 0", () => {
    const bench = new ShadowBench();
    expect(topicsOf(bench.update({}, { version: 1 }))).toEqual(["update/rejected"]);
    expect(bodyOf(bench.update({}, { version: 0 }), "update/accepted")).toMatchObject({ version: 1 });
  });
});

describe("shadow limits", () => {
  const benchWith = (settings: Partial<ShadowSettings>) => new ShadowBench({ settings });

  it("accept 8,192 bytes of state and refuse 8,193", () => {
    const bench = new ShadowBench();
    expect(topicsOf(bench.update(stateOfBytes(8192)))).toContain("update/accepted");
    expect(bench.update(stateOfBytes(8193))).toEqual([
      {
        topic: "update/rejected",
        body: {
          code: 413,
          message: "The payload exceeds the maximum size allowed",
          timestamp: bench.nowS,
        },
      },
    ]);
    expect(bench.get()["version"]).toBe(1);
  });

  it("measure what is stored, not what came in over time", () => {
    const bench = new ShadowBench();
    for (let i = 0; i < 50; i += 1) {
      expect(topicsOf(bench.update({ reported: { a: "x".repeat(4000) } }))).toContain("update/accepted");
    }
    expect(bench.service.document({ thing: "T" })!.stateBytesAtMost).toBeLessThanOrEqual(8192);
    expect(topicsOf(bench.update({ desired: { b: "x".repeat(4190) } }))).toEqual(["update/rejected"]);
    expect(topicsOf(bench.update({ desired: { b: "ü".repeat(2000) } }))).toContain("update/accepted");
    expect(topicsOf(bench.update({ desired: { c: "ü".repeat(100) } }))).toEqual(["update/rejected"]);
  });

  it("can apply to each section on its own", () => {
    const bench = benchWith({ sizeLimitPer: "section", maxStateBytes: 100 });
    const full = { a: "x".repeat(100 - '{"a":""}'.length) };
    expect(topicsOf(bench.update({ desired: full }))).toContain("update/accepted");
    expect(topicsOf(bench.update({ reported: full }))).toContain("update/accepted");
    expect(topicsOf(bench.update({ reported: { b: 1 } }))).toEqual(["update/rejected"]);
    expect(topicsOf(bench.update({ desired: { a: null } }))).toContain("update/accepted");
  });

  it("do not count metadata", () => {
    const bench = benchWith({ maxStateBytes: 200 });
    const digits = Object.fromEntries("abcdefghijklmnopqrstuvw".split("").map((key) => [key, 1]));
    expect(topicsOf(bench.update({ reported: digits }))).toContain("update/accepted");
  });

  it("refuse requests too large to parse", () => {
    const bench = benchWith({ maxRequestBytes: 100 });
    expect(bodyOf(bench.request("update", "[".repeat(101)), "update/rejected")).toMatchObject({ code: 413 });
    expect(bodyOf(bench.request("update", "[".repeat(100)), "update/rejected")).toMatchObject({ code: 400 });
  });

  it.each([5, 6, 8])("accept %i levels of nesting where that is the maximum, and no more", (maxNesting) => {
    const bench = benchWith({ maxNesting });
    expect(topicsOf(bench.update(nested(maxNesting)))).toContain("update/accepted");
    expect(bodyOf(bench.update(nested(maxNesting + 1)), "update/rejected")).toMatchObject({
      code: 400,
      message: `JSON contains too many levels of nesting; maximum is ${maxNesting}`,
    });
  });

  it("throttle each shadow by itself, per second", () => {
    const bench = benchWith({ maxRequestsPerSecond: 2 });
    bench.update({ reported: { a: 1 } });
    bench.request("name/n/update", { state: {} });
    expect(topicsOf(bench.request("get"))).toEqual(["get/accepted"]);
    expect(topicsOf(bench.request("get"))).toEqual(["get/accepted"]);
    expect(bodyOf(bench.request("get"), "get/rejected")).toMatchObject({
      code: 429,
      message: "Too many requests",
    });
    expect(topicsOf(bench.request("name/n/get"))).toEqual(["name/n/get/accepted"]);
    bench.advanceS(1);
    expect(topicsOf(bench.request("get"))).toEqual(["get/accepted"]);
  });

  it("bound the number of shadows, remembered versions included", () => {
    const bench = benchWith({ maxShadows: 1 });
    bench.update({});
    bench.request("delete");
    expect(bodyOf(bench.request("name/n/update", { state: {} }), "name/n/update/rejected")).toMatchObject({
      code: 429,
    });
    expect(topicsOf(bench.update({}))).toContain("update/accepted");
    bench.request("delete");
    bench.advanceS(48 * 3600);
    expect(topicsOf(bench.request("name/n/update", { state: {} }))).toContain("name/n/update/accepted");
  });

  it.each([
    { maxNesting: 0 },
    { maxNesting: 61 },
    { maxStateBytes: 1.5 },
    { maxRequestsPerSecond: 0 },
    { versionRetentionS: -1 },
  ])("refuse the setting %o", (settings) => {
    expect(() => benchWith(settings)).toThrow(FleetrigError);
  });
});
