import { describe, expect, it } from "vitest";
import { startApi } from "./api-client.js";

const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);
const CERTIFICATE = "a".repeat(64);
const OTHER = "b".repeat(64);
const certificateArn = (id: string) => `${PREFIX}:cert/${id}`;
const principal = (id: string) => ({ headers: { "x-amzn-principal": certificateArn(id) } });

const payload = (attributes: Record<string, string>, merge?: boolean) => ({
  attributePayload: { attributes, ...(merge !== undefined && { merge }) },
});

describe("things over the API", () => {
  it("are created, described, updated and deleted", async () => {
    const { ok, refused } = startApi();
    const created = await ok("POST", "/things/t1", payload({ site: "hq" }));
    expect(created).toEqual({ thingName: "t1", thingArn: `${PREFIX}:thing/t1`, thingId: UUID });
    expect(await ok("GET", "/things/t1")).toEqual({
      ...created,
      defaultClientId: "t1",
      attributes: { site: "hq" },
      version: 1,
    });
    expect(await ok("PATCH", "/things/t1", payload({ floor: "2" }, true))).toEqual({});
    expect(await ok("PATCH", "/things/t1", payload({ site: "" }, true))).toEqual({});
    expect(await ok("GET", "/things/t1")).toMatchObject({ attributes: { floor: "2" }, version: 3 });
    expect(await ok("DELETE", "/things/t1")).toEqual({});
    expect(await ok("DELETE", "/things/t1")).toEqual({});
    expect((await refused("GET", "/things/t1")).name).toBe("ResourceNotFoundException");
  });

  it("are created again only as they are, and the refusal says what is there", async () => {
    const { ok, request } = startApi();
    const created = await ok("POST", "/things/t1", payload({ site: "hq" }));
    expect(await ok("POST", "/things/t1", payload({ site: "hq" }))).toEqual(created);
    const { status, body } = await request("POST", "/things/t1", { body: payload({ site: "lab" }) });
    expect(status).toBe(409);
    expect(body).toMatchObject({ resourceId: created.thingId, resourceArn: created.thingArn });
  });

  it("start in a billing group, with a thing type", async () => {
    const { ok, refused } = startApi();
    await ok("POST", "/thing-types/sensor");
    await ok("POST", "/billing-groups/b1");
    await ok("POST", "/things/t1", { thingTypeName: "sensor", billingGroupName: "b1" });
    expect(await ok("GET", "/things/t1")).toMatchObject({
      thingTypeName: "sensor",
      billingGroupName: "b1",
    });
    for (const body of [{ thingTypeName: "none" }, { billingGroupName: "none" }])
      expect((await refused("POST", "/things/t2", body)).name).toBe("ResourceNotFoundException");
    await ok("PATCH", "/things/t1", { removeThingType: true });
    expect(await ok("GET", "/things/t1")).not.toHaveProperty("thingTypeName");
    const both = { removeThingType: true, thingTypeName: "sensor" };
    expect((await refused("PATCH", "/things/t1", both)).name).toBe("InvalidRequestException");
  });

  it("change only in the version that is expected", async () => {
    const { ok, refused } = startApi();
    await ok("POST", "/things/t1");
    const stale = { expectedVersion: 7 };
    expect(await refused("PATCH", "/things/t1", stale)).toMatchObject({
      name: "VersionConflictException",
      status: 409,
    });
    expect((await refused("DELETE", "/things/t1?expectedVersion=7")).name).toBe("VersionConflictException");
    await ok("DELETE", "/things/t1?expectedVersion=1");
  });

  it.each([
    ["four attributes without a type", "/things/t1", payload({ a: "1", b: "2", c: "3", d: "4" })],
    ["a value with a space", "/things/t1", payload({ location: "Building A" })],
    ["a name with a slash", "/things/a%2Fb", undefined],
    ["a name that is too long", `/things/${"t".repeat(129)}`, undefined],
    ["attributes that are no text", "/things/t1", { attributePayload: { attributes: { a: 1 } } }],
  ])("are refused with %s", async (_what, target, body) => {
    const { refused } = startApi();
    expect(await refused("POST", target, body)).toMatchObject({
      name: "InvalidRequestException",
      status: 400,
    });
  });

  it("are listed in pages, by type, by attribute and by the beginning of its value", async () => {
    const { ok, refused } = startApi();
    await ok("POST", "/thing-types/sensor");
    for (const [name, site] of [
      ["c", "hq-1"],
      ["a", "hq-2"],
      ["b", "lab"],
    ]) {
      await ok("POST", `/things/${name}`, { ...payload({ site: site! }), thingTypeName: "sensor" });
    }
    await ok("POST", "/things/d");
    const names = async (query: string) => {
      const { things, nextToken } = await ok("GET", `/things${query}`);
      return { names: things.map(({ thingName }: { thingName: string }) => thingName), nextToken };
    };
    const first = await names("?maxResults=3");
    expect(first.names).toEqual(["c", "a", "b"]);
    expect(await names(`?maxResults=3&nextToken=${first.nextToken}`)).toEqual({
      names: ["d"],
      nextToken: undefined,
    });
    expect((await names("?thingTypeName=sensor")).names).toEqual(["c", "a", "b"]);
    expect((await names("?attributeName=site&attributeValue=lab")).names).toEqual(["b"]);
    expect((await names("?attributeName=site&attributeValue=hq&usePrefixAttributeValue=true")).names).toEqual(
      ["c", "a"],
    );
    expect((await ok("GET", "/things?maxResults=1")).things).toEqual([
      {
        thingName: "c",
        thingTypeName: "sensor",
        thingArn: `${PREFIX}:thing/c`,
        attributes: { site: "hq-1" },
        version: 1,
      },
    ]);
    for (const query of ["?maxResults=0", "?maxResults=251", "?nextToken=x", "?attributeValue=x"])
      expect((await refused("GET", `/things${query}`)).name).toBe("InvalidRequestException");
  });

  it("have ARNs of the region that the request was signed for", async () => {
    const { ok } = startApi();
    const headers = {
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/iot/aws4_request, SignedHeaders=host, Signature=0",
    };
    const { thingArn } = await ok("POST", "/things/t1", {}, { headers });
    expect(thingArn).toBe("arn:aws:iot:eu-west-1:000000000000:thing/t1");
  });
});

