import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import {
  cloudError,
  createRegistry,
  type DynamicMembership,
  type MembershipChange,
  type QueryFollower,
  RecordBook,
  type Registry,
  type RegistryChange,
} from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { PaperJournal } from "../records/paper-journal.js";
import { awsErrorOf } from "./aws-error.js";

/** An index that finds what a test says. */
class ScriptedIndex implements DynamicMembership {
  readonly followers = new Map<string, QueryFollower>();

  watch(queryString: string, follower: QueryFollower) {
    if (queryString === "bad") throw cloudError("InvalidQueryException", "The query cannot be understood.");
    this.followers.set(queryString, follower);
    return {
      stop: () => {
        if (this.followers.get(queryString) === follower) this.followers.delete(queryString);
      },
    };
  }

  query(queryString: string): QueryFollower {
    return this.followers.get(queryString)!;
  }
}

function site(options: { readonly journal?: PaperJournal; readonly maxGroupsPerThing?: number } = {}) {
  const records = new RecordBook(options.journal);
  const registry = createRegistry({
    clock: new VirtualTime().lane(LANE.services),
    random: createRandomSource(1),
    records,
    limits: { maxGroupsPerThing: options.maxGroupsPerThing ?? 10 },
  });
  const index = new ScriptedIndex();
  const changes: MembershipChange[] = [];
  const refusals: RegistryChange[] = [];
  registry.onMembershipChange((change) => changes.push(change));
  registry.onChange((change) => {
    if (change.kind === "dynamic-membership-refused") refusals.push(change);
  });
  registry.dynamicGroups.use(index);
  return { registry, records, index, changes, refusals };
}

const low = { thingGroupName: "low", queryString: "battery<20" };
const status = (registry: Registry) => registry.describeThingGroup("low").dynamic?.status;

function withThings(...names: string[]) {
  const parts = site();
  for (const thingName of names) parts.registry.createThing({ thingName });
  parts.registry.dynamicGroups.create(low);
  return parts;
}

