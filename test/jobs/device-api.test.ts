import { describe, expect, it } from "vitest";
import { EPOCH_S, JobsBench, MINUTE_US, things } from "./bench.js";

const onOneThing = (): JobsBench => {
  const bench = new JobsBench({ all: ["t1"] });
  bench.create();
  bench.takeSent();
  return bench;
};

describe("GetPendingJobExecutions over MQTT", () => {
  it("lists what is in progress and what is queued, in epoch seconds", () => {
    const bench = onOneThing();
    bench.time.advance(MINUTE_US);
    bench.create({ jobId: "j2" });
    bench.startNext("t1");
    const answer = bench.request("t1", "get", { clientToken: "abc" });
    expect(answer).toEqual({
      client: "t1",
      topic: "$aws/things/t1/jobs/get/accepted",
      qos: 1,
      body: {
        inProgressJobs: [
          {
            jobId: "j1",
            queuedAt: EPOCH_S,
            startedAt: EPOCH_S + 60,
            lastUpdatedAt: EPOCH_S + 60,
            versionNumber: 2,
            executionNumber: 1,
          },
        ],
        queuedJobs: [
          {
            jobId: "j2",
            queuedAt: EPOCH_S + 60,
            lastUpdatedAt: EPOCH_S + 60,
            versionNumber: 1,
            executionNumber: 1,
          },
        ],
        timestamp: EPOCH_S + 60,
        clientToken: "abc",
      },
    });
  });

  it("takes an empty payload as {} and answers at QoS 0 to a request at QoS 0", () => {
    const answer = new JobsBench().request("t1", "get", "", 0);
    expect(answer.qos).toBe(0);
    expect(answer.body).toEqual({ inProgressJobs: [], queuedJobs: [], timestamp: EPOCH_S });
  });
});

describe("StartNextPendingJobExecution over MQTT", () => {
  it("starts the oldest queued execution with its document", () => {
    const bench = onOneThing();
    bench.create({ jobId: "j2" });
    expect(bench.startNext("t1", { statusDetails: { step: "download" } })).toEqual({
      jobId: "j1",
      thingName: "t1",
      status: "IN_PROGRESS",
      statusDetails: { step: "download" },
      queuedAt: EPOCH_S,
      startedAt: EPOCH_S,
      lastUpdatedAt: EPOCH_S,
      versionNumber: 2,
      executionNumber: 1,
      jobDocument: { operation: "ota" },
    });
  });

  it("returns an execution in progress unchanged", () => {
    const bench = onOneThing();
    bench.startNext("t1", { statusDetails: { step: "a" } });
    expect(bench.startNext("t1", { statusDetails: { step: "b" } })).toMatchObject({
      statusDetails: { step: "a" },
      versionNumber: 2,
    });
  });

  it("has no execution when the queue is empty", () => {
    const answer = new JobsBench().request("t1", "start-next");
    expect(answer.body).toEqual({ timestamp: EPOCH_S });
    expect(answer.topic).toBe("$aws/things/t1/jobs/start-next/accepted");
  });

  it("starts a step timer", () => {
    const bench = onOneThing();
    bench.startNext("t1", { stepTimeoutInMinutes: 3 });
    bench.time.advance(3 * MINUTE_US);
    expect(bench.jobs.progress("j1").counts.TIMED_OUT).toBe(1);
  });
});

describe("DescribeJobExecution over MQTT", () => {
  it("describes one job, or the next one, with or without the document", () => {
    const bench = onOneThing();
    const named = bench.request("t1", "j1/get").body["execution"];
    const next = bench.request("t1", "$next/get").body["execution"];
    const bare = bench.request("t1", "j1/get", { includeJobDocument: false, executionNumber: 1 });
    expect(named).toEqual(next);
    expect(named).toMatchObject({ jobId: "j1", status: "QUEUED", jobDocument: { operation: "ota" } });
    expect(bare.body["execution"]).not.toHaveProperty("jobDocument");
  });

  it("has no execution for $next when nothing is pending", () => {
    expect(new JobsBench().request("t1", "$next/get").body).toEqual({ timestamp: EPOCH_S });
  });

  it("refuses an execution that is over, and one that never was", () => {
    const bench = onOneThing();
    bench.finish("t1", "SUCCEEDED");
    expect(bench.request("t1", "j1/get").body).toMatchObject({ code: "TerminalStateReached" });
    expect(bench.request("t1", "j9/get").body).toMatchObject({ code: "ResourceNotFound" });
    expect(bench.request("t1", "j1/get", { executionNumber: 7 }).body).toMatchObject({
      code: "ResourceNotFound",
    });
  });
});

