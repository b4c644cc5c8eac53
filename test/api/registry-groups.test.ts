import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "./api-client.js";

const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);
const groupArn = (name: string) => `${PREFIX}:thinggroup/${name}`;
const named = (...names: string[]) =>
  names.map((groupName) => ({ groupName, groupArn: groupArn(groupName) }));

async function europe(): Promise<ApiWorld> {
  const world = startApi();
  await world.ok("POST", "/thing-groups/eu", {
    thingGroupProperties: {
      thingGroupDescription: "Europe",
      attributePayload: { attributes: { a: "1" } },
    },
  });
  await world.ok("POST", "/thing-groups/de", { parentGroupName: "eu" });
  await world.ok("POST", "/thing-groups/berlin", { parentGroupName: "de" });
  await world.ok("POST", "/thing-groups/canary");
  for (const name of ["c", "a", "b"]) await world.ok("POST", `/things/${name}`);
  return world;
}

const add = ({ ok }: ApiWorld, thingName: string, thingGroupName: string) =>
  ok("PUT", "/thing-groups/addThingToThingGroup", { thingName, thingGroupName });

describe("thing groups over the API", () => {
  it("are created once and described with their ancestors from the root", async () => {
    const { ok, refused } = await europe();
    const created = await ok("POST", "/thing-groups/berlin", { parentGroupName: "de" });
    expect(created).toEqual({
      thingGroupName: "berlin",
      thingGroupArn: groupArn("berlin"),
      thingGroupId: UUID,
    });
    expect(await ok("GET", "/thing-groups/berlin")).toEqual({
      ...created,
      version: 1,
      thingGroupProperties: { attributePayload: { attributes: {} } },
      thingGroupMetadata: {
        parentGroupName: "de",
        rootToParentThingGroups: named("eu", "de"),
        creationDate: expect.any(Number),
      },
    });
    expect(await ok("GET", "/thing-groups/eu")).toMatchObject({
      thingGroupProperties: {
        thingGroupDescription: "Europe",
        attributePayload: { attributes: { a: "1" } },
      },
      thingGroupMetadata: { creationDate: expect.any(Number) },
    });
    for (const body of [{}, { parentGroupName: "eu" }]) {
      expect((await refused("POST", "/thing-groups/berlin", body)).name).toBe(
        "ResourceAlreadyExistsException",
      );
    }
    const orphan = await refused("POST", "/thing-groups/x", { parentGroupName: "none" });
    expect(orphan.name).toBe("ResourceNotFoundException");
    expect((await refused("GET", "/thing-groups/none")).name).toBe("ResourceNotFoundException");
  });

  it("are updated in the version that is expected", async () => {
    const { ok, refused } = await europe();
    const attributePayload = { attributes: { b: "2" }, merge: true };
    const change = { thingGroupProperties: { attributePayload }, expectedVersion: 1 };
    expect(await ok("PATCH", "/thing-groups/eu", change)).toEqual({ version: 2 });
    expect(await ok("GET", "/thing-groups/eu")).toMatchObject({
      thingGroupProperties: {
        thingGroupDescription: "Europe",
        attributePayload: { attributes: { a: "1", b: "2" } },
      },
    });
    expect((await refused("PATCH", "/thing-groups/eu", change)).name).toBe("VersionConflictException");
    expect((await refused("PATCH", "/thing-groups/none", change)).name).toBe("ResourceNotFoundException");
    expect((await refused("PATCH", "/thing-groups/eu", {})).name).toBe("InvalidRequestException");
  });

  it("are deleted without children; things stay", async () => {
    const world = await europe();
    const { ok, refused } = world;
    await add(world, "a", "berlin");
    expect((await refused("DELETE", "/thing-groups/de")).name).toBe("InvalidRequestException");
    expect((await refused("DELETE", "/thing-groups/berlin?expectedVersion=2")).name).toBe(
      "VersionConflictException",
    );
    await ok("DELETE", "/thing-groups/berlin?expectedVersion=1");
    await ok("DELETE", "/thing-groups/berlin");
    expect(await ok("GET", "/things/a/thing-groups")).toEqual({ thingGroups: [] });
    await ok("DELETE", "/thing-groups/de");
  });

  it.each([
    ["", named("eu", "de", "berlin", "canary")],
    ["?recursive=false", named("eu", "canary")],
    ["?parentGroup=eu", named("de")],
    ["?parentGroup=eu&recursive=true", named("de", "berlin")],
    ["?namePrefixFilter=b", named("berlin")],
  ])("are listed with %j", async (query, thingGroups) => {
    const { ok } = await europe();
    expect(await ok("GET", `/thing-groups${query}`)).toEqual({ thingGroups });
  });

  it("are listed in pages", async () => {
    const { ok } = await europe();
    const first = await ok("GET", "/thing-groups?maxResults=3");
    expect(first.thingGroups).toEqual(named("eu", "de", "berlin"));
    expect(await ok("GET", `/thing-groups?maxResults=3&nextToken=${first.nextToken}`)).toEqual({
      thingGroups: named("canary"),
    });
  });

  it("have seven levels at most", async () => {
    const { ok, refused } = startApi();
    await ok("POST", "/thing-groups/g1");
    for (let level = 2; level <= 7; level += 1)
      await ok("POST", `/thing-groups/g${level}`, { parentGroupName: `g${level - 1}` });
    const eighth = await refused("POST", "/thing-groups/g8", { parentGroupName: "g7" });
    expect(eighth.name).toBe("LimitExceededException");
  });
});

