import type { IndexingConfiguration, ThingIndexingConfiguration } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { awsErrorOf, Fleet } from "./fleet.js";

describe("an index", () => {
  it("does not exist while indexing is off, which it is at first", () => {
    const fleet = new Fleet();
    fleet.put("lamp");
    fleet.settle();
    expect(fleet.indexing.listIndices()).toEqual({ indexNames: [] });
    expect(awsErrorOf(() => fleet.names("*"))).toBe("ResourceNotFoundException");
    expect(awsErrorOf(() => fleet.indexing.describeIndex("AWS_Things"))).toBe("ResourceNotFoundException");
    expect(awsErrorOf(() => fleet.indexing.describeIndex("Mine"))).toBe("ResourceNotFoundException");
  });

  it("is BUILDING and cannot be asked until everything is indexed", () => {
    const fleet = new Fleet();
    for (let ordinal = 0; ordinal < 2_500; ordinal += 1) fleet.put(`t${ordinal}`);
    fleet.indexing.updateIndexingConfiguration({
      thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" },
    });
    expect(fleet.indexing.describeIndex("AWS_Things").indexStatus).toBe("BUILDING");
    expect(awsErrorOf(() => fleet.names("*"))).toBe("IndexNotReadyException");
    fleet.settle();
    expect(fleet.indexing.describeIndex("AWS_Things")).toEqual({
      indexName: "AWS_Things",
      indexStatus: "ACTIVE",
      schema: "REGISTRY",
    });
    expect(fleet.indexing.aggregations({ queryString: "*" }).buckets().totalCount).toBe(2_500);
  });

  it("is REBUILDING and can be asked when its configuration changes", () => {
    const fleet = new Fleet().turnOn({ thingIndexingMode: "REGISTRY" });
    fleet.put("lamp", { shadow: { reported: { on: true }, hasDelta: false } });
    fleet.settle();
    expect(fleet.names("shadow.reported.on:true")).toEqual([]);
    fleet.indexing.updateIndexingConfiguration({
      thingIndexingConfiguration: { thingIndexingMode: "REGISTRY_AND_SHADOW" },
    });
    expect(fleet.indexing.describeIndex("AWS_Things").indexStatus).toBe("REBUILDING");
    expect(fleet.names("thingName:lamp")).toEqual(["lamp"]);
    fleet.settle();
    expect(fleet.names("shadow.reported.on:true")).toEqual(["lamp"]);
    fleet.turnOn({ thingIndexingMode: "REGISTRY" });
    expect(fleet.names("shadow.reported.on:true")).toEqual([]);
  });

  it("follows changes a turn of the clock later", () => {
    const fleet = new Fleet().turnOn();
    fleet.put("lamp", { attributes: { site: "hq" } });
    expect(fleet.names("*")).toEqual([]);
    fleet.settle();
    fleet.put("lamp", { attributes: { site: "lab" } });
    expect(fleet.names("hq")).toEqual(["lamp"]);
    fleet.settle();
    expect(fleet.names("hq")).toEqual([]);
    fleet.remove("lamp");
    fleet.settle();
    expect(fleet.names("*")).toEqual([]);
  });

  it("pages through the results with a token that belongs to the query", () => {
    const fleet = new Fleet().turnOn();
    for (let ordinal = 0; ordinal < 25; ordinal += 1) fleet.put(`t${ordinal}`);
    fleet.settle();
    const seen: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = fleet.indexing.searchIndex({
        queryString: "*",
        maxResults: 10,
        ...(nextToken !== undefined && { nextToken }),
      });
      seen.push(...page.things!.map(({ thingName }) => thingName));
      nextToken = page.nextToken;
      if (seen.length === 10) fleet.remove("t3");
    } while (nextToken !== undefined);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, ordinal) => `t${ordinal}`));
    const { nextToken: token } = fleet.indexing.searchIndex({ queryString: "*", maxResults: 1 });
    const ask = (queryString: string, given: string): unknown =>
      awsErrorOf(() => fleet.indexing.searchIndex({ queryString, nextToken: given }));
    expect(ask("*", token!)).toBe("none");
    expect(ask("t*", token!)).toBe("InvalidRequestException");
    expect(ask("*", "x")).toBe("InvalidRequestException");
    expect(awsErrorOf(() => fleet.indexing.searchIndex({ queryString: "*", maxResults: 501 }))).toBe(
      "InvalidRequestException",
    );
    expect(
      awsErrorOf(() => fleet.indexing.searchIndex({ queryString: "*", queryVersion: "2016-03-23" })),
    ).toBe("InvalidQueryException");
  });

  it("shows what is indexed of a thing, shadows as JSON text", () => {
    const fleet = new Fleet().turnOn({
      thingIndexingMode: "REGISTRY_AND_SHADOW",
      namedShadowIndexingMode: "ON",
      filter: { namedShadowNames: ["config"] },
      thingConnectivityIndexingMode: "STATUS",
    });
    fleet.put("lamp", {
      thingTypeName: "light",
      thingGroupNames: ["hall"],
      attributes: { site: "hq" },
      shadow: { reported: { on: true }, hasDelta: false, version: 3 },
      namedShadows: [
        ["config", { desired: { rate: 5 }, delta: { rate: 5 }, hasDelta: true, version: 1 }],
        ["secret", { desired: { key: "x" }, hasDelta: true }],
      ],
    });
    fleet.connections.set("lamp", { connected: true, timestamp: 1_700_000_000_000, clientId: "lamp" });
    fleet.settle();
    const [thing] = fleet.indexing.searchIndex({ queryString: "shadow.name.config.desired.rate:5" }).things!;
    expect(thing).toEqual({
      thingName: "lamp",
      thingId: "id-lamp",
      thingTypeName: "light",
      thingGroupNames: ["hall"],
      attributes: { site: "hq" },
      shadow:
        '{"name":{"config":{"desired":{"rate":5},"delta":{"rate":5},"hasDelta":true,"version":1}},' +
        '"reported":{"on":true},"hasDelta":false,"version":3}',
      connectivity: { connected: true, timestamp: 1_700_000_000_000, clientId: "lamp" },
    });
    expect(fleet.indexing.describeIndex("AWS_Things").schema).toBe("MULTI_INDEXING_MODE");
    expect(fleet.names("shadow.name.secret.desired.key:x")).toEqual([]);
    expect(
      fleet.names("connectivity.connected:true AND connectivity.timestamp:[1699999999999 TO *]"),
    ).toEqual(["lamp"]);
  });

  it("indexes shadow fields as AWS does: no nulls, no lists of objects, dotted keys like nested ones", () => {
    const fleet = new Fleet().turnOn();
    fleet.put("lamp", {
      shadow: {
        desired: {
          colors: ["RED", "GREEN"],
          palette: [{ name: "RED" }],
          mixed: [1, { two: 2 }],
          one: { two: "nested" },
          "one.two": "dotted",
          __proto__: null,
        },
        hasDelta: true,
      },
    });
    fleet.settle();
    expect(fleet.names("shadow.desired.colors:green")).toEqual(["lamp"]);
    expect(fleet.names("shadow.desired.palette:* OR shadow.desired.palette.name:*")).toEqual([]);
    expect(fleet.names("shadow.desired.mixed:*")).toEqual([]);
    expect(fleet.names("shadow.desired.one.two:nested AND shadow.desired.one.two:dotted")).toEqual(["lamp"]);
  });

  it("has thing groups in an index of their own", () => {
    const fleet = new Fleet();
    fleet.groups.set("hall", {
      thingGroupName: "hall",
      thingGroupId: "g1",
      thingGroupDescription: "the big hall",
      attributes: { floor: "1" },
      parentGroupNames: ["hq"],
      version: 1,
    });
    fleet.indexing.updateIndexingConfiguration({
      thingGroupIndexingConfiguration: { thingGroupIndexingMode: "ON" },
    });
    fleet.settle();
    expect(fleet.indexing.listIndices().indexNames).toEqual(["AWS_ThingGroups"]);
    expect(fleet.indexing.describeIndex("AWS_ThingGroups").schema).toBe("THING_GROUPS");
    const search = (queryString: string): unknown =>
      fleet.indexing.searchIndex({ indexName: "AWS_ThingGroups", queryString });
    const hall = {
      thingGroupName: "hall",
      thingGroupId: "g1",
      thingGroupDescription: "the big hall",
      attributes: { floor: "1" },
      parentGroupNames: ["hq"],
    };
    expect(search("parentGroupNames:hq")).toEqual({ thingGroups: [hall] });
    expect(search("attributes.floor<2 description:big")).toEqual({ thingGroups: [hall] });
    fleet.groups.delete("hall");
    fleet.indexing.thingGroupChanged("hall");
    fleet.settle();
    expect(search("*")).toEqual({ thingGroups: [] });
  });
});

