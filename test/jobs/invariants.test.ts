import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobEvent } from "fleetrig/kernel";
import { canTransition } from "../../broker/jobs/execution-machine.js";
import { JobsBench, MINUTE_US, things } from "./bench.js";
import { jobConfig, step, take, TARGETS } from "./steps.js";

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
      fc.property(jobConfig, fc.array(step, { maxLength: 120 }), (config, steps) => {
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
      fc.property(jobConfig, fc.array(step, { maxLength: 60 }), (config, steps) => {
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
