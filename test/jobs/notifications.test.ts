import { describe, expect, it } from "vitest";
import { EPOCH_S, JobsBench, MINUTE_US } from "./bench.js";

const NOTIFY = "$aws/things/t1/jobs/notify";
const NEXT = "$aws/things/t1/jobs/notify-next";

const topics = (bench: JobsBench) => bench.takeSent().map(({ topic }) => topic);

describe("job notifications (REF §6.6)", () => {
  it("tells of a new execution and that it is the next one", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create();
    expect(bench.takeSent()).toEqual([
      {
        client: undefined,
        topic: NOTIFY,
        qos: 1,
        body: {
          timestamp: EPOCH_S,
          jobs: {
            QUEUED: [
              {
                jobId: "j1",
                queuedAt: EPOCH_S,
                lastUpdatedAt: EPOCH_S,
                versionNumber: 1,
                executionNumber: 1,
              },
            ],
          },
        },
      },
      {
        client: undefined,
        topic: NEXT,
        qos: 1,
        body: {
          timestamp: EPOCH_S,
          execution: {
            jobId: "j1",
            status: "QUEUED",
            queuedAt: EPOCH_S,
            lastUpdatedAt: EPOCH_S,
            versionNumber: 1,
            executionNumber: 1,
            jobDocument: { operation: "ota" },
          },
        },
      },
    ]);
  });

  it("says nothing when an execution merely starts", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create();
    bench.takeSent();
    bench.startNext("t1");
    expect(topics(bench)).toEqual(["$aws/things/t1/jobs/start-next/accepted"]);
  });

  it("answers first, then tells that nothing is left (E3)", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create();
    bench.takeSent();
    bench.finish("t1", "SUCCEEDED");
    expect(bench.takeSent()).toEqual([
      {
        client: "t1",
        topic: "$aws/things/t1/jobs/j1/update/accepted",
        qos: 1,
        body: { timestamp: EPOCH_S },
      },
      { client: undefined, topic: NOTIFY, qos: 1, body: { timestamp: EPOCH_S, jobs: {} } },
      { client: undefined, topic: NEXT, qos: 1, body: { timestamp: EPOCH_S } },
    ]);
  });

  it("tells of a second job without a new next one, which follows when the first is over", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create();
    bench.takeSent();
    bench.create({ jobId: "j2" });
    expect(topics(bench)).toEqual([NOTIFY]);
    bench.finish("t1", "FAILED");
    expect(bench.takeSent().at(-1)).toMatchObject({ topic: NEXT, body: { execution: { jobId: "j2" } } });
  });

  it("tells of a new next one when the device starts a later job, and lists it first", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create();
    bench.time.advance(MINUTE_US);
    bench.create({ jobId: "j2" });
    bench.takeSent();
    bench.finish("t1", "IN_PROGRESS", "j2");
    expect(topics(bench)).toEqual(["$aws/things/t1/jobs/j2/update/accepted", NEXT]);
    bench.create({ jobId: "j3" });
    expect(bench.takeSent()[0]).toMatchObject({
      body: { jobs: { IN_PROGRESS: [{ jobId: "j2" }], QUEUED: [{ jobId: "j1" }, { jobId: "j3" }] } },
    });
  });

  it("makes one message of a failed attempt and its retry", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: "FAILED", numberOfRetries: 1 }] },
    });
    bench.takeSent();
    bench.finish("t1", "FAILED");
    expect(topics(bench)).toEqual(["$aws/things/t1/jobs/j1/update/accepted", NOTIFY, NEXT]);
  });

  it("lists at most ten executions", () => {
    const bench = new JobsBench({ all: ["t1"] });
    for (let i = 1; i <= 12; i += 1) bench.create({ jobId: `j${i}` });
    const { body } = bench.takeSent().at(-1)!;
    expect((body["jobs"] as { QUEUED: unknown[] }).QUEUED).toHaveLength(10);
  });

  it("builds nothing that nobody would get", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.deaf.add(NOTIFY).add(NEXT);
    bench.create();
    expect(bench.sent).toEqual([]);
    expect(bench.jobEvents("job.notified")).toHaveLength(1);
  });
});