describe("the indexing configuration", () => {
  const update = (configuration: Partial<ThingIndexingConfiguration>): unknown =>
    awsErrorOf(() =>
      new Fleet().indexing.updateIndexingConfiguration({
        thingIndexingConfiguration: { thingIndexingMode: "REGISTRY", ...configuration },
      }),
    );
  const number = (name: string): { name: string; type: "Number" } => ({ name, type: "Number" });

  it.each<[string, Partial<ThingIndexingConfiguration>]>([
    ["connectivity without things", { thingIndexingMode: "OFF", thingConnectivityIndexingMode: "STATUS" }],
    ["custom fields without things", { thingIndexingMode: "OFF", customFields: [number("attributes.a")] }],
    ["a shadow's field without shadows", { customFields: [number("shadow.reported.t")] }],
    ["a field of a shadow that is not indexed", { customFields: [number("shadow.name.a.reported.t")] }],
    ["a managed field as custom field", { customFields: [number("registry.version")] }],
    ["a custom field as managed field", { managedFields: [number("attributes.a")] }],
    ["a field twice", { customFields: [number("attributes.a"), number("attributes.a")] }],
    ["a field with spaces", { customFields: [number("attributes.a b")] }],
    [
      "six custom fields",
      { customFields: Array.from({ length: 6 }, (_, at) => number(`attributes.a${at}`)) },
    ],
    ["names of shadows that are off", { filter: { namedShadowNames: ["a"] } }],
    [
      "eleven named shadows",
      {
        namedShadowIndexingMode: "ON",
        filter: { namedShadowNames: Array.from({ length: 11 }, (_, at) => `s${at}`) },
      },
    ],
  ])("refuses %s", (_, configuration) => {
    expect(update(configuration)).toBe("InvalidRequestException");
  });

  it("says that geolocation is not indexed", () => {
    expect(update({ filter: { geoLocations: [{ name: "shadow.reported.place" }] } })).toBe(
      "NotImplementedException",
    );
  });

  it("is answered with the managed fields of its modes, and takes that answer back", () => {
    const { indexing } = new Fleet().turnOn({
      thingIndexingMode: "REGISTRY",
      thingConnectivityIndexingMode: "STATUS",
      customFields: [number("attributes.a")],
    });
    const answer = indexing.getIndexingConfiguration();
    expect(answer.thingIndexingConfiguration.managedFields!.map(({ name }) => name)).toEqual([
      "thingId",
      "thingName",
      "registry.version",
      "registry.thingTypeName",
      "registry.thingGroupNames",
      "connectivity.timestamp",
      "connectivity.version",
      "connectivity.connected",
      "connectivity.disconnectReason",
    ]);
    expect(answer.thingGroupIndexingConfiguration).toEqual({
      thingGroupIndexingMode: "OFF",
      managedFields: [],
      customFields: [],
    });
    expect(awsErrorOf(() => indexing.updateIndexingConfiguration(answer))).toBe("none");
    expect(indexing.getIndexingConfiguration()).toEqual(answer);
  });

  it("outlives the process, and the index is built anew", () => {
    const written = new Map<string, IndexingConfiguration>();
    const first = new Fleet(
      {},
      {
        recordChanged: (_, key, read) => void written.set(key, read() as never),
      },
    ).turnOn({ thingIndexingMode: "REGISTRY" });
    expect(first.indexing.listIndices().indexNames).toHaveLength(1);
    const second = new Fleet();
    second.things.set("lamp", { thingName: "lamp", thingId: "1", version: 1 });
    for (const [key, value] of written) second.records.restore("indexing-configuration", key, value as never);
    second.records.finish();
    expect(second.indexing.describeIndex("AWS_Things").indexStatus).toBe("BUILDING");
    second.settle();
    expect(second.names("*")).toEqual(["lamp"]);
  });
});

