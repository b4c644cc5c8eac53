import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksAwsCli } from "../embedding/rigs.js";
import { accessChapter, authorize } from "./aws-cli/access-chapter.js";
import { auditsChapter } from "./aws-cli/audits-chapter.js";
import { createAwsCli } from "./aws-cli/aws-cli.js";
import { certificatesChapter } from "./aws-cli/certificates-chapter.js";
import { dataChapter } from "./aws-cli/data-chapter.js";
import { indexChapter } from "./aws-cli/index-chapter.js";
import { jobsChapter } from "./aws-cli/jobs-chapter.js";
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
  describe("topic rules", () => rulesChapter(aws));
  describe("messages and shadows", () => dataChapter(aws, () => stage));

  it("has been measured by many commands", () => {
    const total = Array.from(aws.commands.values()).reduce((sum, count) => sum + count, 0);
    console.log(`${total} commands of ${aws.commands.size} kinds`);
    expect(total).toBeGreaterThanOrEqual(250);
  });
});
