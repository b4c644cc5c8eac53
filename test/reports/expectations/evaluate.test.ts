import {
  assessTrust,
  conditionHolds,
  evaluateExpectation,
  type EvaluateOptions,
  evaluateSweep,
  type Expectation,
  FULL_TRUST,
  formatSubject,
  Histogram,
  type Measure,
  MetricStore,
  parseExpectation,
} from "fleetrig/reports";
import { describe, expect, it } from "vitest";

const parse = (text: string, scope: "run" | "sweep" = "run"): Expectation => {
  const result = parseExpectation(text, { scope });
  if (!result.ok) return expect.fail(`${text}: ${result.message}`);
  return result.expectation;
};

const histogramOf = (values: readonly number[]): Measure => {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return { kind: "histogram", histogram, seconds: 10 };
};

const evaluate = (text: string, measure: Measure, trust = FULL_TRUST, options: EvaluateOptions = {}) => {
  const expectation = parse(text);
  const store = new MetricStore({ [expectation.metric]: () => measure });
  return evaluateExpectation(expectation, store, trust, options);
};

const share = (count: number, total: number): Measure => ({ kind: "share", count, total });
const gauge: Measure = { kind: "gauge", last: 3, min: 1, max: 2500, mean: 4.5, samples: 9 };
const counter = (value: number): Measure => ({ kind: "counter", value, samples: 5, seconds: 10 });
const none: Measure = { kind: "none", reason: "the stage did not run" };

