import type { Labels } from "../expectations/expectation.js";
import type { Histogram } from "../ledger/histogram.js";
import { isThinPercentile } from "../ledger/histogram.js";
import type { Aggregation, MetricDefinition, MetricUnit } from "./definition.js";

/**
 * What a tracker hands out for a metric and a set of labels, before an aggregation picks one value of it.
 * `samples` is how many observations stand behind the value; none at all is `NoData`, never a zero.
 */
export type Measure =
  | { readonly kind: "histogram"; readonly histogram: Histogram; readonly seconds: number }
  | { readonly kind: "counter"; readonly value: number; readonly samples: number; readonly seconds: number }
  | {
      readonly kind: "gauge";
      readonly last: number;
      readonly min: number;
      readonly max: number;
      readonly mean: number;
      readonly samples: number;
    }
  | { readonly kind: "share"; readonly count: number; readonly total: number }
  | { readonly kind: "ratio"; readonly value: number; readonly samples: number }
  | { readonly kind: "boolean"; readonly value: boolean; readonly samples: number }
  | { readonly kind: "label"; readonly value: string; readonly samples: number }
  | NoData;

/** Nothing was measured: never the same as zero. */
export interface NoData {
  readonly kind: "none";
  /** Why there is nothing, as half a sentence. */
  readonly reason: string;
  /** Nobody takes part whom the question is about: what hardware is missing says `reason`. */
  readonly isAbsent?: boolean;
}

/** Measures one metric for what the labels select. */
export type MetricSource = (labels: Labels) => Measure;
/** Sources by the full names of their metrics. */
export type MetricSources = Readonly<Record<string, MetricSource>>;

export const noData = (reason: string): NoData => ({ kind: "none", reason });
export const absent = (reason: string): NoData => ({ kind: "none", reason, isAbsent: true });

export const counted = (value: number, samples: number, seconds = 0): Measure => ({
  kind: "counter",
  value,
  samples,
  seconds,
});

/** A gauge with a single sample. */
export const single = (value: number, samples = 1): Measure => ({
  kind: "gauge",
  last: value,
  min: value,
  max: value,
  mean: value,
  samples,
});

export const shareOf = (count: number, total: number, reason: string): Measure =>
  total === 0 ? noData(reason) : { kind: "share", count, total };

/** `numerator / denominator`, or no data when there is nothing to divide by. */
export const ratioOf = (numerator: number, denominator: number, reason: string): Measure =>
  denominator === 0
    ? noData(reason)
    : { kind: "ratio", value: numerator / denominator, samples: denominator };

export const fact = (value: boolean, samples = 1): Measure => ({ kind: "boolean", value, samples });
export const word = (value: string, samples = 1): Measure => ({ kind: "label", value, samples });

/** One value of a metric. */
export interface MetricValue {
  readonly kind: "value";
  readonly value: number | boolean | string;
  readonly unit: MetricUnit;
  readonly samples: number;
  /** A percentile from too few samples: comparable, but tables print a dash. */
  readonly isThin: boolean;
  /** The head count behind a share, so that it compares with a plain number too. */
  readonly count: number | undefined;
  /** Of a time across clocks: it may be so far off. */
  readonly uncertaintyUs?: number;
}

/** Picks the value an aggregation asks for. */
export function aggregate(
  metric: Pick<MetricDefinition, "unit">,
  measure: Measure,
  aggregation: Aggregation,
): MetricValue | NoData {
  switch (measure.kind) {
    case "none":
      return measure;
    case "histogram":
      return fromHistogram(metric.unit, measure, aggregation);
    case "counter":
      if (aggregation.name !== "rate") return valueOf(measure.value, metric.unit, measure.samples);
      if (measure.seconds === 0) return noData("the selected stages have no duration yet");
      return valueOf(measure.value / measure.seconds, "per-second", measure.samples);
    case "gauge":
      return fromGauge(metric.unit, measure, aggregation);
    case "share": {
      const value = valueOf(measure.count / measure.total, "ratio", measure.total, measure.count);
      return aggregation.name === "count" ? valueOf(measure.count, "count", measure.total) : value;
    }
    default:
      return valueOf(measure.value, metric.unit, measure.samples);
  }
}

const valueOf = (
  value: number | boolean | string,
  unit: MetricUnit,
  samples: number,
  count?: number,
): MetricValue => ({ kind: "value", value, unit, samples, isThin: false, count });

function fromHistogram(
  unit: MetricUnit,
  { histogram, seconds }: Extract<Measure, { kind: "histogram" }>,
  { name, percentile }: Aggregation,
): MetricValue | NoData {
  const samples = histogram.count;
  if (name === "count") return valueOf(samples, "count", samples);
  if (samples === 0) return noData("no samples");
  if (name === "rate") {
    return seconds === 0
      ? noData("the selected stages have no duration yet")
      : valueOf(samples / seconds, "per-second", samples);
  }
  const percent = name === "p" ? percentile! : 50;
  if (name === "p" || name === "med") {
    const value = valueOf(histogram.percentile(percent), unit, samples);
    return { ...value, isThin: isThinPercentile(percent, samples) };
  }
  const of = { min: histogram.min, max: histogram.max, avg: histogram.mean }[name as "min" | "max" | "avg"];
  return valueOf(of, unit, samples);
}

function fromGauge(
  unit: MetricUnit,
  gauge: Extract<Measure, { kind: "gauge" }>,
  { name }: Aggregation,
): MetricValue {
  if (name === "count") return valueOf(gauge.samples, "count", gauge.samples);
  const value =
    name === "min" ? gauge.min : name === "max" ? gauge.max : name === "avg" ? gauge.mean : gauge.last;
  return valueOf(value, unit, gauge.samples);
}
