import { expect, it } from "vitest";
import type { AwsCli } from "./aws-cli.js";

const ARN = "arn:aws:iot:us-east-1:123456789012";
const ROLE = "arn:aws:iam::123456789012:role/provisioning";
const template = (prefix: string): object => ({
  Parameters: { SerialNumber: { Type: "String" }, "AWS::IoT::Certificate::Id": { Type: "String" } },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: { ThingName: { "Fn::Join": ["", [prefix, { Ref: "SerialNumber" }]] } },
    },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "ACTIVE" },
    },
  },
});

export function provisioningChapter(aws: AwsCli): void {
  it("keeps templates and their versions", async () => {
    const created =
      await aws`iot create-provisioning-template --template-name Claims --description claims --provisioning-role-arn ${ROLE} --enabled --template-body ${template("first-")}`;
    expect(created).toEqual({
      templateName: "Claims",
      templateArn: `${ARN}:provisioningtemplate/Claims`,
      defaultVersionId: 1,
    });
    expect(
      await aws.refused`iot create-provisioning-template --template-name Claims --provisioning-role-arn ${ROLE} --template-body ${template("x")}`,
    ).toMatchObject({ name: "ResourceAlreadyExistsException" });
    expect(
      await aws.refused`iot create-provisioning-template --template-name Broken --provisioning-role-arn ${ROLE} --template-body ${"{"}`,
    ).toMatchObject({ name: "InvalidRequestException" });
    const second =
      await aws`iot create-provisioning-template-version --template-name Claims --template-body ${template("second-")} --set-as-default`;
    expect(second).toMatchObject({ versionId: 2, isDefaultVersion: true });
    expect(await aws`iot describe-provisioning-template --template-name Claims`).toMatchObject({
      enabled: true,
      type: "FLEET_PROVISIONING",
      defaultVersionId: 2,
      templateBody: JSON.stringify(template("second-")),
    });
    expect(
      await aws`iot describe-provisioning-template-version --template-name Claims --version-id 1`,
    ).toMatchObject({
      versionId: 1,
      isDefaultVersion: false,
      templateBody: JSON.stringify(template("first-")),
    });
    expect((await aws`iot list-provisioning-template-versions --template-name Claims`).versions).toHaveLength(
      2,
    );
    expect((await aws`iot list-provisioning-templates`).templates).toMatchObject([
      { templateName: "Claims", enabled: true },
    ]);
    await aws`iot update-provisioning-template --template-name Claims --description renewed --default-version-id 1`;
    await aws`iot delete-provisioning-template-version --template-name Claims --version-id 2`;
    expect(
      await aws.refused`iot delete-provisioning-template-version --template-name Claims --version-id 1`,
    ).toMatchObject({ name: "DeleteConflictException" });
  });

  it("gives a trusted user a claim that expires", async () => {
    const claim = await aws`iot create-provisioning-claim --template-name Claims`;
    expect(claim).toMatchObject({
      certificateId: expect.any(String),
      certificatePem: expect.stringContaining("BEGIN CERTIFICATE"),
      keyPair: { PrivateKey: expect.stringContaining("PRIVATE KEY") },
    });
    expect(Date.parse(claim.expiration) - Date.now()).toBeGreaterThan(240_000);
    expect(await aws.refused`iot create-provisioning-claim --template-name Nothing`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("registers a thing with all that a template says", async () => {
    const { certificateId, certificateArn } = await aws`iot create-keys-and-certificate`;
    const { resourceArns } =
      await aws`iot register-thing --template-body ${template("made-")} --parameters ${{ SerialNumber: "7", "AWS::IoT::Certificate::Id": certificateId }}`;
    expect(resourceArns).toMatchObject({ thing: `${ARN}:thing/made-7`, certificate: certificateArn });
    expect(
      (await aws`iot describe-certificate --certificate-id ${certificateId}`).certificateDescription.status,
    ).toBe("ACTIVE");
    expect(await aws`iot list-thing-principals --thing-name made-7`).toEqual({
      principals: [certificateArn],
    });
    expect(
      await aws.refused`iot register-thing --template-body ${template("made-")} --parameters ${{ SerialNumber: "8" }}`,
    ).toMatchObject({ operation: "RegisterThing" });
    expect(await aws.refused`iot describe-thing --thing-name made-8`).toMatchObject({
      name: "ResourceNotFoundException",
    });
    await aws`iot delete-provisioning-template --template-name Claims`;
    expect(await aws.refused`iot describe-provisioning-template --template-name Claims`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
}
