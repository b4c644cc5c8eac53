import type { MetricRecord, RunRecord } from "../../../record/run-record.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { html, named } from "../markup.js";
import { table } from "../table.js";
import { formatLabels, formatPercentile, formatValue, NOTHING } from "../../record-values.js";
import type { Section } from "./section.js";

/** Rows beyond this are in report.json only. */
const MAX_ROWS = 400;

/** Every metric of the run, folded away. */
export function measurementsSection({ metrics }: RunRecord): Section {
  const shown = metrics.slice(0, MAX_ROWS);
  const rest = metrics.length - shown.length;
  return {
    id: "metrics",
    title: "Everything measured",
    content:
      metrics.length === 0
        ? []
        : [
            html`<details class="fold"><summary>${grouped(metrics.length)} values</summary>${table({
              caption: "Everything measured",
              hidesCaption: true,
              className: "sortable",
              rows: shown,
              columns: [
                { title: "Metric", cell: ({ name }) => html`<code>${name}</code>` },
                { title: "Of", cell: ({ labels }) => named(formatLabels(labels)) },
                { title: "Value", cell: valueOf, isNumber: true },
                { title: "p99", cell: (metric) => percentileOf(metric), isNumber: true },
                {
                  title: "Samples",
                  cell: ({ summary }) => (summary === null ? "" : grouped(summary.count)),
                  isNumber: true,
                },
              ],
            })}${rest > 0 && html`<p class="muted">${grouped(rest)} more values are in report.json.</p>`}</details>`,
          ],
  };
}

/** Of a distribution, its median. */
const valueOf = ({ value, unit, summary }: MetricRecord): string =>
  summary === null ? formatValue(value, unit) : `p50 ${formatPercentile(summary, "p50")}`;

const percentileOf = ({ summary }: MetricRecord): string =>
  summary === null ? "" : formatPercentile(summary, "p99") || NOTHING;
