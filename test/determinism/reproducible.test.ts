import type { RunRecord } from "fleetrig/reports";
import { runScenarioFile } from "fleetrig/testing";
import { beforeAll, describe, expect, it } from "vitest";
import type { PlannedFleet } from "../../scenarios/runner/fleet-plan.js";
import { reproducibleBytes, runTextOf } from "./run-text.js";

const everything = "test/determinism/everything.yaml";

/** The same devices with the same ordinals, made last to first. */
const reversed = (planned: PlannedFleet): PlannedFleet => ({
  ...planned,
  plan: {
    groups: planned.plan.groups
      .map((group) => ({ ...group, members: group.members.toReversed() }))
      .toReversed(),
  },
});

describe("a virtual run", () => {
  let first: RunRecord;

  beforeAll(async () => {
    first = await runScenarioFile(everything);
  });

  it("gives the same fingerprint and, but for the environment, the same bytes every time", async () => {
    const second = await runScenarioFile(everything);
    expect(first.verdict).toBe("passed");
    expect(first.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(second.fingerprint).toBe(first.fingerprint);
    expect(reproducibleBytes(second)).toBe(reproducibleBytes(first));
  });

  it("gives another fingerprint for another seed", async () => {
    const other = await runScenarioFile(everything, { seed: 7 });
    expect(other.verdict).toBe("passed");
    expect(other.fingerprint).not.toBe(first.fingerprint);
  });

  it("does not depend on the order in which devices are made", async () => {
    const straight = await runTextOf(everything);
    const backwards = await runTextOf(everything, { planned: reversed });
    expect(straight.fingerprint).toBe(first.fingerprint);
    expect(backwards.fingerprint).toBe(first.fingerprint);
    expect(sortedMetrics(backwards)).toEqual(sortedMetrics(straight));
  });

  it("does not depend on the time zone or the locale", async () => {
    const { TZ, LC_ALL } = process.env;
    try {
      Object.assign(process.env, { TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8" });
      expect(reproducibleBytes(await runScenarioFile(everything))).toBe(reproducibleBytes(first));
    } finally {
      restore("TZ", TZ);
      restore("LC_ALL", LC_ALL);
    }
  });

  it("does not depend on how often the host looks at it", async () => {
    const looks: number[] = [];
    const watched = await runTextOf(everything, { progress: ({ published }) => looks.push(published) });
    expect(looks.length).toBeGreaterThan(0);
    expect(watched.fingerprint).toBe(first.fingerprint);
  });

  it("is not disturbed by another run beside it", async () => {
    const both = await Promise.all([runScenarioFile(everything), runScenarioFile(everything, { seed: 7 })]);
    expect(both[0].fingerprint).toBe(first.fingerprint);
  });
});

/** Groups are listed in the order of the plan, so the rows come in another one. */
const sortedMetrics = ({ metrics }: RunRecord): string[] => metrics.map((row) => JSON.stringify(row)).sort();

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}
