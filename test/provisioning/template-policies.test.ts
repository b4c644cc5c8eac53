import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planFor } from "./templates.js";

const RESOURCE = { "Fn::Join": ["", ["arn:aws:iot:us-east-1:1:topic/dt/", { Ref: "Serial" }]] };

const withDocument = (PolicyDocument: unknown): object => ({
  Parameters: { Serial: { Type: "String" } },
  Resources: { policy: { Type: "AWS::IoT::Policy", Properties: { PolicyDocument } } },
});

const AS_OBJECT = withDocument({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: ["iot:Publish"], Resource: [RESOURCE] }],
});
const AS_TEXT = withDocument({
  "Fn::Sub":
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Publish"],"Resource":["arn:aws:iot:us-east-1:1:topic/dt/${Serial}"]}]}',
});
const FORMS: readonly (readonly [form: string, template: object])[] = [
  ["objects", AS_OBJECT],
  ["text", AS_TEXT],
];

/** The document that a serial number leads to; undefined when it was refused. */
function documentFor(template: object, serial: string, fromDevice: boolean): unknown {
  try {
    const [policy] = planFor(template, { Serial: serial }, { fromDevice }).policies;
    return policy !== undefined && "policyDocument" in policy ? JSON.parse(policy.policyDocument) : undefined;
  } catch {
    return undefined;
  }
}

const grantOf = (serial: string): object => ({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: ["iot:Publish"], Resource: [`arn:aws:iot:us-east-1:1:topic/dt/${serial}`] },
  ],
});

const PIECES = [
  "*",
  "?",
  "$",
  "${iot:ClientId}",
  '"',
  '","*',
  "\\",
  "\\u002a",
  "\n",
  "/",
  "+",
  "#",
  "a1",
  "é",
  "]}",
  "../",
];

describe("policies of templates", () => {
  it.each(FORMS)("have values filled in, as %s", (_, template) => {
    expect(documentFor(template, "s/1-é", true)).toEqual(grantOf("s/1-é"));
  });

  it("are taken as text, unread", () => {
    const document = '{"Version":"2012-10-17","Statement":[]}';
    expect(planFor(withDocument(document)).policies).toEqual([
      { logicalId: "policy", policyDocument: document },
    ]);
  });

  it.each(FORMS)("are never widened by what a device says of itself, as %s (E12)", (_, template) => {
    const injection = fc
      .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(injection, (serial) => {
        const document = documentFor(template, serial, true);
        if (/[*?$"\\\n]/.test(serial)) expect(document).toBeUndefined();
        else expect(document).toEqual(grantOf(serial));
      }),
      { numRuns: 1000 },
    );
  });

  it("take wildcards from whoever may register things", () => {
    expect(documentFor(AS_OBJECT, '*"', false)).toEqual(grantOf('*"'));
  });

  it("can be named", () => {
    const template = {
      Resources: {
        p: { Type: "AWS::IoT::Policy", Properties: { PolicyName: { "Fn::Join": ["-", ["fleet", "eu"]] } } },
      },
    };
    expect(planFor(template).policies).toEqual([{ logicalId: "p", policyName: "fleet-eu" }]);
  });
});
