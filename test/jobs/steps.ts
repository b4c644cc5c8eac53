import fc from "fast-check";
import { expect } from "vitest";
import type { CreateJobRequest } from "fleetrig/broker";
import type { JobsBench } from "./bench.js";

/** What devices, operators and groups do to a job, at random. */
export const TARGETS = 25;

export type Step =
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "start"; readonly thing: number }
  | { readonly kind: "update"; readonly thing: number; readonly status: string; readonly step: number }
  | { readonly kind: "cancel-execution"; readonly thing: number; readonly force: boolean }
  | { readonly kind: "membership"; readonly thing: number; readonly change: "joined" | "left" | "deleted" }
  | { readonly kind: "cancel"; readonly force: boolean };

const thing = fc.integer({ min: 1, max: TARGETS + 3 });
export const step: fc.Arbitrary<Step> = fc.oneof(
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

export const jobConfig = fc.record({
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

export function take(bench: JobsBench, action: Step): void {
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
