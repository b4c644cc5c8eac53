import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "../api/api-client.js";

const policyFor = (action: string) => ({
  policyDocument: JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: action, Resource: "*" }],
  }),
});

const [CONNECT, PUBLISH] = [policyFor("iot:Connect"), policyFor("iot:Publish")];
const COGNITO = "us-east-1:0b1cb8c7-5a3b-4a8e-9e3d-1c9c3d3b1a11";

interface VersionRow {
  readonly versionId: string;
  readonly isDefaultVersion: boolean;
}

const certificate = async ({ ok }: ApiWorld): Promise<{ readonly certificateArn: string }> =>
  ok("POST", "/keys-and-certificate");

describe("policies", () => {
  it("begin with version 1 in force", async () => {
    const world = startApi();
    expect(await world.ok("POST", "/policies/p", CONNECT)).toEqual({
      policyName: "p",
      policyArn: "arn:aws:iot:us-east-1:000000000000:policy/p",
      ...CONNECT,
      policyVersionId: "1",
    });
    expect(await world.ok("GET", "/policies/p")).toMatchObject({ defaultVersionId: "1", ...CONNECT });
    expect(await world.refused("POST", "/policies/p", CONNECT)).toMatchObject({
      name: "ResourceAlreadyExistsException",
      status: 409,
    });
    expect((await world.refused("GET", "/policies/q")).name).toBe("ResourceNotFoundException");
  });

  it.each([
    ["no JSON", "{"],
    ["an unknown effect", '{"Statement":[{"Effect":"Maybe","Action":"iot:*","Resource":"*"}]}'],
    ["too many characters", policyFor(`iot:${"x".repeat(2048)}`).policyDocument],
  ])("are refused with %s", async (_, policyDocument) => {
    const refused = await startApi().refused("POST", "/policies/p", { policyDocument });
    expect(refused).toMatchObject({ name: "MalformedPolicyException", status: 400 });
  });

  it("count their characters without white space", async () => {
    const spaced = { policyDocument: CONNECT.policyDocument + " ".repeat(3000) };
    await startApi().ok("POST", "/policies/p", spaced);
  });
});

describe("policy versions", () => {
  it("are five at most, and never get a number again", async () => {
    const world = startApi();
    await world.ok("POST", "/policies/p", CONNECT);
    for (const id of ["2", "3", "4", "5"])
      expect(await world.ok("POST", "/policies/p/version", PUBLISH)).toMatchObject({
        policyVersionId: id,
        isDefaultVersion: false,
      });
    expect(await world.refused("POST", "/policies/p/version", PUBLISH)).toMatchObject({
      name: "VersionsLimitExceededException",
      status: 409,
    });
    await world.ok("DELETE", "/policies/p/version/5");
    const latest = await world.ok("POST", "/policies/p/version?setAsDefault=true", PUBLISH);
    expect(latest).toMatchObject({ policyVersionId: "6", isDefaultVersion: true });
    const { policyVersions } = await world.ok("GET", "/policies/p/version");
    expect(
      policyVersions.map(({ versionId, isDefaultVersion }: VersionRow) => [versionId, isDefaultVersion]),
    ).toEqual([
      ["1", false],
      ["2", false],
      ["3", false],
      ["4", false],
      ["6", true],
    ]);
    expect((await world.ok("GET", "/policies/p")).policyDocument).toBe(PUBLISH.policyDocument);
  });

  it("may be deleted unless in force; the policy only when one is left", async () => {
    const world = startApi();
    await world.ok("POST", "/policies/p", CONNECT);
    await world.ok("POST", "/policies/p/version", PUBLISH);
    expect((await world.refused("DELETE", "/policies/p/version/1")).name).toBe("DeleteConflictException");
    expect((await world.refused("DELETE", "/policies/p")).name).toBe("DeleteConflictException");
    await world.ok("PATCH", "/policies/p/version/2");
    await world.ok("DELETE", "/policies/p/version/1");
    expect((await world.refused("GET", "/policies/p/version/1")).name).toBe("ResourceNotFoundException");
    expect(await world.ok("GET", "/policies/p/version/2")).toMatchObject({ isDefaultVersion: true });
    await world.ok("DELETE", "/policies/p");
    expect((await world.ok("GET", "/policies")).policies).toEqual([]);
  });
});

