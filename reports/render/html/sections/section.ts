import type { RunRecord, SeriesRecord } from "../../../record/run-record.js";
import type { Band } from "../chart/chart.js";
import { type Content, html, type Markup } from "../markup.js";
import { formatLabels } from "../../record-values.js";

/** A part of a run's report with its heading. Empty content leaves the section out. */
export interface Section {
  /** Part of the anchor; ours, never data. */
  readonly id: string;
  readonly title: string;
  readonly lead?: Content;
  readonly content: readonly Content[];
}

export const renderSection = (prefix: string, { id, title, lead, content }: Section): Markup =>
  html`<section id="${prefix}-${id}" aria-labelledby="${prefix}-${id}-title">
<h3 id="${prefix}-${id}-title">${title}</h3>
${lead !== undefined && html`<p class="lead">${lead}</p>`}
${content}
</section>`;

export const stageBands = (run: RunRecord): readonly Band[] =>
  run.stages.map(({ name, startMs, endMs }) => ({ name, fromMs: startMs, toMs: endMs }));

/** Undefined when the run has no such curve, or one without anything on it. */
export function findSeries(
  run: RunRecord,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): SeriesRecord | undefined {
  const found = run.series.find(
    (series) => series.name === name && formatLabels(series.labels) === formatLabels(labels),
  );
  return found?.points.some((point) => point !== null && point > 0) === true ? found : undefined;
}

/** The points of a curve whose steps begin within a span. */
export const pointsWithin = (
  { points, startMs, stepMs }: SeriesRecord,
  fromMs: number,
  toMs: number,
): number[] =>
  points.filter((point, index): point is number => {
    const at = startMs + index * stepMs;
    return point !== null && at >= fromMs && at < toMs;
  });

export const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

export const maxOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((most, value) => Math.max(most, value), values[0]!);
