import { expect, it } from "vitest";
import type { AwsCli, Json } from "./aws-cli.js";

export function indexChapter(aws: AwsCli): void {
  const found = async (query: string): Promise<readonly string[]> => {
    const { things } = await aws`iot search-index --query-string ${query}`;
    return things.map((thing: Json) => thing.thingName).sort();
  };

  /** Members of a dynamic group are looked for after the answer. */
  const filled = async (group: string): Promise<void> => {
    const said: string[] = [];
    while (said.at(-1) !== "ACTIVE" && said.length < 50)
      said.push((await aws`iot describe-thing-group --thing-group-name ${group}`).status);
    expect(said.at(-1)).toBe("ACTIVE");
  };

  it("indexes nothing until it is configured", async () => {
    expect(await aws`iot get-indexing-configuration`).toMatchObject({
      thingIndexingConfiguration: { thingIndexingMode: "OFF" },
      thingGroupIndexingConfiguration: { thingGroupIndexingMode: "OFF" },
    });
    expect(await aws.refused`iot search-index --query-string ${"thingName:*"}`).toMatchObject({
      name: "ResourceNotFoundException",
      operation: "SearchIndex",
    });
  });

  it("finds things by what the registry and their shadows say", async () => {
    await aws`iot update-indexing-configuration
      --thing-indexing-configuration ${{
        thingIndexingMode: "REGISTRY_AND_SHADOW",
        thingConnectivityIndexingMode: "STATUS",
        customFields: [
          { name: "attributes.floor", type: "Number" },
          { name: "shadow.reported.temperature", type: "Number" },
        ],
      }}
      --thing-group-indexing-configuration ${{ thingGroupIndexingMode: "ON" }}`;
    expect(await aws`iot describe-index --index-name AWS_Things`).toMatchObject({
      indexName: "AWS_Things",
      indexStatus: "ACTIVE",
      schema: "REGISTRY_AND_SHADOW_AND_CONNECTIVITY_STATUS",
    });
    expect((await aws`iot list-indices`).indexNames).toContain("AWS_Things");
    await aws`iot create-thing-type --thing-type-name Fridge`;
    for (const [name, floor, temperature] of [
      ["fridge-1", "1", 3],
      ["fridge-2", "2", 9],
      ["fridge-3", "3", 12],
    ] as const) {
      await aws`iot create-thing --thing-name ${name} --thing-type-name Fridge --attribute-payload ${{ attributes: { floor } }}`;
      await aws`iot-data update-thing-shadow --thing-name ${name} --cli-binary-format raw-in-base64-out --payload ${{ state: { reported: { temperature } } }} ${aws.file("out.json")}`;
    }
    expect(await found("thingName:fridge-*")).toEqual(["fridge-1", "fridge-2", "fridge-3"]);
    expect(await found("thingTypeName:Fridge AND attributes.floor > 1")).toEqual(["fridge-2", "fridge-3"]);
    expect(
      await found("thingName:fridge* AND shadow.reported.temperature > 5 AND NOT attributes.floor:3"),
    ).toEqual(["fridge-2"]);
    expect(await found("thingName:fridge* AND connectivity.connected:true")).toEqual([]);
    const { things, nextToken } =
      await aws`iot search-index --query-string thingTypeName:Fridge --max-results 2`;
    expect(things).toHaveLength(2);
    const rest =
      await aws`iot search-index --query-string thingTypeName:Fridge --max-results 2 --next-token ${nextToken}`;
    expect(rest.things).toHaveLength(1);
    const [fridge] = (await aws`iot search-index --query-string thingName:fridge-1`).things;
    expect(fridge).toMatchObject({
      thingTypeName: "Fridge",
      attributes: { floor: "1" },
      connectivity: { connected: false },
    });
    expect(JSON.parse(fridge.shadow)).toMatchObject({ reported: { temperature: 3 } });
    expect(await aws.refused`iot search-index --query-string ${"thingName:("}`).toMatchObject({
      name: "InvalidQueryException",
    });
  });

  it("aggregates", async () => {
    const field = "shadow.reported.temperature";
    const { statistics } =
      await aws`iot get-statistics --query-string thingTypeName:Fridge --aggregation-field ${field}`;
    expect(statistics).toMatchObject({ count: 3, average: 8, sum: 24, minimum: 3, maximum: 12 });
    expect(
      await aws`iot get-cardinality --query-string thingTypeName:Fridge --aggregation-field attributes.floor`,
    ).toEqual({ cardinality: 3 });
    const { percentiles } =
      await aws`iot get-percentiles --query-string thingTypeName:Fridge --aggregation-field ${field} --percents 0 50 100`;
    expect(percentiles).toEqual([
      { percent: 0, value: 3 },
      { percent: 50, value: 9 },
      { percent: 100, value: 12 },
    ]);
    expect(
      await aws`iot get-buckets-aggregation --query-string thingName:fridge* --aggregation-field thingTypeName --buckets-aggregation-type ${{ termsAggregation: { maxBuckets: 5 } }}`,
    ).toEqual({ totalCount: 3, buckets: [{ keyValue: "Fridge", count: 3 }] });
  });

  it("keeps dynamic groups filled", async () => {
    const group =
      await aws`iot create-dynamic-thing-group --thing-group-name Warm --query-string ${"shadow.reported.temperature > 5"}`;
    expect(group).toMatchObject({ indexName: "AWS_Things", queryVersion: "2017-09-30" });
    expect((await aws`iot list-things-in-thing-group --thing-group-name Warm`).things.sort()).toEqual([
      "fridge-2",
      "fridge-3",
    ]);
    await aws`iot update-dynamic-thing-group --thing-group-name Warm --thing-group-properties ${{}} --query-string ${"shadow.reported.temperature > 10"}`;
    await filled("Warm");
    expect((await aws`iot list-things-in-thing-group --thing-group-name Warm`).things).toEqual(["fridge-3"]);
    expect(
      await aws.refused`iot add-thing-to-thing-group --thing-name fridge-1 --thing-group-name Warm`,
    ).toMatchObject({ name: "InvalidRequestException" });
    await aws`iot delete-dynamic-thing-group --thing-group-name Warm`;
  });

  it("keeps fleet metrics", async () => {
    await aws`iot create-fleet-metric --metric-name warm --query-string ${"shadow.reported.temperature > 5"} --aggregation-type ${{ name: "Statistics", values: ["count"] }} --period 60 --aggregation-field registry.version`;
    expect(await aws`iot describe-fleet-metric --metric-name warm`).toMatchObject({
      metricName: "warm",
      period: 60,
    });
    await aws`iot update-fleet-metric --metric-name warm --index-name AWS_Things --period 120`;
    expect((await aws`iot list-fleet-metrics`).fleetMetrics).toMatchObject([{ metricName: "warm" }]);
    await aws`iot delete-fleet-metric --metric-name warm`;
    expect(await aws.refused`iot describe-fleet-metric --metric-name warm`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
}
