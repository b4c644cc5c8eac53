import { FleetrigError, type JsonObject } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { JobsBench, MINUTE_US, things } from "./bench.js";

const code = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof FleetrigError) return error.code;
    throw error;
  }
  return "accepted";
};

/** Two things: t1 in progress, t2 queued. */
function halfStarted(): JobsBench {
  const bench = new JobsBench({ all: things(2) });
  bench.create({ timeoutConfig: { inProgressTimeoutInMinutes: 5 } });
  bench.time.advance(MINUTE_US);
  bench.startNext("t1");
  bench.takeSent();
  return bench;
}

describe("CancelJob", () => {
  it("cancels what is queued and leaves what is in progress", () => {
    const bench = halfStarted();
    expect(bench.jobs.cancelJob({ jobId: "j1", reasonCode: "BAD", comment: "why" })).toEqual({
      jobArn: "arn:aws:iot:us-east-1:000000000000:job/j1",
      jobId: "j1",
    });
    expect(bench.jobs.progress("j1").counts).toMatchObject({ CANCELED: 1, IN_PROGRESS: 1 });
    expect(bench.jobEvents("job.status").at(-1)).toMatchObject({ status: "CANCELED", reasonCode: "BAD" });
    expect(bench.takeSent().map(({ topic }) => topic)).toEqual([
      "$aws/things/t2/jobs/notify",
      "$aws/things/t2/jobs/notify-next",
    ]);
    bench.time.advance(5 * MINUTE_US);
    expect(bench.jobs.progress("j1").counts).toMatchObject({ CANCELED: 1, TIMED_OUT: 1 });
  });

  it("cancels everything with force, also after a cancel without; the device learns by a refusal", () => {
    const bench = halfStarted();
    bench.jobs.cancelJob({ jobId: "j1" });
    bench.jobs.cancelJob({ jobId: "j1", force: true });
    expect(bench.jobs.progress("j1").counts.CANCELED).toBe(2);
    expect(bench.jobs.describeJob({ jobId: "j1" })["job"]).toMatchObject({ forceCanceled: true });
    expect(bench.jobs.describeJobExecution({ jobId: "j1", thingName: "t1" })["execution"]).toMatchObject({
      status: "CANCELED",
      forceCanceled: true,
    });
    expect(bench.finish("t1", "SUCCEEDED").body).toMatchObject({
      code: "InvalidStateTransition",
      executionState: { status: "CANCELED" },
    });
    expect(bench.jobEvents("job.status")).toHaveLength(2);
    expect(bench.time.heap.size).toBe(0);
  });

  it("refuses unknown and finished jobs", () => {
    const bench = halfStarted();
    expect(code(() => bench.jobs.cancelJob({ jobId: "j9" }))).toBe("CLOUD_NOT_FOUND");
    bench.jobs.cancelJob({ jobId: "j1" });
    expect(code(() => bench.jobs.cancelJob({ jobId: "j1" }))).toBe("CLOUD_INVALID_REQUEST");
    expect(code(() => bench.jobs.updateJob({ jobId: "j1" }))).toBe("CLOUD_INVALID_REQUEST");
  });
});

describe("CancelJobExecution", () => {
  it("cancels one queued execution with details", () => {
    const bench = halfStarted();
    const statusDetails = { by: "operator" };
    bench.jobs.cancelJobExecution({ jobId: "j1", thingName: "t2", expectedVersion: 1, statusDetails });
    expect(bench.jobs.describeJobExecution({ jobId: "j1", thingName: "t2" })["execution"]).toMatchObject({
      status: "CANCELED",
      statusDetails: { detailsMap: statusDetails },
      versionNumber: 2,
    });
  });

  it("needs force for one in progress, and its current version when one is expected", () => {
    const bench = halfStarted();
    const t1 = { jobId: "j1", thingName: "t1" };
    expect(code(() => bench.jobs.cancelJobExecution(t1))).toBe("CLOUD_INVALID_STATE_TRANSITION");
    expect(code(() => bench.jobs.cancelJobExecution({ ...t1, expectedVersion: 9 }))).toBe(
      "CLOUD_VERSION_CONFLICT",
    );
    bench.jobs.cancelJobExecution({ ...t1, force: true });
    expect(code(() => bench.jobs.cancelJobExecution({ ...t1, force: true }))).toBe(
      "CLOUD_INVALID_STATE_TRANSITION",
    );
    expect(code(() => bench.jobs.cancelJobExecution({ ...t1, thingName: "t7" }))).toBe("CLOUD_NOT_FOUND");
  });

  it("completes the job when it was the last one pending", () => {
    const bench = halfStarted();
    bench.finish("t1", "SUCCEEDED");
    bench.jobs.cancelJobExecution({ jobId: "j1", thingName: "t2" });
    expect(bench.jobs.progress("j1").status).toBe("COMPLETED");
  });
});

