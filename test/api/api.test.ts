import { describe, expect, it } from "vitest";
import { startApi } from "./api-client.js";

describe("the API", () => {
  it("answers a shadow over HTTP with the document and the headers that AWS clients read", async () => {
    const { request } = startApi();
    const answer = await request("POST", "/things/t1/shadow", { body: { state: { desired: { a: 1 } } } });
    expect(answer.status).toBe(200);
    expect(answer.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.body).toMatchObject({ state: { desired: { a: 1 } }, version: 1 });
  });

  it("names an operation that it does not have, with 501", async () => {
    const { refused } = startApi();
    expect(await refused("POST", "/packages", {})).toMatchObject({
      name: "MethodNotAllowedException",
      status: 405,
    });
    const refusal = await refused("GET", "/packages");
    expect(refusal).toMatchObject({ name: "NotImplementedException", status: 501 });
    expect(refusal.message).toContain("ListPackages");
  });

  it.each([
    ["/nowhere/at/all", "UnknownOperationException", 404],
    ["/things/%zz", "UnknownOperationException", 404],
    ["/", "UnknownOperationException", 404],
    ["/things//shadow", "UnknownOperationException", 404],
  ])("has an AWS error for the path %s", async (path, name, status) => {
    expect(await startApi().refused("GET", path)).toMatchObject({ name, status });
  });

  it("lets nobody in who shows nothing, and devices nowhere near the control plane", async () => {
    const { refused } = startApi();
    const anonymous = { caller: { kind: "anonymous" } } as const;
    const device = { caller: { kind: "certificate", certificateId: "ab".repeat(32) } } as const;
    expect(await refused("GET", "/things/t1/shadow", undefined, anonymous)).toMatchObject({
      name: "ForbiddenException",
      status: 403,
    });
    expect(await refused("GET", "/things/t1/shadow", undefined, device)).toMatchObject({
      name: "ForbiddenException",
      status: 403,
    });
  });

  it("refuses what the service model does not allow, with the constraint", async () => {
    const { refused } = startApi();
    const refusal = await refused("GET", "/things/a%20b/shadow");
    expect(refusal).toMatchObject({ name: "InvalidRequestException", status: 400 });
    expect(refusal.message).toContain("Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+");
    expect(await refused("GET", "/api/things/shadow/ListNamedShadowsForThing/t1?pageSize=0")).toMatchObject({
      message: expect.stringContaining("greater than or equal to 1"),
    });
    expect(
      await refused("GET", "/api/things/shadow/ListNamedShadowsForThing/t1?pageSize=many"),
    ).toMatchObject({
      message: "Value at 'pageSize' must be a number.",
    });
  });
});
