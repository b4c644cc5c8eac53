import { FleetrigError } from "fleetrig/kernel";
import { DEFAULT_INDEX_LIMITS, parseQuery, type QueryLimits } from "fleetrig/broker";
import { describe, expect, it } from "vitest";

const parse = (query: string, limits: Partial<QueryLimits> = {}): unknown =>
  parseQuery(query, { ...DEFAULT_INDEX_LIMITS, ...limits });

function refusal(query: string, limits: Partial<QueryLimits> = {}): FleetrigError {
  try {
    parse(query, limits);
  } catch (error) {
    if (error instanceof FleetrigError) return error;
    throw error;
  }
  throw new Error(`${query} was accepted`);
}

const exact = (text: string, number?: number): unknown => ({ kind: "exact", text, number });
const term = (field: string | undefined, test: unknown): unknown => ({ kind: "term", field, test });
const a = term("a", exact("1", 1));
const b = term("b", exact("2", 2));
const c = term("c", exact("3", 3));

describe("the query parser", () => {
  it.each([
    ["abc", term(undefined, exact("abc"))],
    ["ABC", term(undefined, exact("abc"))],
    ["thingName:Lamp-1", term("thingName", exact("lamp-1"))],
    ["thingName : lamp", term("thingName", exact("lamp"))],
    ['"new york"', term(undefined, { kind: "phrase", words: ["new", "york"] })],
    ["new\\ york", term(undefined, { kind: "phrase", words: ["new", "york"] })],
    ['a:"1"', a],
    ["a:-1.5e3", term("a", exact("-1.5e3", -1500))],
    ["a:007", term("a", exact("007"))],
    ["a:\\*", term("a", exact("*"))],
    ["a:x\\:y", term("a", exact("x:y"))],
    ['a:"x:y@z"', term("a", exact("x:y@z"))],
    ["attributes.a\\:b:1", term("attributes.a:b", exact("1", 1))],
    ["\\AND", term(undefined, exact("and"))],
    ["and", term(undefined, exact("and"))],
    ["registry.thingTypeName:x", term("thingTypeName", exact("x"))],
    ["a:*", term("a", { kind: "exists" })],
    ["a:[* TO *]", term("a", { kind: "exists" })],
    ["*", { kind: "all" }],
    ["(*)", { kind: "all" }],
  ])("reads the term %s", (query, expected) => {
    expect(parse(query)).toEqual(expected);
  });

  const numbers = (from: number | undefined, to: number | undefined, ends = ""): unknown => ({
    kind: "numbers",
    range: {
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      isFromExcluded: ends.includes("{"),
      isToExcluded: ends.includes("}"),
    },
  });

  it.each([
    ["a:[75 TO 80]", numbers(75, 80)],
    ["a:{75 TO 80]", numbers(75, 80, "{")],
    ["a:[75 TO 80}", numbers(75, 80, "}")],
    ["a : {-5 TO -1.5}", numbers(-5, -1.5, "{}")],
    ["a:[75 TO *]", numbers(75, undefined)],
    ["a:{* TO 80}", numbers(undefined, 80, "{}")],
    ["a>75", numbers(75, undefined, "{")],
    ["a >= 75", numbers(75, undefined)],
    ["a<-75", numbers(undefined, -75, "}")],
    ["a:<=75", numbers(undefined, 75)],
  ])("reads the range of numbers %s", (query, expected) => {
    expect(parse(query)).toEqual(term("a", expected));
  });

  it.each([
    ['a:["abcd" TO "abcf"]', { from: "abcd", to: "abcf" }],
    ["a:[abcd TO ABCF]", { from: "abcd", to: "abcf" }],
    ['a:["75" TO "80"]', { from: "75", to: "80" }],
    ["a:[75 TO abc]", { from: "75", to: "abc" }],
    ['a >= "2.9.0"', { from: "2.9.0" }],
  ])("reads the range of texts %s", (query, ends) => {
    const range = { ...ends, isFromExcluded: false, isToExcluded: false };
    expect(parse(query)).toEqual(term("a", { kind: "texts", range }));
  });

  it.each([
    ["a:1 b:2", { kind: "and", parts: [a, b] }],
    ["a:1 AND b:2 c:3", { kind: "and", parts: [a, b, c] }],
    ["a:1 OR b:2 AND c:3", { kind: "or", parts: [a, { kind: "and", parts: [b, c] }] }],
    ["(a:1 OR b:2) c:3", { kind: "and", parts: [{ kind: "or", parts: [a, b] }, c] }],
    ["NOT a:1", { kind: "not", part: a }],
    ["-a:1", { kind: "not", part: a }],
    ["NOT -a:1", { kind: "not", part: { kind: "not", part: a } }],
    ["a:1 NOT b:2", { kind: "and", parts: [a, { kind: "not", part: b }] }],
    ["a:(1 OR 2)", { kind: "or", parts: [a, term("a", exact("2", 2))] }],
    ["a:(1 -2)", { kind: "and", parts: [a, { kind: "not", part: term("a", exact("2", 2)) }] }],
    ["a:(1 AND (b:2 OR c:3))", { kind: "and", parts: [a, { kind: "or", parts: [b, c] }] }],
    [
      "a:(>1 <2)",
      { kind: "and", parts: [term("a", numbers(1, undefined, "{")), term("a", numbers(undefined, 2, "}"))] },
    ],
  ])("reads the combination %s", (query, expected) => {
    expect(parse(query)).toEqual(expected);
  });

  it.each([
    ["", 1],
    ["   ", 1],
    ["a:", 3],
    ["a AND", 6],
    ["AND a", 1],
    ["a OR OR b", 6],
    ["(a", 1],
    ["a)", 2],
    ["a:[1 2]", 6],
    ["a:[1 TO 2", 3],
    ["a:[1* TO 2]", 4],
    ["a:1:2", 4],
    ["a*:1", 1],
    ['a:"x', 3],
    ["a:x\\", 4],
    ["a - b", 3],
    ["a:>*", 3],
    ["x@y", 2],
    ["a:b/c", 4],
    ["term~2", 5],
    ["term^2", 5],
    ["+term", 1],
    ["!term", 1],
    ["loc:geo_distance,47.6,-122.3,50km", 17],
  ])("refuses %j at position %i", (query, position) => {
    const error = refusal(query);
    expect(error.code).toBe("CLOUD_INVALID_QUERY");
    expect(error.context).toMatchObject({ awsError: "InvalidQueryException", httpStatus: 400, position });
    expect(error.hint).toBeDefined();
  });
});

