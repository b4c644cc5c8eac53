import { expect, it } from "vitest";
import type { AwsCli } from "./aws-cli.js";

const ARN = "arn:aws:iot:us-east-1:123456789012";
const DOCUMENT = { operation: "reboot", delay: 5 };

export function jobsChapter(aws: AwsCli): void {
  it("runs a job on things and groups, one execution per device", async () => {
    for (const name of ["job-1", "job-2", "job-3"]) await aws`iot create-thing --thing-name ${name}`;
    await aws`iot create-thing-group --thing-group-name JobGroup`;
    for (const name of ["job-2", "job-3"])
      await aws`iot add-thing-to-thing-group --thing-name ${name} --thing-group-name JobGroup`;
    const created =
      await aws`iot create-job --job-id reboot-1 --targets ${ARN}:thing/job-1 ${ARN}:thinggroup/JobGroup --document ${DOCUMENT} --description reboots
      --job-executions-rollout-config maximumPerMinute=1000 --abort-config ${{ criteriaList: [{ failureType: "FAILED", action: "CANCEL", thresholdPercentage: 50, minNumberOfExecutedThings: 10 }] }} --timeout-config inProgressTimeoutInMinutes=10`;
    expect(created).toEqual({ jobId: "reboot-1", jobArn: `${ARN}:job/reboot-1`, description: "reboots" });
    expect(
      await aws.refused`iot create-job --job-id reboot-1 --targets ${ARN}:thing/job-1 --document ${DOCUMENT}`,
    ).toMatchObject({ name: "ResourceAlreadyExistsException", operation: "CreateJob" });
    const { job } = await aws`iot describe-job --job-id reboot-1`;
    expect(job).toMatchObject({
      jobArn: created.jobArn,
      status: "IN_PROGRESS",
      targetSelection: "SNAPSHOT",
      timeoutConfig: { inProgressTimeoutInMinutes: 10 },
      jobExecutionsRolloutConfig: { maximumPerMinute: 1000 },
    });
    expect(JSON.parse((await aws`iot get-job-document --job-id reboot-1`).document)).toEqual(DOCUMENT);
    expect((await aws`iot list-jobs --status IN_PROGRESS --thing-group-name JobGroup`).jobs).toMatchObject([
      { jobId: "reboot-1" },
    ]);
  });

  it("is worked through by devices over iot-jobs-data", async () => {
    const pending = await aws`iot-jobs-data get-pending-job-executions --thing-name job-1`;
    expect(pending).toMatchObject({
      inProgressJobs: [],
      queuedJobs: [{ jobId: "reboot-1", versionNumber: 1, executionNumber: 1 }],
    });
    const { execution } =
      await aws`iot-jobs-data start-next-pending-job-execution --thing-name job-1 --status-details step=begin`;
    expect(execution).toMatchObject({
      jobId: "reboot-1",
      status: "IN_PROGRESS",
      versionNumber: 2,
      statusDetails: { step: "begin" },
    });
    expect(JSON.parse(execution.jobDocument)).toEqual(DOCUMENT);
    const described =
      await aws`iot-jobs-data describe-job-execution --thing-name job-1 --job-id ${"$next"} --include-job-document`;
    expect(described.execution).toMatchObject({ jobId: "reboot-1", thingName: "job-1" });
    expect(
      await aws.refused`iot-jobs-data update-job-execution --thing-name job-1 --job-id reboot-1 --status SUCCEEDED --expected-version 1`,
    ).toMatchObject({ name: "VersionConflictException", operation: "UpdateJobExecution" });
    await aws`iot-jobs-data update-job-execution --thing-name job-1 --job-id reboot-1 --status SUCCEEDED --expected-version 2`;
    expect(
      await aws.refused`iot-jobs-data update-job-execution --thing-name job-1 --job-id reboot-1 --status FAILED`,
    ).toMatchObject({ name: "InvalidStateTransitionException" });
    expect(
      await aws.refused`iot-jobs-data describe-job-execution --thing-name job-1 --job-id nothing`,
    ).toMatchObject({
      name: "ResourceNotFoundException",
    });
    expect(await aws`iot-jobs-data get-pending-job-executions --thing-name job-1`).toEqual({
      inProgressJobs: [],
      queuedJobs: [],
    });
  });

  it("shows and cancels executions, then jobs", async () => {
    const { executionSummaries } =
      await aws`iot list-job-executions-for-job --job-id reboot-1 --status QUEUED`;
    expect(executionSummaries.map((each: { thingArn: string }) => each.thingArn).sort()).toEqual([
      `${ARN}:thing/job-2`,
      `${ARN}:thing/job-3`,
    ]);
    expect(
      (await aws`iot list-job-executions-for-thing --thing-name job-1`).executionSummaries,
    ).toMatchObject([
      { jobId: "reboot-1", jobExecutionSummary: { status: "SUCCEEDED", executionNumber: 1 } },
    ]);
    await aws`iot cancel-job-execution --job-id reboot-1 --thing-name job-2`;
    expect(
      (await aws`iot describe-job-execution --job-id reboot-1 --thing-name job-2`).execution,
    ).toMatchObject({ status: "CANCELED" });
    await aws`iot-jobs-data start-next-pending-job-execution --thing-name job-3`;
    expect(await aws.refused`iot cancel-job-execution --job-id reboot-1 --thing-name job-3`).toMatchObject({
      name: "InvalidStateTransitionException",
    });
    expect(
      await aws.refused`iot cancel-job-execution --job-id reboot-1 --thing-name job-3 --force --expected-version 1`,
    ).toMatchObject({ name: "VersionConflictException" });
    await aws`iot cancel-job-execution --job-id reboot-1 --thing-name job-3 --force`;
    expect((await aws`iot describe-job --job-id reboot-1`).job).toMatchObject({
      status: "COMPLETED",
      jobProcessDetails: { numberOfSucceededThings: 1, numberOfCanceledThings: 2 },
    });
    expect(await aws.refused`iot cancel-job --job-id reboot-1`).toMatchObject({
      name: "InvalidRequestException",
    });
  });

  it("cancels and deletes a continuous job", async () => {
    await aws`iot create-job --job-id keep-going --targets ${ARN}:thinggroup/JobGroup --document ${DOCUMENT} --target-selection CONTINUOUS`;
    await aws`iot update-job --job-id keep-going --description ${"goes on"}`;
    expect((await aws`iot describe-job --job-id keep-going`).job.description).toBe("goes on");
    expect(await aws.refused`iot delete-job --job-id keep-going`).toMatchObject({
      name: "InvalidStateTransitionException",
    });
    expect(
      await aws`iot cancel-job --job-id keep-going --reason-code RC --comment enough --force`,
    ).toMatchObject({ jobId: "keep-going" });
    expect((await aws`iot describe-job --job-id keep-going`).job).toMatchObject({
      status: "CANCELED",
      reasonCode: "RC",
      comment: "enough",
      forceCanceled: true,
    });
    await aws`iot delete-job-execution --job-id keep-going --thing-name job-2 --execution-number 1`;
    await aws`iot delete-job --job-id keep-going --force`;
    expect(await aws.refused`iot describe-job --job-id keep-going`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("refuses jobs that cannot be", async () => {
    expect(await aws.refused`iot create-job --job-id none --targets ${ARN}:thing/job-1`).toMatchObject({
      name: "InvalidRequestException",
    });
    expect(
      await aws.refused`iot create-job --job-id none --targets ${ARN}:thing/not-there --document ${DOCUMENT}`,
    ).toMatchObject({ name: "ResourceNotFoundException" });
    expect((await aws`iot list-jobs --page-size 1`).jobs.length).toBeGreaterThanOrEqual(1);
  });
}
