import { expect, it } from "vitest";
import type { AwsCli } from "./aws-cli.js";

const allow = (Action: string, Resource = "*"): object => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource }],
});

export function policiesChapter(aws: AwsCli): void {
  it("keeps up to five versions of a policy, one of them the default", async () => {
    const first = allow("iot:Connect");
    const created =
      await aws`iot create-policy --policy-name Fleet --policy-document ${first} --tags Key=team,Value=fleet`;
    expect(created).toEqual({
      policyName: "Fleet",
      policyArn: "arn:aws:iot:us-east-1:123456789012:policy/Fleet",
      policyDocument: JSON.stringify(first),
      policyVersionId: "1",
    });
    expect(await aws.refused`iot create-policy --policy-name Fleet --policy-document ${first}`).toMatchObject(
      { name: "ResourceAlreadyExistsException", operation: "CreatePolicy" },
    );
    for (const action of ["iot:Publish", "iot:Subscribe", "iot:Receive"])
      await aws`iot create-policy-version --policy-name Fleet --policy-document ${allow(action)}`;
    const fifth =
      await aws`iot create-policy-version --policy-name Fleet --policy-document ${allow("iot:*")} --set-as-default`;
    expect(fifth).toMatchObject({ policyVersionId: "5", isDefaultVersion: true });
    expect(
      await aws.refused`iot create-policy-version --policy-name Fleet --policy-document ${first}`,
    ).toMatchObject({ name: "VersionsLimitExceededException" });

    expect(await aws`iot get-policy --policy-name Fleet`).toMatchObject({
      defaultVersionId: "5",
      generationId: expect.any(String),
    });
    const { policyVersions } = await aws`iot list-policy-versions --policy-name Fleet`;
    expect(
      policyVersions.filter((each: { isDefaultVersion: boolean }) => each.isDefaultVersion),
    ).toMatchObject([{ versionId: "5" }]);
    expect(policyVersions).toHaveLength(5);

    await aws`iot set-default-policy-version --policy-name Fleet --policy-version-id 1`;
    expect(await aws`iot get-policy-version --policy-name Fleet --policy-version-id 1`).toMatchObject({
      isDefaultVersion: true,
      policyDocument: JSON.stringify(first),
    });
    expect(
      await aws.refused`iot delete-policy-version --policy-name Fleet --policy-version-id 1`,
    ).toMatchObject({ name: "DeleteConflictException" });
    expect(await aws.refused`iot delete-policy --policy-name Fleet`).toMatchObject({
      name: "DeleteConflictException",
    });
    for (const version of [2, 3, 4, 5])
      await aws`iot delete-policy-version --policy-name Fleet --policy-version-id ${version}`;
    await aws`iot delete-policy --policy-name Fleet`;
    expect(await aws.refused`iot get-policy --policy-name Fleet`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("refuses documents that are none", async () => {
    for (const document of ["{", JSON.stringify({ Version: "2012-10-17" }), JSON.stringify([])])
      expect(
        await aws.refused`iot create-policy --policy-name Broken --policy-document ${document}`,
        document,
      ).toMatchObject({ name: "MalformedPolicyException" });
    expect(
      await aws.refused`iot create-policy --policy-name ${"no spaces"} --policy-document ${allow("iot:Connect")}`,
    ).toMatchObject({ name: "InvalidRequestException" });
  });

  it("attaches policies to certificates, and says so from both ends", async () => {
    const { certificateArn } = await aws`iot create-keys-and-certificate --set-as-active`;
    for (const name of ["BothA", "BothB"]) {
      await aws`iot create-policy --policy-name ${name} --policy-document ${allow("iot:Connect")}`;
      await aws`iot attach-policy --policy-name ${name} --target ${certificateArn}`;
    }
    // Attaching again changes nothing.
    await aws`iot attach-policy --policy-name BothA --target ${certificateArn}`;
    const { policies } = await aws`iot list-attached-policies --target ${certificateArn}`;
    expect(policies.map((each: { policyName: string }) => each.policyName).sort()).toEqual([
      "BothA",
      "BothB",
    ]);
    expect(await aws`iot list-targets-for-policy --policy-name BothA`).toEqual({ targets: [certificateArn] });
    // The older commands, which scripts still use.
    expect(await aws`iot list-principal-policies --principal ${certificateArn}`).toMatchObject({
      policies: expect.any(Array),
    });
    expect((await aws`iot list-policy-principals --policy-name BothB`).principals).toEqual([certificateArn]);
    await aws`iot detach-principal-policy --policy-name BothB --principal ${certificateArn}`;
    await aws`iot attach-principal-policy --policy-name BothB --principal ${certificateArn}`;
    await aws`iot detach-policy --policy-name BothB --target ${certificateArn}`;
    expect((await aws`iot list-attached-policies --target ${certificateArn}`).policies).toMatchObject([
      { policyName: "BothA" },
    ]);
    expect(await aws.refused`iot delete-policy --policy-name BothA`).toMatchObject({
      name: "DeleteConflictException",
    });
    expect(
      await aws.refused`iot attach-policy --policy-name Nowhere --target ${certificateArn}`,
    ).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("lists policies in pages", async () => {
    const { policies } = await aws`iot list-policies`;
    expect(policies).toEqual(
      expect.arrayContaining([
        { policyName: "BothA", policyArn: "arn:aws:iot:us-east-1:123456789012:policy/BothA" },
      ]),
    );
    expect(await aws`iot list-policies --query ${"policies[?policyName=='BothB'].policyArn"}`).toEqual([
      "arn:aws:iot:us-east-1:123456789012:policy/BothB",
    ]);
  });
}
