import { US_PER_S } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { startApi } from "./api-client.js";

const ARN = "arn:aws:iot:us-east-1:000000000000:thingtype/sensor";
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);
const properties = { thingTypeDescription: "d", searchableAttributes: ["site"] };

describe("thing types over the API", () => {
  it("are created once, described and listed", async () => {
    const { ok, refused } = startApi();
    const created = await ok("POST", "/thing-types/sensor", { thingTypeProperties: properties });
    expect(created).toEqual({ thingTypeName: "sensor", thingTypeArn: ARN, thingTypeId: UUID });
    expect(await ok("POST", "/thing-types/sensor", { thingTypeProperties: properties })).toEqual(created);
    expect((await refused("POST", "/thing-types/sensor")).name).toBe("ResourceAlreadyExistsException");
    const described = {
      thingTypeName: "sensor",
      thingTypeArn: ARN,
      thingTypeProperties: properties,
      thingTypeMetadata: { deprecated: false, creationDate: expect.any(Number) },
    };
    expect(await ok("GET", "/thing-types/sensor")).toEqual({ ...described, thingTypeId: UUID });
    await ok("POST", "/thing-types/lamp");
    expect(await ok("GET", "/thing-types?thingTypeName=sensor")).toEqual({ thingTypes: [described] });
    const { thingTypes, nextToken } = await ok("GET", "/thing-types?maxResults=1");
    expect(thingTypes).toEqual([described]);
    expect((await ok("GET", `/thing-types?nextToken=${nextToken}`)).thingTypes).toHaveLength(1);
    expect((await refused("GET", "/thing-types/none")).name).toBe("ResourceNotFoundException");
  });

  it("refuse more than three searchable attributes", async () => {
    const { refused } = startApi();
    const body = { thingTypeProperties: { searchableAttributes: ["a", "b", "c", "d"] } };
    expect((await refused("POST", "/thing-types/sensor", body)).name).toBe("InvalidRequestException");
  });

  it("let things have fifty attributes", async () => {
    const { ok, refused } = startApi();
    await ok("POST", "/thing-types/sensor");
    const thing = (count: number) => ({
      thingTypeName: "sensor",
      attributePayload: {
        attributes: Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, "1"])),
      },
    });
    await ok("POST", "/things/t1", thing(50));
    expect((await refused("POST", "/things/t2", thing(51))).name).toBe("InvalidRequestException");
    expect((await refused("PATCH", "/things/t1", { removeThingType: true })).name).toBe(
      "InvalidRequestException",
    );
  });

  it("take new properties", async () => {
    const { ok } = startApi();
    await ok("POST", "/thing-types/sensor", { thingTypeProperties: properties });
    const mqtt5Configuration = {
      propagatingAttributes: [{ userPropertyKey: "k", thingAttribute: "site" }],
    };
    await ok("PATCH", "/thing-types/sensor", { thingTypeProperties: { mqtt5Configuration } });
    expect((await ok("GET", "/thing-types/sensor")).thingTypeProperties).toEqual({
      ...properties,
      mqtt5Configuration,
    });
  });

  it("take no new things once they are deprecated, and again when that is undone", async () => {
    const { ok, refused } = startApi();
    await ok("POST", "/thing-types/sensor");
    await ok("POST", "/things/t1", { thingTypeName: "sensor" });
    await ok("POST", "/thing-types/sensor/deprecate");
    expect((await ok("GET", "/thing-types/sensor")).thingTypeMetadata).toMatchObject({
      deprecated: true,
      deprecationDate: expect.any(Number),
    });
    expect((await refused("POST", "/things/t2", { thingTypeName: "sensor" })).name).toBe(
      "InvalidRequestException",
    );
    await ok("PATCH", "/things/t1", {
      thingTypeName: "sensor",
      attributePayload: { attributes: { a: "1" } },
    });
    await ok("POST", "/thing-types/sensor/deprecate", { undoDeprecate: true });
    await ok("POST", "/things/t2", { thingTypeName: "sensor" });
  });

  it("are deleted five minutes after their deprecation, without things", async () => {
    const { ok, refused, time } = startApi();
    const name = async () => (await refused("DELETE", "/thing-types/sensor")).name;
    await ok("POST", "/thing-types/sensor");
    await ok("POST", "/things/t1", { thingTypeName: "sensor" });
    expect(await name()).toBe("InvalidRequestException");
    await ok("POST", "/thing-types/sensor/deprecate");
    time.advance(299 * US_PER_S);
    expect(await name()).toBe("InvalidRequestException");
    time.advance(US_PER_S);
    expect(await name()).toBe("InvalidRequestException");
    await ok("DELETE", "/things/t1");
    await ok("DELETE", "/thing-types/sensor");
    expect(await name()).toBe("ResourceNotFoundException");
  });
});
