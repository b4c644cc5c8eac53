import type { AuthorizationFacts } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { allow, ask, deny, outcome, policyOf } from "./statements.js";

type Value = string | readonly string[];

const facts = (values: Readonly<Record<string, Value>>): AuthorizationFacts => ({
  others: new Map(Object.entries(values)),
});

/** Does a condition of an Allow hold? */
const holds = (condition: object, values: Readonly<Record<string, Value>>): boolean =>
  outcome([allow("iot:Publish", "*", condition)], "iot:Publish", "topic/a", facts(values)) === "allowed";

/** Does a condition of a Deny hold? */
const denies = (condition: object, values: Readonly<Record<string, Value>>): boolean =>
  outcome([deny("iot:Publish", "*", condition)], "iot:Publish", "topic/a", facts(values)) === "explicitDeny";

describe("condition operators", () => {
  it.each<[operator: string, expected: unknown, actual: string, holds: boolean]>([
    ["StringEquals", "a", "a", true],
    ["StringEquals", "a", "A", false],
    ["StringEquals", ["b", "a"], "a", true],
    ["StringEquals", "a*", "ab", false],
    ["StringEquals", "${*}", "*", true],
    ["StringNotEquals", "a", "b", true],
    ["StringNotEquals", ["a", "b"], "b", false],
    ["StringEqualsIgnoreCase", "Ab", "aB", true],
    ["StringNotEqualsIgnoreCase", "Ab", "aB", false],
    ["StringLike", "a*", "a/b/c", true],
    ["StringLike", "a?", "abc", false],
    ["StringNotLike", "a*", "b", true],
    ["NumericEquals", "5", "5.0", true],
    ["NumericEquals", 5, "5", true],
    ["NumericNotEquals", "5", "6", true],
    ["NumericLessThan", "5", "4.9", true],
    ["NumericLessThan", "5", "5", false],
    ["NumericLessThanEquals", "5", "5", true],
    ["NumericGreaterThan", "-1", "0", true],
    ["NumericGreaterThanEquals", "1e3", "1000", true],
    ["NumericEquals", "10", "9", false],
    ["NumericLessThan", "10", "9", true],
    ["DateEquals", "2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", true],
    ["DateEquals", "1970-01-02", "86400", true],
    ["DateNotEquals", "2026-01-31", "2026-02-01", true],
    ["DateLessThan", "2026-03-01T00:00:00Z", "2026-02-28T23:59:59.999Z", true],
    ["DateLessThanEquals", "2024-02-29", "2024-02-29T00:00Z", true],
    ["DateGreaterThan", "2023-02-29", "2026-01-01", false],
    ["DateGreaterThanEquals", "2026-01-01", "1767225600", true],
    ["Bool", "true", "true", true],
    ["Bool", true, "True", true],
    ["Bool", "false", "true", false],
    ["Bool", ["true", "false"], "false", true],
    ["IpAddress", "10.0.0.0/8", "10.255.0.1", true],
    ["IpAddress", "10.0.0.0/8", "11.0.0.1", false],
    ["IpAddress", "10.0.0.1", "10.0.0.1", true],
    ["IpAddress", "0.0.0.0/0", "1.2.3.4", true],
    ["IpAddress", "0.0.0.0/0", "::1", false],
    ["IpAddress", "2001:db8::/33", "2001:db8:7fff::1", true],
    ["IpAddress", "2001:db8::/33", "2001:db8:8000::1", false],
    ["IpAddress", "10.0.0.0/24", "::ffff:10.0.0.7", true],
    ["NotIpAddress", ["10.0.0.0/8", "192.168.0.0/16"], "192.168.1.1", false],
    ["NotIpAddress", "10.0.0.0/8", "192.168.1.1", true],
    ["ArnEquals", "arn:aws:iot:*:1:topic/*", "arn:aws:iot:r:1:topic/a", true],
    ["ArnLike", "arn:aws:iot:*:topic/a", "arn:aws:iot:r:1:topic/a", false],
    ["ArnLike", "arn:aws:iot:*:*:topic/a:b", "arn:aws:iot:r:1:topic/a:b", true],
    ["ArnLike", "arn:aws:iot:*:*:topic/a:*", "arn:aws:iot:r:1:topic/a:b:c", true],
    ["ArnLike", "*", "arn:aws:iot:r:1:topic/a", true],
    ["ArnNotLike", "arn:aws:iot:*:2:*", "arn:aws:iot:r:1:topic/a", true],
    ["ArnNotEquals", "arn:aws:iot:*:1:*", "arn:aws:iot:r:1:topic/a", false],
  ])("%s %j holds for %s: %s", (operator, expected, actual, result) => {
    expect(holds({ [operator]: { "aws:k": expected } }, { "aws:k": actual })).toBe(result);
  });

  it.each([
    ["2026-02-30", "2026-03-02"],
    ["2026-13-01", "2027-01-01"],
    ["2026-01-01T24:00:00Z", "2026-01-02"],
    ["2026", "2026"],
    ["yesterday", "yesterday"],
  ])("know no date %s", (expected, actual) => {
    expect(holds({ DateEquals: { k: expected } }, { k: actual })).toBe(false);
  });

  it.each([
    "256.0.0.1",
    "10.0.0",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7::8",
    "g::",
    "",
  ])("know no address %s", (text) => {
    expect(holds({ IpAddress: { k: text } }, { k: "10.0.0.1" })).toBe(false);
    expect(holds({ IpAddress: { k: ["0.0.0.0/0", "::/0"] } }, { k: text })).toBe(false);
  });
});

