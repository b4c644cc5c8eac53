import { US_PER_S } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { startApi } from "./api-client.js";
import { connectClient } from "./memory-client.js";

const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);

/** A fleet that is indexed, with a group of everything at headquarters. */
async function indexedSite() {
  const world = startApi();
  const { ok, time } = world;
  await ok("POST", "/indexing/config", {
    thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" },
  });
  for (const [name, site] of [
    ["t1", "hq"],
    ["t2", "lab"],
  ])
    await ok("POST", `/things/${name}`, { attributePayload: { attributes: { site } } });
  time.advance(US_PER_S);
  const created = await ok("POST", "/dynamic-thing-groups/hq", {
    queryString: "attributes.site:hq",
    thingGroupProperties: { thingGroupDescription: "d" },
    tags: [{ Key: "k", Value: "v" }],
  });
  time.advance(US_PER_S);
  return { ...world, created };
}

describe("dynamic thing groups over the API", () => {
  it("are described with their query and state, and tagged like others", async () => {
    const { ok, created } = await indexedSite();
    const identity = {
      thingGroupName: "hq",
      thingGroupArn: `${PREFIX}:thinggroup/hq`,
      thingGroupId: UUID,
    };
    const query = {
      indexName: "AWS_Things",
      queryString: "attributes.site:hq",
      queryVersion: "2017-09-30",
    };
    expect(created).toEqual({ ...identity, ...query });
    expect(await ok("GET", "/thing-groups/hq")).toEqual({
      ...identity,
      ...query,
      version: 1,
      status: "ACTIVE",
      thingGroupProperties: { thingGroupDescription: "d", attributePayload: { attributes: {} } },
      thingGroupMetadata: { creationDate: expect.any(Number) },
    });
    const tags = `/tags?resourceArn=${encodeURIComponent(`${PREFIX}:thinggroup/hq`)}`;
    expect(await ok("GET", tags)).toEqual({ tags: [{ Key: "k", Value: "v" }] });
  });

  it("follow what the index finds: membership events and continuous jobs with them", async () => {
    const world = await indexedSite();
    const { ok, time } = world;
    await ok("PATCH", "/event-configurations", {
      eventConfigurations: { THING_GROUP_MEMBERSHIP: { Enabled: true } },
    });
    await ok("PUT", "/jobs/j1", {
      targets: [`${PREFIX}:thinggroup/hq`],
      targetSelection: "CONTINUOUS",
      document: "{}",
    });
    const observer = connectClient(world, "observer");
    observer.subscribe("$aws/events/thingGroupMembership/#");
    expect(await ok("GET", "/thing-groups/hq/things")).toEqual({ things: ["t1"] });
    await ok("PATCH", "/things/t2", { attributePayload: { attributes: { site: "hq" } } });
    await ok("PATCH", "/things/t1", { attributePayload: { attributes: { site: "lab" } } });
    time.advance(US_PER_S);
    expect(await ok("GET", "/thing-groups/hq/things")).toEqual({ things: ["t2"] });
    expect(await ok("GET", "/things/t2/thing-groups")).toMatchObject({ thingGroups: [{ groupName: "hq" }] });
    expect(observer.take().map(({ topic }) => topic)).toEqual([
      "$aws/events/thingGroupMembership/thingGroup/hq/thing/t2/added",
      "$aws/events/thingGroupMembership/thingGroup/hq/thing/t1/removed",
    ]);
    const { executionSummaries } = await ok("GET", "/things/t2/jobs");
    expect(executionSummaries).toMatchObject([{ jobId: "j1", jobExecutionSummary: { status: "QUEUED" } }]);
  });

  it("take a thing again that is deleted and recreated in one moment", async () => {
    const { ok, time } = await indexedSite();
    const again = { attributePayload: { attributes: { site: "hq" } } };
    await ok("DELETE", "/things/t1");
    await ok("POST", "/things/t1", again);
    expect(await ok("GET", "/thing-groups/hq/things")).toEqual({ things: [] });
    time.advance(US_PER_S);
    expect(await ok("GET", "/thing-groups/hq/things")).toEqual({ things: ["t1"] });
  });

  it("take another query in the version that is expected, and refuse one that cannot be understood", async () => {
    const { ok, refused, time } = await indexedSite();
    const body = { thingGroupProperties: {}, queryString: "attributes.site:lab", expectedVersion: 1 };
    expect(await ok("PATCH", "/dynamic-thing-groups/hq", body)).toEqual({ version: 2 });
    time.advance(US_PER_S);
    expect(await ok("GET", "/thing-groups/hq/things")).toEqual({ things: ["t2"] });
    expect((await refused("PATCH", "/dynamic-thing-groups/hq", body)).name).toBe("VersionConflictException");
    const bad = { thingGroupProperties: {}, queryString: "attributes.site:(" };
    expect((await refused("PATCH", "/dynamic-thing-groups/hq", bad)).name).toBe("InvalidQueryException");
    const created = await refused("POST", "/dynamic-thing-groups/x", { queryString: "(" });
    expect(created.name).toBe("InvalidQueryException");
    expect((await refused("GET", "/thing-groups/x")).name).toBe("ResourceNotFoundException");
    expect((await refused("PATCH", "/dynamic-thing-groups/none", bad)).name).toBe(
      "ResourceNotFoundException",
    );
  });

  it("have operations of their own", async () => {
    const { ok, refused } = await indexedSite();
    const names = async (...attempts: [string, string, unknown?][]) =>
      Promise.all(attempts.map(async (attempt) => (await refused(...attempt)).name));
    const member = { thingName: "t2", thingGroupName: "hq" };
    expect(
      await names(
        ["DELETE", "/thing-groups/hq"],
        ["PATCH", "/thing-groups/hq", { thingGroupProperties: {} }],
        ["PUT", "/thing-groups/addThingToThingGroup", member],
        ["PUT", "/thing-groups/removeThingFromThingGroup", member],
      ),
    ).toEqual(Array(4).fill("InvalidRequestException"));
    expect(await names(["DELETE", "/dynamic-thing-groups/hq?expectedVersion=5"])).toEqual([
      "VersionConflictException",
    ]);
    await ok("DELETE", "/dynamic-thing-groups/hq?expectedVersion=1");
    await ok("DELETE", "/dynamic-thing-groups/hq");
    expect(await ok("GET", "/things/t1/thing-groups")).toEqual({ thingGroups: [] });
  });
});
