import { describe, expect, it } from "vitest";
import { parseSuiteRecord, type SuiteRecord } from "fleetrig/reports";
import { withBaseline } from "../../scenarios/cli/baseline.js";
import { memoryHost } from "../scenarios/cli/memory-host.js";
import { command, scenario } from "./command.js";

const SCENARIO = scenario(
  "based",
  "expect: [connections.online == 10]\nreport: { baseline: { file: ../base/before.json } }",
);
const LINE = 14;

const recordOf = (text: string | undefined): SuiteRecord => parseSuiteRecord(text ?? "", "before.json");

/** The scenario's own record, with changes, as its baseline. */
async function runAgainst(change: (suite: SuiteRecord) => unknown) {
  const files = { "s/a.yaml": SCENARIO };
  const first = await command("run s/a.yaml --report json=base/before.json", files);
  const before = change(recordOf(first.files.get("base/before.json")));
  const text = typeof before === "string" ? before : JSON.stringify(before);
  return command("run s/a.yaml --report json=after.json", { ...files, "base/before.json": text });
}

const withRun = (suite: SuiteRecord, change: Partial<SuiteRecord["runs"][number]>): SuiteRecord => ({
  ...suite,
  runs: suite.runs.map((run) => ({ ...run, ...change })),
});

const rowsOf = (files: ReadonlyMap<string, string>) =>
  recordOf(files.get("after.json")).runs[0]?.expectations.slice(1) ?? [];

describe("a baseline in virtual time", () => {
  it("passes when nothing differs", async () => {
    const { code, files } = await runAgainst((suite) => suite);
    expect(code).toBe(0);
    expect(rowsOf(files)).toMatchObject([
      { name: "baseline base/before.json", verdict: "pass", measured: "unchanged", line: LINE },
    ]);
  });

  it("fails with a row for each figure that differs, however little", async () => {
    const { code, files, stdout } = await runAgainst((suite) =>
      withRun(suite, {
        metrics: suite.runs[0]!.metrics.map((metric) =>
          metric.name === "telemetry.published" && Object.keys(metric.labels).length === 0
            ? { ...metric, value: Number(metric.value) + 1 }
            : metric,
        ),
      }),
    );
    expect(code).toBe(1);
    expect(rowsOf(files)).toMatchObject([
      { name: "telemetry.published as in the baseline", severity: "fail", verdict: "fail", line: LINE },
    ]);
    expect(stdout).toContain("telemetry.published as in the baseline");
  });

  it("fails when only the trace differs", async () => {
    const { code, files } = await runAgainst((suite) => withRun(suite, { fingerprint: "0".repeat(64) }));
    expect(code).toBe(1);
    expect(rowsOf(files)).toMatchObject([
      { verdict: "fail", reason: expect.stringContaining("fingerprint") },
    ]);
  });

  it("counts the figures that get no row of their own", async () => {
    const { files } = await runAgainst((suite) => withRun(suite, { metrics: [] }));
    const rows = rowsOf(files);
    expect(rows).toHaveLength(11);
    expect(rows.at(-1)?.measured).toMatch(/^\d+ more figures changed$/);
  });

  it.each<[string, (suite: SuiteRecord) => SuiteRecord, string]>([
    [
      "the scenario was changed",
      (suite) => withRun(suite, { scenario: { ...suite.runs[0]!.scenario, sha256: "0".repeat(64) } }),
      "The scenario was changed in between.",
    ],
    ["the clock is another one", (suite) => withRun(suite, { clock: "real" }), "The clocks differ"],
    ["the seed is another one", (suite) => withRun(suite, { seed: 2 }), "has no run of based with seed 1."],
  ])("warns that the runs are not comparable when %s, and fails nothing", async (_, change, reason) => {
    const { code, files } = await runAgainst(change);
    expect(code).toBe(0);
    expect(rowsOf(files)).toMatchObject([
      { severity: "warn", measured: "not comparable", reason: expect.stringContaining(reason) },
    ]);
  });

  it("tells how to write the file when there is none", async () => {
    const { code, stdout } = await command("run s/a.yaml", { "s/a.yaml": SCENARIO });
    expect(code).toBe(0);
    expect(stdout).toContain("There is no base/before.json");
    expect(stdout).toContain("--report json=base/before.json");
  });

  it("ends with 2 when the file is no report", async () => {
    const { code, stdout } = await runAgainst(() => "{}");
    expect(code).toBe(2);
    expect(stdout).toContain("RECORD_INVALID");
  });
});

describe("a baseline in real time", () => {
  const compare = async (factor: number, tolerance: Readonly<Record<string, number>> = {}) => {
    const { files } = await command("run s/a.yaml --report json=base/before.json", { "s/a.yaml": SCENARIO });
    const [run] = recordOf(files.get("base/before.json")).runs;
    const real = { ...run!, clock: "real" as const, fingerprint: null };
    const latency = {
      ...real.metrics[0]!,
      name: "latency.e2e",
      labels: {},
      unit: "ms",
      value: 100,
      summary: null,
    };
    const before = { ...recordOf(files.get("base/before.json")), runs: [{ ...real, metrics: [latency] }] };
    const { host } = memoryHost({ "base/before.json": JSON.stringify(before) });
    const after = { ...real, metrics: [{ ...latency, value: 100 * factor }] };
    const position = { file: "s/a.yaml", line: LINE, column: 1 };
    return withBaseline(host, after, { path: "base/before.json", tolerance, position });
  };

  it.each<[number, Readonly<Record<string, number>>, string]>([
    [1.1, {}, "passed"],
    [1.2, {}, "failed"],
    [1.2, { latency: 0.25 }, "passed"],
    [1.2, { latency: 0.1, "latency.e2e": 0.3 }, "passed"],
    [1.1, { "latency.e2e": 0.05 }, "failed"],
    [1.04, { "latency.e2e": 0 }, "passed"],
    [0.5, {}, "passed"],
  ])("takes %f times the latency with the tolerance %j as %s", async (factor, tolerance, verdict) => {
    expect((await compare(factor, tolerance)).verdict).toBe(verdict);
  });
});

describe("--baseline", () => {
  const files = { "a.yaml": scenario("a") };
  const line = "run a.yaml --report json=after.json --baseline b.json";

  it("compares with a record of the user's choice", async () => {
    const first = await command("run a.yaml --report json=b.json", files);
    const same = await command(line, { ...files, "b.json": first.files.get("b.json") ?? "" });
    expect(same.code).toBe(0);
    expect(rowsOf(same.files)).toMatchObject([{ name: "baseline b.json", verdict: "pass", line: 1 }]);
  });

  it.each([
    ["is not there", {}, "CLI_FILE_UNREADABLE"],
    ["is no record", { "b.json": "[]" }, "RECORD_INVALID"],
  ])("is refused before anything runs when it %s", async (_, added, text) => {
    const { code, stdout, stderr } = await command(line, { ...files, ...added });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
  });
});
