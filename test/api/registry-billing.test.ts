import { describe, expect, it } from "vitest";
import { startApi } from "./api-client.js";

const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);
const described = (text: string) => ({ billingGroupProperties: { billingGroupDescription: text } });

describe("billing groups over the API", () => {
  it("are created once, described, updated and deleted", async () => {
    const { ok, refused } = startApi();
    const created = await ok("POST", "/billing-groups/b1", described("d"));
    expect(created).toEqual({
      billingGroupName: "b1",
      billingGroupArn: `${PREFIX}:billinggroup/b1`,
      billingGroupId: UUID,
    });
    expect(await ok("POST", "/billing-groups/b1", described("d"))).toEqual(created);
    expect((await refused("POST", "/billing-groups/b1")).name).toBe("ResourceAlreadyExistsException");
    expect(await ok("GET", "/billing-groups/b1")).toEqual({
      ...created,
      ...described("d"),
      version: 1,
      billingGroupMetadata: { creationDate: expect.any(Number) },
    });
    const change = { ...described("e"), expectedVersion: 1 };
    expect(await ok("PATCH", "/billing-groups/b1", change)).toEqual({ version: 2 });
    expect((await refused("PATCH", "/billing-groups/b1", change)).name).toBe("VersionConflictException");
    expect((await refused("DELETE", "/billing-groups/b1?expectedVersion=1")).name).toBe(
      "VersionConflictException",
    );
    await ok("DELETE", "/billing-groups/b1?expectedVersion=2");
    await ok("DELETE", "/billing-groups/b1");
    expect((await refused("GET", "/billing-groups/b1")).name).toBe("ResourceNotFoundException");
  });

  it("have things, each in one group", async () => {
    const { ok, refused } = startApi();
    for (const name of ["b1", "b2"]) await ok("POST", `/billing-groups/${name}`);
    for (const name of ["t1", "t2"]) await ok("POST", `/things/${name}`);
    const join = (thingName: string, billingGroupName: string) => ({ thingName, billingGroupName });
    await ok("PUT", "/billing-groups/addThingToBillingGroup", join("t1", "b1"));
    await ok("PUT", "/billing-groups/addThingToBillingGroup", {
      thingArn: `${PREFIX}:thing/t2`,
      billingGroupArn: `${PREFIX}:billinggroup/b1`,
    });
    const elsewhere = await refused("PUT", "/billing-groups/addThingToBillingGroup", join("t1", "b2"));
    expect(elsewhere.name).toBe("InvalidRequestException");
    const { things, nextToken } = await ok("GET", "/billing-groups/b1/things?maxResults=1");
    expect(things).toEqual(["t1"]);
    expect(await ok("GET", `/billing-groups/b1/things?nextToken=${nextToken}`)).toEqual({ things: ["t2"] });
    expect(await ok("GET", "/things/t1")).toMatchObject({ billingGroupName: "b1" });
    await ok("PUT", "/billing-groups/removeThingFromBillingGroup", join("t1", "b2"));
    await ok("PUT", "/billing-groups/removeThingFromBillingGroup", join("t1", "b1"));
    expect(await ok("GET", "/things/t1")).not.toHaveProperty("billingGroupName");
    await ok("DELETE", "/things/t2");
    expect(await ok("GET", "/billing-groups/b1/things")).toEqual({ things: [] });
  });

  it("are listed by prefix, in pages", async () => {
    const { ok } = startApi();
    for (const name of ["x1", "y1", "x2"]) await ok("POST", `/billing-groups/${name}`);
    const group = (groupName: string) => ({ groupName, groupArn: `${PREFIX}:billinggroup/${groupName}` });
    const first = await ok("GET", "/billing-groups?namePrefixFilter=x&maxResults=1");
    expect(first.billingGroups).toEqual([group("x1")]);
    expect(await ok("GET", `/billing-groups?namePrefixFilter=x&nextToken=${first.nextToken}`)).toEqual({
      billingGroups: [group("x2")],
    });
  });
});

