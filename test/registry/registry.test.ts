import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import { createRegistry, type MembershipChange, type Registry, type RegistryLimits } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { awsErrorOf } from "./aws-error.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function registry(limits: Partial<RegistryLimits> = {}): Registry {
  const clock = new VirtualTime().lane(LANE.services);
  const registry = createRegistry({ clock, random: createRandomSource(1), limits });
  registry.thingTypes.create({ thingTypeName: "sensor" });
  return registry;
}

describe("things", () => {
  it("describes what was created, with a UUID that depends on seed and name alone", () => {
    const one = registry();
    one.createThing({ thingName: "first" });
    one.createThing({ thingName: "hq-1", thingTypeName: "sensor", attributes: { site: "hq" } });
    const description = one.describeThing("hq-1");
    expect(description).toEqual({
      thingName: "hq-1",
      thingId: expect.stringMatching(UUID),
      thingTypeName: "sensor",
      attributes: { site: "hq" },
      version: 1,
    });
    const other = registry();
    other.createThing({ thingName: "hq-1" });
    expect(other.describeThing("hq-1").thingId).toBe(description.thingId);
    expect(one.describeThing("first").thingId).not.toBe(description.thingId);
  });

  it("gives a recreated thing another id and version 1", () => {
    const things = registry();
    things.createThing({ thingName: "T" });
    things.updateThing({ thingName: "T", attributes: { a: "1" } });
    const { thingId } = things.describeThing("T");
    things.deleteThing({ thingName: "T", expectedVersion: 2 });
    expect(things.hasThing("T")).toBe(false);
    things.createThing({ thingName: "T" });
    expect(things.describeThing("T")).toMatchObject({ version: 1, attributes: {} });
    expect(things.describeThing("T").thingId).not.toBe(thingId);
  });

  it("accepts an identical creation and refuses a different one", () => {
    const things = registry();
    things.createThing({ thingName: "T", attributes: { a: "1" } });
    things.createThing({ thingName: "T", attributes: { a: "1" } });
    expect(things.thingCount).toBe(1);
    for (const attributes of [{}, { a: "2" }, { b: "1" }]) {
      const create = () => things.createThing({ thingName: "T", attributes });
      expect(awsErrorOf(create)).toBe("ResourceAlreadyExistsException");
    }
    const typed = () => things.createThing({ thingName: "T", thingTypeName: "x", attributes: { a: "1" } });
    expect(awsErrorOf(typed)).toBe("ResourceAlreadyExistsException");
  });

  it.each(["", "a b", "a/b", "ü", "t".repeat(129)])("refuses the name %j", (thingName) => {
    expect(awsErrorOf(() => registry().createThing({ thingName }))).toBe("InvalidRequestException");
  });

  it("refuses attributes AWS would refuse, and more than the thing may have", () => {
    const things = registry();
    const create = (attributes: Record<string, string>, thingTypeName?: string) =>
      awsErrorOf(() =>
        things.createThing({ thingName: "T", attributes, ...(thingTypeName && { thingTypeName }) }),
      );
    expect(create({ location: "Building A" })).toBe("InvalidRequestException");
    expect(create({ "a b": "1" })).toBe("InvalidRequestException");
    expect(create({ a: "x".repeat(801) })).toBe("InvalidRequestException");
    expect(create({ a: "1", b: "2", c: "3", d: "4" })).toBe("InvalidRequestException");
    expect(create({ a: "1" }, "unknown")).toBe("ResourceNotFoundException");
    expect(create({ a: "x".repeat(800), b: "[1]=#", c: "", d: "4" }, "sensor")).toBe("none");
  });

  it("keeps attributes called __proto__ and constructor plain data", () => {
    const things = registry();
    const attributes = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    things.createThing({ thingName: "T", attributes });
    things.updateThing({ thingName: "T", attributes: { x: "1" }, merge: true });
    expect(JSON.stringify(things.describeThing("T").attributes)).toBe(
      '{"__proto__":"a","constructor":"b","x":"1"}',
    );
    expect(things.listThings({ attributeName: "toString" }).things).toEqual([]);
  });

  it("replaces attributes, or merges them and deletes empty ones", () => {
    const things = registry();
    things.createThing({ thingName: "T", attributes: { a: "1", b: "2" } });
    expect(things.updateThing({ thingName: "T", attributes: { b: "", c: "3" }, merge: true })).toBe(2);
    expect(things.describeThing("T").attributes).toEqual({ a: "1", c: "3" });
    things.updateThing({ thingName: "T", attributes: { d: "4" }, thingTypeName: "sensor" });
    expect(things.describeThing("T")).toMatchObject({ attributes: { d: "4" }, thingTypeName: "sensor" });
    things.updateThing({ thingName: "T", removeThingType: true });
    expect(things.describeThing("T")).not.toHaveProperty("thingTypeName");
  });

  it("refuses changes of another version than expected", () => {
    const things = registry();
    things.createThing({ thingName: "T" });
    const conflict = "VersionConflictException";
    expect(awsErrorOf(() => things.updateThing({ thingName: "T", expectedVersion: 2 }))).toBe(conflict);
    expect(awsErrorOf(() => things.deleteThing({ thingName: "T", expectedVersion: 7 }))).toBe(conflict);
    expect(awsErrorOf(() => things.describeThing("U"))).toBe("ResourceNotFoundException");
    expect(awsErrorOf(() => things.deleteThing({ thingName: "U" }))).toBe("none");
  });

  it("lists by type and attribute, page by page, in order of registration", () => {
    const things = registry();
    for (const [thingName, site] of [
      ["d", "x"],
      ["b", "y"],
      ["c", "x"],
      ["a", "x"],
    ] as const) {
      things.createThing({ thingName, thingTypeName: "sensor", attributes: { site } });
    }
    things.createThing({ thingName: "e" });
    const names = (request: object) => things.listThings(request).things.map((thing) => thing.thingName);
    expect(names({ thingTypeName: "sensor", attributeName: "site", attributeValue: "x" })).toEqual([
      "d",
      "c",
      "a",
    ]);
    expect(names({ attributeName: "site" })).toEqual(["d", "b", "c", "a"]);
    const { nextToken } = things.listThings({ maxResults: 2 });
    things.deleteThing({ thingName: "b" });
    expect(names({ nextToken })).toEqual(["c", "a", "e"]);
    for (const request of [
      { maxResults: 0 },
      { maxResults: 251 },
      { nextToken: "x" },
      { attributeValue: "x" },
    ]) {
      expect(awsErrorOf(() => things.listThings(request))).toBe("InvalidRequestException");
    }
  });

  it("holds no more things than it may", () => {
    const things = registry({ maxThings: 1 });
    things.createThing({ thingName: "T" });
    expect(awsErrorOf(() => things.createThing({ thingName: "U" }))).toBe("LimitExceededException");
  });
});

