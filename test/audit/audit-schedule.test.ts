import { type AuditSchedule, nextAuditMs } from "fleetrig/broker";
import { formatWallTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

/** Milliseconds since 1970 of a day. */
const at = (day: string): number => Date.parse(`${day}T00:00:00Z`);

function days(schedule: AuditSchedule, from: string, count: number): readonly string[] {
  const found: string[] = [];
  let lastMs: number | undefined;
  let nowMs = at(from) + 3_600_000;
  while (found.length < count) {
    nowMs = nextAuditMs(schedule, nowMs, lastMs);
    lastMs = nowMs;
    expect(formatWallTime(nowMs)).toContain("T00:00:00.000Z");
    found.push(formatWallTime(nowMs).slice(0, 10));
  }
  return found;
}

describe("the calendar of audits", () => {
  it.each<[AuditSchedule, string, readonly string[]]>([
    [{ frequency: "DAILY" }, "2026-02-27", ["2026-02-28", "2026-03-01", "2026-03-02"]],
    // 1 January 2026 is a Thursday.
    [{ frequency: "WEEKLY", dayOfWeek: "THU" }, "2026-01-01", ["2026-01-08", "2026-01-15"]],
    [{ frequency: "WEEKLY", dayOfWeek: "SUN" }, "2026-01-01", ["2026-01-04", "2026-01-11"]],
    [{ frequency: "BIWEEKLY", dayOfWeek: "SUN" }, "2026-01-01", ["2026-01-04", "2026-01-18", "2026-02-01"]],
    [{ frequency: "MONTHLY", dayOfMonth: "1" }, "2026-01-01", ["2026-02-01", "2026-03-01"]],
    [
      { frequency: "MONTHLY", dayOfMonth: "31" },
      "2026-01-01",
      ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
    ],
    [{ frequency: "MONTHLY", dayOfMonth: "LAST" }, "2028-01-31", ["2028-02-29", "2028-03-31"]],
  ])("has %j after %s on %j", (schedule, from, expected) => {
    expect(days(schedule, from, expected.length)).toEqual(expected);
  });
});
