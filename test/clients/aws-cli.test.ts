import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksAwsCli } from "../embedding/rigs.js";
import { accessChapter, authorize } from "./aws-cli/access-chapter.js";
import { auditsChapter } from "./aws-cli/audits-chapter.js";
import { createAwsCli } from "./aws-cli/aws-cli.js";
import { certificatesChapter } from "./aws-cli/certificates-chapter.js";
import { dataChapter } from "./aws-cli/data-chapter.js";
import { indexChapter } from "./aws-cli/index-chapter.js";
import { jobsChapter } from "./aws-cli/jobs-chapter.js";
import { managementChapter } from "./aws-cli/management-chapter.js";
import { policiesChapter } from "./aws-cli/policies-chapter.js";
import { provisioningChapter } from "./aws-cli/provisioning-chapter.js";
import { rulesChapter } from "./aws-cli/rules-chapter.js";
import { thingsChapter } from "./aws-cli/things-chapter.js";
import { type CloudUnderTest, startCloudUnderTest } from "./cloud-under-test.js";

describe.skipIf(lacksAwsCli)("AWS CLI", () => {
  let stage: CloudUnderTest;
  const aws = createAwsCli(() => ({ endpoint: stage.url }));
  beforeAll(async () => {
    stage = await startCloudUnderTest({ cloud: { hooks: { authorize } } });
  });
  afterAll(async () => {
    await aws.stop();
    await stage.stop();
  });

  describe("certificates", () => certificatesChapter(aws));
  describe("policies", () => policiesChapter(aws));
  describe("things", () => thingsChapter(aws));
  describe("fleet indexing", () => indexChapter(aws));
  describe("jobs", () => jobsChapter(aws));
  describe("provisioning", () => provisioningChapter(aws));
  describe("audits", () => auditsChapter(aws));
  describe("access and settings", () => accessChapter(aws));
  describe("device management", () => managementChapter(aws, () => stage));
  describe("topic rules", () => rulesChapter(aws));
  describe("messages and shadows", () => dataChapter(aws, () => stage));

  it("is answered over HTTPS, too, where every signature is checked", async () => {
    const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
    const strict = await startCloudUnderTest({ credentials: [keys] });
    const secured = {
      endpoint: `https://localhost:${strict.server.port("tls")}`,
      caFile: strict.server.caPath,
      region: "eu-central-1",
    };
    const known = createAwsCli(() => ({ ...secured, ...keys }));
    const name = "odd:name_-1";
    // ARNs have the region of the signature.
    expect(await known`iot create-thing --thing-name ${name}`).toMatchObject({
      thingArn: `arn:aws:iot:eu-central-1:123456789012:thing/${name}`,
    });
    await known`iot-data publish --topic ${"a b/ü/%41"} --payload eA== --retain`;
    expect((await known`iot-data list-retained-messages`).retainedTopics).toMatchObject([
      { topic: "a b/ü/%41" },
    ]);
    expect(await known`iot-data get-retained-message --topic ${"a b/ü/%41"}`).toMatchObject({
      payload: "eA==",
    });
    expect(await known`iot-jobs-data get-pending-job-executions --thing-name ${name}`).toMatchObject({
      queuedJobs: [],
    });
    expect(await known`iot list-things --attribute-name ${"a:b"} --attribute-value ${"x@y,z/#"}`).toEqual({
      things: [],
    });
    for (const wrong of [
      { ...keys, secretAccessKey: "wrong" },
      { ...keys, accessKeyId: "AKIANOBODY" },
    ]) {
      const unknown = createAwsCli(() => ({ ...secured, ...wrong }));
      const { name: refusal } = await unknown.refused`iot list-things`;
      expect(refusal).toMatch(/^(?:InvalidSignature|UnrecognizedClient|Forbidden)Exception$/);
      await unknown.stop();
    }
    await known.stop();
    await strict.stop();
  });

  it("has been measured by many commands", () => {
    const total = Array.from(aws.commands.values()).reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThanOrEqual(350);
  });
});
