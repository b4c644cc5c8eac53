import { describe, expect, it } from "vitest";
import { JobsBench, MINUTE_US, things } from "./bench.js";

const statuses = (bench: JobsBench) => bench.jobEvents("job.status").map((event) => event.status);

describe("a SNAPSHOT job", () => {
  it("completes when every target has reached a terminal status, and its counts add up (E1)", () => {
    const bench = new JobsBench({ all: things(4) });
    bench.create();
    bench.time.advance(MINUTE_US);
    bench.finish("t1", "SUCCEEDED");
    bench.finish("t2", "FAILED");
    bench.finish("t3", "REJECTED");
    expect(bench.jobs.describeJob({ jobId: "j1" })["job"]).toMatchObject({
      jobArn: "arn:aws:iot:us-east-1:000000000000:job/j1",
      status: "IN_PROGRESS",
      targets: ["arn:aws:iot:us-east-1:000000000000:thinggroup/all"],
      isConcurrent: false,
      jobExecutionsRolloutConfig: { maximumPerMinute: 1000 },
      jobProcessDetails: {
        numberOfQueuedThings: 1,
        numberOfInProgressThings: 0,
        numberOfSucceededThings: 1,
        numberOfFailedThings: 1,
        numberOfRejectedThings: 1,
        numberOfTimedOutThings: 0,
        numberOfCanceledThings: 0,
        numberOfRemovedThings: 0,
      },
    });
    bench.finish("t4", "SUCCEEDED");
    expect(statuses(bench)).toEqual(["IN_PROGRESS", "COMPLETED"]);
  });

  it("is complete at once when its group is empty", () => {
    const bench = new JobsBench({ all: [] });
    bench.create();
    expect(statuses(bench)).toEqual(["IN_PROGRESS", "COMPLETED"]);
  });

  it("tells what it was created with", () => {
    const bench = new JobsBench({ all: things(2) });
    const criteriaList = [
      {
        failureType: "ALL" as const,
        action: "CANCEL" as const,
        thresholdPercentage: 10,
        minNumberOfExecutedThings: 1,
      },
    ];
    bench.create({ abortConfig: { criteriaList } });
    expect(bench.events[0]).toEqual({
      type: "job.created",
      atUs: 0,
      jobId: "j1",
      targets: 2,
      document: { operation: "ota" },
      rollout: { maximumPerMinute: 1000 },
      abort: { criteriaList },
    });
  });

  it("shows its targets as still processed while it rolls out", () => {
    const bench = new JobsBench({ all: things(2) });
    bench.create({ description: "d", jobExecutionsRolloutConfig: { maximumPerMinute: 1 } });
    expect(bench.jobs.describeJob({ jobId: "j1" })["job"]).toMatchObject({
      description: "d",
      isConcurrent: true,
      jobProcessDetails: { processingTargets: [expect.stringContaining("thinggroup/all")] },
    });
    expect(bench.jobs.progress("j1")).toMatchObject({ waiting: 1, notified: 1, targets: 2 });
  });
});

describe("abort (REF §6.3)", () => {
  const abortConfig = {
    criteriaList: [
      {
        failureType: "ALL",
        action: "CANCEL",
        thresholdPercentage: 10,
        minNumberOfExecutedThings: 10,
      } as const,
    ],
  };

  it("cancels exactly when 10 have executed and 10 % of them failed; what is in progress survives (E5)", () => {
    const bench = new JobsBench({ all: things(40) });
    bench.create({ abortConfig, jobExecutionsRolloutConfig: { maximumPerMinute: 30 } });
    bench.time.advance(MINUTE_US - 1);
    bench.startNext("t30");
    bench.finish("t1", "FAILED");
    for (let i = 2; i <= 9; i += 1) bench.finish(`t${i}`, "SUCCEEDED");
    expect(bench.jobs.progress("j1").status).toBe("IN_PROGRESS");
    bench.finish("t10", "SUCCEEDED");
    expect(bench.jobEvents("job.aborted")).toEqual([
      { type: "job.aborted", atUs: MINUTE_US - 1, jobId: "j1", criterion: 0, failed: 1, executed: 10 },
    ]);
    expect(bench.jobs.progress("j1")).toMatchObject({
      status: "CANCELED",
      waiting: 10,
      counts: { CANCELED: 19, IN_PROGRESS: 1, SUCCEEDED: 9, FAILED: 1 },
    });
    expect(bench.jobs.describeJob({ jobId: "j1" })["job"]).toMatchObject({
      reasonCode: "ABORT_CRITERIA_MET",
      comment: expect.stringContaining("1 failures of 10 executed things"),
    });
    bench.time.advance(60 * MINUTE_US);
    expect(bench.notifiedAtUs()).toHaveLength(30);
    expect(bench.finish("t30", "SUCCEEDED").topic).toMatch(/accepted$/);
    expect(bench.finish("t20", "SUCCEEDED").body).toMatchObject({ code: "InvalidStateTransition" });
  });

  it("drops the retry of the failure that fired it", () => {
    const bench = new JobsBench({ all: things(1) });
    bench.create({
      abortConfig: { criteriaList: [{ ...abortConfig.criteriaList[0]!, minNumberOfExecutedThings: 1 }] },
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: "ALL", numberOfRetries: 5 }] },
    });
    bench.finish("t1", "FAILED");
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "CANCELED", counts: { FAILED: 1, QUEUED: 0 } });
  });

  it("waits for notified things when percentages are of those", () => {
    const bench = new JobsBench({ all: things(20) }, { abortDenominator: "notified" });
    bench.create({ abortConfig });
    bench.time.advance(MINUTE_US);
    bench.finish("t1", "FAILED");
    expect(bench.jobs.progress("j1").status).toBe("IN_PROGRESS");
    bench.finish("t2", "FAILED");
    expect(bench.jobs.progress("j1").status).toBe("CANCELED");
  });
});

