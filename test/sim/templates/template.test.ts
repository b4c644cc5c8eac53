import fc from "fast-check";
import type { FleetrigError, JsonValue } from "fleetrig/kernel";
import { compilePayload, compileText, type TemplateScope } from "fleetrig/sim";
import { describe, expect, it } from "vitest";

const vocabulary = {
  signals: ["temperature", "label"],
  attributes: ["site", "floor", "tags"],
  identity: ["serial"],
};
const scope: TemplateScope = {
  thingName: "hq-1",
  index: 7,
  attributes: { site: 'the "hq"', floor: 3, tags: ["a", 1] },
  sequence: 12,
  nowMs: 1_767_225_600_000,
  state: (signal) => ({ temperature: 21.5, label: "warm\n" })[signal],
  identity: (field) => `<${field}>`,
};
const text = (template: string): string => compileText(template, vocabulary).render(scope);
const payload = (template: JsonValue): string => compilePayload(template, vocabulary).render(scope);

describe("text templates", () => {
  it.each([
    ["building/{site}/floor/{floor}/{thingName}", 'building/the "hq"/floor/3/hq-1'],
    ["t-{index:04}-{floor:02}", "t-0007-03"],
    ["{seq}@{now}", "12@1767225600000"],
    ["{state.temperature} {identity.serial}", "21.5 <serial>"],
    ["alerts/${thing}/{thingName}", "alerts/${thing}/hq-1"],
    ["${state.nothing} {} { x } {1}", "${state.nothing} {} { x } {1}"],
    ["{tags}", '["a",1]'],
    ["", ""],
  ])("renders %s", (template, expected) => {
    expect(text(template)).toBe(expected);
  });

  it("knows when a text never changes for a device", () => {
    const isFixed = (template: string): boolean => compileText(template, vocabulary).isFixed;
    expect([isFixed("a/{thingName}/{floor}"), isFixed("a/{seq}"), isFixed("{state.label}")]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it.each([
    ["{thingname}", "Did you mean {thingName}?"],
    ["{state.temprature}", "Did you mean {state.temperature}?"],
    ["{colour}", "Known here: {thingName} {index}"],
    ["{constructor}", "Known here"],
  ])("refuses the unknown placeholder %s with a hint", (template, hint) => {
    let caught: FleetrigError | undefined;
    try {
      text(template);
    } catch (error) {
      caught = error as FleetrigError;
    }
    expect(caught?.code).toBe("TEMPLATE_UNKNOWN_PLACEHOLDER");
    expect(caught?.exitCode).toBe(2);
    expect(caught?.hint).toContain(hint);
  });
});

describe("payload templates", () => {
  it("keeps a value's type where a string is exactly one placeholder", () => {
    expect(
      JSON.parse(
        payload({
          thing: "{thingName}",
          t: "{state.temperature}",
          seq: "{seq}",
          floor: "{floor}",
          tags: "{tags}",
          name: "{site}",
        }),
      ),
    ).toEqual({ thing: "hq-1", t: 21.5, seq: 12, floor: 3, tags: ["a", 1], name: 'the "hq"' });
  });

  it("writes text where a placeholder is only part of a string, escaped as JSON wants it", () => {
    expect(JSON.parse(payload({ a: ["{site}/{seq}", "{index:04}", "is {state.label}"] }))).toEqual({
      a: ['the "hq"/12', "0007", "is warm\n"],
    });
  });

  it("takes a payload that is a string as plain text", () => {
    expect(payload("offline")).toBe("offline");
    expect(payload("{state.temperature}")).toBe("21.5");
  });

  it("writes null for what a device does not have", () => {
    const { render } = compilePayload({ floor: "{floor}" }, vocabulary);
    expect(render({ ...scope, attributes: {} })).toBe('{"floor":null}');
  });

  it("reads attributes only of its own, never inherited ones", () => {
    const { render } = compilePayload({ x: "{toString}" }, { ...vocabulary, attributes: ["toString"] });
    expect(render(scope)).toBe('{"x":null}');
  });

  it("names the signals that it reads", () => {
    const compiled = compilePayload({ a: "{state.label}", b: "{state.label}" }, vocabulary);
    expect(compiled.signals).toEqual(["label"]);
  });

  it("gives back every JSON value without placeholders", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = { v: value as JsonValue };
        fc.pre(!JSON.stringify(json).includes("{state") && !/\{[A-Za-z_]/.test(JSON.stringify(json)));
        expect(JSON.parse(payload(json))).toEqual(JSON.parse(JSON.stringify(json)));
      }),
    );
  });
});