describe("evaluateExpectation", () => {
  it.each([
    ["latency.e2e p(50) < 60ms", histogramOf([10_000, 20_000, 70_000]), "pass", "20 ms"],
    ["latency.e2e p(100) < 60ms", histogramOf([10_000, 20_000, 70_000]), "fail", "70 ms"],
    ["latency.e2e min >= 10ms", histogramOf([10_000, 20_000]), "pass", "10 ms"],
    ["latency.e2e avg == 15ms", histogramOf([10_000, 20_000]), "pass", "15 ms"],
    ["latency.e2e med <= 10ms", histogramOf([10_000, 20_000]), "pass", "10 ms"],
    ["latency.e2e count == 2", histogramOf([10_000, 20_000]), "pass", "2"],
    ["latency.e2e rate == 0.2/s", histogramOf([10_000, 20_000]), "pass", "0.2/s"],
    ["delivery.lost == 0", counter(17), "fail", "17"],
    ["delivery.sent rate >= 1.5/s", counter(17), "pass", "1.7/s"],
    ["broker.connect_queue max < 2000", gauge, "fail", "2,500"],
    ["broker.connect_queue min >= 1", gauge, "pass", "1"],
    ["broker.connect_queue avg < 5", gauge, "pass", "4.5"],
    ["broker.connect_queue < 5", gauge, "pass", "3"],
    ["broker.connect_queue count == 9", gauge, "pass", "9"],
    ["connections.online == 100%", share(4999, 5000), "fail", "99.98 % (4,999 of 5,000)"],
    ["connections.online == 5000", share(5000, 5000), "pass", "5,000"],
    ["connections.online count >= 1", share(5, 5), "pass", "5"],
    ["job.blast_radius.silent == 0", share(0, 100), "pass", "0"],
    ["rules.recall == 1", { kind: "ratio", value: 1, samples: 9 }, "pass", "100 %"],
    ["job.terminal", { kind: "boolean", value: false, samples: 1 }, "fail", "false"],
    ["job.terminal != true", { kind: "boolean", value: false, samples: 1 }, "pass", "false"],
    ["job.status == CANCELED", { kind: "label", value: "CANCELED", samples: 1 }, "pass", "CANCELED"],
    ["job.status != CANCELED", { kind: "label", value: "CANCELED", samples: 1 }, "fail", "CANCELED"],
  ] as const)("judges %s on %j: %s, measured %s", (text, measure, verdict, measured) => {
    expect(evaluate(text, measure)).toMatchObject({ verdict, measured });
  });

  it("says what it measured and what it expected", () => {
    expect(evaluate("latency.e2e{stage=steady} p(50) < 60ms", histogramOf([70_000]))).toEqual({
      verdict: "fail",
      measured: "70 ms",
      value: 70_000,
      limit: "< 60ms",
      unit: "us",
      samples: 1,
      reason:
        "latency.e2e{stage=steady} p(50) = 70 ms, expected < 60ms. Only 1 samples stand behind the percentile.",
    });
    expect(formatSubject(parse("delivery.lost{qos=1} == 0"))).toBe("delivery.lost{qos=1}");
  });

  it("marks a percentile from too few samples, and still judges it", () => {
    const few = evaluate("latency.e2e p(99) < 1s", histogramOf(Array.from({ length: 999 }, () => 5)));
    expect(few).toMatchObject({ verdict: "pass", reason: "Only 999 samples stand behind the percentile." });
    expect(
      evaluate("latency.e2e p(99) < 1s", histogramOf(Array.from({ length: 1000 }, () => 5))).reason,
    ).toBeNull();
  });

  it.each(["delivery.lost == 0", "latency.e2e p(99) < 1s", "job.terminal"])(
    "fails %s without data",
    (text) => {
      const result = evaluate(text, none);
      expect(result).toMatchObject({ verdict: "fail", measured: "no data", value: null, samples: 0 });
      expect(result.reason).toBe("No data: the stage did not run.");
      expect(evaluate(text, none, FULL_TRUST, { allowEmpty: true }).verdict).toBe("pass");
    },
  );

  it("fails a percentile or a rate of nothing", () => {
    expect(evaluate("latency.e2e p(99) < 1s", histogramOf([])).reason).toBe("No data: no samples.");
    const noTime = { kind: "counter", value: 1, samples: 1, seconds: 0 } as const;
    expect(evaluate("delivery.sent rate < 1/s", noTime).reason).toMatch(/no duration/);
    const sameInstant = { kind: "histogram", histogram: new Histogram(), seconds: 0 } as const;
    sameInstant.histogram.record(1);
    expect(evaluate("latency.e2e rate < 1/s", sameInstant).reason).toMatch(/no duration/);
  });

  it("is inconclusive about times when the generator was late or the process overloaded", () => {
    const late = assessTrust({ clock: "real", scheduleLagP99Us: 50_001, eventLoopUtilisation: 0.95 });
    expect(late.doubts).toHaveLength(2);
    const result = evaluate("latency.e2e p(50) < 60ms", histogramOf([10]), late);
    expect(result).toMatchObject({ verdict: "inconclusive", measured: "10 µs" });
    expect(result.reason).toMatch(/schedule_lag.*busy 95 %/);
    expect(evaluate("generator.schedule_lag p(99) < 50ms", histogramOf([60_000]), late).verdict).toBe(
      "inconclusive",
    );
    expect(evaluate("delivery.lost == 0", counter(0), late).verdict).toBe("pass");
    expect(evaluate("delivery.lost == 0", counter(1), late).verdict).toBe("fail");
  });

  it("trusts virtual time, and real time below the limits", () => {
    expect(assessTrust({ clock: "virtual", scheduleLagP99Us: 1e9, eventLoopUtilisation: 1 }).doubts).toEqual(
      [],
    );
    expect(
      assessTrust({ clock: "real", scheduleLagP99Us: 50_000, eventLoopUtilisation: 0.9 }).doubts,
    ).toEqual([]);
    expect(assessTrust({ clock: "real" }).doubts).toEqual([]);
  });

  describe("of times across the clocks of boards, known to ±60 ms", () => {
    const judge = (text: string, valueMs: number) => {
      const expectation = parse(text);
      const store = new MetricStore({ [expectation.metric]: () => histogramOf([valueMs * 1000]) });
      store.setClockUncertainty(({ group }) => (group === "peers" ? undefined : 60_000));
      return evaluateExpectation(expectation, store, FULL_TRUST);
    };

    it.each([
      ["latency.e2e{group=boards} p(50) < 500ms", 400, "pass"],
      ["latency.e2e{group=boards} p(50) < 500ms", 439, "pass"],
      ["latency.e2e{group=boards} p(50) < 500ms", 445, "inconclusive"],
      ["latency.e2e{group=boards} p(50) < 500ms", 555, "inconclusive"],
      ["latency.e2e{group=boards} p(50) < 500ms", 600, "fail"],
      ["latency.e2e{group=boards} p(50) > 500ms", 600, "pass"],
      ["latency.e2e{group=boards} p(50) < 60ms", 900, "inconclusive"],
      ["latency.e2e p(50) < 50ms", 900, "inconclusive"],
      ["latency.e2e{group=peers} p(50) < 50ms", 40, "pass"],
      ["latency.ack{group=boards} p(50) < 50ms", 40, "pass"],
      ["latency.e2e{group=boards} count > 0", 500, "pass"],
      ["shadow.convergence_time{group=boards} max < 1s", 950, "inconclusive"],
    ])("%s, measured %i ms: %s", (text, valueMs, verdict) => {
      expect(judge(text, valueMs).verdict).toBe(verdict);
    });

    it("shows the value with its uncertainty", () => {
      expect(judge("latency.e2e max < 500ms", 400)).toMatchObject({
        measured: "400 ms ± 60 ms",
        uncertaintyUs: 60_000,
      });
      expect(judge("latency.e2e max < 500ms", 450).reason).toMatch(/known to ±60 ms only/);
      expect(judge("latency.e2e count > 0", 450)).not.toHaveProperty("uncertaintyUs");
    });
  });

  it("has no data for a metric nobody tracks, and refuses one that does not exist", () => {
    const store = new MetricStore();
    expect(evaluateExpectation(parse("delivery.lost == 0"), store, FULL_TRUST).reason).toMatch(
      /nothing in this run/,
    );
    expect(() => store.measure("delivery.lots", {})).toThrow(
      expect.objectContaining({ code: "METRIC_UNKNOWN" }),
    );
  });
});

