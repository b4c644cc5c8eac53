import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FleetrigError } from "fleetrig/kernel";
import { parseProvisioningTemplate as parse } from "fleetrig/broker";
import { planFor, templateOf } from "./templates.js";

/** The sentence of the refusal. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof FleetrigError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "nothing was refused";
}

/** The thing's name that an expression comes to. */
const nameFrom = (expression: unknown, values: Record<string, string> = {}, extra: object = {}) =>
  planFor(
    {
      Parameters: { Serial: { Type: "String" }, Site: { Type: "String", Default: "WA" } },
      Resources: { thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: expression } } },
      ...extra,
    },
    values,
  ).thing?.thingName;

const MAPPINGS = {
  Mappings: { Sites: { WA: { url: "https://wa", code: "98" }, OR: { url: "https://or" } } },
};

describe("provisioning templates", () => {
  it("give things their names (C5: sensor-42)", () => {
    expect(nameFrom({ "Fn::Join": ["", ["sensor-", { Ref: "Serial" }]] }, { Serial: "42" })).toBe(
      "sensor-42",
    );
  });

  it.each<[expression: unknown, expected: string]>([
    ["plain", "plain"],
    [{ Ref: "Site" }, "WA"],
    [{ "Fn::Join": ["-", ["a", { Ref: "Site" }, "c"]] }, "a-WA-c"],
    [{ "Fn::Join": ["+", { "Fn::Split": [",", "x,y,z"] }] }, "x+y+z"],
    [{ "Fn::Select": [1, ["a", "b"]] }, "b"],
    [{ "Fn::Select": ["2", { "Fn::Split": ["/", "a/b/c"] }] }, "c"],
    [{ "Fn::Select": [0, ["a", null]] }, "a"],
    [{ "Fn::Sub": ["s-${n}-${n}", { n: { Ref: "Site" } }] }, "s-WA-WA"],
    [{ "Fn::Sub": "s-${Serial}-${!Serial}" }, "s-7-${Serial}"],
    [{ "Fn::Sub": ["${a}", { a: "${b}" }] }, "${b}"],
    [{ "Fn::Sub": "${iot:ClientId}" }, "${iot:ClientId}"],
    [{ "Fn::FindInMap": ["Sites", { Ref: "Site" }, "code"] }, "98"],
  ])("come to a value: %j", (expression, expected) => {
    expect(nameFrom(expression, { Serial: "7" }, MAPPINGS)).toBe(expected);
  });

  it.each<[expression: unknown, sentence: RegExp]>([
    [{ "Fn::Select": [2, ["a", "b"]] }, /ThingName: There is no item 2 in a list of 2/],
    [{ "Fn::Select": [-1, ["a"]] }, /no item -1/],
    [{ "Fn::Select": [0, [null]] }, /Item 0 of the list is null/],
    [{ "Fn::Select": [0, "abc"] }, /A list is needed/],
    [{ "Fn::Split": [",", "a,b"] }, /Text is needed here, not a list/],
    [{ "Fn::FindInMap": ["Sites", "OR", "code"] }, /Mappings have no Sites.OR.code/],
    [{ "Fn::FindInMap": ["Sites", "__proto__", "toString"] }, /Mappings have no/],
    [{ Ref: "Serial" }, /Parameter Serial has no value/],
    [null, /The value is null/],
  ])("refuse to be carried out: %j", (expression, sentence) => {
    expect(refusal(() => nameFrom(expression, {}, MAPPINGS))).toMatch(sentence);
  });

  it.each<[template: unknown, sentence: RegExp]>([
    [[], /must be an object/],
    [{}, /Resources: This must be an object/],
    [{ Resources: {}, Resorces: {} }, /Resorces: There is nothing of this name/],
    [{ Parameters: { a: { Type: "Number" } }, Resources: {} }, /Parameters.a.Type/],
    [
      { Parameters: { a: { Type: "String", Default: 1 } }, Resources: {} },
      /Parameters.a.Default: This must be a string/,
    ],
    [{ Mappings: { m: { k: { v: { Ref: "a" } } } }, Resources: {} }, /Mappings.m.k.v: This must be a string/],
    [{ Resources: { t: { Type: "AWS::IoT::Device" } } }, /Resources.t.Type/],
    [templateOf({ ThingName: { Ref: "Serail" } }), /ThingName.Ref: There is no parameter "Serail"/],
    [templateOf({ ThingName: { "Fn::Jion": ["", []] } }), /ThingName: An object stands here/],
    [templateOf({ ThingName: { "Fn::Join": [""] } }), /ThingName.Fn::Join: The arguments must be/],
    [templateOf({ ThingName: { "Fn::Split": ["", "a"] } }), /Fn::Split\[0\]: The separator is empty/],
    [templateOf({ ThingName: { "Fn::Sub": "${nope}" } }), /no parameter "nope"/],
    [templateOf({ ThingName: { "Fn::FindInMap": ["m", "a", "b"] } }), /There is no such map/],
    [templateOf({ Name: "x" }), /Properties.Name: There is nothing/],
    [templateOf({}, { ThingTypeName: "MERGE" }), /A type cannot be merged/],
    [templateOf({}, { AttributePayload: "KEEP" }), /OverrideSettings.AttributePayload: This must be one of/],
    [templateOf({}, { ThingName: "FAIL" }), /can be overridden/],
    [{ ...templateOf({}), DeviceConfiguration: { a: { b: "c" } } }, /DeviceConfiguration.a: Values are flat/],
    [{ Resources: { p: { Type: "AWS::IoT::Policy", Properties: {} } } }, /Exactly one of PolicyName/],
    [
      { Resources: { p: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "p", PolicyDocument: {} } } } },
      /Exactly one of PolicyName/,
    ],
    [
      {
        Resources: {
          c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: "a", CertificatePem: "b" } },
        },
      },
      /Resources.c.Properties: Exactly one of/,
    ],
    [
      {
        Resources: {
          c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: "a", Status: "REVOKED" } },
        },
      },
      /Resources.c.Properties.Status/,
    ],
    [
      {
        Resources: {
          a: { Type: "AWS::IoT::Thing", Properties: {} },
          b: { Type: "AWS::IoT::Thing", Properties: {} },
        },
      },
      /one thing at most/,
    ],
  ])("name what is wrong with %j", (template, sentence) => {
    expect(refusal(() => parse(JSON.stringify(template)))).toMatch(sentence);
  });

  it("have at most 10,240 characters", () => {
    const body = JSON.stringify(templateOf({ ThingName: "t" }));
    expect(parse(body.padEnd(10_240)).thing?.logicalId).toBe("thing");
    expect(refusal(() => parse(body.padEnd(10_241)))).toMatch(/10241 characters/);
  });

  it.each(["Active", "ACTIVE", "active"])("take the status %s", (Status) => {
    const plan = planFor({
      Resources: { c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: "id", Status } } },
    });
    expect(plan.certificate?.status).toBe("ACTIVE");
  });

  it("need a value for what they declare of a certificate's subject (C8)", () => {
    const template = {
      Parameters: { "AWS::IoT::Certificate::Country": { Type: "String" } },
      Resources: { thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: "t" } } },
    };
    expect(refusal(() => planFor(template))).toMatch(/AWS::IoT::Certificate::Country has no value/);
    expect(planFor(template, { "AWS::IoT::Certificate::Country": "AT" }).thing?.thingName).toBe("t");
  });

  it("cannot be made to grow without bounds", () => {
    let text: unknown = "x".repeat(60);
    for (let level = 0; level < 6; level += 1) text = { "Fn::Sub": ["${a}".repeat(30), { a: text }] };
    expect(refusal(() => nameFrom(text))).toMatch(/65536 are allowed/);
  });

  it("are parsed or refused, and nothing else", () => {
    const word = fc.constantFrom(
      "Ref",
      "Fn::Join",
      "Fn::Sub",
      "Type",
      "Properties",
      "Resources",
      "thing",
      "a",
      "String",
    );
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        word,
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(word, tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        const template = {
          Resources: { thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: value } } },
        };
        const said = refusal(() => planFor(template, { a: "1" }));
        expect(said).toMatch(/^(?:nothing was refused|CLOUD_INVALID_REQUEST )/);
      }),
      { numRuns: 500 },
    );
  });

  it("agree with a plain reading of Join, Split and Select", () => {
    const text = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 8 }),
        text,
        fc.nat(7),
        (items, separator, index) => {
          expect(nameFrom({ "Fn::Join": [separator, items] })).toBe(items.join(separator));
          if (separator !== "") {
            const expected = items.join(separator).split(separator)[index];
            const call = { "Fn::Select": [index, { "Fn::Split": [separator, items.join(separator)] }] };
            if (expected === undefined) expect(refusal(() => nameFrom(call))).toMatch(/no item/);
            else expect(nameFrom(call)).toBe(expected);
          }
        },
      ),
    );
  });
});
