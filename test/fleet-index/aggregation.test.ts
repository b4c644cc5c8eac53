import type { FieldAggregations, ThingDocument } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { awsErrorOf, Fleet } from "./fleet.js";

const CUSTOM = [
  { name: "attributes.n", type: "Number" },
  { name: "attributes.s", type: "String" },
  { name: "attributes.b", type: "Boolean" },
  { name: "shadow.reported.t", type: "Number" },
  { name: "shadow.name.config.desired.on", type: "Boolean" },
] as const;

function fleetOf(things: readonly Partial<ThingDocument>[]): Fleet {
  const fleet = new Fleet().turnOn({
    thingIndexingMode: "REGISTRY_AND_SHADOW",
    namedShadowIndexingMode: "ON",
    filter: { namedShadowNames: ["config"] },
    customFields: CUSTOM,
  });
  for (const [ordinal, thing] of things.entries()) fleet.put(`t${ordinal}`, thing);
  fleet.settle();
  return fleet;
}

const about = (fleet: Fleet, aggregationField: string, queryString = "*"): FieldAggregations =>
  fleet.indexing.aggregations({ queryString, aggregationField });

const numbers = (values: readonly (number | string)[]): Fleet =>
  fleetOf(values.map((value) => ({ attributes: { n: String(value) } })));

describe("statistics", () => {
  it("give the figures of the guide's sample", () => {
    expect(about(numbers([-125, 75, 150]), "attributes.n").statistics()).toEqual({
      count: 3,
      average: 33.333333333333336,
      sum: 100,
      minimum: -125,
      maximum: 150,
      sumOfSquares: 43_750,
      variance: 13_472.22222222222,
      stdDeviation: 116.06990230986766,
    });
  });

  it("are about the version of things unless a field is named", () => {
    const fleet = fleetOf([{ version: 1 }, { version: 3 }]);
    expect(fleet.indexing.aggregations({ queryString: "*" }).statistics()).toMatchObject({
      count: 2,
      sum: 4,
    });
  });

  it("only count texts, and only where they are", () => {
    const fleet = fleetOf([{ attributes: { s: "a" } }, { attributes: { s: "7" } }, {}]);
    expect(about(fleet, "attributes.s").statistics()).toEqual({ count: 2 });
  });

  it("calculate with booleans as 0 and 1", () => {
    const fleet = fleetOf(["true", "false", "true", "maybe"].map((b) => ({ attributes: { b } })));
    expect(about(fleet, "attributes.b").statistics()).toMatchObject({
      count: 3,
      sum: 2,
      minimum: 0,
      maximum: 1,
      average: 2 / 3,
    });
  });

  it("ignore values of another type", () => {
    const fleet = fleetOf([
      { attributes: { n: "1" } },
      { attributes: { n: "one" } },
      { shadow: { reported: { t: 20 }, hasDelta: false } },
      { shadow: { reported: { t: "30" }, hasDelta: false } },
    ]);
    expect(about(fleet, "attributes.n").statistics().count).toBe(1);
    expect(about(fleet, "shadow.reported.t").statistics()).toMatchObject({ count: 1, sum: 20 });
  });

  it("are empty but for the count where a sum exceeds a double", () => {
    expect(about(numbers(["1e200", "-1e200"]), "attributes.n").statistics()).toEqual({ count: 2 });
    expect(about(numbers([]), "attributes.n").statistics()).toEqual({ count: 0 });
  });
});

describe("percentiles", () => {
  it("give the figures of the guide's sample", () => {
    const sample = about(numbers([1, 1, 1, 2, 2, 2, 3, 3, 3]), "attributes.n");
    const percents = [10, 20, 30, 40, 50, 60, 70, 80, 90, 99];
    const values = [1, 1, 1.4, 2, 2, 2, 2.5999999999999996, 3, 3, 3];
    expect(sample.percentiles(percents)).toEqual(
      percents.map((percent, at) => ({ percent, value: expect.closeTo(values[at]!, 12) as number })),
    );
  });

  it("are 1, 5, 25, 50, 75, 95 and 99 unless asked otherwise", () => {
    const sample = about(numbers([5]), "attributes.n");
    expect(sample.percentiles().map(({ percent }) => percent)).toEqual([1, 5, 25, 50, 75, 95, 99]);
    expect(sample.percentiles([0, 100])).toEqual([
      { percent: 0, value: 5 },
      { percent: 100, value: 5 },
    ]);
  });

  it("are an empty list without values, and refused for what is no number", () => {
    expect(about(numbers([]), "attributes.n").percentiles()).toEqual([]);
    expect(awsErrorOf(() => about(numbers([1]), "attributes.s").percentiles())).toBe(
      "InvalidAggregationException",
    );
    expect(awsErrorOf(() => about(numbers([1]), "attributes.n").percentiles(Array(101).fill(1)))).toBe(
      "InvalidRequestException",
    );
  });
});

describe("cardinality and buckets", () => {
  const fleet = fleetOf([
    { attributes: { s: "red" }, thingGroupNames: ["a", "b"] },
    { attributes: { s: "red" }, thingGroupNames: ["b"] },
    { attributes: { s: "Blue" } },
    { attributes: { s: "amber" }, namedShadows: [["config", { desired: { on: true }, hasDelta: true }]] },
    {},
  ]);

  it("count different values", () => {
    expect(about(fleet, "attributes.s").cardinality()).toBe(3);
    expect(about(fleet, "attributes.s", "thingName:none*").cardinality()).toBe(0);
  });

  it("rank values by how many things have them, with the count of all things that match", () => {
    expect(about(fleet, "attributes.s").buckets()).toEqual({
      totalCount: 5,
      buckets: [
        { keyValue: "red", count: 2 },
        { keyValue: "Blue", count: 1 },
        { keyValue: "amber", count: 1 },
      ],
    });
    expect(about(fleet, "registry.thingGroupNames").buckets(1).buckets).toEqual([
      { keyValue: "b", count: 2 },
    ]);
    expect(about(fleet, "shadow.name.config.desired.on").buckets().buckets).toEqual([
      { keyValue: "true", count: 1 },
    ]);
    expect(about(fleet, "shadow.name.config.hasDelta").statistics()).toMatchObject({ count: 1, sum: 1 });
  });

  it("are refused for fields that are neither managed nor custom", () => {
    expect(awsErrorOf(() => about(fleet, "attributes.other"))).toBe("InvalidAggregationException");
    expect(awsErrorOf(() => about(fleet, "connectivity.connected"))).toBe("InvalidAggregationException");
  });

  it("are limited to ten buckets unless asked otherwise", () => {
    const many = fleetOf(Array.from({ length: 12 }, (_, at) => ({ attributes: { s: `v${at}` } })));
    expect(about(many, "attributes.s").buckets().buckets).toHaveLength(10);
    expect(about(many, "attributes.s").buckets(12).buckets).toHaveLength(12);
  });
});