describe("conditionHolds", () => {
  it("waits for data, and then for the condition", () => {
    let measure: Measure = none;
    const store = new MetricStore({ "connections.online": () => measure });
    const until = parse("connections.online == 100%");
    expect(conditionHolds(until, store)).toBe(false);
    measure = share(1, 2);
    expect(conditionHolds(until, store)).toBe(false);
    measure = share(2, 2);
    expect(conditionHolds(until, store)).toBe(true);
  });
});

describe("evaluateSweep", () => {
  const sweep = (text: string, measures: readonly Measure[]) => evaluateSweep(parse(text, "sweep"), measures);
  const facts = (...values: boolean[]): Measure[] =>
    values.map((value) => ({ kind: "boolean", value, samples: 1 }));

  it("takes the nearest rank over the runs", () => {
    const runs = Array.from({ length: 20 }, (_, i) => share(20 - i, 1000));
    expect(sweep("job.blast_radius.notified p(95) < 6%", runs)).toMatchObject({
      verdict: "pass",
      value: 0.019,
      samples: 20,
    });
    expect(sweep("job.blast_radius.notified max < 20", runs)).toMatchObject({
      verdict: "fail",
      value: 20,
      unit: "count",
    });
    expect(sweep("job.blast_radius.notified min == 0.1%", runs)).toMatchObject({ verdict: "pass" });
    expect(sweep("job.blast_radius.notified med == 1%", runs)).toMatchObject({ verdict: "pass" });
    expect(sweep("job.blast_radius.notified avg == 10.5", runs)).toMatchObject({ verdict: "pass" });
    expect(sweep("delivery.lost max == 0", [counter(0), counter(0)])).toMatchObject({
      verdict: "pass",
      measured: "0",
    });
    expect(sweep("job.abort.time max < 5m", [gauge, gauge])).toMatchObject({ value: 3 });
  });

  it("takes the share of runs in which a fact is true", () => {
    expect(sweep("job.abort.triggered ratio == 100%", facts(true, true, false))).toMatchObject({
      verdict: "fail",
      measured: "66.67 % (2 of 3)",
    });
    expect(sweep("job.abort.triggered ratio < 15%", facts(false, false))).toMatchObject({
      verdict: "pass",
      value: 0,
    });
    expect(sweep("job.abort.triggered count == 1", facts(true, false))).toMatchObject({ verdict: "pass" });
  });

  it("merges distributions instead of averaging percentiles", () => {
    const fast = histogramOf(Array.from({ length: 990 }, () => 10));
    const slow = histogramOf(Array.from({ length: 10 }, () => 2000));
    expect(sweep("latency.e2e p(99) < 1ms", [fast, slow])).toMatchObject({
      verdict: "pass",
      value: 10,
      samples: 1000,
    });
    expect(sweep("latency.e2e max == 2ms", [fast, slow])).toMatchObject({ verdict: "pass" });
  });

  it("fails without runs and when a run has no data", () => {
    expect(sweep("job.abort.triggered ratio == 100%", [])).toMatchObject({
      verdict: "fail",
      measured: "no data",
    });
    const result = sweep("delivery.lost max == 0", [counter(0), none]);
    expect(result.reason).toBe("No data: run 2 of 2 has none: the stage did not run.");
  });
});
