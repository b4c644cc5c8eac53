import { describe, expect, it } from "vitest";
import type { SchedulingConfig } from "fleetrig/broker";
import { JobsBench, MINUTE_US, things } from "./bench.js";

/** Virtual time begins at 2026-01-01 00:00. */
const scheduled = (schedulingConfig: SchedulingConfig, count = 3): JobsBench => {
  const bench = new JobsBench({ all: things(count) });
  bench.create({ schedulingConfig, jobExecutionsRolloutConfig: { maximumPerMinute: 1 } });
  return bench;
};

describe("scheduled jobs (REF §6.1, E8)", () => {
  it("start at their time and reach nobody before", () => {
    const bench = scheduled({ startTime: "2026-01-01 00:31" });
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "SCHEDULED", notified: 0, waiting: 3 });
    bench.time.advance(31 * MINUTE_US - 1);
    expect(bench.jobs.progress("j1").status).toBe("SCHEDULED");
    bench.time.advance(1);
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "IN_PROGRESS", notified: 1 });
    expect(bench.jobEvents("job.status").map(({ status }) => status)).toEqual(["SCHEDULED", "IN_PROGRESS"]);
  });

  it.each([
    [{ startTime: "2026-01-01 00:10" }, "startTime must be at least 30 minutes from now"],
    [{ startTime: "2027-01-03 00:00" }, "startTime must be within a year"],
    [{ endTime: "2026-01-01 00:29" }, "endTime must be at least 30 minutes after the start"],
    [
      { startTime: "2026-01-02 00:00", endTime: "2026-01-02 00:29" },
      "endTime must be at least 30 minutes after the start",
    ],
    [{ endTime: "2028-01-05 00:00" }, "endTime must be within two years"],
  ])("refuse %j", (config, message) => {
    expect(() => scheduled(config)).toThrow(message);
  });

  it("let what has begun run to its end after STOP_ROLLOUT, then are complete", () => {
    const bench = scheduled({ endTime: "2026-01-01 00:30" }, 100);
    bench.time.advance(30 * MINUTE_US);
    const { notified } = bench.jobs.progress("j1");
    bench.time.advance(30 * MINUTE_US);
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "IN_PROGRESS", notified });
    for (let i = 1; i <= notified; i += 1) bench.finish(`t${i}`, "SUCCEEDED");
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "COMPLETED", waiting: 100 - notified });
  });

  it.each([
    ["CANCEL", { CANCELED: 2, IN_PROGRESS: 1 }],
    ["FORCE_CANCEL", { CANCELED: 3, IN_PROGRESS: 0 }],
  ] as const)("end with %s", (endBehavior, counts) => {
    const bench = scheduled({ endTime: "2026-01-01 00:30", endBehavior });
    bench.time.advance(5 * MINUTE_US);
    bench.startNext("t2");
    bench.time.advance(25 * MINUTE_US);
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "CANCELED", counts });
  });

  it("can be cancelled before they start", () => {
    const bench = scheduled({ startTime: "2026-01-01 01:00", endTime: "2026-01-01 02:00" });
    bench.jobs.cancelJob({ jobId: "j1" });
    expect(bench.time.heap.size).toBe(0);
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "CANCELED", notified: 0 });
  });

  it("give things that join a CONTINUOUS job before its start their turn in the rollout", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({
      targetSelection: "CONTINUOUS",
      schedulingConfig: { startTime: "2026-01-01 00:31", endTime: "2026-01-01 02:00" },
    });
    bench.change({ kind: "joined", target: "group:all", thing: "t2" });
    expect(bench.notifiedAtUs()).toEqual([]);
    bench.time.advance(32 * MINUTE_US);
    expect(bench.jobs.progress("j1").notified).toBe(2);
    bench.finish("t1", "SUCCEEDED");
    bench.finish("t2", "SUCCEEDED");
    bench.time.advance(90 * MINUTE_US);
    expect(bench.jobs.progress("j1").status).toBe("COMPLETED");
  });
});
