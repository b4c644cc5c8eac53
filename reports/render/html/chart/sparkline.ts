import { html, type Markup } from "../markup.js";
import { areaPath, linePath, type PathPoint } from "./path.js";

const WIDTH = 120;
const HEIGHT = 28;
/** More points than pixels say nothing. */
const MAX_POINTS = 120;

/** A curve as small as a word. */
export function sparkline(points: readonly (number | null)[], title: string): Markup {
  const every = Math.max(1, Math.ceil(points.length / MAX_POINTS));
  const kept = points.filter((_, index) => index % every === 0);
  const max = kept.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  if (kept.length < 2 || max === 0) return html`<span class="muted">–</span>`;
  const path = kept.map(
    (value, index): PathPoint => [
      (index / (kept.length - 1)) * WIDTH,
      value === null ? null : HEIGHT - 2 - (value / max) * (HEIGHT - 4),
    ],
  );
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}"><title>${title}</title><path class="area t1" d="${areaPath(path, HEIGHT)}"/><path class="line t1" d="${linePath(path)}"/></svg>`;
}
