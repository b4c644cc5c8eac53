import { EXECUTION_STATUSES, type ExecutionStatus } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { type AbortCriterion, firstCriterionMet } from "../../broker/jobs/abort.js";
import {
  canTransition,
  type ExecutionActor,
  isExecuted,
  isPending,
} from "../../broker/jobs/execution-machine.js";
import { retryCriterion } from "../../broker/jobs/retry.js";
import { noTimers, setStepTimer, startTimers, timeoutDueUs } from "../../broker/jobs/timers.js";

const ALLOWED: ReadonlySet<string> = new Set([
  "device QUEUED IN_PROGRESS",
  "device QUEUED SUCCEEDED",
  "device QUEUED FAILED",
  "device QUEUED REJECTED",
  "device IN_PROGRESS IN_PROGRESS",
  "device IN_PROGRESS SUCCEEDED",
  "device IN_PROGRESS FAILED",
  "device IN_PROGRESS REJECTED",
  "service QUEUED CANCELED",
  "service QUEUED REMOVED",
  "service IN_PROGRESS TIMED_OUT",
  "service IN_PROGRESS CANCELED",
  "service IN_PROGRESS REMOVED",
]);

const matrix = (["device", "service"] as const).flatMap((actor: ExecutionActor) =>
  EXECUTION_STATUSES.flatMap((from) => EXECUTION_STATUSES.map((to) => ({ actor, from, to }))),
);

describe("execution machine (REF §6.4)", () => {
  it.each(matrix)("answers whether a $actor may move $from to $to", ({ actor, from, to }) => {
    expect(canTransition(actor, from, to)).toBe(ALLOWED.has(`${actor} ${from} ${to}`));
  });

  it("counts each status as pending, executed or ended by the service", () => {
    expect(EXECUTION_STATUSES.filter(isPending)).toEqual(["QUEUED", "IN_PROGRESS"]);
    expect(EXECUTION_STATUSES.filter(isExecuted)).toEqual(["SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED"]);
  });
});

const criterion = (
  failureType: AbortCriterion["failureType"],
  thresholdPercentage: number,
  minNumberOfExecutedThings: number,
): AbortCriterion => ({ failureType, action: "CANCEL", thresholdPercentage, minNumberOfExecutedThings });

const counters = (
  of: Partial<Record<"FAILED" | "REJECTED" | "TIMED_OUT" | "SUCCEEDED" | "notified", number>>,
) => ({
  FAILED: 0,
  REJECTED: 0,
  TIMED_OUT: 0,
  SUCCEEDED: 0,
  notified: 0,
  ...of,
});

const tenPercent = criterion("ALL", 10, 10);

describe("abort criteria (REF §6.3)", () => {
  it.each([
    ["one below the minimum", [tenPercent], { FAILED: 9 }, undefined],
    ["10 % of exactly 10, inclusive", [tenPercent], { FAILED: 1, SUCCEEDED: 9 }, 0],
    ["just under 10 %", [tenPercent], { FAILED: 1, SUCCEEDED: 10 }, undefined],
    [
      "ALL adds failed, rejected and timed out",
      [criterion("ALL", 30, 1)],
      { FAILED: 1, REJECTED: 1, TIMED_OUT: 1, SUCCEEDED: 7 },
      0,
    ],
    ["one type only", [criterion("TIMED_OUT", 10, 1)], { FAILED: 5, SUCCEEDED: 5 }, undefined],
    [
      "the first that holds, in list order",
      [criterion("REJECTED", 50, 1), criterion("FAILED", 1, 1), criterion("ALL", 1, 1)],
      { FAILED: 1, SUCCEEDED: 9 },
      1,
    ],
    ["two decimals, exactly", [criterion("FAILED", 0.07, 1)], { FAILED: 7, SUCCEEDED: 9993 }, 0],
    [
      "two decimals, one thing short",
      [criterion("FAILED", 0.07, 1)],
      { FAILED: 7, SUCCEEDED: 9994 },
      undefined,
    ],
    ["no criteria", [], { FAILED: 100 }, undefined],
  ])("judges %s", (_name, criteria, of, expected) => {
    expect(firstCriterionMet(criteria, counters(of), "executed")?.criterion).toBe(expected);
  });

  it("takes notified things as the base when told so", () => {
    const now = counters({ FAILED: 10, SUCCEEDED: 5, notified: 101 });
    expect(firstCriterionMet([tenPercent], now, "notified")).toBeUndefined();
    expect(firstCriterionMet([tenPercent], { ...now, notified: 100 }, "notified")).toEqual({
      criterion: 0,
      failed: 10,
      executed: 15,
    });
  });
});

const clockTime = (text: string): number => {
  const [hours, minutes] = text.split(":").map(Number);
  return (hours! * 60 + minutes!) * 60_000_000;
};

describe("execution timers (REF §6.4)", () => {
  it("ends the documented example at 12:20, not 12:22", () => {
    let timers = startTimers(20, clockTime("12:00"));
    expect(timeoutDueUs(timers)).toBe(clockTime("12:20"));
    for (const [step, at, due] of [
      [7, "12:05", "12:12"],
      [5, "12:10", "12:15"],
      [9, "12:13", "12:20"],
    ] as const) {
      timers = setStepTimer(timers, step, clockTime(at));
      expect(timeoutDueUs(timers)).toBe(clockTime(due));
    }
  });

  it("removes the step timer with -1 and leaves the in-progress timer", () => {
    const timers = setStepTimer(startTimers(20, 0), 5, 0);
    expect(timeoutDueUs(setStepTimer(timers, -1, 0))).toBe(clockTime("0:20"));
    expect(timeoutDueUs(setStepTimer(noTimers, 5, 0))).toBe(clockTime("0:05"));
    expect(timeoutDueUs(startTimers(undefined, 0))).toBeUndefined();
  });
});

describe("retries (REF §6.4)", () => {
  const failedTwice = { failureType: "FAILED", numberOfRetries: 2 } as const;
  const timedOutOnce = { failureType: "TIMED_OUT", numberOfRetries: 1 } as const;
  const allThrice = { failureType: "ALL", numberOfRetries: 3 } as const;

  it.each([
    ["a failure that has retries left", [failedTwice, timedOutOnce], [1], "FAILED", 0],
    ["a failure that has used them", [failedTwice, timedOutOnce], [2], "FAILED", undefined],
    ["a timeout by its own criterion", [failedTwice, timedOutOnce], [2], "TIMED_OUT", 1],
    ["either by ALL", [allThrice], [2], "TIMED_OUT", 0],
    ["by ALL when its own is used up", [failedTwice, allThrice], [2, 0], "FAILED", 1],
    ["nothing without criteria", [], [], "FAILED", undefined],
    ["no retry with zero", [{ failureType: "ALL", numberOfRetries: 0 } as const], [], "FAILED", undefined],
  ])("pays for %s", (_name, criteria, used, status, expected) => {
    expect(retryCriterion(criteria, used, status as ExecutionStatus)).toBe(expected);
  });

  it("never retries anything but FAILED and TIMED_OUT", () => {
    const retried = EXECUTION_STATUSES.filter((status) => retryCriterion([allThrice], [], status) === 0);
    expect(retried).toEqual(["FAILED", "TIMED_OUT"]);
  });
});