describe("connectivity data", () => {
  it("needs connectivity indexing and a registered thing", () => {
    const fleet = new Fleet().turnOn({ thingIndexingMode: "REGISTRY" });
    const ask = (name: string): unknown => fleet.indexing.getThingConnectivityData(name);
    fleet.put("lamp");
    expect(awsErrorOf(() => ask("lamp"))).toBe("IndexNotReadyException");
    fleet.turnOn({ thingIndexingMode: "REGISTRY", thingConnectivityIndexingMode: "STATUS" });
    expect(awsErrorOf(() => ask("fan"))).toBe("ResourceNotFoundException");
    expect(ask("lamp")).toEqual({ connected: false });
    fleet.connections.set("lamp", { connected: true, timestamp: 5, clientId: "lamp", sourceIp: "10.0.0.1" });
    expect(ask("lamp")).toEqual({ connected: true, timestamp: 5, clientId: "lamp" });
  });

  it("shows sockets only where the configuration says so", () => {
    const fleet = new Fleet();
    fleet.put("lamp");
    fleet.connections.set("lamp", { connected: true, sourceIp: "10.0.0.1", sourcePort: 4711 });
    const ask = (): unknown => fleet.indexing.getThingConnectivityData("lamp", true);
    fleet.turnOn({ thingIndexingMode: "REGISTRY", thingConnectivityIndexingMode: "STATUS" });
    expect(awsErrorOf(ask)).toBe("InvalidRequestException");
    fleet.turnOn({
      thingIndexingMode: "REGISTRY",
      thingConnectivityIndexingMode: "STATUS",
      filter: { connectivity: { includeSocketInformation: ["GET_THING_CONNECTIVITY_DATA"] } },
    });
    expect(ask()).toEqual({ connected: true, sourceIp: "10.0.0.1", sourcePort: 4711 });
  });
});

