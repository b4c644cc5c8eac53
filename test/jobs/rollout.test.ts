import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plannedRollout, rolloutPlan } from "fleetrig/broker";
import { isDue, paceAt, ratePerMinute, spend, startPace, untilDueUs } from "../../broker/jobs/rollout.js";
import { JobsBench, MINUTE_US, things } from "./bench.js";

const documented = rolloutPlan({
  maximumPerMinute: 1000,
  exponentialRate: {
    baseRatePerMinute: 50,
    incrementFactor: 2,
    rateIncreaseCriteria: { numberOfNotifiedThings: 1000 },
  },
});

describe("ratePerMinute", () => {
  it.each([
    [0, 50],
    [999, 50],
    [1000, 100],
    [1999, 100],
    [2000, 200],
    [3000, 400],
    [4000, 800],
    [5000, 1000],
    [1e9, 1000],
  ])("follows the documented table: %i notified things give %i per minute (REF §6.2)", (notified, rate) => {
    expect(ratePerMinute(documented, { notified, succeeded: 0 })).toBe(rate);
  });

  it("counts successes instead when the criterion says so", () => {
    const plan = rolloutPlan({
      maximumPerMinute: 10,
      exponentialRate: {
        baseRatePerMinute: 2,
        incrementFactor: 1.5,
        rateIncreaseCriteria: { numberOfSucceededThings: 5 },
      },
    });
    const rates = [0, 4, 5, 10, 15, 20, 25].map((succeeded) =>
      ratePerMinute(plan, { notified: 100, succeeded }),
    );
    expect(rates).toEqual([2, 2, 3, 4.5, 6.75, 10, 10]);
  });

  it("is 1000 per minute when the job names no rate", () => {
    expect(ratePerMinute(rolloutPlan(undefined), { notified: 0, succeeded: 0 })).toBe(1000);
  });
});

describe("plannedRollout", () => {
  it("changes its rate at 1000, 2000 and 3000 notified things (REF §6.2)", () => {
    expect(plannedRollout(documented, 3400)).toEqual([
      { atS: 0, notified: 0, ratePerMinute: 50 },
      { atS: 1200, notified: 1000, ratePerMinute: 100 },
      { atS: 1800, notified: 2000, ratePerMinute: 200 },
      { atS: 2100, notified: 3000, ratePerMinute: 400 },
      { atS: 2160, notified: 3400, ratePerMinute: 0 },
    ]);
  });

  it("is one straight line at a constant rate", () => {
    expect(plannedRollout(rolloutPlan({ maximumPerMinute: 60 }), 120)).toEqual([
      { atS: 0, notified: 0, ratePerMinute: 60 },
      { atS: 120, notified: 120, ratePerMinute: 0 },
    ]);
  });

  it("has only an end when there is nobody to reach", () => {
    expect(plannedRollout(documented, 0)).toEqual([{ atS: 0, notified: 0, ratePerMinute: 0 }]);
  });
});

describe("pace", () => {
  it("never earns more than one execution, however long it waited", () => {
    const late = paceAt(startPace(100, 0), 3_600 * 1e6, 100);
    expect(isDue(late)).toBe(true);
    expect(isDue(spend(late))).toBe(false);
    expect(untilDueUs(late)).toBe(0);
  });

  it("keeps what was earned at the old rate when the rate changes", () => {
    const halfway = paceAt(spend(startPace(1, 0)), 30e6, 10);
    expect(halfway.credit).toBeCloseTo(0.5);
    expect(untilDueUs(halfway)).toBe(3e6);
  });

  it("never puts more than the rate, rounded up, into any minute", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1000, noNaN: true }), (rate) => {
        let pace = startPace(rate, 0);
        const at: number[] = [];
        for (let nowUs = 0; at.length < 1200; ) {
          pace = paceAt(pace, nowUs, rate);
          if (isDue(pace)) {
            at.push(nowUs);
            pace = spend(pace);
          }
          nowUs += untilDueUs(pace);
        }
        const limit = Math.ceil(rate);
        for (let i = 0; i + limit < at.length; i += 1)
          expect(at[i + limit]! - at[i]!).toBeGreaterThanOrEqual(MINUTE_US - 1);
      }),
      { numRuns: 50 },
    );
  });
});

