import { describe, expect, it } from "vitest";
import { type ApiWorld, type Json, startApi } from "./api-client.js";
import { connectClient } from "./memory-client.js";

const EVERYTHING = {
  thingIndexingMode: "REGISTRY_AND_SHADOW",
  thingConnectivityIndexingMode: "STATUS",
  namedShadowIndexingMode: "ON",
  filter: {
    namedShadowNames: ["config"],
    connectivity: { includeSocketInformation: ["GET_THING_CONNECTIVITY_DATA"] },
  },
  customFields: [
    { name: "attributes.site", type: "String" },
    { name: "shadow.reported.battery", type: "Number" },
  ],
};

interface IndexedWorld extends ApiWorld {
  settle(): void;
  search(queryString: string): Promise<readonly string[]>;
}

async function startIndexed(configuration: object = EVERYTHING): Promise<IndexedWorld> {
  const world = startApi();
  await world.ok("POST", "/indexing/config", { thingIndexingConfiguration: configuration });
  const settle = (): void => world.time.advance(10_000);
  settle();
  return {
    ...world,
    settle,
    search: async (queryString) => {
      const { things } = await world.ok("POST", "/indices/search", { queryString });
      return things.map(({ thingName }: { thingName: string }) => thingName);
    },
  };
}

const report = (world: ApiWorld, thing: string, state: object, name?: string): Promise<unknown> =>
  world.ok("POST", `/things/${thing}/shadow${name === undefined ? "" : `?name=${name}`}`, { state });