describe("timeouts (REF §6.4)", () => {
  it("times an execution out that stays in progress (E6)", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({ timeoutConfig: { inProgressTimeoutInMinutes: 10 } });
    bench.time.advance(5 * MINUTE_US);
    bench.startNext("t1");
    bench.time.advance(10 * MINUTE_US - 1);
    expect(bench.jobs.progress("j1").counts.IN_PROGRESS).toBe(1);
    bench.time.advance(1);
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "COMPLETED", counts: { TIMED_OUT: 1 } });
    expect(bench.finish("t1", "SUCCEEDED").body).toMatchObject({ code: "InvalidStateTransition" });
  });

  it("ends the documented step-timer example after 20 minutes, not 22", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({ timeoutConfig: { inProgressTimeoutInMinutes: 20 } });
    bench.startNext("t1");
    for (const [waitMinutes, stepTimeoutInMinutes] of [
      [5, 7],
      [5, 5],
      [3, 9],
    ] as const) {
      bench.time.advance(waitMinutes * MINUTE_US);
      bench.request("t1", "j1/update", { status: "IN_PROGRESS", stepTimeoutInMinutes });
    }
    const described = bench.jobs.describeJobExecution({ jobId: "j1", thingName: "t1" })["execution"];
    expect(described).toMatchObject({ approximateSecondsBeforeTimedOut: 7 * 60 });
    bench.time.advance(10 * MINUTE_US);
    expect(bench.jobEvents("job.execution").at(-1)).toMatchObject({
      status: "TIMED_OUT",
      from: "IN_PROGRESS",
      atUs: 20 * MINUTE_US,
    });
  });

  it("has no timer left after the device is done, or has removed the step timer", () => {
    const bench = new JobsBench({ all: things(2) });
    bench.create();
    bench.time.advance(MINUTE_US);
    bench.startNext("t1", { stepTimeoutInMinutes: 5 });
    bench.startNext("t2", { stepTimeoutInMinutes: 5 });
    bench.finish("t1", "SUCCEEDED");
    bench.request("t2", "j1/update", { status: "IN_PROGRESS", stepTimeoutInMinutes: -1 });
    expect(bench.time.heap.size).toBe(0);
  });
});

describe("retries (REF §6.4)", () => {
  it("queues a new execution after each failure until it succeeds (E7)", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({
      timeoutConfig: { inProgressTimeoutInMinutes: 1 },
      jobExecutionsRetryConfig: {
        criteriaList: [
          { failureType: "FAILED", numberOfRetries: 1 },
          { failureType: "TIMED_OUT", numberOfRetries: 1 },
        ],
      },
    });
    bench.finish("t1", "FAILED");
    expect(bench.startNext("t1")).toMatchObject({ executionNumber: 2, versionNumber: 2, statusDetails: {} });
    bench.time.advance(MINUTE_US);
    expect(bench.startNext("t1")).toMatchObject({ executionNumber: 3, status: "IN_PROGRESS" });
    bench.finish("t1", "SUCCEEDED");
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "COMPLETED", notified: 1 });
    const earlier = [1, 2, 3].map(
      (executionNumber) =>
        bench.jobs.describeJobExecution({ jobId: "j1", thingName: "t1", executionNumber })["execution"],
    );
    expect(earlier).toMatchObject([{ status: "FAILED" }, { status: "TIMED_OUT" }, { status: "SUCCEEDED" }]);
    expect(bench.request("t1", "j1/update", { status: "FAILED", executionNumber: 1 }).body).toMatchObject({
      code: "InvalidStateTransition",
      executionState: { status: "FAILED" },
    });
  });

  it("gives up when the retries are used", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: "ALL", numberOfRetries: 2 }] },
    });
    for (let attempt = 0; attempt < 3; attempt += 1) bench.finish("t1", "FAILED");
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "COMPLETED", counts: { FAILED: 1 } });
    expect(bench.jobEvents("job.notified")).toHaveLength(1);
  });
});