describe("things in thing groups over the API", () => {
  it("are added by name or ARN, and listed from both sides", async () => {
    const world = await europe();
    const { ok } = world;
    await add(world, "b", "berlin");
    await add(world, "c", "eu");
    await ok("PUT", "/thing-groups/addThingToThingGroup", {
      thingArn: `${PREFIX}:thing/a`,
      thingGroupArn: groupArn("berlin"),
    });
    await add(world, "a", "canary");
    expect(await ok("GET", "/thing-groups/eu/things")).toEqual({ things: ["c"] });
    expect(await ok("GET", "/thing-groups/berlin/things")).toEqual({ things: ["a", "b"] });
    expect(await ok("GET", "/thing-groups/eu/things?recursive=true")).toEqual({ things: ["c", "a", "b"] });
    const first = await ok("GET", "/thing-groups/eu/things?recursive=true&maxResults=2");
    expect(first.things).toEqual(["c", "a"]);
    expect(
      await ok("GET", `/thing-groups/eu/things?recursive=true&maxResults=2&nextToken=${first.nextToken}`),
    ).toEqual({ things: ["b"] });
    const page = await ok("GET", "/things/a/thing-groups?maxResults=1");
    expect(page.thingGroups).toEqual(named("berlin"));
    expect(await ok("GET", `/things/a/thing-groups?nextToken=${page.nextToken}`)).toEqual({
      thingGroups: named("canary"),
    });
    await ok("PUT", "/thing-groups/removeThingFromThingGroup", { thingName: "a", thingGroupName: "berlin" });
    expect(await ok("GET", "/thing-groups/berlin/things")).toEqual({ things: ["b"] });
  });

  it.each([
    ["nothing", {}, "InvalidRequestException"],
    ["no thing", { thingGroupName: "eu" }, "InvalidRequestException"],
    [
      "an ARN of something else",
      { thingArn: groupArn("eu"), thingGroupName: "eu" },
      "InvalidRequestException",
    ],
    [
      "a name and another ARN",
      { thingName: "a", thingArn: `${PREFIX}:thing/b`, thingGroupName: "eu" },
      "InvalidRequestException",
    ],
    ["an unknown thing", { thingName: "none", thingGroupName: "eu" }, "ResourceNotFoundException"],
    ["an unknown group", { thingName: "a", thingGroupName: "none" }, "ResourceNotFoundException"],
  ])("are refused when the request names %s", async (_what, body, name) => {
    const { refused } = await europe();
    expect((await refused("PUT", "/thing-groups/addThingToThingGroup", body)).name).toBe(name);
  });

  it("are in ten groups at most, and in one of each hierarchy", async () => {
    const world = await europe();
    await add(world, "a", "berlin");
    const twice = { thingName: "a", thingGroupName: "eu" };
    expect((await world.refused("PUT", "/thing-groups/addThingToThingGroup", twice)).name).toBe(
      "InvalidRequestException",
    );
    for (let index = 1; index <= 10; index += 1) await world.ok("POST", `/thing-groups/g${index}`);
    for (let index = 1; index <= 9; index += 1) await add(world, "a", `g${index}`);
    const eleventh = { thingName: "a", thingGroupName: "g10" };
    expect((await world.refused("PUT", "/thing-groups/addThingToThingGroup", eleventh)).name).toBe(
      "LimitExceededException",
    );
    // Removals come first.
    await world.ok("PUT", "/thing-groups/updateThingGroupsForThing", {
      thingName: "a",
      thingGroupsToAdd: ["g10", "eu"],
      thingGroupsToRemove: ["g1", "berlin"],
    });
    const { thingGroups } = await world.ok("GET", "/things/a/thing-groups");
    expect(thingGroups).toHaveLength(10);
    expect(thingGroups[0]).toEqual(named("eu")[0]);
  });

  it("stay where they are when a part of a change is refused", async () => {
    const world = await europe();
    await add(world, "a", "berlin");
    for (const change of [
      { thingGroupsToAdd: ["canary", "eu"] },
      { thingGroupsToAdd: ["canary"], thingGroupsToRemove: ["canary"] },
      { thingGroupsToAdd: ["canary", "none"], thingGroupsToRemove: ["berlin"] },
    ]) {
      await world.refused("PUT", "/thing-groups/updateThingGroupsForThing", { thingName: "a", ...change });
      expect(await world.ok("GET", "/things/a/thing-groups")).toEqual({ thingGroups: named("berlin") });
    }
  });
});