describe("the limits of a query", () => {
  const many = (count: number): string => Array.from({ length: count }, (_, at) => `t${at}`).join(" ");

  it("allows 1,000 characters and not one more", () => {
    expect(() => parse("x".repeat(1000))).not.toThrow();
    expect(refusal("x".repeat(1001)).message).toContain("1001 characters; 1000 are allowed");
  });

  it("allows 12 terms, or as many as the setting says", () => {
    expect(() => parse(many(12))).not.toThrow();
    expect(refusal(many(13)).message).toContain("more than 12 terms");
    expect(refusal(many(6), { maxTerms: 5 }).message).toContain("more than 5 terms");
  });

  it("counts a phrase and a range as one term each", () => {
    expect(() => parse('a:"one two three" b:[1 TO 2]', { maxTerms: 2 })).not.toThrow();
  });

  it("allows two stars and five question marks in a term", () => {
    expect(() => parse("a*b*")).not.toThrow();
    expect(refusal("a*b*c*").message).toContain("3 *");
    expect(() => parse("a?????")).not.toThrow();
    expect(refusal("a??????").message).toContain("6 ?");
  });

  it("allows one term that begins with a wildcard, in a query of at most 100 characters", () => {
    expect(() => parse("thingName:*my")).not.toThrow();
    expect(() => parse("thingName:?my")).not.toThrow();
    expect(refusal("thingName:*my thingGroupNames:*echo").message).toContain("begins with a wildcard");
    expect(() => parse(`*${"x".repeat(99)}`)).not.toThrow();
    expect(refusal(`*${"x".repeat(100)}`).message).toContain("101 characters");
    expect(() => parse("a:* b:*")).not.toThrow();
  });

  it("refuses every leading wildcard when set as AWS was until 2025", () => {
    expect(refusal("*my", { maxLeadingWildcards: 0 }).hint).toContain("No term");
  });

  it("bounds the nesting", () => {
    expect(() => parse(`${"(".repeat(64)}a${")".repeat(64)}`)).not.toThrow();
    expect(refusal(`${"(".repeat(65)}a${")".repeat(65)}`).message).toContain("64 levels");
    expect(refusal(`${"NOT ".repeat(65)}a`).message).toContain("64 levels");
  });
});
