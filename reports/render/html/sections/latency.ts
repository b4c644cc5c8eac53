import type { MetricRecord, RunRecord } from "../../../record/run-record.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { chart, type Layer } from "../chart/chart.js";
import { html, named } from "../markup.js";
import { type Column, table } from "../table.js";
import { formatLabels, formatPercentile, formatValue, type Summary } from "../../record-values.js";
import { findSeries, type Section, stageBands } from "./section.js";

const CURVES = [
  { percent: "99", tone: 2, kind: "line" },
  { percent: "95", tone: 4, kind: "dashed" },
  { percent: "50", tone: 1, kind: "line" },
] as const;

/** Distributions shown beside end-to-end latency, where the run has them. */
const DISTRIBUTIONS = ["latency.e2e", "latency.service", "latency.ack", "connect.time", "rules.latency"];

type Distribution = MetricRecord & { readonly summary: Summary };
const isDistribution = (metric: MetricRecord): metric is Distribution => metric.summary !== null;

/** Percentiles over time, and exact ones by stage. */
export function latencySection(run: RunRecord): Section {
  const layers = CURVES.flatMap(({ percent, tone, kind }): Layer[] => {
    const series = findSeries(run, "latency.e2e", { p: percent });
    return series === undefined ? [] : [{ kind, name: `p${percent}`, tone, series }];
  });
  const distributions = run.metrics.filter(isDistribution);
  const byStage = distributions.filter(
    ({ name, labels }) => name === "latency.e2e" && Object.keys(labels).join() === "stage",
  );
  const whole = distributions.filter(
    ({ name, labels }) => DISTRIBUTIONS.includes(name) && Object.keys(labels).length === 0,
  );
  return {
    id: "latency",
    title: "Latency",
    lead:
      layers.length > 0 &&
      "From the instant the schedule wanted a message to the observer’s handler. Curves are exact to 6 %, tables to 0.1 %.",
    content: [
      layers.length > 0 &&
        chart({
          title: "Percentiles of end-to-end latency over the run, with its stages",
          axis: "end-to-end latency",
          unit: "ms",
          fromMs: 0,
          toMs: run.durationMs,
          bands: stageBands(run),
          mayBeLogarithmic: true,
          layers,
        }),
      byStage.length > 0 &&
        percentileTable("End-to-end latency by stage", "Stage", byStage, ({ labels }) =>
          named(labels["stage"] ?? formatLabels(labels)),
        ),
      whole.length > 0 &&
        percentileTable(
          "Latencies of the whole run",
          "Metric",
          whole,
          ({ name }) => html`<code>${name}</code>`,
        ),
    ],
  };
}

function percentileTable(
  caption: string,
  title: string,
  rows: readonly Distribution[],
  cell: Column<Distribution>["cell"],
): ReturnType<typeof table> {
  const percentile = (name: "p50" | "p90" | "p99" | "p999", head: string): Column<Distribution> => ({
    title: head,
    cell: ({ summary }) => formatPercentile(summary, name),
    isNumber: true,
  });
  const crossing = rows.some(({ uncertaintyMs }) => uncertaintyMs !== undefined);
  const uncertainty: Column<Distribution> = {
    title: "Known to",
    cell: ({ uncertaintyMs }) =>
      uncertaintyMs === undefined ? "exactly" : `±${formatValue(uncertaintyMs, "ms")}`,
    isNumber: true,
  };
  return table({
    caption,
    rows,
    columns: [
      { title, cell },
      { title: "Samples", cell: ({ summary }) => grouped(summary.count), isNumber: true },
      percentile("p50", "p50"),
      percentile("p90", "p90"),
      percentile("p99", "p99"),
      percentile("p999", "p99.9"),
      { title: "Max", cell: ({ summary }) => formatValue(summary.max, "ms"), isNumber: true },
      ...(crossing ? [uncertainty] : []),
    ],
  });
}