describe("dynamic thing groups", () => {
  it("are described with their query, and are active once the index has told all that match", () => {
    const { registry, index } = withThings("t1");
    expect(registry.describeThingGroup("low")).toMatchObject({
      version: 1,
      dynamic: {
        queryString: "battery<20",
        indexName: "AWS_Things",
        queryVersion: "2017-09-30",
        status: "BUILDING",
      },
    });
    index.query("battery<20").ready();
    expect(status(registry)).toBe("ACTIVE");
    expect(registry.listThingGroups().thingGroups).toEqual(["low"]);
  });

  it("gain and lose what the index says, as targets of jobs too", () => {
    const { registry, index, changes } = withThings("t1", "t2");
    const found = index.query("battery<20");
    found.joined("t2");
    found.joined("t2");
    found.joined("t1");
    found.joined("unknown");
    expect(registry.membersOf("group:low")).toEqual(["t1", "t2"]);
    expect(registry.listThingsInThingGroup({ thingGroupName: "low" }).things).toEqual(["t1", "t2"]);
    expect(registry.listThingGroupsForThing("t1")).toEqual(["low"]);
    found.left("t2");
    found.left("unknown");
    expect(changes).toEqual([
      { kind: "joined", target: "group:low", thing: "t2" },
      { kind: "joined", target: "group:low", thing: "t1" },
      { kind: "left", target: "group:low", thing: "t2" },
    ]);
    expect(registry.lineageOf("t1")).toEqual([]);
  });

  it("refuse what only static groups have, and the other way round", () => {
    const { registry } = withThings("t1");
    registry.createThingGroup({ thingGroupName: "static" });
    const group = { thingGroupName: "low" };
    const attempts = [
      () => registry.addThingToThingGroup({ thingName: "t1", ...group }),
      () => registry.removeThingFromThingGroup({ thingName: "t1", ...group }),
      () => registry.updateThingGroupsForThing({ thingName: "t1", thingGroupsToAdd: ["low"] }),
      () => registry.updateThingGroup({ ...group, description: "d" }),
      () => registry.deleteThingGroup(group),
      () => registry.dynamicGroups.update({ thingGroupName: "static", queryString: "a:b" }),
      () => registry.dynamicGroups.delete({ thingGroupName: "static" }),
      () => registry.dynamicGroups.create({ ...low, thingGroupName: "x", indexName: "other" }),
      () => registry.dynamicGroups.create({ ...low, thingGroupName: "x", queryVersion: "2016-01-01" }),
    ];
    expect(attempts.map(awsErrorOf)).toEqual(attempts.map(() => "InvalidRequestException"));
  });

  it("change nothing when a query is refused", () => {
    const { registry, index } = withThings();
    const create = () => registry.dynamicGroups.create({ thingGroupName: "x", queryString: "bad" });
    const update = () => registry.dynamicGroups.update({ thingGroupName: "low", queryString: "bad" });
    expect([create, update].map(awsErrorOf)).toEqual(["InvalidQueryException", "InvalidQueryException"]);
    expect(registry.listThingGroups().thingGroups).toEqual(["low"]);
    expect(registry.describeThingGroup("low").version).toBe(1);
    expect([...index.followers.keys()]).toEqual(["battery<20"]);
  });

  it("are created once, and differ by their query", () => {
    const { registry } = withThings();
    registry.dynamicGroups.create(low);
    const other = () => registry.dynamicGroups.create({ ...low, queryString: "battery<10" });
    const asStatic = () => registry.createThingGroup({ thingGroupName: "low" });
    expect(awsErrorOf(other)).toBe("ResourceAlreadyExistsException");
    expect(awsErrorOf(asStatic)).toBe("ResourceAlreadyExistsException");
  });

  it("follow another query without those who match both leaving in between", () => {
    const { registry, index, changes } = withThings("t1", "t2", "t3");
    const before = index.query("battery<20");
    before.joined("t1");
    before.joined("t2");
    before.ready();
    changes.length = 0;
    expect(
      registry.dynamicGroups.update({ thingGroupName: "low", queryString: "battery<10", expectedVersion: 1 }),
    ).toBe(2);
    expect(status(registry)).toBe("REBUILDING");
    before.joined("t3");
    const after = index.query("battery<10");
    after.joined("t2");
    after.ready();
    expect(changes).toEqual([{ kind: "left", target: "group:low", thing: "t1" }]);
    expect(status(registry)).toBe("ACTIVE");
    const stale = () => registry.dynamicGroups.update({ thingGroupName: "low", expectedVersion: 1 });
    expect(awsErrorOf(stale)).toBe("VersionConflictException");
  });

  it("let their things go when they are deleted, and stop listening", () => {
    const { registry, index, changes } = withThings("t1");
    index.query("battery<20").joined("t1");
    registry.dynamicGroups.delete({ thingGroupName: "low" });
    registry.dynamicGroups.delete({ thingGroupName: "low" });
    expect(changes.at(-1)).toEqual({ kind: "left", target: "group:low", thing: "t1" });
    expect(index.followers.size).toBe(0);
    expect(registry.listThingGroupsForThing("t1")).toEqual([]);
  });

  it("cannot take a thing that is in as many groups as it may be, and give way to static ones on request", () => {
    const { registry, index, changes, refusals } = site({ maxGroupsPerThing: 2 });
    registry.createThing({ thingName: "t1" });
    for (const thingGroupName of ["a", "b", "c"]) registry.createThingGroup({ thingGroupName });
    registry.dynamicGroups.create(low);
    registry.dynamicGroups.create({ thingGroupName: "d2", queryString: "q2" });
    registry.addThingToThingGroup({ thingName: "t1", thingGroupName: "a" });
    index.query("battery<20").joined("t1");
    index.query("q2").joined("t1");
    expect(refusals).toMatchObject([{ thing: { name: "t1" }, group: { name: "d2" } }]);
    const add = { thingName: "t1", thingGroupName: "b" };
    expect(awsErrorOf(() => registry.addThingToThingGroup(add))).toBe("LimitExceededException");
    changes.length = 0;
    registry.addThingToThingGroup({ ...add, overrideDynamicGroups: true });
    expect(changes).toEqual([
      { kind: "left", target: "group:low", thing: "t1" },
      { kind: "joined", target: "group:b", thing: "t1" },
    ]);
    const third = { thingName: "t1", thingGroupName: "c", overrideDynamicGroups: true };
    expect(awsErrorOf(() => registry.addThingToThingGroup(third))).toBe("LimitExceededException");
    const both = { thingName: "t1", thingGroupsToAdd: ["c"], overrideDynamicGroups: true };
    expect(awsErrorOf(() => registry.updateThingGroupsForThing(both))).toBe("LimitExceededException");
  });

  it("neither lose nor gain anything by a restart but what changed meanwhile", () => {
    const journal = new PaperJournal();
    const before = site({ journal });
    for (const thingName of ["t1", "t2", "t3"]) before.registry.createThing({ thingName });
    before.registry.dynamicGroups.create(low);
    before.index.query("battery<20").joined("t1");
    before.index.query("battery<20").joined("t2");
    journal.commit();
    const after = site();
    journal.restoreInto(after.records);
    expect(after.registry.membersOf("group:low")).toEqual(["t1", "t2"]);
    expect(status(after.registry)).toBe("BUILDING");
    const found = after.index.query("battery<20");
    found.joined("t2");
    found.joined("t3");
    found.ready();
    expect(after.changes).toEqual([
      { kind: "joined", target: "group:low", thing: "t3" },
      { kind: "left", target: "group:low", thing: "t1" },
    ]);
  });
});
