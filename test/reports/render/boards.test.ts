import {
  type BoardRecord,
  parseSuiteRecord,
  renderConsole,
  renderGithubAnnotations,
  renderHtml,
  renderJson,
  renderJunit,
  renderMarkdown,
} from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { expectation, histogram, run, suite } from "./records.js";

const board = (over: Partial<BoardRecord> = {}): BoardRecord => ({
  thing: "rig-01",
  group: "rigs",
  chip: "esp32c3",
  mac: "7cdfa1001122",
  ports: ["/dev/ttyUSB0", "/dev/ttyUSB1"],
  versions: ["1.0.0"],
  boots: {
    total: 2,
    unexpected: 1,
    reasons: { POWERON: 1, PANIC: 1 },
    kept: [
      { atMs: 100, reason: "POWERON", expected: true, bootMs: 212, version: "1.0.0" },
      { atMs: 9100, reason: "PANIC", expected: false, bootMs: null, version: "1.0.0" },
    ],
  },
  panics: {
    total: 1,
    unexpected: 1,
    kept: [
      {
        atMs: 9000,
        kind: "load-access-fault",
        cause: "Guru Meditation Error: Core  0 panic'ed (Load access fault).",
        backtrace: ["sensor_read (sensor.c:88)", "app_run (app.c:17)"],
        expected: false,
        noticedMs: 3,
      },
    ],
  },
  detached: { total: 1, kept: [{ atMs: 5000, reason: "disconnected" }] },
  recovered: { total: 1, kept: [{ atMs: 6000, tookMs: 1000, rung: "reopened" }] },
  givenUp: null,
  clock: { uncertaintyMs: 0.2, worstMs: 0.4, skewPpm: 11 },
  link: { retransmissions: 7, badFrames: 2, droppedLogs: 5, droppedEvents: 1 },
  firmware: { heapFreeMinBytes: 61_440, longestLoopMs: 8.5 },
  logWaits: [{ atMs: 7000, action: "ready", pattern: "app ready", failure: "timeout", waitedMs: 5000 }],
  markers: [
    {
      name: "sensor.ready",
      count: 400,
      took: { count: 400, min: 31, p50: 37.5, p95: 43.25, max: 44 },
      value: null,
    },
    { name: "queue.depth", count: 3, took: null, value: { min: 1, mean: 4.5, max: 8, last: 6 } },
  ],
  reactions: [
    { action: "open-door", name: "alarm", took: { count: 2, min: 21, p50: 21, p95: 28.5, max: 28.5 } },
  ],
  sleeps: { total: 3, plannedMs: 30_000, asleepMs: 31_200 },
  ...over,
});

const record = suite([
  run({
    boards: [board()],
    skippedActions: [
      {
        atMs: 1,
        action: "cut",
        reason: "a virtual device has no power to cut",
        count: 12,
        things: ["v-1"],
      },
    ],
    metrics: [{ ...histogram("latency.e2e", {}, 40), uncertaintyMs: 0.4 }],
    expectations: [expectation({ measured: "179.8 ms ± 400 µs", uncertaintyMs: 0.4 })],
  }),
]);

const RENDERED: readonly (readonly [name: string, text: string])[] = [
  ["console", renderConsole(record, { color: false, width: 200 })],
  ["Markdown", renderMarkdown(record)],
  ["JUnit", renderJunit(record)],
  ["HTML", renderHtml(record)],
];