describe("thing groups", () => {
  function site(): { readonly things: Registry; readonly changes: MembershipChange[] } {
    const things = registry({ maxGroupsPerThing: 2, maxGroupDepth: 3 });
    const changes: MembershipChange[] = [];
    things.onMembershipChange((change) => changes.push(change));
    for (const thingName of ["b", "a", "c"]) things.createThing({ thingName });
    things.createThingGroup({ thingGroupName: "eu", attributes: { region: "eu" }, description: "Europe" });
    things.createThingGroup({ thingGroupName: "berlin", parentGroupName: "eu" });
    things.createThingGroup({ thingGroupName: "canary" });
    return { things, changes };
  }
  const member = (thingName: string, thingGroupName: string) => ({ thingName, thingGroupName });

  it("counts things of child groups as members of the ancestors", () => {
    const { things, changes } = site();
    things.addThingToThingGroup(member("a", "berlin"));
    things.addThingToThingGroup(member("b", "eu"));
    expect(changes).toEqual([
      { kind: "joined", target: "group:berlin", thing: "a" },
      { kind: "joined", target: "group:eu", thing: "a" },
      { kind: "joined", target: "group:eu", thing: "b" },
    ]);
    expect(things.membersOf("group:eu")).toEqual(["b", "a"]);
    expect(things.membersOf("group:berlin")).toEqual(["a"]);
    expect(things.membersOf("c")).toEqual(["c"]);
    expect(things.membersOf("unknown")).toEqual([]);
    expect(things.membersOf("group:unknown")).toEqual([]);
    expect(["c", "group:eu", "unknown", "group:unknown"].map((target) => things.isKnown(target))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(things.listThingsInThingGroup({ thingGroupName: "eu" }).things).toEqual(["b"]);
    expect(things.listThingsInThingGroup({ thingGroupName: "eu", recursive: true, maxResults: 1 })).toEqual({
      things: ["b"],
      nextToken: "0",
    });
  });

  it("tells about joining and leaving once", () => {
    const { things, changes } = site();
    things.addThingToThingGroup(member("a", "canary"));
    things.addThingToThingGroup(member("a", "canary"));
    things.removeThingFromThingGroup(member("a", "canary"));
    things.removeThingFromThingGroup(member("a", "canary"));
    expect(changes.map((change) => change.kind)).toEqual(["joined", "left"]);
    expect(things.listThingGroupsForThing("a")).toEqual([]);
  });

  it("tells about deleted things and groups", () => {
    const { things, changes } = site();
    things.addThingToThingGroup(member("a", "canary"));
    things.addThingToThingGroup(member("a", "berlin"));
    things.addThingToThingGroup(member("b", "canary"));
    expect(things.listThingGroupsForThing("a")).toEqual(["berlin", "canary"]);
    changes.length = 0;
    things.deleteThing({ thingName: "a" });
    things.deleteThingGroup({ thingGroupName: "canary", expectedVersion: 1 });
    things.deleteThingGroup({ thingGroupName: "canary" });
    expect(changes).toEqual([
      { kind: "deleted", thing: "a" },
      { kind: "left", target: "group:canary", thing: "b" },
    ]);
    expect(things.membersOf("group:berlin")).toEqual([]);
  });

  it("keeps to one group per hierarchy, to the limits, and to groups without children when deleting", () => {
    const { things } = site();
    things.addThingToThingGroup(member("a", "berlin"));
    things.addThingToThingGroup(member("a", "canary"));
    things.createThingGroup({ thingGroupName: "third" });
    expect(awsErrorOf(() => things.addThingToThingGroup(member("a", "third")))).toBe(
      "LimitExceededException",
    );
    things.addThingToThingGroup(member("b", "berlin"));
    expect(awsErrorOf(() => things.addThingToThingGroup(member("b", "eu")))).toBe("InvalidRequestException");
    expect(awsErrorOf(() => things.deleteThingGroup({ thingGroupName: "eu" }))).toBe(
      "InvalidRequestException",
    );
    things.createThingGroup({ thingGroupName: "mitte", parentGroupName: "berlin" });
    const tooDeep = () => things.createThingGroup({ thingGroupName: "x", parentGroupName: "mitte" });
    expect(awsErrorOf(tooDeep)).toBe("LimitExceededException");
    expect(awsErrorOf(() => things.membersOf("group:x"))).toBe("none");
    expect(awsErrorOf(() => things.describeThingGroup("x"))).toBe("ResourceNotFoundException");
  });

  it("creates identical groups once and never moves one", () => {
    const { things } = site();
    things.createThingGroup({ thingGroupName: "berlin", parentGroupName: "eu" });
    const move = () => things.createThingGroup({ thingGroupName: "berlin" });
    expect(awsErrorOf(move)).toBe("ResourceAlreadyExistsException");
    expect(things.listThingGroups()).toEqual({ thingGroups: ["eu", "berlin", "canary"] });
    expect(things.listThingGroups({ recursive: false }).thingGroups).toEqual(["eu", "canary"]);
    expect(things.listThingGroups({ parentGroup: "eu" }).thingGroups).toEqual(["berlin"]);
    expect(things.listThingGroups({ parentGroup: "eu", recursive: false }).thingGroups).toEqual(["berlin"]);
  });

  it("updates attributes and description under version control", () => {
    const { things } = site();
    const group = { thingGroupName: "eu" };
    expect(
      things.updateThingGroup({ ...group, attributes: { x: "1" }, merge: true, expectedVersion: 1 }),
    ).toBe(2);
    expect(things.updateThingGroup({ ...group, description: "EU" })).toBe(3);
    expect(things.describeThingGroup("eu")).toEqual({
      thingGroupName: "eu",
      description: "EU",
      attributes: { region: "eu", x: "1" },
      version: 3,
      createdAtMs: expect.any(Number),
      rootToParentThingGroups: [],
      thingGroupId: expect.stringMatching(UUID),
    });
    expect(things.updateThingGroup({ ...group, attributes: { y: "2" } })).toBe(4);
    expect(things.describeThingGroup("eu").attributes).toEqual({ y: "2" });
    expect(things.describeThingGroup("berlin").parentGroupName).toBe("eu");
    const stale = () => things.updateThingGroup({ ...group, expectedVersion: 1 });
    expect(awsErrorOf(stale)).toBe("VersionConflictException");
  });
});
