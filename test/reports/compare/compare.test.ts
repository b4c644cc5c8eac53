import { compareSuites, renderComparison, renderComparisonMarkdown, toleranceOf } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { HOSTILE_NAMES, hostileSuite } from "../render/hostile-records.js";
import { environment, expectation, figure, histogram, missed, run, suite, sweep } from "../render/records.js";

const real = { clock: "real", fingerprint: null } as const;
const options = { color: false, width: 120 };

describe("comparing suites", () => {
  it("finds nothing between equal runs, whatever machine they ran on", () => {
    const comparison = compareSuites(
      suite([run()]),
      suite([run({ environment: environment({ cpu: "another", wallMs: 99 }) })]),
    );
    expect(comparison.isUnchanged).toBe(true);
    expect(comparison.pairs[0]).toMatchObject({ mode: "exact", notComparable: null, metrics: [] });
  });

  it("calls any difference in virtual time a change", () => {
    const after = run({
      metrics: [histogram("latency.e2e", {}, 41.001), figure("delivery.lost", 1)],
      fingerprint: "f00d",
    });
    const { isUnchanged, pairs } = compareSuites(suite([run()]), suite([after]));
    expect(isUnchanged).toBe(false);
    const subjects = pairs[0]!.metrics.map(({ subject }) => subject);
    expect(subjects).toEqual(
      expect.arrayContaining(["latency.e2e p(50)", "delivery.lost", "delivery.ratio"]),
    );
    expect(subjects).not.toContain("latency.e2e count");
    expect(pairs[0]!.metrics.find(({ subject }) => subject === "delivery.ratio")).toMatchObject({
      before: 1,
      after: null,
    });
  });

  it("takes another fingerprint for a change even when all figures are equal", () => {
    expect(compareSuites(suite([run()]), suite([run({ fingerprint: "f00d" })])).isUnchanged).toBe(false);
  });

  it.each([
    ["within 15 %", 100, 114, 0],
    ["beyond 15 %", 100, 116, 1],
    ["within 5 ms", 10, 14.9, 0],
    ["beyond 5 ms", 10, 15.1, 1],
  ])("allows real-time latencies to differ %s: %d to %d ms", (_, before, after, changes) => {
    const at = (value: number) =>
      suite([run({ ...real, metrics: [figure("recovery.backlog_time", value, "ms")] })]);
    expect(compareSuites(at(before), at(after)).pairs[0]!.metrics).toHaveLength(changes);
  });

  it.each([
    [
      "scenario",
      run(real),
      run({ ...real, scenario: { ...run().scenario, sha256: "other" } }),
      "The scenario was changed",
    ],
    ["clock", run(), run(real), "The clocks differ: virtual before, real after."],
    ["machine", run(real), run({ ...real, environment: environment({ cores: 64 }) }), "The machines differ"],
    ["run", run(), run({ failure: { code: "X", message: "x", hint: null }, verdict: "error" }), "broke off"],
  ])("does not compare figures of another %s, and says why", (_, before, after, reason) => {
    const [pair] = compareSuites(suite([before]), suite([after])).pairs;
    expect(pair).toMatchObject({ mode: "none", metrics: [] });
    expect(pair!.notComparable).toContain(reason);
  });

  it("lists verdict changes, new and removed expectations, runs and sweeps", () => {
    const added = expectation({ expr: "delivery.ratio == 100%", name: "" });
    const comparison = compareSuites(
      suite([run(), run({ seed: 7 })], [sweep()]),
      suite(
        [run({ expectations: [missed, added], verdict: "failed" }), run({ seed: 8 })],
        [sweep({ verdict: "passed" })],
      ),
    );
    const [pair] = comparison.pairs;
    expect(pair!.verdict).toEqual({ before: "passed", after: "failed" });
    expect(pair!.expectations.map(({ kind, expr }) => [kind, expr])).toEqual([
      ["verdict", "latency.e2e{stage=steady} p(99) < 250ms"],
      ["added", "delivery.ratio == 100%"],
      ["removed", "delivery.lost{qos=1} == 0"],
    ]);
    expect(comparison.added).toEqual(["smart-building seed 8"]);
    expect(comparison.removed).toEqual(["smart-building seed 7"]);
    expect(comparison.sweeps[0]!.verdict).toEqual({ before: "failed", after: "passed" });
    expect(comparison.isUnchanged).toBe(false);
  });

  it("has a floor for units it does not know", () => {
    expect(toleranceOf(0, "")).toBe(0.05);
    expect(toleranceOf(1000, "ms")).toBe(150);
  });
});

describe("a comparison in words", () => {
  const before = suite([run()]);
  const after = suite([
    run({ metrics: [figure("delivery.lost", 3), ...run().metrics.slice(3)], fingerprint: "f00d" }),
  ]);

  it("shows before, after and the relative change on the console", () => {
    const text = renderComparison(
      compareSuites(
        suite([run({ metrics: [figure("delivery.received", 100)] })]),
        suite([run({ metrics: [figure("delivery.received", 120)] })]),
      ),
      options,
    );
    expect(text).toContain("≠ smart-building seed 42");
    expect(text).toContain("delivery.received  100 → 120  +20 %");
    expect(text).toMatch(/There are changes\.\n$/);
  });

  it("shows a table in Markdown", () => {
    const text = renderComparisonMarkdown(compareSuites(before, after));
    expect(text).toContain("| <code>delivery.lost</code> | 0 | 3 |");
    expect(text).toContain("the fingerprint is another one");
  });

  it("lets no control characters through", () => {
    const changed = suite(
      hostileSuite().runs.map((each) => ({ ...each, metrics: [], verdict: "error" as const })),
    );
    const comparison = compareSuites(hostileSuite(), changed);
    expect(comparison.pairs).toHaveLength(HOSTILE_NAMES.length);
    // oxlint-disable-next-line no-control-regex
    expect(renderComparison(comparison, options)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(renderComparisonMarkdown(comparison)).not.toMatch(/<(?!\/?code>)/);
  });
});