describe("boards in reports", () => {
  it.each(RENDERED)("show unexpected panics without an expectation about them: %s", (_, text) => {
    expect(text).toMatch(/load-access-fault/);
    expect(text).toMatch(/Load access fault/);
    expect(text).toMatch(/sensor\\?_read/);
  });

  it.each(RENDERED)("show actions that mean nothing to virtual devices, with the reason: %s", (_, text) => {
    expect(text).toMatch(/\bcut\b/);
    expect(text).toContain("a virtual device has no power to cut");
  });

  it.each(RENDERED)("show which board it was: %s", (name, text) => {
    const wanted = name === "console" ? "1 board, 2 starts (1 unexpected), 1 panic" : "7cdfa1001122";
    expect(text).toContain(wanted);
  });

  it.each([RENDERED[0]!, RENDERED[1]!, RENDERED[3]!])("show values with their uncertainty: %s", (_, text) => {
    expect(text).toContain("179.8 ms ± 400 µs");
  });

  it("show the error bars of distributions in the page", () => {
    expect(RENDERED[3]![1]).toContain("±400 µs");
  });

  it.each([RENDERED[1]!, RENDERED[3]!])(
    "show markers and how soon they followed an action: %s",
    (_, text) => {
      for (const told of ["sensor.ready", "43.3 ms", "queue.depth", "open-door", "28.5 ms"]) {
        expect(text).toContain(told);
      }
    },
  );

  it("show deep sleep in the page", () => {
    expect(RENDERED[3]![1]).toContain("31.2 s");
    expect(RENDERED[3]![1]).toContain("60 KiB");
  });

  it("show what was skipped for want of hardware as skipped, with the reason", () => {
    const reason = "Skipped: no board with chip esp32c3 is attached.";
    const missing = { verdict: "skipped", value: null, measured: "skipped", samples: 0, reason } as const;
    const skipped = suite([run({ expectations: [expectation(missing), expectation()] })]);
    const junit = renderJunit(skipped);
    expect(junit).toMatch(/<testsuite [^>]*failures="0" errors="0" skipped="1"/);
    expect(junit).toContain(`<skipped message="${reason}"/>`);
    for (const text of [
      renderConsole(skipped, { color: false, width: 200 }),
      renderMarkdown(skipped),
      renderHtml(skipped),
    ]) {
      expect(text).toContain("no board with chip esp32c3 is attached");
      expect(text).toContain("1 skipped, 2 passed");
    }
    expect(renderGithubAnnotations(skipped)).toMatch(/^::warning .* was skipped::/m);
    expect(parseSuiteRecord(renderJson(skipped), "report.json").runs[0]!.expectations[0]!.verdict).toBe(
      "skipped",
    );
  });

  it("warn in annotations", () => {
    expect(renderGithubAnnotations(record)).toMatch(/::warning .*board::rig-01 panicked: load-access-fault/);
  });

  it("show waits that came to nothing and boards that were given up", () => {
    const givenUp = board({ givenUp: { atMs: 9500, reason: "no rung helped" } });
    const text = renderConsole(suite([run({ boards: [givenUp] })]), { color: false, width: 200 });
    expect(text).toContain("rig-01 did not say /app ready/ for ready: timeout");
    expect(text).toContain("rig-01 was given up: no rung helped");
  });

  it("cannot break out of any report", () => {
    const evil = '</script><img src=x onerror=alert(1)>\u001b[2J\n## "|`';
    const hostile = board({
      thing: evil,
      chip: evil,
      mac: evil,
      ports: [evil],
      versions: [evil],
      logWaits: [{ atMs: 1, action: evil, pattern: evil, failure: evil, waitedMs: 1 }],
      givenUp: { atMs: 1, reason: evil },
    });
    const skipped = [{ atMs: 1, action: evil, reason: evil, count: 1, things: [evil] }];
    const made = suite([run({ boards: [hostile], skippedActions: skipped })]);
    expect(renderHtml(made)).not.toContain("<img src=x");
    expect(renderMarkdown(made)).not.toMatch(/<img|^## "/m);
    expect(renderJunit(made)).not.toContain("<img");
    expect(renderJunit(made)).not.toContain("\u001b");
    expect(renderConsole(made, { color: false, width: 120 })).not.toContain("\u001b");
  });

  it("survive being written and read, and are missing from records without boards", () => {
    expect(parseSuiteRecord(renderJson(record), "report.json").runs[0]!.boards).toEqual([board()]);
    const old = parseSuiteRecord(renderJson(suite([run()])), "report.json");
    expect(old.runs[0]).not.toHaveProperty("boards");
    expect(renderHtml(old)).not.toContain('id="run-1-boards"');
  });
});
