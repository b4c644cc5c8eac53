import type { MetricUnit } from "../metrics/definition.js";
import { formatQuantity } from "../metrics/format-quantity.js";
import { isThinPercentile } from "../ledger/histogram.js";
import type { DistributionRecord } from "../record/board-records.js";
import type { MetricRecord } from "../record/run-record.js";

/** Values of a record for people. Records write durations in ms; people read the unit that fits. */

const UNITS: Readonly<Record<string, MetricUnit>> = {
  ms: "us",
  count: "count",
  ratio: "ratio",
  "/s": "per-second",
  "/min": "per-minute",
  B: "bytes",
  thing·s: "thing-seconds",
  USD: "usd",
  things: "count",
};

/** What stands for a value that was not measured. */
export const NOTHING = "–";

/** A recorded value with its unit for people; `NOTHING` where there is none. */
export function formatValue(value: number | boolean | string | null | undefined, unit: string): string {
  if (value === null || value === undefined) return NOTHING;
  if (typeof value !== "number") return String(value);
  if (unit === "%") return formatQuantity(value / 100, "ratio");
  return formatQuantity(unit === "ms" ? value * 1000 : value, UNITS[unit] ?? "number");
}

export type Summary = NonNullable<MetricRecord["summary"]>;
const PERCENTILES = { p50: 50, p90: 90, p99: 99, p999: 99.9 } as const;

/** A percentile with too few samples behind it is not shown. */
export const formatPercentile = (summary: Summary, name: keyof typeof PERCENTILES): string =>
  isThinPercentile(PERCENTILES[name], summary.count) ? NOTHING : formatValue(summary[name], "ms");

/** One figure of a distribution without a histogram; percentiles as `formatPercentile` shows them. */
export function formatFigure(
  distribution: DistributionRecord | null,
  name: Exclude<keyof DistributionRecord, "count">,
): string {
  if (distribution === null) return NOTHING;
  const percent = { p50: 50, p95: 95, min: undefined, max: undefined }[name];
  const isThin = percent !== undefined && isThinPercentile(percent, distribution.count);
  return isThin ? NOTHING : formatValue(distribution[name], "ms");
}

/** `stage=steady, qos=1`. */
export const formatLabels = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");

export const findMetricRecord = (
  metrics: readonly MetricRecord[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): MetricRecord | undefined =>
  metrics.find((metric) => metric.name === name && formatLabels(metric.labels) === formatLabels(labels));
