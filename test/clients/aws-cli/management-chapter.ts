import { expect, it } from "vitest";
import type { CloudUnderTest } from "../cloud-under-test.js";
import type { AwsCli, Json } from "./aws-cli.js";

const ARN = "arn:aws:iot:us-east-1:123456789012";
const ROLE = "arn:aws:iam::123456789012:role/operator";

export function managementChapter(aws: AwsCli, stage: () => CloudUnderTest): void {
  /** Asks again until what is asked for has come about. */
  const until = async (look: () => Promise<Json>, isDone: (seen: Json) => boolean): Promise<Json> => {
    let seen: Json;
    for (let tries = 0; tries < 50; tries += 1) {
      seen = await look();
      if (isDone(seen)) return seen;
    }
    throw new TypeError(`it did not come about: ${JSON.stringify(seen)}`);
  };

  it("makes jobs from templates, the user's and the managed ones", async () => {
    const created =
      await aws`iot create-job-template --job-template-id Reboot --description reboots --document ${{ operation: "reboot" }} --timeout-config inProgressTimeoutInMinutes=5`;
    expect(created).toEqual({ jobTemplateId: "Reboot", jobTemplateArn: `${ARN}:jobtemplate/Reboot` });
    expect(await aws`iot describe-job-template --job-template-id Reboot`).toMatchObject({
      description: "reboots",
      document: JSON.stringify({ operation: "reboot" }),
      timeoutConfig: { inProgressTimeoutInMinutes: 5 },
    });
    expect((await aws`iot list-job-templates`).jobTemplates).toMatchObject([{ jobTemplateId: "Reboot" }]);
    await aws`iot create-thing --thing-name templated`;
    await aws`iot create-job --job-id from-template --targets ${ARN}:thing/templated --job-template-arn ${created.jobTemplateArn}`;
    expect((await aws`iot describe-job --job-id from-template`).job).toMatchObject({
      jobTemplateArn: created.jobTemplateArn,
      timeoutConfig: { inProgressTimeoutInMinutes: 5 },
    });
    await aws`iot delete-job-template --job-template-id Reboot`;
    expect(await aws.refused`iot describe-job-template --job-template-id Reboot`).toMatchObject({
      name: "ResourceNotFoundException",
    });
    const { managedJobTemplates } = await aws`iot list-managed-job-templates`;
    expect(managedJobTemplates.map((each: Json) => each.templateName)).toContain("AWS-Reboot");
    expect(await aws`iot describe-managed-job-template --template-name AWS-Reboot`).toMatchObject({
      templateName: "AWS-Reboot",
      document: expect.any(String),
    });
  });

  it("adds targets to a continuous job", async () => {
    await aws`iot create-thing-group --thing-group-name Wave1`;
    await aws`iot create-thing-group --thing-group-name Wave2`;
    await aws`iot create-job --job-id waves --targets ${ARN}:thinggroup/Wave1 --document ${{ n: 1 }} --target-selection CONTINUOUS`;
    await aws`iot associate-targets-with-job --job-id waves --targets ${ARN}:thinggroup/Wave2 --comment second`;
    expect((await aws`iot describe-job --job-id waves`).job.targets).toEqual([
      `${ARN}:thinggroup/Wave1`,
      `${ARN}:thinggroup/Wave2`,
    ]);
  });

  it("keeps file streams", async () => {
    stage().server.cloud.management.artifacts.store.put(
      { bucket: "firmware", key: "v1.bin" },
      Buffer.alloc(1000, 7),
    );
    const files = [{ fileId: 0, s3Location: { bucket: "firmware", key: "v1.bin" } }];
    expect(
      await aws`iot create-stream --stream-id firmware --files ${files} --role-arn ${ROLE}`,
    ).toMatchObject({ streamId: "firmware", streamArn: `${ARN}:stream/firmware`, streamVersion: 1 });
    await aws`iot update-stream --stream-id firmware --description newer`;
    expect((await aws`iot describe-stream --stream-id firmware`).streamInfo).toMatchObject({
      description: "newer",
      streamVersion: 2,
      files: [{ fileId: 0 }],
    });
    expect((await aws`iot list-streams`).streams).toMatchObject([{ streamId: "firmware" }]);
    await aws`iot delete-stream --stream-id firmware`;
    expect(await aws.refused`iot describe-stream --stream-id firmware`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("registers things in bulk from a file", async () => {
    const templateBody = JSON.stringify({
      Parameters: { Name: { Type: "String" } },
      Resources: { thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: { Ref: "Name" } } } },
    });
    const lines = ['{"Name":"bulk-1"}', '{"Name":"bulk-2"}', '{"Name":"not a name"}'].join("\n");
    stage().server.cloud.management.artifacts.store.put(
      { bucket: "factory", key: "lot.json" },
      Buffer.from(lines),
    );
    const { taskId } =
      await aws`iot start-thing-registration-task --template-body ${templateBody} --input-file-bucket factory --input-file-key lot.json --role-arn ${ROLE}`;
    const task = await until(
      () => aws`iot describe-thing-registration-task --task-id ${taskId}`,
      ({ status }) => status !== "InProgress",
    );
    expect(task).toMatchObject({ status: "Completed", successCount: 2, failureCount: 1 });
    expect(await aws`iot describe-thing --thing-name bulk-2`).toMatchObject({ thingName: "bulk-2" });
    expect((await aws`iot list-thing-registration-tasks`).taskIds).toEqual([taskId]);
    const { resourceLinks } =
      await aws`iot list-thing-registration-task-reports --task-id ${taskId} --report-type ERRORS`;
    expect(resourceLinks).toHaveLength(1);
    const report = await fetch(resourceLinks[0]);
    expect(await report.text()).toContain('"lineNumber":3');
  });

  it("updates firmware over the air with a job that streams the file", async () => {
    stage().server.cloud.management.artifacts.store.put(
      { bucket: "firmware", key: "v2.bin" },
      Buffer.alloc(4096, 2),
    );
    const group = `${ARN}:thinggroup/Wave1`;
    const files = [
      {
        fileName: "v2.bin",
        fileVersion: "2",
        fileLocation: { s3Location: { bucket: "firmware", key: "v2.bin" } },
        codeSigning: {
          customCodeSigning: {
            signature: { inlineDocument: Buffer.from("signed").toString("base64") },
            certificateChain: { certificateName: "/certs/signer.pem" },
            hashAlgorithm: "SHA256",
            signatureAlgorithm: "ECDSA",
          },
        },
      },
    ];
    const created =
      await aws`iot create-ota-update --ota-update-id v2 --targets ${group} --files ${files} --role-arn ${ROLE} --target-selection SNAPSHOT --protocols MQTT`;
    expect(created).toMatchObject({
      otaUpdateId: "v2",
      otaUpdateArn: `${ARN}:otaupdate/v2`,
      awsIotJobId: "AFR_OTA-v2",
    });
    const { otaUpdateInfo } = await until(
      () => aws`iot get-ota-update --ota-update-id v2`,
      (seen) => seen.otaUpdateInfo.otaUpdateStatus === "CREATE_COMPLETE",
    );
    expect(otaUpdateInfo).toMatchObject({
      targets: [group],
      protocols: ["MQTT"],
      awsIotJobId: created.awsIotJobId,
    });
    expect((await aws`iot list-ota-updates`).otaUpdates).toMatchObject([{ otaUpdateId: "v2" }]);
    expect((await aws`iot describe-job --job-id ${created.awsIotJobId}`).job).toMatchObject({
      targets: [group],
    });
    await aws`iot delete-ota-update --ota-update-id v2 --delete-stream --force-delete-aws-job`;
    expect(await aws.refused`iot get-ota-update --ota-update-id v2`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
}
