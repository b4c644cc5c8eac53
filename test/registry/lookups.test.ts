import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import { Cloud, createRegistry } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { PaperJournal } from "../records/paper-journal.js";

const CERTIFICATE = "c".repeat(64);
const arn = (region: string) => `arn:aws:iot:${region}:000000000000:cert/${CERTIFICATE}`;

function registry() {
  const clock = new VirtualTime().lane(LANE.services);
  const registry = createRegistry({ clock, random: createRandomSource(1) });
  for (const thingName of ["t1", "t2"]) registry.createThing({ thingName });
  return registry;
}

describe("look-ups for access control", () => {
  it("associate a connection with the thing of its client id, if the certificate is attached to it", () => {
    const { principals } = registry();
    expect(principals.thingOfConnection(CERTIFICATE, "t1")).toBeUndefined();
    principals.attach({ thingName: "t1", principal: arn("us-east-1") });
    principals.attach({ thingName: "t2", principal: arn("eu-west-1") });
    expect(principals.thingOfConnection(CERTIFICATE, "t2")).toMatchObject({
      thing: { name: "t2" },
      isExclusive: false,
    });
    expect(principals.thingOfConnection(CERTIFICATE, "t3")).toBeUndefined();
    expect(principals.thingsOf(CERTIFICATE).map(({ thing }) => thing.name)).toEqual(["t1", "t2"]);
  });

  it("associate any client id with the thing that has the certificate exclusively", () => {
    const { principals } = registry();
    const request = { thingName: "t1", principal: arn("us-east-1") };
    principals.attach({ ...request, thingPrincipalType: "EXCLUSIVE_THING" });
    expect(principals.thingOfConnection(CERTIFICATE, "whatever")).toMatchObject({
      thing: { name: "t1" },
      isExclusive: true,
    });
    principals.attach(request);
    expect(principals.thingOfConnection(CERTIFICATE, "whatever")).toBeUndefined();
    expect(principals.isAttached(CERTIFICATE)).toBe(true);
    principals.detach(request);
    expect(principals.isAttached(CERTIFICATE)).toBe(false);
    expect(principals.thingOfConnection(CERTIFICATE, "t1")).toBeUndefined();
  });

  it("know the groups of a thing with their ancestors, nearest first", () => {
    const things = registry();
    things.createThingGroup({ thingGroupName: "eu" });
    things.createThingGroup({ thingGroupName: "de", parentGroupName: "eu" });
    things.createThingGroup({ thingGroupName: "berlin", parentGroupName: "de" });
    things.createThingGroup({ thingGroupName: "canary" });
    for (const thingGroupName of ["canary", "berlin"])
      things.addThingToThingGroup({ thingName: "t1", thingGroupName });
    expect(things.lineageOf("t1")).toEqual(["canary", "berlin", "de", "eu"]);
    expect(things.lineageOf("t2")).toEqual([]);
    expect(things.lineageOf("unknown")).toEqual([]);
  });
});

describe("a registry", () => {
  it("keeps what it was given, whatever the caller does with it afterwards", () => {
    const things = registry();
    const attributes = { site: "hq" };
    things.createThing({ thingName: "t3", attributes });
    things.createThingGroup({ thingGroupName: "g", attributes });
    attributes.site = "lab";
    expect(things.describeThing("t3").attributes).toEqual({ site: "hq" });
    expect(things.describeThingGroup("g").attributes).toEqual({ site: "hq" });
  });
});

describe("a cloud that starts again", () => {
  it("has its tags, event configurations and ids, whatever its seed", () => {
    const journal = new PaperJournal();
    const start = (seed: number) =>
      new Cloud({ time: new VirtualTime(), random: createRandomSource(seed), journal });
    const before = start(1);
    before.registry.createThing({ thingName: "t1" });
    before.registry.createThingGroup({ thingGroupName: "g" });
    before.tags.tag(before.account.arn("thinggroup", "g"), [{ Key: "k", Value: "v" }]);
    before.eventConfigurations.update({ THING: { Enabled: true } });
    journal.commit();
    const after = start(2);
    journal.restoreInto(after.records);
    expect(after.tags.list(after.account.arn("thinggroup", "g"))).toEqual([{ Key: "k", Value: "v" }]);
    expect(after.eventConfigurations.isEnabled("THING")).toBe(true);
    expect(after.eventConfigurations.isEnabled("JOB")).toBe(false);
    expect(after.registry.describeThing("t1")).toEqual(before.registry.describeThing("t1"));
    after.registry.deleteThing({ thingName: "t1" });
    after.registry.createThing({ thingName: "t1" });
    expect(after.registry.describeThing("t1").thingId).not.toBe(before.registry.describeThing("t1").thingId);
  });
});