describe("UpdateJobExecution over MQTT", () => {
  it("answers with nearly nothing unless asked for more", () => {
    const bench = onOneThing();
    expect(bench.finish("t1", "IN_PROGRESS").body).toEqual({ timestamp: EPOCH_S });
    const answer = bench.request("t1", "j1/update", {
      status: "IN_PROGRESS",
      statusDetails: { progress: "50" },
      expectedVersion: "2",
      executionNumber: 1,
      includeJobExecutionState: true,
      includeJobDocument: true,
    });
    expect(answer.topic).toBe("$aws/things/t1/jobs/j1/update/accepted");
    expect(answer.body).toEqual({
      executionState: { status: "IN_PROGRESS", statusDetails: { progress: "50" }, versionNumber: 3 },
      jobDocument: { operation: "ota" },
      timestamp: EPOCH_S,
    });
  });

  it("keeps status details that an update does not name", () => {
    const bench = onOneThing();
    bench.startNext("t1", { statusDetails: { step: "a" } });
    const answer = bench.request("t1", "j1/update", { status: "SUCCEEDED", includeJobExecutionState: true });
    expect(answer.body["executionState"]).toMatchObject({ statusDetails: { step: "a" } });
  });

  it("refuses a stale version and shows the execution as it is (E9)", () => {
    const bench = onOneThing();
    bench.startNext("t1");
    const answer = bench.request("t1", "j1/update", {
      status: "SUCCEEDED",
      expectedVersion: 1,
      clientToken: "c",
    });
    expect(answer.topic).toBe("$aws/things/t1/jobs/j1/update/rejected");
    expect(answer.body).toEqual({
      code: "VersionMismatch",
      message: "Expected version 1, the execution has version 2.",
      executionState: { status: "IN_PROGRESS", statusDetails: {}, versionNumber: 2 },
      timestamp: EPOCH_S,
      clientToken: "c",
    });
  });

  it.each(["SUCCEEDED", "FAILED", "REJECTED"])("refuses every update after %s (E9)", (status) => {
    const bench = onOneThing();
    bench.finish("t1", status);
    for (const next of ["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"])
      expect(bench.finish("t1", next).body).toMatchObject({
        code: "InvalidStateTransition",
        executionState: { status, versionNumber: 2 },
      });
  });

  it("finds no execution for a thing the rollout has not reached", () => {
    const bench = new JobsBench({ all: things(2) });
    bench.create({ jobExecutionsRolloutConfig: { maximumPerMinute: 1 } });
    expect(bench.finish("t2", "SUCCEEDED").body).toMatchObject({ code: "ResourceNotFound" });
  });

  it("stores __proto__ as plain data", () => {
    const bench = onOneThing();
    bench.request("t1", "j1/update", '{"status":"FAILED","statusDetails":{"__proto__":"x"}}');
    expect(bench.jobEvents("job.execution").at(-1)?.statusDetails).toEqual(JSON.parse('{"__proto__":"x"}'));
    expect(Object.prototype).not.toHaveProperty("x");
  });
});

const many = (count: number, value: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]));