describe("fleet indexing over the API", () => {
  it("is off at first: there is no index", async () => {
    const { ok, refused } = startApi();
    expect(await ok("GET", "/indices")).toEqual({ indexNames: [] });
    expect(await refused("POST", "/indices/search", { queryString: "*" })).toMatchObject({
      name: "ResourceNotFoundException",
      status: 404,
    });
    expect(await ok("GET", "/indexing/config")).toMatchObject({
      thingIndexingConfiguration: { thingIndexingMode: "OFF" },
      thingGroupIndexingConfiguration: { thingGroupIndexingMode: "OFF" },
    });
  });

  it("finds things by registry, shadows and connectivity", async () => {
    const world = await startIndexed();
    const { ok, search, settle } = world;
    expect(await ok("GET", "/indices/AWS_Things")).toEqual({
      indexName: "AWS_Things",
      indexStatus: "ACTIVE",
      schema: "MULTI_INDEXING_MODE",
    });
    await ok("POST", "/things/lamp", { attributePayload: { attributes: { site: "HQ" } } });
    await ok("POST", "/things/fan", {});
    await report(world, "lamp", { desired: { on: true }, reported: { on: false, battery: 40 } });
    await report(world, "fan", { reported: { rate: 5 } }, "config");
    await report(world, "ghost", { reported: { on: false } });
    settle();
    expect(await search("attributes.site:hq")).toEqual(["lamp"]);
    expect(await search("shadow.reported.on:false")).toEqual(["lamp"]);
    expect(await search("shadow.hasDelta:true AND shadow.delta.on:true")).toEqual(["lamp"]);
    expect(await search("shadow.name.config.reported.rate>4")).toEqual(["fan"]);
    expect(await search("connectivity.connected:false")).toEqual(["lamp", "fan"]);
    const client = connectClient(world, "fan");
    settle();
    expect(await search("connectivity.connected:true")).toEqual(["fan"]);
    client.lose();
    settle();
    expect(await search("connectivity.disconnectReason:connection_lost")).toEqual(["fan"]);
    await ok("DELETE", "/things/lamp");
    await world.ok("DELETE", "/things/fan/shadow?name=config");
    settle();
    expect(await search("*")).toEqual(["fan"]);
    expect(await search("shadow.name.config.reported.rate:*")).toEqual([]);
  });

  it("shows things as AWS does, with shadows as JSON text", async () => {
    const world = await startIndexed();
    await world.ok("POST", "/thing-groups/hall", {});
    await world.ok("POST", "/things/lamp", { attributePayload: { attributes: { site: "HQ" } } });
    await world.ok("PUT", "/thing-groups/addThingToThingGroup", {
      thingName: "lamp",
      thingGroupName: "hall",
    });
    await report(world, "lamp", { reported: { battery: 40 } });
    world.settle();
    const { things } = await world.ok("POST", "/indices/search", { queryString: "thingGroupNames:hall" });
    expect(things).toEqual([
      {
        thingName: "lamp",
        thingId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        thingGroupNames: ["hall"],
        attributes: { site: "HQ" },
        shadow: expect.any(String),
        connectivity: { connected: false },
      },
    ]);
    expect(JSON.parse(things[0].shadow)).toEqual({
      reported: { battery: 40 },
      metadata: { reported: { battery: { timestamp: expect.any(Number) } } },
      hasDelta: false,
      version: 1,
      timestamp: expect.any(Number),
    });
  });

  it("aggregates", async () => {
    const world = await startIndexed();
    for (const [name, battery] of [
      ["a", 10],
      ["b", 30],
      ["c", 30],
    ] as const) {
      await world.ok("POST", `/things/${name}`, {});
      await report(world, name, { reported: { battery } });
    }
    world.settle();
    const request = { queryString: "*", aggregationField: "shadow.reported.battery" };
    expect(await world.ok("POST", "/indices/statistics", request)).toMatchObject({
      statistics: { count: 3, sum: 70, minimum: 10, maximum: 30 },
    });
    expect(await world.ok("POST", "/indices/cardinality", request)).toEqual({ cardinality: 2 });
    expect(await world.ok("POST", "/indices/percentiles", { ...request, percents: [50] })).toEqual({
      percentiles: [{ percent: 50, value: 30 }],
    });
    const bucketsAggregationType = { termsAggregation: { maxBuckets: 1 } };
    expect(await world.ok("POST", "/indices/buckets", { ...request, bucketsAggregationType })).toEqual({
      totalCount: 3,
      buckets: [{ keyValue: "30", count: 2 }],
    });
    expect(
      await world.refused("POST", "/indices/cardinality", {
        ...request,
        aggregationField: "attributes.none",
      }),
    ).toMatchObject({ name: "InvalidAggregationException", status: 400 });
    expect(await world.refused("POST", "/indices/search", { queryString: "a:(" })).toMatchObject({
      name: "InvalidQueryException",
      status: 400,
    });
  });

  it("tells the connectivity of a thing, times in seconds", async () => {
    const world = await startIndexed();
    await world.ok("POST", "/things/lamp", {});
    const ask = (body: object = {}): Promise<Json> =>
      world.ok("POST", "/things/lamp/connectivity-data", body);
    expect(await ask()).toEqual({ thingName: "lamp", connected: false });
    connectClient(world, "lamp");
    const connected = await ask();
    expect(connected).toMatchObject({
      thingName: "lamp",
      connected: true,
      clientId: "lamp",
      keepAliveDuration: 60,
    });
    expect(connected.timestamp).toBeCloseTo(world.time.wallMs() / 1000, 0);
    expect(connected.sourceIp).toBeUndefined();
    expect(await ask({ includeSocketInformation: true })).toMatchObject({
      sourceIp: "127.0.0.1",
      sourcePort: 50_000,
    });
  });

  it("fills dynamic thing groups, and empties them", async () => {
    const world = await startIndexed();
    const members = async (): Promise<readonly string[]> =>
      (await world.ok("GET", "/thing-groups/weak/things")).things;
    await world.ok("POST", "/things/lamp", {});
    await report(world, "lamp", { reported: { battery: 40 } });
    world.settle();
    await world.ok("POST", "/dynamic-thing-groups/weak", { queryString: "shadow.reported.battery < 50" });
    world.settle();
    expect(await members()).toEqual(["lamp"]);
    expect(await world.search("thingGroupNames:weak")).toEqual(["lamp"]);
    await report(world, "lamp", { reported: { battery: 90 } });
    world.settle();
    expect(await members()).toEqual([]);
  });

  it("keeps fleet metrics, with times in seconds", async () => {
    const world = await startIndexed();
    const metric = {
      queryString: "*",
      aggregationType: { name: "Statistics", values: ["count"] },
      period: 60,
      aggregationField: "registry.version",
    };
    const metricArn = "arn:aws:iot:us-east-1:000000000000:fleetmetric/size";
    expect(await world.ok("PUT", "/fleet-metric/size", metric)).toEqual({ metricName: "size", metricArn });
    expect(await world.ok("GET", "/fleet-metric/size")).toEqual({
      ...metric,
      metricName: "size",
      metricArn,
      indexName: "AWS_Things",
      queryVersion: "2017-09-30",
      version: 1,
      creationDate: expect.closeTo(world.time.wallMs() / 1000, 0),
      lastModifiedDate: expect.closeTo(world.time.wallMs() / 1000, 0),
    });
    await world.ok("PATCH", "/fleet-metric/size", {
      indexName: "AWS_Things",
      period: 120,
      expectedVersion: 1,
    });
    expect(await world.ok("GET", "/fleet-metrics")).toEqual({
      fleetMetrics: [{ metricName: "size", metricArn }],
    });
    expect((await world.refused("DELETE", "/fleet-metric/size?expectedVersion=1")).name).toBe(
      "VersionConflictException",
    );
    await world.ok("DELETE", "/fleet-metric/size");
    expect((await world.refused("GET", "/fleet-metric/size")).name).toBe("ResourceNotFoundException");
  });
});