describe("DeleteJob", () => {
  it("needs a finished job, or force", () => {
    const bench = halfStarted();
    expect(code(() => bench.jobs.deleteJob({ jobId: "j1" }))).toBe("CLOUD_INVALID_STATE_TRANSITION");
    bench.jobs.cancelJob({ jobId: "j1", force: true });
    bench.jobs.deleteJob({ jobId: "j1" });
    expect(code(() => bench.jobs.describeJob({ jobId: "j1" }))).toBe("CLOUD_NOT_FOUND");
  });

  it("takes pending executions away from their things and leaves no timers", () => {
    const bench = halfStarted();
    bench.jobs.deleteJob({ jobId: "j1", force: true });
    expect(bench.takeSent().map(({ topic }) => topic)).toEqual([
      "$aws/things/t1/jobs/notify",
      "$aws/things/t1/jobs/notify-next",
      "$aws/things/t2/jobs/notify",
      "$aws/things/t2/jobs/notify-next",
    ]);
    expect(bench.finish("t1", "SUCCEEDED").body).toMatchObject({ code: "ResourceNotFound" });
    expect(bench.time.heap.size).toBe(0);
    bench.create();
    expect(bench.jobs.progress("j1").notified).toBe(1);
  });
});

describe("DeleteJobExecution", () => {
  const ofThing = (thingName: string, force = false) => ({
    jobId: "j1",
    thingName,
    executionNumber: 1,
    force,
  });

  it("needs a terminal execution, or force for one in progress", () => {
    const bench = halfStarted();
    const refused = "CLOUD_INVALID_STATE_TRANSITION";
    expect(code(() => bench.jobs.deleteJobExecution(ofThing("t2", true)))).toBe(refused);
    expect(code(() => bench.jobs.deleteJobExecution(ofThing("t1")))).toBe(refused);
    bench.jobs.deleteJobExecution(ofThing("t1", true));
    expect(bench.finish("t1", "SUCCEEDED").body).toMatchObject({ code: "ResourceNotFound" });
    expect(bench.jobs.progress("j1")).toMatchObject({ targets: 1, counts: { IN_PROGRESS: 0, QUEUED: 1 } });
    expect(bench.time.heap.size).toBe(0);
  });

  it("changes what abort percentages are taken of", () => {
    const bench = new JobsBench({ all: things(3) });
    const criterion = { failureType: "FAILED", action: "CANCEL", thresholdPercentage: 50 } as const;
    bench.create({ abortConfig: { criteriaList: [{ ...criterion, minNumberOfExecutedThings: 2 }] } });
    bench.time.advance(MINUTE_US);
    bench.finish("t1", "FAILED");
    bench.jobs.deleteJobExecution(ofThing("t1"));
    bench.finish("t2", "FAILED");
    expect(bench.jobs.progress("j1").status).toBe("IN_PROGRESS");
  });

  it("forgets an earlier attempt and leaves the retry", () => {
    const bench = new JobsBench({ all: ["t1"] });
    const criteriaList = [{ failureType: "ALL", numberOfRetries: 1 } as const];
    bench.create({ jobExecutionsRetryConfig: { criteriaList } });
    bench.finish("t1", "FAILED");
    bench.jobs.deleteJobExecution(ofThing("t1"));
    expect(code(() => bench.jobs.describeJobExecution(ofThing("t1")))).toBe("CLOUD_NOT_FOUND");
    expect(bench.startNext("t1")).toMatchObject({ executionNumber: 2 });
  });

  it("completes the job when nothing else was pending", () => {
    const bench = halfStarted();
    bench.finish("t2", "SUCCEEDED");
    bench.jobs.deleteJobExecution(ofThing("t1", true));
    expect(bench.jobs.progress("j1").status).toBe("COMPLETED");
  });
});

