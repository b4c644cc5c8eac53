import { DEFAULT_POLICY_LIMITS, parsePolicyDocument } from "fleetrig/broker";
import { FleetrigError } from "fleetrig/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARN, allow, documentOf } from "./statements.js";

const STATEMENT = { Effect: "Allow", Action: "iot:Publish", Resource: `${ARN}topic/a` };
const withStatement = (changes: object): string => documentOf({ ...STATEMENT, ...changes });
const without = (key: string): string =>
  documentOf(Object.fromEntries(Object.entries(STATEMENT).filter(([name]) => name !== key)));

function refusal(text: string): FleetrigError {
  try {
    parsePolicyDocument(text);
  } catch (error) {
    if (error instanceof FleetrigError) return error;
    throw error;
  }
  expect.fail("the document was accepted");
}

describe("a policy document", () => {
  it.each([
    ["one statement instead of a list", `{"Version":"2012-10-17","Statement":${JSON.stringify(STATEMENT)}}`],
    ["the language of 2008", `{"Version":"2008-10-17","Statement":[${JSON.stringify(STATEMENT)}]}`],
    ["no Version, which is the language of 2008", `{"Statement":[${JSON.stringify(STATEMENT)}]}`],
    ["an Id", `{"Id":"x","Version":"2012-10-17","Statement":[${JSON.stringify(STATEMENT)}]}`],
    ["NotAction and NotResource", documentOf({ Effect: "Deny", NotAction: ["iot:*"], NotResource: ["*"] })],
    ["a Sid and an empty Condition", withStatement({ Sid: "Any text 1", Condition: {} })],
    ["actions of other services", withStatement({ Action: ["greengrass:Discover", "*"] })],
    [
      "booleans and numbers in conditions",
      withStatement({ Condition: { Bool: { "aws:x": true }, NumericEquals: { k: [1, 2.5] } } }),
    ],
  ])("may have %s", (_, text) => {
    expect(parsePolicyDocument(text).statements).toHaveLength(1);
  });

  it("keeps what was written, in its order and with its place", () => {
    const text = documentOf(allow("iot:Publish", ["topic/a", "topic/b"]), allow("iot:Receive", "topic/c"));
    const { statements, version } = parsePolicyDocument(text);
    expect(version).toBe("2012-10-17");
    expect(statements.map(({ index }) => index)).toEqual([0, 1]);
    const patterns = statements.flatMap(({ resource }) => resource.patterns);
    expect(patterns.map(({ text: pattern }) => pattern)).toEqual([
      `${ARN}topic/a`,
      `${ARN}topic/b`,
      `${ARN}topic/c`,
    ]);
    for (const { text: pattern, start, end } of patterns) expect(text.slice(start, end)).toBe(`"${pattern}"`);
  });

  it.each([
    ["", "the text ends too early"],
    ["[]", "a policy document must be an object, not an array"],
    ["null", "an object, not null"],
    ["{} x", 'unexpected "x"'],
    ['{"Statement":[],}', 'unexpected "}"'],
    ["{'Statement':[]}", 'unexpected "\'"'],
    ['{"Version":"2012-10-17"}', "there is no Statement"],
    ['{"Statement":[]}', "Statement is empty"],
    ['{"Statement":"x"}', "a statement must be an object, not a string"],
    ['{"Version":"2013-10-17","Statement":[{}]}', 'there is no Version "2013-10-17"'],
    ['{"Version":2012,"Statement":[{}]}', "Version must be a string, not a number"],
    ['{"Statment":[]}', 'a policy document has no "Statment"'],
    [without("Effect"), "a statement has no Effect"],
    [without("Action"), "a statement has neither Action nor NotAction"],
    [without("Resource"), "a statement has neither Resource nor NotResource"],
    [withStatement({ Effect: "allow" }), 'there is no Effect "allow"'],
    [withStatement({ NotAction: "iot:Connect" }), "a statement has both Action and NotAction"],
    [withStatement({ NotResource: "*" }), "a statement has both Resource and NotResource"],
    [withStatement({ Action: [] }), "Action is empty"],
    [withStatement({ Action: "Publish" }), '"Publish" is no action'],
    [withStatement({ Action: "iot:" }), '"iot:" is no action'],
    [withStatement({ Action: [1] }), "Action must be a string, not a number"],
    [withStatement({ Action: [["iot:Publish"]] }), "Action must be a string, not an array"],
    [withStatement({ Resource: "topic/a" }), '"topic/a" is no resource'],
    [withStatement({ Resource: "" }), '"" is no resource'],
    [withStatement({ Sid: 1 }), "Sid must be a string"],
    [withStatement({ Principal: "*" }), 'a statement has no "Principal"'],
    [withStatement({ NotPrincipal: {} }), 'a statement has no "NotPrincipal"'],
    [withStatement({ action: "iot:Publish" }), 'a statement has no "action"'],
    [withStatement({ Condition: [] }), "Condition must be an object"],
    [withStatement({ Condition: { StringEqual: {} } }), 'there is no condition operator "StringEqual"'],
    [withStatement({ Condition: { NullIfExists: { a: "true" } } }), 'no condition operator "NullIfExists"'],
    [withStatement({ Condition: { "ForSomeValues:Bool": { a: "true" } } }), "no condition operator"],
    [withStatement({ Condition: { StringEquals: { a: null } } }), 'the condition on "a" is null'],
    [withStatement({ Condition: { StringEquals: { a: [["x"]] } } }), 'the condition on "a" is an array'],
    [withStatement({ Condition: { StringEquals: "x" } }), "StringEquals must be an object"],
    ['{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}', 'the key "Effect" is there twice'],
    ['{"Statement":[{"Sid":"\\ud800"}]}', "a string is not Unicode"],
    ['{"Statement":[{"Sid":"\\x"}]}', "a string has an invalid escape"],
    ['{"Statement":[{"Sid":"\u0001"}]}', "this is not JSON"],
  ])("is malformed as %s", (text, reason) => {
    const error = refusal(text);
    expect(error.code).toBe("POLICY_MALFORMED");
    expect(error.message).toContain(reason);
    expect(error.context).toMatchObject({ awsError: "MalformedPolicyException", httpStatus: 400 });
  });

  it("names the place of what is wrong, and what was meant", () => {
    const { context, hint, message } = refusal('{\n  "Version": "2012-10-17",\n  "Statment": []\n}');
    expect(context).toMatchObject({ line: 3, column: 3 });
    expect(message).toContain("at line 3, column 3");
    expect(hint).toBe('Did you mean "Statement"?');
    expect(refusal(withStatement({ Principal: "*" })).hint).toContain("attached to principals");
  });

  it("has at most 2,048 characters, whitespace not counted", () => {
    const padded = (length: number): string => {
      const empty = documentOf(allow("iot:Publish", "topic/"));
      return documentOf(allow("iot:Publish", `topic/${"a".repeat(length - empty.length)}`));
    };
    const spaced = (text: string): string => text.replaceAll(",", " ,\n\t\t ");
    expect(padded(2048)).toHaveLength(2048);
    expect(parsePolicyDocument(spaced(padded(2048))).statements).toHaveLength(1);
    expect(refusal(spaced(padded(2049))).message).toContain(
      "2049 characters without whitespace, 2048 are allowed",
    );
    expect(parsePolicyDocument(padded(2049), { maxCharacters: 4096 }).statements).toHaveLength(1);
  });

  it("is measured before it is parsed", () => {
    const { maxTextLength } = DEFAULT_POLICY_LIMITS;
    expect(refusal(" ".repeat(maxTextLength + 1)).message).toContain(`longer than ${maxTextLength}`);
    expect(refusal("[".repeat(1000)).message).toContain("nested deeper than 16 levels");
  });

  it("may use keys of JavaScript's own objects without effect", () => {
    expect(refusal('{"__proto__":{"Statement":[]}}').message).toContain('no "__proto__"');
    const text = withStatement({}).replace('"Effect"', '"constructor":"Allow","Effect"');
    expect(refusal(text).message).toContain('a statement has no "constructor"');
  });

  it("is JSON exactly where JSON.parse says so", () => {
    const document = fc.oneof(
      fc.json(),
      mutated(documentOf(STATEMENT)),
      mutated('[1.5e3,-0,"\\u00e4\\n",true,null,{}]'),
    );
    fc.assert(
      fc.property(document, (text) => {
        const isJson = parses(text);
        const { message } = refusalOrNone(text) ?? { message: "" };
        const says = /this is not JSON|invalid escape/.test(message);
        // Documents end at the first thing that is no policy only after all of the JSON was read.
        if (!/there twice|not Unicode|longer than|nested/.test(message))
          expect({ text, says }).toEqual({ text, says: !isJson });
      }),
      { numRuns: 2000 },
    );
  });
});

const mutated = (text: string) =>
  fc
    .tuple(
      fc.nat(text.length),
      fc.nat(3),
      fc.constantFrom("", '"', "{", "]", ",", ":", "\\", "0", "-", "e", "\n", " ", "\u0000"),
    )
    .map(([at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed));

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refusalOrNone(text: string): FleetrigError | undefined {
  try {
    parsePolicyDocument(text);
    return undefined;
  } catch (error) {
    return error as FleetrigError;
  }
}
