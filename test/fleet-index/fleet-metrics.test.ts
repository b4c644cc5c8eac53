import { LANE } from "fleetrig/kernel";
import { type CreateFleetMetricRequest, type FleetMetricReading, FleetMetrics } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { awsErrorOf, Fleet } from "./fleet.js";

const DEFINITION: CreateFleetMetricRequest = {
  metricName: "heat",
  queryString: "thingName:t*",
  aggregationType: { name: "Statistics", values: ["count", "average"] },
  period: 60,
  aggregationField: "attributes.n",
  unit: "None",
};

function metricsOf(fleet = new Fleet()): {
  fleet: Fleet;
  metrics: FleetMetrics;
  readings: FleetMetricReading[];
} {
  const readings: FleetMetricReading[] = [];
  const metrics = new FleetMetrics({
    clock: fleet.time.lane(LANE.services),
    indexing: fleet.indexing,
    records: fleet.records,
    report: (reading) => readings.push(reading),
  });
  fleet.turnOn({
    thingIndexingMode: "REGISTRY",
    customFields: [
      { name: "attributes.n", type: "Number" },
      { name: "attributes.s", type: "String" },
    ],
  });
  fleet.put("t1", { attributes: { n: "10" } });
  fleet.put("t2", { attributes: { n: "30" } });
  fleet.settle();
  return { fleet, metrics, readings };
}

describe("a fleet metric", () => {
  it("reports what it calculates once per period until it is deleted", () => {
    const { fleet, metrics, readings } = metricsOf();
    metrics.create(DEFINITION);
    fleet.time.advance(59_000_000);
    expect(readings).toEqual([]);
    fleet.put("t2", { attributes: { n: "50" } });
    fleet.time.advance(1_000_000);
    expect(readings).toEqual([
      {
        metricName: "heat",
        unit: "None",
        atMs: fleet.time.wallMs(),
        values: [
          ["count", 2],
          ["average", 30],
        ],
      },
    ]);
    fleet.time.advance(120_000_000);
    expect(readings).toHaveLength(3);
    expect(metrics.readings()).toEqual([readings[2]]);
    metrics.delete("heat");
    metrics.delete("heat");
    fleet.time.advance(600_000_000);
    expect(readings).toHaveLength(3);
    expect(metrics.readings()).toEqual([]);
  });

  it("reports percentiles and cardinality, too", () => {
    const { fleet, metrics, readings } = metricsOf();
    metrics.create({
      ...DEFINITION,
      metricName: "p",
      aggregationType: { name: "Percentiles", values: ["50", "100"] },
    });
    metrics.create({ ...DEFINITION, metricName: "c", aggregationType: { name: "Cardinality" } });
    fleet.time.advance(60_000_000);
    expect(readings.map(({ metricName, values }) => [metricName, values])).toEqual([
      [
        "p",
        [
          ["p50", 20],
          ["p100", 30],
        ],
      ],
      ["c", [["cardinality", 2]]],
    ]);
  });

  it("is silent while its index is off", () => {
    const { fleet, metrics, readings } = metricsOf();
    metrics.create(DEFINITION);
    fleet.turnOn({ thingIndexingMode: "OFF" });
    fleet.time.advance(600_000_000);
    expect(readings).toEqual([]);
  });

  it("has a version that updates raise and may insist on", () => {
    const { fleet, metrics } = metricsOf();
    const { creationDateMs } = metrics.create(DEFINITION);
    fleet.time.advance(5_000_000);
    expect(metrics.create(DEFINITION).version).toBe(1);
    expect(awsErrorOf(() => metrics.create({ ...DEFINITION, period: 120 }))).toBe(
      "ResourceAlreadyExistsException",
    );
    expect(metrics.update({ metricName: "heat", description: "hot" })).toMatchObject({
      version: 2,
      period: 60,
    });
    expect(metrics.describe("heat")).toMatchObject({ description: "hot", creationDateMs });
    expect(metrics.describe("heat").lastModifiedDateMs).toBe(creationDateMs + 5_000);
    expect(awsErrorOf(() => metrics.update({ metricName: "heat", expectedVersion: 1 }))).toBe(
      "VersionConflictException",
    );
    expect(awsErrorOf(() => metrics.delete("heat", 1))).toBe("VersionConflictException");
    expect(awsErrorOf(() => metrics.update({ metricName: "cold" }))).toBe("ResourceNotFoundException");
  });

  it.each<[string, Partial<CreateFleetMetricRequest>]>([
    ["InvalidRequestException", { period: 90 }],
    ["InvalidQueryException", { queryString: "(" }],
    ["InvalidAggregationException", { aggregationField: "attributes.other" }],
    ["InvalidAggregationException", { aggregationType: { name: "Statistics", values: ["median"] } }],
    ["InvalidAggregationException", { aggregationType: { name: "Percentiles", values: ["101"] } }],
    [
      "InvalidAggregationException",
      { aggregationField: "attributes.s", aggregationType: { name: "Percentiles" } },
    ],
    ["ResourceNotFoundException", { indexName: "AWS_ThingGroups" }],
  ])("answers %s to %j", (name, wrong) => {
    const { metrics } = metricsOf();
    expect(awsErrorOf(() => metrics.create({ ...DEFINITION, ...wrong }))).toBe(name);
  });

  it("counts against a limit", () => {
    const { metrics } = metricsOf(new Fleet({ maxFleetMetrics: 1 }));
    metrics.create(DEFINITION);
    expect(awsErrorOf(() => metrics.create({ ...DEFINITION, metricName: "more" }))).toBe(
      "LimitExceededException",
    );
    expect(metrics.list().map(({ metricName }) => metricName)).toEqual(["heat"]);
  });
});