describe("tags over the API", () => {
  const resourceArn = `${PREFIX}:billinggroup/b1`;
  const tag = (Key: string, Value: string) => ({ Key, Value });
  const path = `/tags?resourceArn=${encodeURIComponent(resourceArn)}`;

  it("come with a creation, are added, changed and removed, and go with their resource", async () => {
    const { ok, refused } = startApi();
    await ok("POST", "/billing-groups/b1", { tags: [tag("cost centre", "7")] });
    await ok("POST", "/tags", { resourceArn, tags: [tag("cost centre", "8"), tag("owner", "")] });
    expect(await ok("GET", path)).toEqual({ tags: [tag("cost centre", "8"), tag("owner", "")] });
    await ok("POST", "/untag", { resourceArn, tagKeys: ["owner", "unknown"] });
    expect(await ok("GET", path)).toEqual({ tags: [tag("cost centre", "8")] });
    const elsewhere = path.replace("us-east-1", "eu-west-1");
    expect(await ok("GET", elsewhere)).toEqual({ tags: [tag("cost centre", "8")] });
    await ok("DELETE", "/billing-groups/b1");
    expect((await refused("GET", path)).name).toBe("ResourceNotFoundException");
    await ok("POST", "/billing-groups/b1");
    expect(await ok("GET", path)).toEqual({ tags: [] });
  });

  it.each([
    ["/thing-groups/g1", "thinggroup/g1"],
    ["/thing-types/g1", "thingtype/g1"],
  ])("come with the creation of %s", async (target, resource) => {
    const { ok } = startApi();
    await ok("POST", target, { tags: [tag("k", "v")] });
    const tags = `/tags?resourceArn=${encodeURIComponent(`${PREFIX}:${resource}`)}`;
    expect(await ok("GET", tags)).toEqual({ tags: [tag("k", "v")] });
  });

  it("come with the creation of a topic rule in a header", async () => {
    const { ok, refused } = startApi();
    const rule = { sql: "SELECT * FROM 'in'", actions: [] };
    const tagging = (tags: string) => ({ headers: { "x-amz-tagging": tags } });
    await ok("POST", "/rules/r1", rule, tagging("cost%20centre=7&owner="));
    const tags = `/tags?resourceArn=${encodeURIComponent(`${PREFIX}:rule/r1`)}`;
    expect(await ok("GET", tags)).toEqual({ tags: [tag("cost centre", "7"), tag("owner", "")] });
    await ok("DELETE", "/rules/r1");
    expect((await refused("GET", tags)).name).toBe("ResourceNotFoundException");
    expect((await refused("POST", "/rules/r2", rule, tagging("aws:x=1"))).name).toBe(
      "InvalidRequestException",
    );
  });

  it.each([
    ["reserved keys", [tag("aws:x", "v")], "InvalidRequestException"],
    ["the same key twice", [tag("k", "1"), tag("k", "2")], "InvalidRequestException"],
    ["strange characters", [tag("k\u0001", "v")], "InvalidRequestException"],
    [
      "more than fifty",
      Array.from({ length: 51 }, (_, index) => tag(`k${index}`, "v")),
      "LimitExceededException",
    ],
  ])("are refused with %s, and so is a creation with them", async (_what, tags, name) => {
    const { ok, refused } = startApi();
    expect((await refused("POST", "/billing-groups/b1", { tags })).name).toBe(name);
    await ok("POST", "/billing-groups/b1");
    expect((await refused("POST", "/tags", { resourceArn, tags })).name).toBe(name);
  });

  it.each([
    ["things, which have none", `${PREFIX}:thing/t1`, "InvalidRequestException"],
    ["what is no ARN", "b1", "InvalidRequestException"],
    ["what does not exist", `${PREFIX}:thinggroup/none`, "ResourceNotFoundException"],
  ])("are refused for %s", async (_what, arn, name) => {
    const { ok, refused } = startApi();
    await ok("POST", "/things/t1");
    const body = { resourceArn: arn, tags: [tag("k", "v")] };
    expect((await refused("POST", "/tags", body)).name).toBe(name);
  });
});

describe("event configurations over the API", () => {
  it("name every event, off until it is switched on", async () => {
    const { ok, refused } = startApi();
    const before = await ok("GET", "/event-configurations");
    expect(Object.keys(before)).toEqual(["eventConfigurations"]);
    expect(Object.keys(before.eventConfigurations)).toHaveLength(11);
    expect(Object.values(before.eventConfigurations)).toEqual(
      Array.from({ length: 11 }, () => ({ Enabled: false })),
    );
    await ok("PATCH", "/event-configurations", {
      eventConfigurations: { THING: { Enabled: true }, JOB: { Enabled: true } },
    });
    await ok("PATCH", "/event-configurations", { eventConfigurations: { JOB: { Enabled: false } } });
    const after = await ok("GET", "/event-configurations");
    expect(after).toMatchObject({
      eventConfigurations: { THING: { Enabled: true }, JOB: { Enabled: false } },
      creationDate: expect.any(Number),
      lastModifiedDate: expect.any(Number),
    });
    const unknown = { eventConfigurations: { PRESENCE: { Enabled: false } } };
    expect((await refused("PATCH", "/event-configurations", unknown)).name).toBe("InvalidRequestException");
  });
});
