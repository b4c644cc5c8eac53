import { findMetric } from "../metrics/catalogue.js";
import { Histogram, isThinPercentile, nearestRank } from "../ledger/histogram.js";
import {
  absent,
  aggregate,
  type Measure,
  type MetricValue,
  noData,
  type NoData,
} from "../metrics/measure.js";
import type { Expectation } from "./expectation.js";
import { type EvaluateOptions, type ExpectationResult, judge } from "./evaluate.js";
import { FULL_TRUST, type Trust } from "./trust.js";

/**
 * Expectations over the runs of a sweep. Every run contributes one value, and the aggregation goes over the
 * runs: `p(95)` is the value of the run at that rank, `ratio` the share of runs in which a fact is true.
 * Distributions are merged first, so `latency.e2e p(99)` is the percentile over all runs, never a mean of percentiles.
 */
export function evaluateSweep(
  expectation: Expectation,
  measures: readonly Measure[],
  options: EvaluateOptions & { readonly trust?: Trust } = {},
): ExpectationResult {
  return judge(expectation, aggregateSweep(expectation, measures), { trust: FULL_TRUST, ...options });
}

/** A run without data makes the whole sweep fail: a share of the runs that happened to have data would mislead. */
function aggregateSweep(expectation: Expectation, measures: readonly Measure[]): MetricValue | NoData {
  if (measures.length === 0) return noData("the sweep has no runs");
  const empty = measures.findIndex((measure) => measure.kind === "none");
  if (empty >= 0) {
    const { reason, isAbsent } = measures[empty] as NoData;
    if (isAbsent === true) return absent(reason);
    return noData(`run ${empty + 1} of ${measures.length} has none: ${reason}`);
  }
  const histograms = measures.flatMap((measure) => (measure.kind === "histogram" ? [measure.histogram] : []));
  if (histograms.length > 0) {
    const merged: Measure = { kind: "histogram", histogram: Histogram.merged(histograms), seconds: 0 };
    return aggregate(findMetric(expectation.metric)!, merged, expectation.aggregation);
  }
  const facts = measures.flatMap((measure) => (measure.kind === "boolean" ? [measure.value] : []));
  return facts.length > 0 ? shareOfRuns(expectation, facts) : spread(expectation, measures.map(numberOf));
}

function shareOfRuns({ aggregation }: Expectation, facts: readonly boolean[]): MetricValue {
  const count = facts.filter(Boolean).length;
  const common = { kind: "value", samples: facts.length, isThin: false } as const;
  return aggregation.name === "count"
    ? { ...common, value: count, unit: "count", count: undefined }
    : { ...common, value: count / facts.length, unit: "ratio", count };
}

/** The value of one run: shares keep both readings. */
function numberOf(measure: Measure): { value: number; count: number } {
  if (measure.kind === "share") return { value: measure.count / measure.total, count: measure.count };
  const value =
    measure.kind === "gauge" ? measure.last : "value" in measure ? Number(measure.value) : Number.NaN;
  return { value, count: value };
}

function spread(
  { aggregation, metric, limit }: Expectation,
  runs: readonly { value: number; count: number }[],
): MetricValue {
  const isCount = limit.type === "number" && limit.unit === "count";
  const values = runs.map((run) => (isCount ? run.count : run.value)).sort((a, b) => a - b);
  const percent = aggregation.name === "p" ? aggregation.percentile! : 50;
  const at = (rank: number): number => values[Math.min(values.length, Math.max(1, rank)) - 1]!;
  const mean = (): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const pick: Readonly<Record<string, () => number>> = {
    min: () => at(1),
    max: () => at(values.length),
    avg: mean,
    med: () => at(nearestRank(50, values.length)),
    p: () => at(nearestRank(percent, values.length)),
  };
  const kind = findMetric(metric)!;
  return {
    kind: "value",
    value: pick[aggregation.name]!(),
    unit: kind.kind === "share" && !isCount ? "ratio" : kind.unit,
    samples: values.length,
    isThin: aggregation.name === "p" && isThinPercentile(percent, values.length),
    count: undefined,
  };
}
