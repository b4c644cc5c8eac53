import type { ConvergenceRecord, RunRecord } from "../../../record/run-record.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { chart } from "../chart/chart.js";
import { html, type Markup, named } from "../markup.js";
import { table } from "../table.js";
import { formatClock } from "../chart/scale.js";
import { formatValue } from "../../record-values.js";
import type { Section } from "./section.js";

/** How fast things followed each update of their shadows. */
export const shadowSection = ({ convergence }: RunRecord): Section => ({
  id: "shadow",
  title: "Shadow convergence",
  lead: "Share of the targeted things whose reported state and own state equal the update and stay so.",
  content: convergence.length === 0 ? [] : [convergence.map(convergenceChart), convergenceTable(convergence)],
});

function convergenceChart({ update, curve }: ConvergenceRecord): Markup {
  const endMs = curve.startMs + curve.points.length * curve.stepMs;
  return html`<h4>Update ${named(update)}</h4>${chart({
    title: `Share of things converged after update ${update}`,
    axis: "things converged",
    unit: "%",
    fromMs: curve.startMs,
    toMs: endMs,
    max: 100,
    layers: [{ kind: "area", name: "converged", tone: 3, series: curve, offset: 1 }],
  })}`;
}

/** When the curve first reaches a share, to the resolution of its steps. */
function reachedMs({ curve }: ConvergenceRecord, percent: number): number | null {
  const index = curve.points.findIndex((point) => point !== null && point >= percent - 1e-9);
  return index < 0 ? null : (index + 1) * curve.stepMs;
}

const convergenceTable = (rows: readonly ConvergenceRecord[]): Markup =>
  table({
    caption: "Updates in figures",
    rows,
    columns: [
      { title: "Update", cell: ({ update }) => named(update) },
      { title: "At", cell: ({ curve }) => formatClock(curve.startMs), isNumber: true },
      { title: "Targeted", cell: ({ targeted }) => grouped(targeted), isNumber: true },
      { title: "Converged", cell: ({ converged }) => grouped(converged), isNumber: true },
      { title: "Superseded", cell: ({ superseded }) => grouped(superseded), isNumber: true },
      ...[50, 95, 100].map((percent) => ({
        title: `${percent} % within`,
        cell: (row: ConvergenceRecord) => formatValue(reachedMs(row, percent), "ms"),
        isNumber: true,
      })),
    ],
  });
