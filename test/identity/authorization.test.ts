import { describe, expect, it } from "vitest";
import { PREFIX, startAccess } from "./device.js";

const GROUP = `${PREFIX}:thinggroup/plant`;

async function plant() {
  const world = startAccess();
  const certificate = await world.certificate(
    ["Allow", "Connect", "client/${iot:Connection.Thing.ThingName}"],
    ["Deny", "Publish", "topic/secret/*"],
  );
  await world.policy("of-plant", ["Allow", ["Publish", "Receive"], "topic/*"]);
  const { registry } = world.cloud;
  registry.createThingGroup({ thingGroupName: "plant" });
  registry.createThing({ thingName: "d1" });
  registry.addThingToThingGroup({ thingName: "d1", thingGroupName: "plant" });
  registry.principals.attach({ thingName: "d1", principal: certificate.certificateArn });
  await world.attach("of-plant", GROUP);
  return { ...world, principal: certificate.certificateArn };
}

const info = (actionType: string, ...resources: string[]) => ({
  actionType,
  resources: resources.map((resource) => `${PREFIX}:${resource}`),
});

describe("TestAuthorization", () => {
  it("says what would be decided, by which policies, and what it would have to know", async () => {
    const { ok, principal } = await plant();
    const authInfos = [
      info("CONNECT", "client/d1"),
      info("PUBLISH", "topic/a"),
      info("PUBLISH", "topic/a", "topic/secret/b"),
      info("SUBSCRIBE", "topicfilter/a"),
    ];
    const named = await ok("POST", "/test-authorization?clientId=d1", { principal, authInfos });
    expect(named.authResults.map((result: { authDecision: string }) => result.authDecision)).toEqual([
      "ALLOWED",
      "ALLOWED",
      "EXPLICIT_DENY",
      "IMPLICIT_DENY",
    ]);
    const policy = (policyName: string) => ({ policyName, policyArn: `${PREFIX}:policy/${policyName}` });
    expect(named.authResults[2]).toMatchObject({
      authInfo: authInfos[2],
      allowed: { policies: [policy("of-plant")] },
      denied: { implicitDeny: { policies: [] }, explicitDeny: { policies: [policy("own-1")] } },
    });
    const nameless = await ok("POST", "/test-authorization", { principal, authInfos: [authInfos[0]] });
    expect(nameless.authResults[0]).toMatchObject({
      authDecision: "IMPLICIT_DENY",
      missingContextValues: ["iot:Connection.Thing.ThingName"],
    });
  });

  it("tries policies that are not attached, and leaves out some that are", async () => {
    const { ok, refused, policy, principal } = await plant();
    await policy("extra", ["Allow", "Subscribe", "*"]);
    const request = {
      principal,
      authInfos: [info("SUBSCRIBE", "topicfilter/a"), info("PUBLISH", "topic/secret/b")],
      policyNamesToAdd: ["extra"],
      policyNamesToSkip: ["own-1"],
    };
    const { authResults } = await ok("POST", "/test-authorization?clientId=d1", request);
    expect(authResults).toMatchObject([{ authDecision: "ALLOWED" }, { authDecision: "ALLOWED" }]);
    const unknown = { ...request, policyNamesToAdd: ["nothing"] };
    expect((await refused("POST", "/test-authorization", unknown)).name).toBe("ResourceNotFoundException");
    const actionless = {
      ...unknown,
      policyNamesToAdd: [],
      authInfos: [{ resources: [`${PREFIX}:topic/a`] }],
    };
    expect((await refused("POST", "/test-authorization", actionless)).name).toBe("InvalidRequestException");
  });
});

describe("GetEffectivePolicies", () => {
  it("lists policies of principal and groups with their documents", async () => {
    const { ok, refused, principal } = await plant();
    const names = async (query: string, body?: unknown): Promise<string[]> => {
      const { effectivePolicies } = await ok("POST", `/effective-policies${query}`, body);
      return effectivePolicies.map((row: { policyName: string }) => row.policyName);
    };
    expect(await names("?thingName=d1", { principal })).toEqual(["own-1", "of-plant"]);
    expect(await names("", { principal })).toEqual(["own-1"]);
    expect(await names("?thingName=d1")).toEqual(["of-plant"]);
    expect(await names("", { principal: GROUP })).toEqual(["of-plant"]);
    const { effectivePolicies } = await ok("POST", "/effective-policies", { principal });
    expect(JSON.parse(effectivePolicies[0].policyDocument)).toMatchObject({ Version: "2012-10-17" });
    expect((await refused("POST", "/effective-policies?thingName=d2")).name).toBe(
      "ResourceNotFoundException",
    );
    expect((await refused("POST", "/effective-policies")).name).toBe("InvalidRequestException");
  });
});

describe("logging options", () => {
  const roleArn = "arn:aws:iam::000000000000:role/logs";

  it("are kept and told in both forms", async () => {
    const { ok, refused } = startAccess();
    expect(await ok("GET", "/loggingOptions")).toEqual({ logLevel: "DISABLED" });
    await ok("POST", "/loggingOptions", { roleArn, logLevel: "WARN" });
    expect(await ok("GET", "/loggingOptions")).toEqual({ roleArn, logLevel: "WARN" });
    expect((await refused("GET", "/v2LoggingOptions")).name).toBe("NotConfiguredException");
    await ok("POST", "/v2LoggingOptions", { roleArn, defaultLogLevel: "INFO" });
    await ok("POST", "/v2LoggingOptions", { disableAllLogs: true });
    expect(await ok("GET", "/v2LoggingOptions")).toEqual({
      roleArn,
      defaultLogLevel: "INFO",
      disableAllLogs: true,
    });
  });

  it("have levels for targets, in pages", async () => {
    const { ok, refused } = startAccess();
    const level = (targetType: string, targetName?: string) => ({
      logTarget: { targetType, ...(targetName !== undefined && { targetName }) },
      logLevel: "DEBUG",
    });
    expect((await refused("POST", "/v2LoggingLevel", level("DEFAULT"))).name).toBe("NotConfiguredException");
    await ok("POST", "/v2LoggingOptions", { roleArn, defaultLogLevel: "INFO" });
    expect((await refused("POST", "/v2LoggingLevel", level("CLIENT_ID"))).name).toBe(
      "InvalidRequestException",
    );
    for (const name of ["b", "a"]) await ok("POST", "/v2LoggingLevel", level("CLIENT_ID", name));
    await ok("POST", "/v2LoggingLevel", level("SOURCE_IP", "10.0.0.1"));
    const first = await ok("GET", "/v2LoggingLevel?maxResults=2");
    expect(first.logTargetConfigurations).toEqual([level("CLIENT_ID", "a"), level("CLIENT_ID", "b")]);
    const rest = await ok("GET", `/v2LoggingLevel?nextToken=${encodeURIComponent(first.nextToken)}`);
    expect(rest.logTargetConfigurations).toEqual([level("SOURCE_IP", "10.0.0.1")]);
    await ok("DELETE", "/v2LoggingLevel?targetType=CLIENT_ID&targetName=a");
    const left = await ok("GET", "/v2LoggingLevel?targetType=CLIENT_ID");
    expect(left.logTargetConfigurations).toEqual([level("CLIENT_ID", "b")]);
  });
});