describe("rollout of a job", () => {
  it("spreads a constant rate evenly, the first execution at once", () => {
    const bench = new JobsBench({ all: things(20) });
    bench.create({ jobExecutionsRolloutConfig: { maximumPerMinute: 10 } });
    bench.time.advance(MINUTE_US - 1);
    expect(bench.notifiedAtUs()).toEqual(Array.from({ length: 10 }, (_, i) => i * 6e6));
    bench.time.advance(10 * MINUTE_US);
    expect(bench.notifiedAtUs()).toHaveLength(20);
    expect(bench.time.heap.size).toBe(0);
  });

  it("reaches targets in the order of the request and the registry", () => {
    const bench = new JobsBench({ a: ["t9", "t3"], b: ["t3", "t1"] });
    bench.create({ targets: ["group:b", "t5", "arn:aws:iot:eu-west-1:1:thinggroup/a"] });
    bench.time.advance(MINUTE_US);
    expect(bench.jobEvents("job.notified").map((event) => event.thing)).toEqual(["t3", "t1", "t5", "t9"]);
  });

  it("follows the documented exponential curve in virtual time", () => {
    const bench = new JobsBench({ all: things(3400) });
    bench.create({
      jobExecutionsRolloutConfig: {
        maximumPerMinute: 1000,
        exponentialRate: {
          baseRatePerMinute: 50,
          incrementFactor: 2,
          rateIncreaseCriteria: { numberOfNotifiedThings: 1000 },
        },
      },
    });
    bench.time.advance(40 * MINUTE_US);
    const at = bench.notifiedAtUs();
    const perMinute = Array.from(
      { length: 37 },
      (_, minute) => at.filter((us) => Math.floor(us / MINUTE_US) === minute).length,
    );
    expect(perMinute.slice(0, 19)).toEqual(Array.from({ length: 19 }, () => 50));
    expect(perMinute.slice(21, 29)).toEqual(Array.from({ length: 8 }, () => 100));
    expect(perMinute.slice(31, 34)).toEqual([200, 200, 200]);
    expect(at).toHaveLength(3400);
  });

  it("speeds up when things succeed", () => {
    const bench = new JobsBench({ all: things(30) });
    bench.create({
      jobExecutionsRolloutConfig: {
        maximumPerMinute: 10,
        exponentialRate: {
          baseRatePerMinute: 2,
          incrementFactor: 2,
          rateIncreaseCriteria: { numberOfSucceededThings: 2 },
        },
      },
    });
    bench.time.advance(MINUTE_US - 1);
    expect(bench.notifiedAtUs()).toEqual([0, 30e6]);
    bench.finish("t1", "SUCCEEDED");
    bench.finish("t2", "SUCCEEDED");
    bench.time.advance(MINUTE_US);
    expect(bench.notifiedAtUs().slice(2)).toEqual([60e6, 75e6, 90e6, 105e6]);
  });

  it("counts things that are offline as notified and keeps their job (E14)", () => {
    const bench = new JobsBench({ all: things(3) });
    bench.create();
    bench.time.advance(24 * 60 * MINUTE_US);
    expect(bench.jobs.progress("j1")).toMatchObject({ notified: 3, counts: { QUEUED: 3 } });
    expect(bench.startNext("t3")).toMatchObject({ jobId: "j1", status: "IN_PROGRESS" });
  });

  it("changes speed with UpdateJob", () => {
    const bench = new JobsBench({ all: things(30) });
    bench.create({ jobExecutionsRolloutConfig: { maximumPerMinute: 1 } });
    bench.jobs.updateJob({ jobId: "j1", jobExecutionsRolloutConfig: { maximumPerMinute: 10 } });
    bench.time.advance(MINUTE_US - 1);
    expect(bench.notifiedAtUs()).toHaveLength(10);
  });
});
