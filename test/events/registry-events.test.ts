import { createRandomSource, type JsonObject, LANE, VirtualTime } from "fleetrig/kernel";
import { Cloud, type EventType, EVENT_TYPES } from "fleetrig/broker";
import { describe, expect, it } from "vitest";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const uuid = expect.stringMatching(UUID);
const account = { accountId: "123456789012", region: "eu-central-1" };
const arn = (resource: string) => `arn:aws:iot:eu-central-1:123456789012:${resource}`;

interface Told {
  readonly topic: string;
  readonly body: JsonObject;
}

function cloudThatTells(...enabledEvents: EventType[]): { cloud: Cloud; time: VirtualTime; told: Told[] } {
  const time = new VirtualTime();
  const cloud = new Cloud({ time, random: createRandomSource(1), account, enabledEvents });
  const told: Told[] = [];
  cloud.broker.addHooks({
    listensTo: (topic) => topic.startsWith("$aws/events/"),
    message({ topic, payload }) {
      if (topic.startsWith("$aws/events/"))
        told.push({ topic, body: JSON.parse(Buffer.from(payload).toString()) as JsonObject });
      return "broker";
    },
  });
  return { cloud, time, told };
}

const topicsOf = (told: readonly Told[]) => told.map(({ topic }) => topic.slice("$aws/events/".length));

describe("registry events", () => {
  it("are off until they are switched on, and off again", () => {
    const { cloud, time, told } = cloudThatTells();
    cloud.registry.createThing({ thingName: "t1" });
    cloud.eventConfigurations.update({ THING: { Enabled: true } });
    cloud.registry.createThing({ thingName: "t2" });
    cloud.eventConfigurations.update({ THING: { Enabled: false } });
    cloud.registry.createThing({ thingName: "t3" });
    time.advance(1);
    expect(topicsOf(told)).toEqual(["thing/t2/created"]);
  });

  it("tell of things with their type, version and attributes, times in milliseconds", () => {
    const { cloud, time, told } = cloudThatTells("THING");
    cloud.registry.createThing({ thingName: "t1", attributes: { site: "hq" } });
    cloud.registry.updateThing({ thingName: "t1", attributes: { site: "lab" } });
    const { thingId } = cloud.registry.describeThing("t1");
    cloud.registry.deleteThing({ thingName: "t1" });
    time.advance(1);
    expect(topicsOf(told)).toEqual(["thing/t1/created", "thing/t1/updated", "thing/t1/deleted"]);
    expect(told[1]?.body).toEqual({
      eventType: "THING_EVENT",
      eventId: uuid,
      timestamp: time.lane(LANE.services).wallMs(),
      operation: "UPDATED",
      accountId: "123456789012",
      thingId,
      thingName: "t1",
      versionNumber: 2,
      thingTypeName: null,
      attributes: { site: "lab" },
    });
    expect(new Set(told.map(({ body }) => body["eventId"])).size).toBe(3);
    expect(told[2]?.body).toMatchObject({ operation: "DELETED", thingId, versionNumber: 2 });
  });

  it("tell of thing types, and of things that get and lose them", () => {
    const { cloud, time, told } = cloudThatTells("THING_TYPE", "THING_TYPE_ASSOCIATION");
    const { registry } = cloud;
    registry.thingTypes.create({
      thingTypeName: "old",
      thingTypeProperties: { searchableAttributes: ["site"], thingTypeDescription: "d" },
    });
    registry.thingTypes.create({ thingTypeName: "new" });
    registry.createThing({ thingName: "t1", thingTypeName: "old" });
    registry.updateThing({ thingName: "t1", thingTypeName: "new" });
    registry.thingTypes.deprecate("old", false);
    time.advance(1);
    expect(topicsOf(told)).toEqual([
      "thingType/old/created",
      "thingType/new/created",
      "thingTypeAssociation/thing/t1/old",
      "thingTypeAssociation/thing/t1/old",
      "thingTypeAssociation/thing/t1/new",
      "thingType/old/updated",
    ]);
    expect(told[0]?.body).toEqual({
      eventType: "THING_TYPE_EVENT",
      eventId: uuid,
      timestamp: expect.any(Number),
      operation: "CREATED",
      accountId: "123456789012",
      thingTypeId: uuid,
      thingTypeName: "old",
      isDeprecated: false,
      deprecationDate: null,
      searchableAttributes: ["site"],
      propagatingAttributes: [],
      description: "d",
    });
    expect(told[3]?.body).toEqual({
      eventType: "THING_TYPE_ASSOCIATION_EVENT",
      eventId: uuid,
      timestamp: expect.any(Number),
      operation: "DELETED",
      thingId: registry.describeThing("t1").thingId,
      thingName: "t1",
      thingTypeName: "old",
    });
    const deprecationDate = told[5]?.body["timestamp"];
    expect(told[5]?.body).toMatchObject({ operation: "UPDATED", isDeprecated: true, deprecationDate });
  });

  it("tell of groups with their ancestors, and of the hierarchy", () => {
    const { cloud, time, told } = cloudThatTells("THING_GROUP", "THING_GROUP_HIERARCHY");
    const { registry } = cloud;
    registry.createThingGroup({ thingGroupName: "eu", attributes: { a: "1" }, description: "Europe" });
    registry.createThingGroup({ thingGroupName: "de", parentGroupName: "eu" });
    registry.createThingGroup({ thingGroupName: "berlin", parentGroupName: "de" });
    registry.updateThingGroup({ thingGroupName: "berlin", description: "B" });
    registry.deleteThingGroup({ thingGroupName: "berlin" });
    time.advance(1);
    expect(topicsOf(told).slice(3)).toEqual([
      "thingGroup/berlin/created",
      "thingGroupHierarchy/thingGroup/de/childThingGroup/berlin/added",
      "thingGroup/berlin/updated",
      "thingGroupHierarchy/thingGroup/de/childThingGroup/berlin/removed",
      "thingGroup/berlin/deleted",
    ]);
    const ids = { eu: told[0]?.body["thingGroupId"], de: told[1]?.body["thingGroupId"] };
    expect(told[5]?.body).toEqual({
      eventType: "THING_GROUP_EVENT",
      eventId: uuid,
      timestamp: expect.any(Number),
      operation: "UPDATED",
      accountId: "123456789012",
      thingGroupId: uuid,
      thingGroupName: "berlin",
      versionNumber: 2,
      parentGroupName: "de",
      parentGroupId: ids.de,
      description: "B",
      rootToParentThingGroups: [
        { groupArn: arn("thinggroup/eu"), groupId: ids.eu },
        { groupArn: arn("thinggroup/de"), groupId: ids.de },
      ],
      attributes: {},
      dynamicGroupMappingId: null,
    });
    expect(told[4]?.body).toEqual({
      eventType: "THING_GROUP_HIERARCHY_EVENT",
      eventId: uuid,
      timestamp: expect.any(Number),
      operation: "ADDED",
      accountId: "123456789012",
      thingGroupId: ids.de,
      thingGroupName: "de",
      childGroupId: told[3]?.body["thingGroupId"],
      childGroupName: "berlin",
    });
  });

  it("tell of memberships, also of those that end with the thing", () => {
    const { cloud, time, told } = cloudThatTells("THING_GROUP_MEMBERSHIP");
    const { registry } = cloud;
    registry.createThing({ thingName: "t1" });
    registry.createThingGroup({ thingGroupName: "eu" });
    registry.addThingToThingGroup({ thingName: "t1", thingGroupName: "eu" });
    const { thingId } = registry.describeThing("t1");
    registry.deleteThing({ thingName: "t1" });
    time.advance(1);
    expect(topicsOf(told)).toEqual([
      "thingGroupMembership/thingGroup/eu/thing/t1/added",
      "thingGroupMembership/thingGroup/eu/thing/t1/removed",
    ]);
    expect(told[0]?.body).toEqual({
      eventType: "THING_GROUP_MEMBERSHIP_EVENT",
      eventId: uuid,
      timestamp: expect.any(Number),
      operation: "ADDED",
      accountId: "123456789012",
      groupArn: arn("thinggroup/eu"),
      groupId: registry.describeThingGroup("eu").thingGroupId,
      thingArn: arn("thing/t1"),
      thingId,
      membershipId: uuid,
    });
    expect(told[1]?.body["membershipId"]).toBe(told[0]?.body["membershipId"]);
  });

  it("reach topic rules without any subscriber", () => {
    const { cloud, time } = cloudThatTells("THING");
    cloud.rules.createRule({
      ruleName: "r",
      sql: "SELECT thingName FROM '$aws/events/thing/+/created'",
      actions: [{ record: { sink: "s" } }],
    });
    cloud.registry.createThing({ thingName: "t1" });
    time.advance(1);
    expect(cloud.rules.recorded.map(({ payload }) => payload)).toEqual([`{"thingName":"t1"}`]);
  });
});