describe("a key without value", () => {
  const cases: [operator: string, holds: boolean][] = [
    ["StringEquals", false],
    ["StringNotEquals", true],
    ["StringNotLike", true],
    ["NumericLessThan", false],
    ["Bool", false],
    ["IpAddress", false],
    ["NotIpAddress", true],
    ["StringEqualsIfExists", true],
    ["StringNotEqualsIfExists", true],
    ["ForAllValues:StringEquals", true],
    ["ForAnyValue:StringEquals", false],
    ["ForAnyValue:StringNotEquals", false],
    ["ForAnyValue:StringEqualsIfExists", true],
  ];

  it.each(cases)("under %s: %s", (operator, result) => {
    for (const values of [{}, { k: [] }]) {
      expect(holds({ [operator]: { k: "1" } }, values)).toBe(result);
      expect(denies({ [operator]: { k: "1" } }, values)).toBe(result);
    }
  });

  it("is what Null asks for", () => {
    expect(holds({ Null: { k: "true" } }, {})).toBe(true);
    expect(holds({ Null: { k: true } }, { k: "x" })).toBe(false);
    expect(holds({ Null: { k: "false" } }, { k: "x" })).toBe(true);
    expect(holds({ Null: { k: "false" } }, { k: [] })).toBe(false);
  });

  it("is among the missing ones unless the operator is made for it", () => {
    const missing = (operator: string) =>
      ask(policyOf([allow("iot:Publish", "*", { [operator]: { k: "true" } })]), "iot:Publish", "topic/a")
        .missingContextValues;
    expect(missing("StringEquals")).toEqual(["k"]);
    expect(missing("StringEqualsIfExists")).toEqual([]);
    expect(missing("Null")).toEqual([]);
  });
});

describe("a key with several values", () => {
  it.each<[operator: string, expected: readonly string[], actual: readonly string[], holds: boolean]>([
    ["ForAnyValue:StringEquals", ["a", "b"], ["x", "b"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["x", "y"], false],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "x"], false],
    ["ForAllValues:StringNotEquals", ["a"], ["x", "y"], true],
    ["ForAllValues:StringNotEquals", ["a"], ["x", "a"], false],
    ["ForAnyValue:StringNotEquals", ["a"], ["x", "a"], true],
    ["ForAnyValue:StringNotEquals", ["a"], ["a"], false],
    ["ForAllValues:StringLike", ["a*"], ["ab", "ac"], true],
    ["ForAnyValue:StringEquals", ["a"], ["a"], true],
    // Without a set operator there is nothing to compare (REF §10.3).
    ["StringEquals", ["a"], ["a"], false],
    ["StringEqualsIfExists", ["a"], ["a"], false],
  ])("%s %j holds for %j: %s", (operator, expected, actual, result) => {
    expect(holds({ [operator]: { k: expected } }, { k: actual })).toBe(result);
  });

  it("is a single value for set operators when it has one", () => {
    expect(holds({ "ForAnyValue:StringEquals": { k: "a" } }, { k: "a" })).toBe(true);
    expect(holds({ "ForAllValues:StringEquals": { k: "a" } }, { k: "b" })).toBe(false);
  });
});

describe("what cannot be compared", () => {
  it.each<[condition: object, values: Readonly<Record<string, Value>>]>([
    [{ StringNotEquals: { k: "a" } }, { k: ["b"] }],
    [{ NumericNotEquals: { k: "many" } }, { k: "5" }],
    [{ NumericNotEquals: { k: "5" } }, { k: "many" }],
    [{ NotIpAddress: { k: "10.0.0.0/33" } }, { k: "10.0.0.1" }],
    [{ StringNotEquals: { k: "${iot:Nobody}" } }, { k: "b" }],
    [{ ArnNotEquals: { k: "arn:aws" } }, { k: "arn:a:b:c:d:e" }],
  ])("never grants and always denies where an operator is negated: %j", (condition, values) => {
    expect(holds(condition, values)).toBe(false);
    expect(denies(condition, values)).toBe(true);
  });

  it("does neither where it is not", () => {
    for (const condition of [{ NumericEquals: { k: "many" } }, { StringEquals: { k: "${iot:Nobody}" } }]) {
      expect(holds(condition, { k: "5" })).toBe(false);
      expect(denies(condition, { k: "5" })).toBe(false);
    }
  });

  it("does not matter where another value decides", () => {
    expect(holds({ StringEquals: { k: ["${iot:Nobody}", "b"] } }, { k: "b" })).toBe(true);
    expect(denies({ StringNotEquals: { k: ["${iot:Nobody}", "b"] } }, { k: "b" })).toBe(false);
  });
});

describe("variables in conditions", () => {
  it("have their values letter by letter", () => {
    const condition = { StringLike: { k: "${iot:ClientId}/*" } };
    expect(holds(condition, { "iot:ClientId": "a", k: "a/b" })).toBe(true);
    expect(holds(condition, { "iot:ClientId": "*", k: "a/b" })).toBe(false);
    expect(
      holds(
        { ArnLike: { k: "arn:a:b:c:d:${iot:ClientId}" } },
        { "iot:ClientId": "x:y", k: "arn:a:b:c:d:x:y" },
      ),
    ).toBe(true);
    expect(
      holds({ ArnLike: { k: "arn:a:${iot:ClientId}:c:d:e" } }, { "iot:ClientId": "*", k: "arn:a:b:c:d:e" }),
    ).toBe(false);
  });
});
