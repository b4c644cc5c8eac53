import type { JsonObject, JsonValue } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { bodyOf, ShadowBench } from "./shadow-bench.js";

const KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "isPrototypeOf",
  "__defineGetter__",
  "__defineSetter__",
  "__lookupGetter__",
  "toJSON",
  "then",
  "length",
] as const;
const SECTIONS = ["desired", "reported"] as const;
const DEPTHS = [0, 1, 2] as const;
const VALUES: readonly JsonValue[] = [{ polluted: true }, "polluted", [{ polluted: true }], 0];

const CASES = KEYS.flatMap((key) =>
  SECTIONS.flatMap((section) =>
    DEPTHS.flatMap((depth) => VALUES.map((value) => ({ key, section, depth, value }))),
  ),
);

/** JSON text, because an object literal could not hold `__proto__` as a key. */
const member = (key: string, value: string): string => `{${JSON.stringify(key)}:${value}}`;

/** `value` below `key`, below the same key again for each level of depth. */
function payloadOf({ key, section, depth, value }: (typeof CASES)[number]): string {
  let text = member(key, JSON.stringify(value));
  for (let level = 0; level < depth; level += 1) text = member(key, text);
  return member("state", member(section, text));
}

describe(`hostile keys (${CASES.length} payloads)`, () => {
  it("stay plain data at every depth, and leave every prototype alone", () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    for (const hostile of CASES) {
      const bench = new ShadowBench();
      const text = payloadOf(hostile);
      bench.request("update", '{"state":{"desired":{"kept":1},"reported":{"kept":2}}}');
      bench.request("update", text);
      const second = bench.request("update", text);
      const accepted = bodyOf(second, "update/accepted")!;
      const asked = (JSON.parse(text) as { state: JsonObject }).state;
      expect(JSON.stringify(accepted["state"])).toBe(JSON.stringify(asked));
      const kept = { desired: 1, reported: 2 }[hostile.section];
      const section = (bench.get()["state"] as Record<string, JsonObject>)[hostile.section]!;
      expect(JSON.stringify(section)).toBe(
        JSON.stringify(asked[hostile.section]).replace("{", `{"kept":${kept},`),
      );
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      const stored = bench.service.document({ thing: "T" })![hostile.section]!.state;
      expect(Object.getPrototypeOf(stored)).toBe(Object.prototype);
    }
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
  });

  it("can be deleted like any other", () => {
    for (const key of KEYS) {
      const bench = new ShadowBench();
      bench.request(
        "update",
        member("state", member("reported", `{"kept":1,${JSON.stringify(key)}:{"a":1}}`)),
      );
      bench.request("update", member("state", member("reported", member(key, "null"))));
      const document = bench.service.document({ thing: "T" })!;
      expect(Object.keys(document.reported!.state)).toEqual(["kept"]);
    }
  });

  it("appear in the delta under their own names", () => {
    for (const key of KEYS) {
      const bench = new ShadowBench();
      const sent = bench.request("update", member("state", member("desired", member(key, "1"))));
      expect(JSON.stringify(bodyOf(sent, "update/delta")!["state"])).toBe(member(key, "1"));
    }
  });
});