describe("a standing query", () => {
  function followed(fleet: Fleet, query: string): string[] {
    const log: string[] = [];
    fleet.indexing.watch(query, {
      joined: (name) => log.push(`+${name}`),
      left: (name) => log.push(`-${name}`),
      ready: () => log.push("ready"),
    });
    return log;
  }

  it("starts with what matches already and follows the index", () => {
    const fleet = new Fleet().turnOn();
    for (const name of ["lamp-1", "fan", "lamp-2"]) fleet.put(name);
    fleet.settle();
    const log = followed(fleet, "thingName:lamp*");
    expect(log).toEqual([]);
    fleet.settle();
    expect(log.splice(0)).toEqual(["+lamp-1", "+lamp-2", "ready"]);
    fleet.put("lamp-3");
    fleet.remove("lamp-1");
    fleet.put("fan", { attributes: { a: "1" } });
    expect(log).toEqual([]);
    fleet.settle();
    expect(log.splice(0)).toEqual(["+lamp-3", "-lamp-1"]);
    fleet.indexing.updateIndexingConfiguration({ thingIndexingConfiguration: { thingIndexingMode: "OFF" } });
    expect(log.splice(0)).toEqual(["-lamp-2", "-lamp-3"]);
    fleet.turnOn();
    expect(log.toSorted()).toEqual(["+lamp-2", "+lamp-3"]);
  });

  it("is complete when the index is, and silent once stopped", () => {
    const fleet = new Fleet();
    for (let ordinal = 0; ordinal < 1_500; ordinal += 1) fleet.put(`t${ordinal}`);
    fleet.indexing.updateIndexingConfiguration({
      thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" },
    });
    const log = followed(fleet, "*");
    fleet.settle();
    expect(log).toHaveLength(1_501);
    expect(log.at(-1)).toBe("ready");
    const other: string[] = [];
    const watch = fleet.indexing.watch("t*", { joined: (name) => other.push(name), left: () => undefined });
    fleet.settle();
    expect(watch.size).toBe(1_500);
    watch.stop();
    fleet.put("t-new");
    fleet.settle();
    expect(other).toHaveLength(1_500);
  });

  it("has at most five terms, and needs indexing", () => {
    const fleet = new Fleet();
    expect(awsErrorOf(() => fleet.indexing.assertQuery("a"))).toBe("ResourceNotFoundException");
    fleet.turnOn();
    expect(awsErrorOf(() => fleet.indexing.assertQuery("a b c d e"))).toBe("none");
    expect(awsErrorOf(() => fleet.indexing.assertQuery("a b c d e f"))).toBe("InvalidQueryException");
  });

  it("may contradict itself without stopping time", () => {
    const fleet = new Fleet().turnOn();
    let flips = 0;
    const toggle = (thingGroupNames: readonly string[]) => (): void => {
      flips += 1;
      fleet.put("lamp", { thingGroupNames });
    };
    fleet.indexing.watch("thingName:lamp NOT thingGroupNames:odd", {
      joined: toggle(["odd"]),
      left: toggle([]),
    });
    fleet.put("lamp");
    fleet.time.advance(100_000);
    expect(flips).toBeGreaterThan(50);
    expect(flips).toBeLessThan(110);
  });
});