describe("list calls", () => {
  const names = (list: readonly JsonObject[], key: string) => list.map((entry) => entry[key]);

  it("page through jobs, by status and kind", () => {
    const bench = new JobsBench({ all: ["t1"] });
    for (const jobId of ["a", "b", "c"]) bench.create({ jobId });
    bench.create({ jobId: "d", targetSelection: "CONTINUOUS" });
    bench.jobs.cancelJob({ jobId: "b" });
    const first = bench.jobs.listJobs({ maxResults: 2 });
    expect(names(first.jobs, "jobId")).toEqual(["a", "b"]);
    const rest = bench.jobs.listJobs({ maxResults: 2, nextToken: first.nextToken! });
    expect(names(rest.jobs, "jobId")).toEqual(["c", "d"]);
    expect(rest).not.toHaveProperty("nextToken");
    expect(names(bench.jobs.listJobs({ status: "CANCELED" }).jobs, "jobId")).toEqual(["b"]);
    expect(names(bench.jobs.listJobs({ targetSelection: "CONTINUOUS" }).jobs, "jobId")).toEqual(["d"]);
    expect(bench.jobs.listJobs().jobs[1]).toMatchObject({ completedAt: expect.any(Number) });
  });

  it("show executions by job and by thing", () => {
    const bench = halfStarted();
    bench.create({ jobId: "j2", targets: ["t1"] });
    const ofJob = bench.jobs.listJobExecutionsForJob({ jobId: "j1" }).executionSummaries;
    expect(ofJob).toMatchObject([
      {
        thingArn: "arn:aws:iot:us-east-1:000000000000:thing/t1",
        jobExecutionSummary: { status: "IN_PROGRESS", executionNumber: 1, retryAttempt: 0 },
      },
      { jobExecutionSummary: { status: "QUEUED" } },
    ]);
    const queued = bench.jobs.listJobExecutionsForJob({ jobId: "j1", status: "QUEUED" });
    expect(queued.executionSummaries).toHaveLength(1);
    const ofThing = bench.jobs.listJobExecutionsForThing({ thingName: "t1" }).executionSummaries;
    expect(names(ofThing, "jobId")).toEqual(["j1", "j2"]);
    const second = bench.jobs.listJobExecutionsForThing({ thingName: "t1", jobId: "j2", status: "QUEUED" });
    expect(second.executionSummaries).toHaveLength(1);
    expect(bench.jobs.listJobExecutionsForThing({ thingName: "t9" }).executionSummaries).toEqual([]);
  });

  it("refuse page sizes and tokens of their own making", () => {
    const { jobs } = new JobsBench();
    expect(code(() => jobs.listJobs({ maxResults: 251 }))).toBe("CLOUD_INVALID_REQUEST");
    expect(code(() => jobs.listJobs({ nextToken: "x" }))).toBe("CLOUD_INVALID_REQUEST");
  });
});

describe("job events (REF §4, E16)", () => {
  it("are off until enabled", () => {
    const bench = halfStarted();
    bench.jobs.cancelJob({ jobId: "j1", force: true });
    expect(bench.takeSent().filter(({ topic }) => topic.startsWith("$aws/events/"))).toEqual([]);
  });

  it("tell of executions and jobs, in AWS's mixture of units", () => {
    const bench = new JobsBench({ all: things(2) }, { jobEvents: true, jobExecutionEvents: true });
    bench.create({ description: "d" });
    bench.time.advance(MINUTE_US);
    bench.request("t1", "j1/update", { status: "FAILED", statusDetails: { error: "crc" } });
    bench.finish("t2", "SUCCEEDED");
    const told = bench.takeSent().filter(({ topic }) => topic.startsWith("$aws/events/"));
    expect(told.map(({ topic }) => topic)).toEqual([
      "$aws/events/jobExecution/j1/failed",
      "$aws/events/jobExecution/j1/succeeded",
      "$aws/events/job/j1/completed",
    ]);
    const nowMs = Date.UTC(2026, 0, 1) + 60_000;
    expect(told[0]?.body).toEqual({
      eventType: "JOB_EXECUTION",
      eventId: "00000000-0000-4000-8000-000000000001",
      timestamp: nowMs / 1000,
      operation: "failed",
      jobId: "j1",
      thingArn: "arn:aws:iot:us-east-1:000000000000:thing/t1",
      status: "FAILED",
      statusDetails: { error: "crc" },
    });
    expect(told[2]?.body).toMatchObject({
      eventType: "JOB",
      operation: "completed",
      timestamp: nowMs / 1000,
      createdAt: nowMs - 60_000,
      completedAt: nowMs,
      targetSelection: "SNAPSHOT",
      description: "d",
      jobProcessDetails: { numberOfFailedThings: 1, numberOfSucceededThings: 1 },
    });
  });

  it("tell of cancelling and deleting, also of executions that go away", () => {
    const bench = new JobsBench({ all: ["t1"] }, { jobEvents: true, jobExecutionEvents: true });
    bench.deaf.add("$aws/events/job/j1/canceled");
    bench.create();
    bench.jobs.cancelJob({ jobId: "j1" });
    bench.jobs.deleteJob({ jobId: "j1" });
    const told = bench.takeSent().filter(({ topic }) => topic.startsWith("$aws/events/"));
    expect(told.map(({ topic }) => topic.slice("$aws/events/".length))).toEqual([
      "job/j1/cancellation_in_progress",
      "jobExecution/j1/canceled",
      "job/j1/deletion_in_progress",
      "jobExecution/j1/deleted",
      "job/j1/deleted",
    ]);
  });
});

describe("stop", () => {
  it("leaves no timer and answers nobody, while jobs stay readable", () => {
    const bench = halfStarted();
    bench.create({ jobId: "j2", jobExecutionsRolloutConfig: { maximumPerMinute: 1 } });
    bench.jobs.stop();
    expect(bench.time.heap.size).toBe(0);
    bench.takeSent();
    expect(bench.publishAs("t1", "$aws/things/t1/jobs/get", {})).toBe("consumed");
    expect(bench.sent).toEqual([]);
    expect(bench.jobs.progress("j1").counts.IN_PROGRESS).toBe(1);
  });
});