describe("requests that are refused", () => {
  it.each([
    ["j1/update", "{", "InvalidJson"],
    ["j1/update", "[]", "InvalidRequest"],
    ["get", { clientToken: "x".repeat(65) }, "InvalidRequest"],
    ["get", { clientToken: 5 }, "InvalidRequest"],
    ["j1/update", {}, "InvalidRequest"],
    ["j1/update", { status: "TIMED_OUT" }, "InvalidRequest"],
    ["j1/update", { status: "QUEUED" }, "InvalidRequest"],
    ["j1/update", { status: "FAILED", expectedVersion: "one" }, "InvalidRequest"],
    ["j1/update", { status: "FAILED", expectedVersion: -1 }, "InvalidRequest"],
    ["j1/update", { status: "FAILED", includeJobDocument: "yes" }, "InvalidRequest"],
    ["j1/update", { status: "FAILED", statusDetails: "x" }, "InvalidRequest"],
    ["j1/update", { status: "FAILED", statusDetails: many(11, "v") }, "InvalidRequest"],
    ["j1/update", { status: "FAILED", statusDetails: { "a b": "v" } }, "InvalidRequest"],
    ["j1/update", { status: "FAILED", statusDetails: { a: 1 } }, "InvalidRequest"],
    ["j1/update", { status: "FAILED", statusDetails: { a: "v".repeat(1025) } }, "InvalidRequest"],
    ["j1/update", { status: "IN_PROGRESS", stepTimeoutInMinutes: 0 }, "InvalidRequest"],
    ["j1/update", { status: "IN_PROGRESS", stepTimeoutInMinutes: 10_081 }, "InvalidRequest"],
    ["start-next", { stepTimeoutInMinutes: "1" }, "InvalidRequest"],
    ["start-next", { statusDetails: [] }, "InvalidRequest"],
    ["j1/get", { executionNumber: 1.5 }, "InvalidRequest"],
    ["j1/delete", {}, "InvalidTopic"],
    ["$next/update", { status: "FAILED" }, "InvalidTopic"],
  ])("%s with %j: %s", (path, body, code) => {
    const bench = onOneThing();
    const answer = bench.request("t1", path, body);
    expect(answer.topic).toBe(`$aws/things/t1/jobs/${path}/rejected`);
    expect(answer.body).toMatchObject({ code, timestamp: EPOCH_S });
    expect(answer.body["message"]).toEqual(expect.any(String));
    expect(bench.jobs.progress("j1").counts.QUEUED).toBe(1);
  });

  it("accepts ten status details of the greatest size", () => {
    const statusDetails = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`${i}`.padEnd(128, "k"), "v".repeat(1024)]),
    );
    const answer = onOneThing().request("t1", "j1/update", { status: "SUCCEEDED", statusDetails });
    expect(answer.topic).toMatch(/accepted$/);
  });
});

describe("routing", () => {
  it("consumes requests and what clients publish to answer topics, without a reply to the latter", () => {
    const bench = onOneThing();
    expect(bench.publishAs("t1", "$aws/things/t1/jobs/get", {})).toBe("consumed");
    expect(bench.publishAs("t1", "$aws/things/t1/jobs/get/accepted", {})).toBe("consumed");
    expect(bench.publishAs("t1", "$aws/things/t1/jobs/x/y/rejected", {})).toBe("consumed");
    expect(bench.publishAs("t1", "$aws/things/t1/jobs/notify", {})).toBe("consumed");
    expect(bench.sent).toHaveLength(1);
  });

  it("leaves the cloud's own notifications and foreign topics to the broker", () => {
    const bench = onOneThing();
    expect(bench.publishAs(undefined, "$aws/things/t1/jobs/notify", {})).toBe("broker");
    expect(bench.publishAs("t1", "sensors/t1", {})).toBe("broker");
  });

  it("carries out a rule's request although nobody waits for the answer", () => {
    const bench = onOneThing();
    bench.publishAs(undefined, "$aws/things/t1/jobs/start-next", {});
    expect(bench.sent).toHaveLength(0);
    expect(bench.jobs.progress("j1").counts.IN_PROGRESS).toBe(1);
  });
});

describe("job ids with dots", () => {
  it("are taken, although AWS refuses them, because version numbers are so common", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({ jobId: "fw-2.4.0" });
    bench.finish("t1", "SUCCEEDED", "fw-2.4.0");
    expect(bench.jobs.progress("fw-2.4.0").status).toBe("COMPLETED");
  });
});
