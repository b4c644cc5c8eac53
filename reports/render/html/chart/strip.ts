import { html, type Markup } from "../markup.js";
import { formatValue } from "../../record-values.js";
import { niceTicks } from "./scale.js";

/** One row of dots: the value of each seed of a variant. */
interface StripRow {
  readonly name: string;
  readonly tone: number;
  readonly values: readonly number[];
}

const WIDTH = 1000;
const ROW = 56;
/** Dots of one column stand on each other; higher columns are drawn closer. */
const COLUMNS = 120;

export interface StripSpec {
  /** What the strip shows, for those who cannot see it. */
  readonly title: string;
  readonly axis: string;
  readonly unit: string;
  readonly rows: readonly StripRow[];
}

/** Values of many seeds side by side, one dot per seed, the median as a line. */
export function strip({ title, axis, unit, rows }: StripSpec): Markup {
  const max = rows.flatMap(({ values }) => values).reduce((most, value) => Math.max(most, value), 0);
  const ticks = niceTicks(max, 5);
  const end = ticks.at(-1)!;
  const height = rows.length * ROW;
  const percent = (value: number): string => `${Math.round((value / end) * 10_000) / 100}%`;
  return html`<figure class="chart strip"><figcaption><span class="axis">${axis}</span></figcaption>
<div class="canvas" style="height:${height}px">
<svg viewBox="0 0 ${WIDTH} ${height}" preserveAspectRatio="none" role="img" aria-label="${title}"><title>${title}</title>
${ticks.map((tick) => html`<path class="grid" d="M${(tick / end) * WIDTH} 0V${height}"/>`)}
${rows.map((row, index) => html`<path class="base" d="M0 ${(index + 1) * ROW - 0.5}H${WIDTH}"/>${dots(row, end, (index + 1) * ROW)}`)}</svg>
${rows.map((row, index) => html`<span class="lane" style="top:${index * ROW + 4}px">${row.name}</span>`)}
<div aria-hidden="true">${ticks.map((tick) => html`<span class="xtick" style="left:${percent(tick)}">${formatValue(tick, unit)}</span>`)}</div>
</div></figure>`;
}

function dots({ values, tone }: StripRow, end: number, floor: number): Markup {
  const heights = new Map<number, number>();
  const columns = values.map((value) => Math.round((value / end) * COLUMNS));
  for (const column of columns) heights.set(column, (heights.get(column) ?? 0) + 1);
  const tallest = [...heights.values()].reduce((most, next) => Math.max(most, next), 1);
  const pitch = Math.min(7, (ROW - 14) / tallest);
  const seen = new Map<number, number>();
  const path = columns.map((column) => {
    const level = seen.get(column) ?? 0;
    seen.set(column, level + 1);
    return `M${Math.round((column / COLUMNS) * WIDTH)} ${Math.round((floor - 6 - level * pitch) * 10) / 10}h0`;
  });
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.ceil(sorted.length / 2) - 1];
  const line =
    median === undefined
      ? ""
      : html`<path class="median" d="M${Math.round((median / end) * WIDTH)} ${floor - ROW + 8}V${floor}"/>`;
  return html`${line}<path class="dots t${tone}" d="${path.join("")}"/>`;
}
