import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readWindow, type WindowSchedule, windowState } from "../../broker/jobs/maintenance-window.js";
import { JobsBench, MINUTE_US, things } from "./bench.js";

const window = (startTime: string, durationInMinutes = 60): WindowSchedule => {
  const read = readWindow({ startTime, durationInMinutes });
  if (read === undefined) throw new Error(`cannot read ${startTime}`);
  return read;
};

const at = (text: string): number => Date.parse(`${text}Z`);
const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);

describe("maintenance windows", () => {
  it.each([
    ["cron(0 18 * * ? *)", "2026-01-01T17:59", false, "2026-01-01T18:00"],
    ["cron(0 18 * * ? *)", "2026-01-01T18:00", true, "2026-01-01T19:00"],
    ["cron(0 18 * * ? *)", "2026-01-01T18:59", true, "2026-01-01T19:00"],
    ["cron(0 18 * * ? *)", "2026-01-01T19:00", false, "2026-01-02T18:00"],
    ["30 23 * * ? *", "2026-01-02T00:15", true, "2026-01-02T00:30"],
    ["0 9 ? * MON-FRI *", "2026-01-02T10:00", false, "2026-01-05T09:00"],
    ["0 9 ? * 1 *", "2026-01-02T10:00", false, "2026-01-04T09:00"],
    ["0 9 ? * sat,sun *", "2026-01-03T09:30", true, "2026-01-03T10:00"],
    ["0 0 29 FEB ? *", "2026-01-01T00:00", false, "2028-02-29T00:00"],
    ["0 0 31 * ? 2026", "2026-01-31T05:00", false, "2026-03-31T00:00"],
    ["0 0 1 1 ? 2020", "2026-01-01T00:30", false, undefined],
    ["0/15 6-8/2 * * ? *", "2026-01-01T07:00", true, "2026-01-01T07:45"],
    ["5/40 */12 * * ? *", "2026-01-01T02:00", false, "2026-01-01T12:05"],
  ])("%s at %s: open is %s, until %s", (cron, now, isOpen, until) => {
    const state = windowState([window(cron)], at(now));
    expect([state.isOpen, iso(state.untilMs)]).toEqual([isOpen, until]);
  });

  it.each([
    "",
    "cron(0 18 * * ?)",
    "0 24 * * ? *",
    "60 0 * * ? *",
    "0 0 0 * ? *",
    "0 0 * FOO ? *",
    "0 0 5-3 * ? *",
    "0 0 1,, * ? *",
    "0/0 0 * * ? *",
    "0 0 L * ? *",
    "0 0 ? * 2#1 *",
    `0 0 * * ? ${"2026,".repeat(100)}2026`,
  ])("cannot be read from %j", (startTime) => {
    expect(readWindow({ startTime, durationInMinutes: 5 })).toBeUndefined();
  });

  it("join up: open until the last one ends, closed until the first one starts", () => {
    const both = [window("0 8 * * ? *", 60), window("30 8 * * ? *", 60), window("0 20 * * ? *", 5)];
    expect(windowState(both, at("2026-01-01T08:45"))).toEqual({
      isOpen: true,
      untilMs: at("2026-01-01T09:30"),
    });
    expect(iso(windowState(both, at("2026-01-01T09:30")).untilMs)).toBe("2026-01-01T20:00");
    expect(windowState([...both].reverse(), at("2026-01-01T08:45")).isOpen).toBe(true);
  });

  it("know the calendar of every day until 2199", () => {
    const daily = (day: Date) =>
      `0 0 ${day.getUTCDate()} ${day.getUTCMonth() + 1} ${day.getUTCDay() + 1} ${day.getUTCFullYear()}`;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 84_000 }), (days) => {
        const start = days * 86_400_000;
        expect(windowState([window(daily(new Date(start)))], start).isOpen).toBe(true);
      }),
    );
  });
});

describe("a CONTINUOUS job with maintenance windows", () => {
  const nightly = () => {
    const bench = new JobsBench({ all: things(5) });
    bench.create({
      targetSelection: "CONTINUOUS",
      jobExecutionsRolloutConfig: { maximumPerMinute: 1 },
      schedulingConfig: { maintenanceWindows: [{ startTime: "0 1 * * ? *", durationInMinutes: 3 }] },
    });
    return bench;
  };
  const minutes = (bench: JobsBench) => bench.notifiedAtUs().map((us) => us / MINUTE_US);

  it("reaches things only while a window is open; what is queued stays", () => {
    const bench = nightly();
    bench.time.advance(25.5 * 60 * MINUTE_US);
    expect(minutes(bench)).toEqual([60, 61, 62, 1500, 1501]);
    expect(bench.jobs.progress("j1").counts.QUEUED).toBe(5);
    expect(bench.time.heap.size).toBe(0);
  });

  it("lets things that join wait for the next window, and reaches them at once inside", () => {
    const bench = nightly();
    bench.time.advance(25.5 * 60 * MINUTE_US);
    bench.change({ kind: "joined", target: "group:all", thing: "t8" });
    bench.time.advance(23.5 * 60 * MINUTE_US);
    expect(minutes(bench).slice(5)).toEqual([2940]);
    bench.change({ kind: "joined", target: "group:all", thing: "t9" });
    expect(minutes(bench).slice(5)).toEqual([2940, 2940]);
  });

  it("waits for ever when no window opens again", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({
      targetSelection: "CONTINUOUS",
      schedulingConfig: { maintenanceWindows: [{ startTime: "0 1 1 1 ? 2020", durationInMinutes: 3 }] },
    });
    expect(bench.time.heap.size).toBe(0);
    expect(bench.jobs.progress("j1")).toMatchObject({ status: "IN_PROGRESS", waiting: 1 });
  });
});
