import { findMetric } from "../../../metrics/catalogue.js";
import type { MetricSection } from "../../../metrics/definition.js";
import { costText } from "../../access-text.js";
import type { MetricRecord, RunRecord } from "../../../record/run-record.js";
import { formatLabels, formatValue } from "../../record-values.js";
import { html, named } from "../markup.js";
import { table } from "../table.js";
import type { Section } from "./section.js";

interface FiguresOptions {
  readonly id: string;
  readonly title: string;
  readonly shows: (metric: MetricRecord) => boolean;
}

/** Single figures with what they mean: for a part of the run that has no curve of its own. */
const figures =
  ({ id, title, shows }: FiguresOptions) =>
  ({ metrics }: RunRecord): Section => {
    const rows = metrics.filter((metric) => metric.summary === null && shows(metric));
    return {
      id,
      title,
      content: [
        rows.length > 0 &&
          table({
            caption: title,
            hidesCaption: true,
            rows,
            columns: [
              { title: "Metric", cell: subject },
              {
                title: "Value",
                cell: ({ value, unit }) => html`<strong>${formatValue(value, unit)}</strong>`,
                isNumber: true,
              },
              { title: "Meaning", cell: ({ name }) => findMetric(name)?.definition ?? "" },
            ],
          }),
      ],
    };
  };

const subject = ({ name, labels }: MetricRecord) =>
  html`<code>${name}</code>${Object.keys(labels).length > 0 && html` <span class="muted">${named(formatLabels(labels))}</span>`}`;

/** Of the run as a whole. */
const ofSection =
  (section: MetricSection) =>
  ({ name, labels }: MetricRecord): boolean =>
    Object.keys(labels).length === 0 && findMetric(name)?.section === section;

export const deliverySection = figures({ id: "delivery", title: "Delivery", shows: ofSection("delivery") });

/** Rules are told one by one. */
export const rulesSection = figures({
  id: "rules",
  title: "Rules",
  shows: ({ name, labels }) =>
    findMetric(name)?.section === "rules" &&
    (Object.keys(labels).join() === "rule" || Object.keys(labels).length === 0),
});

export const brokerSection = figures({ id: "broker", title: "Broker", shows: ofSection("broker") });

/** What was refused and provisioned, and what all of it would have cost. */
export function accessSection(run: RunRecord): Section {
  const section = accessFigures(run);
  if (run.cost === undefined) return section;
  return { ...section, lead: costText(run.cost) };
}

const accessFigures = figures({
  id: "access",
  title: "Access and cost",
  shows: ({ name, labels, value }) => {
    const section = findMetric(name)?.section;
    if (section === "cost") return value !== 0;
    return section === "access" && !("stage" in labels);
  },
});