describe("event configurations", () => {
  it("keep what is not mentioned, and know when they changed", () => {
    const { cloud, time } = cloudThatTells("THING");
    const { eventConfigurations } = cloud;
    const enabled = () => EVENT_TYPES.filter((type) => eventConfigurations.isEnabled(type));
    expect(enabled()).toEqual(["THING"]);
    expect(eventConfigurations.times).toBeUndefined();
    eventConfigurations.update({ JOB: { Enabled: true } });
    time.advance(5_000_000);
    eventConfigurations.update({ THING: { Enabled: false }, POLICY: {} });
    expect(enabled()).toEqual(["JOB"]);
    const { createdAtMs, modifiedAtMs } = eventConfigurations.times!;
    expect(modifiedAtMs - createdAtMs).toBe(5000);
  });

  it("switch job events on", () => {
    const { cloud, time, told } = cloudThatTells();
    cloud.registry.createThing({ thingName: "t1" });
    const create = (jobId: string) => {
      cloud.jobs.createJob({ jobId, targets: ["t1"], document: {} });
      cloud.jobs.cancelJob({ jobId, force: true });
    };
    create("j1");
    cloud.eventConfigurations.update({ JOB: { Enabled: true } });
    create("j2");
    cloud.eventConfigurations.update({ JOB: { Enabled: false }, JOB_EXECUTION: { Enabled: true } });
    create("j3");
    time.advance(1);
    const topics = topicsOf(told);
    expect(topics.filter((topic) => topic.includes("j1"))).toEqual([]);
    expect(topics.filter((topic) => topic.includes("j2")).length).toBeGreaterThan(0);
    expect(topics.every((topic) => topic.startsWith("job/j2/") || topic.startsWith("jobExecution/j3/"))).toBe(
      true,
    );
    expect(topics).toContain("jobExecution/j3/canceled");
  });
});
