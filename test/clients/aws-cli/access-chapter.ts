import { expect, it } from "vitest";
import type { HookFunction } from "fleetrig/broker";
import type { AwsCli } from "./aws-cli.js";

const ARN = "arn:aws:iot:us-east-1:123456789012";
const FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:authorize";
const ROLE = "arn:aws:iam::123456789012:role/device";
const allow = (Action: string | readonly string[], Resource: string): object => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource }],
});

/** The user's own function behind the custom authorizer. */
export const authorize: HookFunction = (event) => {
  const { token } = event as { readonly token?: string };
  return {
    isAuthenticated: token === "open sesame",
    principalId: "ali",
    policyDocuments: [JSON.stringify(allow("iot:Connect", "*"))],
    disconnectAfterInSeconds: 3600,
    refreshAfterInSeconds: 300,
  };
};

export function accessChapter(aws: AwsCli): void {
  it("keeps custom authorizers, and tries them", async () => {
    const created =
      await aws`iot create-authorizer --authorizer-name Sesame --authorizer-function-arn ${FUNCTION} --token-key-name token --signing-disabled --status ACTIVE`;
    expect(created).toEqual({ authorizerName: "Sesame", authorizerArn: `${ARN}:authorizer/Sesame` });
    expect((await aws`iot describe-authorizer --authorizer-name Sesame`).authorizerDescription).toMatchObject(
      {
        authorizerFunctionArn: FUNCTION,
        status: "ACTIVE",
        signingDisabled: true,
      },
    );
    expect((await aws`iot list-authorizers`).authorizers).toEqual([created]);
    expect(
      await aws`iot test-invoke-authorizer --authorizer-name Sesame --token ${"open sesame"}`,
    ).toMatchObject({
      isAuthenticated: true,
      principalId: "ali",
      refreshAfterInSeconds: 300,
      disconnectAfterInSeconds: 3600,
      policyDocuments: [JSON.stringify(allow("iot:Connect", "*"))],
    });
    expect(
      await aws`iot test-invoke-authorizer --authorizer-name Sesame --token ${"open wheat"}`,
    ).toMatchObject({
      isAuthenticated: false,
    });
    expect(await aws`iot set-default-authorizer --authorizer-name Sesame`).toEqual(created);
    expect((await aws`iot describe-default-authorizer`).authorizerDescription.authorizerName).toBe("Sesame");
    await aws`iot clear-default-authorizer`;
    expect(await aws.refused`iot describe-default-authorizer`).toMatchObject({
      name: "ResourceNotFoundException",
    });
    await aws`iot update-authorizer --authorizer-name Sesame --status INACTIVE`;
    await aws`iot delete-authorizer --authorizer-name Sesame`;
    expect(await aws.refused`iot describe-authorizer --authorizer-name Sesame`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("says beforehand what policies will allow", async () => {
    const { certificateArn } = await aws`iot create-keys-and-certificate --set-as-active`;
    await aws`iot create-policy --policy-name Door --policy-document ${allow(["iot:Connect", "iot:Publish"], `${ARN}:topic/door/*`)}`;
    await aws`iot attach-policy --policy-name Door --target ${certificateArn}`;
    await aws`iot create-policy --policy-name Shut --policy-document ${{ Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "iot:Publish", Resource: "*" }] }}`;
    const asked = [
      { actionType: "PUBLISH", resources: [`${ARN}:topic/door/open`] },
      { actionType: "PUBLISH", resources: [`${ARN}:topic/window`] },
    ];
    const { authResults } =
      await aws`iot test-authorization --principal ${certificateArn} --auth-infos ${asked}`;
    expect(authResults).toMatchObject([
      { authDecision: "ALLOWED", allowed: { policies: [{ policyName: "Door" }] } },
      { authDecision: "IMPLICIT_DENY" },
    ]);
    const shut =
      await aws`iot test-authorization --principal ${certificateArn} --auth-infos ${asked} --policy-names-to-add Shut`;
    expect(shut.authResults).toMatchObject([
      { authDecision: "EXPLICIT_DENY", denied: { explicitDeny: { policies: [{ policyName: "Shut" }] } } },
      { authDecision: "EXPLICIT_DENY" },
    ]);
    const { effectivePolicies } = await aws`iot get-effective-policies --principal ${certificateArn}`;
    expect(effectivePolicies).toMatchObject([
      { policyName: "Door", policyDocument: expect.stringContaining("door") },
    ]);
  });

  it("keeps role aliases", async () => {
    const created =
      await aws`iot create-role-alias --role-alias Camera --role-arn ${ROLE} --credential-duration-seconds 900`;
    expect(created).toEqual({ roleAlias: "Camera", roleAliasArn: `${ARN}:rolealias/Camera` });
    expect(await aws.refused`iot create-role-alias --role-alias Camera --role-arn ${ROLE}`).toMatchObject({
      name: "ResourceAlreadyExistsException",
    });
    await aws`iot update-role-alias --role-alias Camera --credential-duration-seconds 3600`;
    expect((await aws`iot describe-role-alias --role-alias Camera`).roleAliasDescription).toMatchObject({
      roleArn: ROLE,
      owner: "123456789012",
      credentialDurationSeconds: 3600,
      creationDate: expect.any(String),
    });
    expect(await aws`iot list-role-aliases`).toEqual({ roleAliases: ["Camera"] });
    await aws`iot delete-role-alias --role-alias Camera`;
    expect(await aws.refused`iot describe-role-alias --role-alias Camera`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("names its endpoints", async () => {
    for (const type of ["iot:Data-ATS", "iot:Data", "iot:CredentialProvider", "iot:Jobs"])
      expect(await aws`iot describe-endpoint --endpoint-type ${type}`).toEqual({
        endpointAddress: expect.any(String),
      });
    expect(await aws.refused`iot describe-endpoint --endpoint-type iot:Nothing`).toMatchObject({
      name: "InvalidRequestException",
    });
  });

  it("keeps domain configurations", async () => {
    const created =
      await aws`iot create-domain-configuration --domain-configuration-name Own --service-type DATA`;
    expect(created).toMatchObject({
      domainConfigurationName: "Own",
      domainConfigurationArn: expect.stringContaining(`${ARN}:domainconfiguration/Own`),
    });
    expect(await aws`iot describe-domain-configuration --domain-configuration-name Own`).toMatchObject({
      domainConfigurationStatus: "ENABLED",
      serviceType: "DATA",
    });
    expect((await aws`iot list-domain-configurations`).domainConfigurations).toEqual(
      expect.arrayContaining([expect.objectContaining({ domainConfigurationName: "Own" })]),
    );
    await aws`iot update-domain-configuration --domain-configuration-name Own --domain-configuration-status DISABLED`;
    await aws`iot delete-domain-configuration --domain-configuration-name Own`;
    expect(
      await aws.refused`iot describe-domain-configuration --domain-configuration-name Own`,
    ).toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("switches events and logging", async () => {
    expect((await aws`iot describe-event-configurations`).eventConfigurations.THING).toEqual({
      Enabled: false,
    });
    await aws`iot update-event-configurations --event-configurations ${{ THING: { Enabled: true } }}`;
    expect((await aws`iot describe-event-configurations`).eventConfigurations).toMatchObject({
      THING: { Enabled: true },
      JOB: { Enabled: false },
    });
    await aws`iot set-v2-logging-options --role-arn ${ROLE} --default-log-level WARN`;
    expect(await aws`iot get-v2-logging-options`).toMatchObject({ roleArn: ROLE, defaultLogLevel: "WARN" });
    await aws`iot set-logging-options --logging-options-payload roleArn=${ROLE},logLevel=ERROR`;
    expect(await aws`iot get-logging-options`).toEqual({ roleArn: ROLE, logLevel: "ERROR" });
    await aws`iot create-thing-group --thing-group-name Loud`;
    await aws`iot set-v2-logging-level --log-target targetType=THING_GROUP,targetName=Loud --log-level DEBUG`;
    expect((await aws`iot list-v2-logging-levels`).logTargetConfigurations).toEqual(
      expect.arrayContaining([expect.objectContaining({ logLevel: "DEBUG" })]),
    );
    await aws`iot delete-v2-logging-level --target-type THING_GROUP --target-name Loud`;
  });

  it("says clearly what it does not have", async () => {
    const { name, operation, message } = await aws.refused`iot list-security-profiles`;
    expect({ name, operation }).toEqual({
      name: "NotImplementedException",
      operation: "ListSecurityProfiles",
    });
    expect(message).toContain("ListSecurityProfiles");
  });
}