describe("principals of things over the API", () => {
  async function attached() {
    const world = startApi();
    world.cloud.registry.principals.checkWith((id) => id === CERTIFICATE || id === OTHER);
    await world.ok("POST", "/things/t1");
    await world.ok("POST", "/things/t2");
    await world.ok("PUT", "/things/t1/principals", undefined, principal(CERTIFICATE));
    return world;
  }

  it("are attached, listed from both sides, and detached", async () => {
    const { ok, refused } = await attached();
    await ok("PUT", "/things/t1/principals", undefined, principal(CERTIFICATE));
    await ok("PUT", "/things/t2/principals", undefined, principal(CERTIFICATE));
    await ok("PUT", "/things/t1/principals", undefined, principal(OTHER));
    expect(await ok("GET", "/things/t1/principals")).toEqual({
      principals: [certificateArn(CERTIFICATE), certificateArn(OTHER)],
    });
    expect(await ok("GET", "/principals/things", undefined, principal(CERTIFICATE))).toEqual({
      things: ["t1", "t2"],
    });
    const { things, nextToken } = await ok(
      "GET",
      "/principals/things?maxResults=1",
      undefined,
      principal(CERTIFICATE),
    );
    expect(things).toEqual(["t1"]);
    expect(
      await ok("GET", `/principals/things?nextToken=${nextToken}`, undefined, principal(CERTIFICATE)),
    ).toEqual({ things: ["t2"] });
    await ok("DELETE", "/things/t1/principals", undefined, principal(OTHER));
    expect((await refused("DELETE", "/things/t1/principals", undefined, principal(OTHER))).name).toBe(
      "ResourceNotFoundException",
    );
  });

  it("are exclusive when they are attached so, and then to one thing only", async () => {
    const { ok, refused } = await attached();
    const exclusive = "?thingPrincipalType=EXCLUSIVE_THING";
    await ok("PUT", `/things/t2/principals${exclusive}`, undefined, principal(OTHER));
    expect(await ok("GET", "/principals/things-v2", undefined, principal(OTHER))).toEqual({
      principalThingObjects: [{ thingName: "t2", thingPrincipalType: "EXCLUSIVE_THING" }],
    });
    expect(await ok("GET", "/things/t1/principals-v2")).toEqual({
      thingPrincipalObjects: [
        { principal: certificateArn(CERTIFICATE), thingPrincipalType: "NON_EXCLUSIVE_THING" },
      ],
    });
    expect(await ok("GET", `/things/t1/principals-v2${exclusive}`)).toEqual({ thingPrincipalObjects: [] });
    const second = await refused("PUT", "/things/t1/principals", undefined, principal(OTHER));
    expect(second.name).toBe("InvalidRequestException");
    const claim = `/things/t2/principals${exclusive}`;
    expect((await refused("PUT", claim, undefined, principal(CERTIFICATE))).name).toBe(
      "InvalidRequestException",
    );
    await ok("DELETE", "/things/t1/principals", undefined, principal(CERTIFICATE));
    await ok("PUT", claim, undefined, principal(CERTIFICATE));
  });

  it("keep their thing from being deleted", async () => {
    const { ok, refused } = await attached();
    expect((await refused("DELETE", "/things/t1")).name).toBe("InvalidRequestException");
    await ok("DELETE", "/things/t1/principals", undefined, principal(CERTIFICATE));
    await ok("DELETE", "/things/t1");
  });

  it.each([
    ["PUT", "/things/t1/principals", "c".repeat(64)],
    ["GET", "/principals/things", "c".repeat(64)],
    ["PUT", "/things/none/principals", CERTIFICATE],
  ])("are refused when there is no such principal or thing: %s %s", async (method, target, id) => {
    const { refused } = await attached();
    expect((await refused(method, target, undefined, principal(id))).name).toBe("ResourceNotFoundException");
  });
});
