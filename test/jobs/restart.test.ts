import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CreateJobRequest } from "fleetrig/broker";
import { EPOCH_S, JobsBench, MINUTE_US, things } from "./bench.js";
import { jobConfig, step, take, TARGETS } from "./steps.js";

/** Everything that can be seen of the jobs from outside. */
function seen({ jobs }: JobsBench): unknown {
  const list = jobs.listJobs().jobs.map(({ jobId }) => jobId as string);
  return list.map((jobId) => ({
    job: jobs.describeJob({ jobId }),
    document: jobs.getJobDocument({ jobId }),
    progress: jobs.progress(jobId),
    executions: jobs.listJobExecutionsForJob({ jobId }),
    details: things(TARGETS).map((thingName) => jobs.listJobExecutionsForThing({ thingName })),
  }));
}

describe("a restart in the middle of jobs", () => {
  it("changes nothing: every history goes on as it would have without", () => {
    fc.assert(
      fc.property(
        jobConfig,
        fc.array(step, { maxLength: 50 }),
        fc.array(fc.nat(50), { minLength: 1, maxLength: 3 }),
        (config, steps, restarts) => {
          const [calm, restarted] = [
            new JobsBench({ all: things(TARGETS) }),
            new JobsBench({ all: things(TARGETS) }),
          ];
          for (const bench of [calm, restarted]) bench.create(config);
          for (const [index, action] of steps.entries()) {
            take(calm, action);
            if (restarts.includes(index)) restarted.restart();
            take(restarted, action);
            expect(seen(restarted)).toEqual(seen(calm));
          }
          restarted.restart();
          for (const bench of [calm, restarted]) bench.time.advance(60 * MINUTE_US);
          expect(seen(restarted)).toEqual(seen(calm));
          expect(restarted.sent).toEqual(calm.sent);
          expect(restarted.events).toEqual(calm.events);
        },
      ),
      { numRuns: 200 },
    );
  });

  const create = (extras: Partial<CreateJobRequest> = {}): JobsBench => {
    const bench = new JobsBench({ all: things(10) }, { jobEvents: true });
    bench.create({ jobExecutionsRolloutConfig: { maximumPerMinute: 1 }, ...extras });
    return bench;
  };

  it("neither notifies a thing twice nor catches up in a burst after a long absence", () => {
    const bench = create();
    bench.time.advance(2.5 * MINUTE_US);
    expect(bench.notifiedAtUs()).toHaveLength(3);
    bench.restart(100 * MINUTE_US);
    bench.time.advance(1);
    expect(bench.notifiedAtUs()).toHaveLength(4);
    bench.time.advance(MINUTE_US);
    expect(bench.notifiedAtUs()).toHaveLength(5);
  });

  it("times out what fell due while nobody was there, and starts and ends what should have", () => {
    const bench = create({ timeoutConfig: { inProgressTimeoutInMinutes: 5 } });
    bench.startNext("t1");
    const at = (minutes: number): string =>
      new Date((EPOCH_S + minutes * 60) * 1000).toISOString().slice(0, 16);
    bench.create({
      jobId: "later",
      schedulingConfig: { startTime: at(40), endTime: at(80), endBehavior: "CANCEL" },
    });
    bench.restart(60 * MINUTE_US);
    bench.time.advance(1);
    expect(bench.jobs.describeJobExecution({ jobId: "j1", thingName: "t1" })).toMatchObject({
      execution: { status: "TIMED_OUT" },
    });
    expect(bench.jobs.progress("later").status).toBe("IN_PROGRESS");
    bench.restart(60 * MINUTE_US);
    bench.time.advance(1);
    expect(bench.jobs.progress("later").status).toBe("CANCELED");
  });

  it("keeps deletions, earlier attempts, and the numbers of events", () => {
    const retry = { criteriaList: [{ failureType: "FAILED" as const, numberOfRetries: 2 }] };
    const bench = create({ jobExecutionsRetryConfig: retry });
    bench.finish("t1", "FAILED");
    bench.create({ jobId: "gone" });
    bench.jobs.cancelJob({ jobId: "gone" });
    bench.restart();
    bench.jobs.deleteJob({ jobId: "gone" });
    bench.restart();
    expect(bench.jobs.has("gone")).toBe(false);
    const first = bench.jobs.describeJobExecution({ jobId: "j1", thingName: "t1", executionNumber: 1 });
    expect(first).toMatchObject({ execution: { status: "FAILED" } });
    bench.finish("t1", "FAILED");
    expect(bench.jobs.describeJobExecution({ jobId: "j1", thingName: "t1" })).toMatchObject({
      execution: { executionNumber: 3, status: "QUEUED" },
    });
    bench.jobs.cancelJob({ jobId: "j1" });
    const ids = bench.sent.flatMap(({ body }) => (body["eventType"] === "JOB" ? [body["eventId"]] : []));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(4);
  });
});