describe("attached policies", () => {
  it("are listed from both sides, under the new names and the old", async () => {
    const world = startApi();
    const { certificateArn } = await certificate(world);
    await world.ok("POST", "/policies/p", CONNECT);
    await world.ok("POST", "/policies/q", PUBLISH);
    await world.ok("PUT", "/target-policies/p", { target: certificateArn });
    await world.ok("PUT", "/target-policies/p", { target: certificateArn });
    await world.ok("PUT", "/principal-policies/q", undefined, {
      headers: { "x-amzn-iot-principal": certificateArn },
    });
    await world.ok("PUT", "/target-policies/p", { target: COGNITO });
    const attached = await world.ok("POST", `/attached-policies/${encodeURIComponent(certificateArn)}`);
    expect(attached.policies.map(({ policyName }: { policyName: string }) => policyName)).toEqual(["p", "q"]);
    const byPrincipal = await world.ok("GET", "/principal-policies", undefined, {
      headers: { "x-amzn-iot-principal": certificateArn },
    });
    expect(byPrincipal).toEqual(attached);
    expect(await world.ok("POST", "/policy-targets/p")).toEqual({ targets: [certificateArn, COGNITO] });
    const principals = await world.ok("GET", "/policy-principals", undefined, {
      headers: { "x-amzn-iot-policy": "p" },
    });
    expect(principals).toEqual({ principals: [certificateArn, COGNITO] });
  });

  it("keep a policy from being deleted until they are detached", async () => {
    const world = startApi();
    const { certificateArn } = await certificate(world);
    await world.ok("POST", "/policies/p", CONNECT);
    await world.ok("PUT", "/target-policies/p", { target: certificateArn });
    expect((await world.refused("DELETE", "/policies/p")).name).toBe("DeleteConflictException");
    for (const _ of [1, 2]) await world.ok("POST", "/target-policies/p", { target: certificateArn });
    await world.ok("DELETE", "/policies/p");
  });

  it("are ten at most", async () => {
    const world = startApi();
    const { certificateArn: target } = await certificate(world);
    for (let n = 0; n <= 10; n += 1) await world.ok("POST", `/policies/p${n}`, CONNECT);
    for (let n = 0; n < 10; n += 1) await world.ok("PUT", `/target-policies/p${n}`, { target });
    expect(await world.refused("PUT", "/target-policies/p10", { target })).toMatchObject({
      name: "LimitExceededException",
      status: 410,
    });
    const path = `/attached-policies/${encodeURIComponent(target)}`;
    const page = await world.ok("POST", `${path}?pageSize=6`);
    const rest = await world.ok("POST", `${path}?pageSize=6&marker=${encodeURIComponent(page.nextMarker)}`);
    expect([page.policies.length, rest.policies.length, rest.nextMarker]).toEqual([6, 4, undefined]);
  });

  it.each([
    ["a thing", "arn:aws:iot:us-east-1:000000000000:thing/t", "InvalidRequestException"],
    ["no ARN", "x", "InvalidRequestException"],
    [
      "an unknown certificate",
      `arn:aws:iot:us-east-1:000000000000:cert/${"0".repeat(64)}`,
      "ResourceNotFoundException",
    ],
    ["an unknown group", "arn:aws:iot:us-east-1:000000000000:thinggroup/g", "ResourceNotFoundException"],
  ])("are refused for %s", async (_, target, name) => {
    const world = startApi();
    await world.ok("POST", "/policies/p", CONNECT);
    expect((await world.refused("PUT", "/target-policies/p", { target })).name).toBe(name);
  });
});
