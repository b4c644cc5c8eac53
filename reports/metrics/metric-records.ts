import type { Labels } from "../expectations/expectation.js";
import type { Histogram } from "../ledger/histogram.js";
import type { MetricRecord } from "../record/run-record.js";
import { METRICS } from "./catalogue.js";
import type { MetricDefinition, MetricUnit } from "./definition.js";
import { aggregate, type Measure } from "./measure.js";
import type { MetricStore } from "./metric-store.js";

/** Units of a run record: durations in ms, everything else as measured. */
const RECORD_UNITS: Readonly<Record<MetricUnit, string>> = {
  us: "ms",
  count: "count",
  ratio: "ratio",
  number: "",
  "per-second": "/s",
  "per-minute": "/min",
  bytes: "B",
  "thing-seconds": "thing·s",
  usd: "USD",
  none: "",
};

/** The unit and scale in which a run record writes a metric's numbers. */
export const recordUnit = (unit: MetricUnit): string => RECORD_UNITS[unit];
/** A value in the unit of `recordUnit`: durations in ms instead of µs. */
export const recordValue = (value: number | boolean | string, unit: MetricUnit): number | boolean | string =>
  typeof value === "number" && unit === "us" ? value / 1000 : value;

/**
 * Every metric with data, once per set of labels that applies to it as a whole: `{}` for the run, `{stage}`,
 * `{group}` and so on for its parts. In the order of the catalogue.
 */
export function metricRecords(store: MetricStore, labelSets: readonly Labels[]): MetricRecord[] {
  return METRICS.flatMap((metric) =>
    labelSets
      .filter((labels) =>
        Object.keys(labels).every((name) => (metric.labels as readonly string[]).includes(name)),
      )
      .flatMap((labels) => {
        const record = metricRecord(metric, labels, store.measure(metric.name, labels));
        if (record === undefined) return [];
        const uncertaintyUs = store.uncertaintyUs(metric.name, labels);
        return [uncertaintyUs === undefined ? record : { ...record, uncertaintyMs: uncertaintyUs / 1000 }];
      }),
  );
}

function metricRecord(metric: MetricDefinition, labels: Labels, measure: Measure): MetricRecord | undefined {
  const named = Object.fromEntries(Object.entries(labels));
  const common = { name: metric.name, labels: named, summary: null, hdr: null };
  if (measure.kind === "histogram") {
    if (measure.histogram.count === 0) return undefined;
    const histogram = { summary: summarise(measure.histogram), hdr: measure.histogram.toHdr() };
    return { ...common, unit: RECORD_UNITS.us, kind: "histogram", value: null, ...histogram };
  }
  const value = aggregate(metric, measure, { name: metric.aggregation ?? "value", percentile: undefined });
  if (value.kind === "none") return undefined;
  return {
    ...common,
    unit: RECORD_UNITS[value.unit],
    kind: typeof value.value === "string" ? "text" : (typeof value.value as "number" | "boolean"),
    value: recordValue(value.value, value.unit),
  };
}

/** In ms. */
function summarise(histogram: Histogram): MetricRecord["summary"] {
  const ms = (us: number): number => us / 1000;
  return {
    count: histogram.count,
    min: ms(histogram.min),
    mean: ms(histogram.mean),
    p50: ms(histogram.percentile(50)),
    p90: ms(histogram.percentile(90)),
    p99: ms(histogram.percentile(99)),
    p999: ms(histogram.percentile(99.9)),
    max: ms(histogram.max),
  };
}
