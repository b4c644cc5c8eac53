import { describe, expect, it } from "vitest";
import { targetName } from "fleetrig/broker";
import { JobsBench, MINUTE_US, things } from "./bench.js";

describe("targetName", () => {
  it.each([
    ["t1", "t1"],
    ["group:all", "group:all"],
    ["arn:aws:iot:eu-west-1:123456789012:thing/t1", "t1"],
    ["arn:aws-cn:iot:cn-north-1:123456789012:thinggroup/all", "group:all"],
    ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket"],
  ])("reads %s as %s", (target, name) => {
    expect(targetName(target)).toBe(name);
  });
});

const join = (bench: JobsBench, thing: string, target = "group:all") =>
  bench.change({ kind: "joined", target, thing });
const leave = (bench: JobsBench, thing: string, target = "group:all") =>
  bench.change({ kind: "left", target, thing });

describe("a SNAPSHOT job", () => {
  it("ignores things that come and go later (E2)", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create();
    join(bench, "t2");
    leave(bench, "t1");
    expect(bench.jobs.progress("j1")).toMatchObject({ targets: 1, counts: { QUEUED: 1 } });
  });

  it("removes the execution of a deleted thing, and one that was still waiting from its targets", () => {
    const bench = new JobsBench({ all: things(3) });
    bench.create({ jobExecutionsRolloutConfig: { maximumPerMinute: 1 } });
    bench.change({ kind: "deleted", thing: "t1" });
    bench.change({ kind: "deleted", thing: "t2" });
    expect(bench.jobs.progress("j1")).toMatchObject({ targets: 2, waiting: 1, counts: { REMOVED: 1 } });
    bench.time.advance(MINUTE_US);
    expect(bench.jobEvents("job.notified").map(({ thing }) => thing)).toEqual(["t1", "t3"]);
    bench.finish("t3", "SUCCEEDED");
    expect(bench.jobs.progress("j1").status).toBe("COMPLETED");
    bench.change({ kind: "deleted", thing: "t3" });
    expect(bench.jobs.progress("j1").counts.SUCCEEDED).toBe(1);
  });
});

describe("a CONTINUOUS job", () => {
  const continuous = (groups: Record<string, readonly string[]>, targets = ["group:all"]) => {
    const bench = new JobsBench(groups);
    bench.create({
      targets,
      targetSelection: "CONTINUOUS",
      jobExecutionsRolloutConfig: { maximumPerMinute: 1 },
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: "FAILED", numberOfRetries: 1 }] },
    });
    return bench;
  };

  it("gives things that join later an execution at once, whatever the rate (E2)", () => {
    const bench = continuous({ all: things(3) });
    join(bench, "t8");
    join(bench, "t9");
    expect(bench.jobEvents("job.notified").map(({ thing }) => thing)).toEqual(["t1", "t8", "t9"]);
    bench.time.advance(3 * MINUTE_US);
    expect(bench.jobs.progress("j1")).toMatchObject({ targets: 5, notified: 5, waiting: 0 });
  });

  it("never completes by itself", () => {
    const bench = continuous({ all: ["t1"] });
    bench.finish("t1", "SUCCEEDED");
    expect(bench.jobs.progress("j1").status).toBe("IN_PROGRESS");
  });

  it("removes the execution of a thing that leaves, and tells it", () => {
    const bench = continuous({ all: ["t1"] });
    bench.takeSent();
    leave(bench, "t1");
    leave(bench, "t1");
    leave(bench, "t7");
    expect(bench.jobs.progress("j1").counts.REMOVED).toBe(1);
    expect(bench.takeSent().map(({ topic }) => topic)).toEqual([
      "$aws/things/t1/jobs/notify",
      "$aws/things/t1/jobs/notify-next",
    ]);
  });

  it("starts over with fresh retries when a thing comes back (REF §6.4)", () => {
    const bench = continuous({ all: ["t1"] });
    bench.finish("t1", "FAILED");
    bench.finish("t1", "FAILED");
    expect(bench.jobs.progress("j1").counts.FAILED).toBe(1);
    leave(bench, "t1");
    join(bench, "t1");
    expect(bench.startNext("t1")).toMatchObject({ executionNumber: 3 });
    bench.finish("t1", "FAILED");
    expect(bench.startNext("t1")).toMatchObject({ executionNumber: 4 });
  });

  it("leaves what has succeeded alone when the thing comes back", () => {
    const bench = continuous({ all: ["t1"] });
    bench.finish("t1", "SUCCEEDED");
    leave(bench, "t1");
    join(bench, "t1");
    expect(bench.startNext("t1")).toBeUndefined();
  });

  it("keeps a thing as long as any target contains it", () => {
    const bench = continuous({ a: ["t1"], b: ["t1"] }, ["group:a", "group:b"]);
    leave(bench, "t1", "group:a");
    expect(bench.jobs.progress("j1").counts.QUEUED).toBe(1);
    join(bench, "t1", "group:a");
    leave(bench, "t1", "group:b");
    expect(bench.jobs.progress("j1").counts.QUEUED).toBe(1);
    leave(bench, "t1", "group:a");
    expect(bench.jobs.progress("j1").counts.REMOVED).toBe(1);
  });

  it("forgets a thing that leaves before its turn and may come back", () => {
    const bench = continuous({ all: things(2) });
    leave(bench, "t2");
    expect(bench.jobs.progress("j1")).toMatchObject({ targets: 1, waiting: 0 });
    join(bench, "t2");
    bench.time.advance(MINUTE_US);
    expect(bench.jobs.progress("j1")).toMatchObject({ targets: 2, notified: 2, waiting: 0 });
  });

  it("takes nobody in once it is cancelled or deleted", () => {
    const bench = continuous({ all: ["t1"] });
    bench.jobs.cancelJob({ jobId: "j1" });
    join(bench, "t2");
    expect(bench.jobs.progress("j1").targets).toBe(1);
    bench.jobs.deleteJob({ jobId: "j1" });
    join(bench, "t2");
    expect(bench.jobs.listJobExecutionsForThing({ thingName: "t2" }).executionSummaries).toEqual([]);
  });
});
