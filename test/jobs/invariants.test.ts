import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobEvent } from "fleetrig/kernel";
import type { CreateJobRequest } from "fleetrig/broker";
import { canTransition } from "../../broker/jobs/execution-machine.js";
import { JobsBench, MINUTE_US, things } from "./bench.js";

const TARGETS = 25;

type Step =
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "start"; readonly thing: number }
  | { readonly kind: "update"; readonly thing: number; readonly status: string; readonly step: number }
  | { readonly kind: "cancel-execution"; readonly thing: number; readonly force: boolean }
  | { readonly kind: "membership"; readonly thing: number; readonly change: "joined" | "left" | "deleted" }
  | { readonly kind: "cancel"; readonly force: boolean };

const thing = fc.integer({ min: 1, max: TARGETS + 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("wait"), seconds: fc.integer({ min: 1, max: 90 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("start"), thing }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("update"),
      thing,
      status: fc.constantFrom("IN_PROGRESS", "SUCCEEDED", "SUCCEEDED", "FAILED", "REJECTED"),
      step: fc.constantFrom(-1, 1, 2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("cancel-execution"), thing, force: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("membership"),
      thing,
      change: fc.constantFrom("joined", "left", "deleted"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel"), force: fc.boolean() }) },
) as fc.Arbitrary<Step>;

const request = fc.record({
  targetSelection: fc.constantFrom("SNAPSHOT", "CONTINUOUS"),
  jobExecutionsRolloutConfig: fc.record({
    maximumPerMinute: fc.integer({ min: 1, max: 30 }),
    exponentialRate: fc.constantFrom(
      { baseRatePerMinute: 2, incrementFactor: 1.5, rateIncreaseCriteria: { numberOfNotifiedThings: 3 } },
      { baseRatePerMinute: 5, incrementFactor: 3, rateIncreaseCriteria: { numberOfSucceededThings: 2 } },
    ),
  }),
  abortConfig: fc.record({
    criteriaList: fc.tuple(
      fc.record({
        failureType: fc.constantFrom("FAILED", "REJECTED", "TIMED_OUT", "ALL"),
        action: fc.constant("CANCEL"),
        thresholdPercentage: fc.constantFrom(10, 50, 99.99),
        minNumberOfExecutedThings: fc.integer({ min: 1, max: 10 }),
      }),
    ),
  }),
  timeoutConfig: fc.record({ inProgressTimeoutInMinutes: fc.integer({ min: 1, max: 3 }) }),
  jobExecutionsRetryConfig: fc.record({
    criteriaList: fc.tuple(
      fc.record({
        failureType: fc.constantFrom("FAILED", "TIMED_OUT", "ALL"),
        numberOfRetries: fc.integer({ min: 0, max: 3 }),
      }),
    ),
  }),
}) as fc.Arbitrary<Partial<CreateJobRequest>>;

function take(bench: JobsBench, action: Step): void {
  switch (action.kind) {
    case "wait":
      return bench.time.advance(action.seconds * 1e6);
    case "start":
      return void bench.startNext(`t${action.thing}`);
    case "update": {
      const { status, step: stepTimeoutInMinutes } = action;
      return void bench.request(`t${action.thing}`, "j1/update", { status, stepTimeoutInMinutes });
    }
    case "membership": {
      const { change, thing } = action;
      if (change === "deleted") return bench.change({ kind: change, thing: `t${thing}` });
      return bench.change({ kind: change, target: "group:all", thing: `t${thing}` });
    }
    case "cancel-execution":
    case "cancel":
      return control(bench, action);
  }
}

/** Operators may ask for what is not possible; the refusal is not what is tested here. */
function control(bench: JobsBench, action: Extract<Step, { kind: "cancel" | "cancel-execution" }>): void {
  const { force } = action;
  try {
    if (action.kind === "cancel") bench.jobs.cancelJob({ jobId: "j1", force });
    else bench.jobs.cancelJobExecution({ jobId: "j1", thingName: `t${action.thing}`, force });
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^CLOUD_/) });
  }
}

function expectCountsAddUp(bench: JobsBench): void {
  const { targets, waiting, counts } = bench.jobs.progress("j1");
  const counted = Object.values(counts).reduce((sum, count) => sum + count, waiting);
  expect(counted).toBe(targets);
  expect(Math.min(waiting, ...Object.values(counts))).toBeGreaterThanOrEqual(0);
}

/** Replays the events as an independent bookkeeper would. */
function expectLegalHistory(events: readonly JobEvent[]): void {
  const current = new Map<string, string>();
  let isOver = false;
  for (const event of events) {
    if (event.type === "job.status") isOver ||= event.status === "CANCELED" || event.status === "COMPLETED";
    if (event.type === "job.notified") expect(isOver).toBe(false);
    if (event.type !== "job.execution") continue;
    const key = `${event.thing} ${event.executionNumber}`;
    expect(current.get(key)).toBe(event.from);
    current.set(key, event.status);
    if (event.from === undefined) {
      expect(isOver).toBe(false);
      expect(event.status).toBe("QUEUED");
    } else {
      const actors = (["device", "service"] as const).filter((actor) =>
        canTransition(actor, event.from!, event.status),
      );
      expect(actors).not.toEqual([]);
    }
  }
}

describe("jobs under random devices, operators and groups", () => {
  it("never reach an illegal state, never lose count, and notify nobody after the end", () => {
    fc.assert(
      fc.property(request, fc.array(step, { maxLength: 120 }), (config, steps) => {
        const bench = new JobsBench({ all: things(TARGETS) });
        bench.create(config);
        for (const action of steps) {
          take(bench, action);
          expectCountsAddUp(bench);
        }
        bench.time.advance(60 * MINUTE_US);
        expectCountsAddUp(bench);
        expectLegalHistory(bench.events as JobEvent[]);
        if (bench.jobs.progress("j1").counts.IN_PROGRESS === 0) expect(bench.time.heap.size).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it("never notify more things of a SNAPSHOT job in any minute than its greatest rate", () => {
    fc.assert(
      fc.property(request, fc.array(step, { maxLength: 60 }), (config, steps) => {
        const bench = new JobsBench({ all: things(TARGETS) });
        bench.create({ ...config, targetSelection: "SNAPSHOT" });
        for (const action of steps) take(bench, action);
        bench.time.advance(60 * MINUTE_US);
        const most = config.jobExecutionsRolloutConfig!.maximumPerMinute!;
        const at = bench.notifiedAtUs();
        for (let i = 0; i + most < at.length; i += 1)
          expect(at[i + most]! - at[i]!).toBeGreaterThanOrEqual(MINUTE_US - 1);
      }),
      { numRuns: 100 },
    );
  });
});
