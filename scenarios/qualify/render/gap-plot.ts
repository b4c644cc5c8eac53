import { html, type Markup, niceTicks } from "fleetrig/reports";
import type { GapRun } from "../judgement.js";

const WIDTH = 1000;
const HEIGHT = 180;
const TONES = 8;

/** Delays before attempts, one dot each, run by run: growth and jitter are seen at a glance. */
export function gapPlot(runs: readonly GapRun[]): Markup | false {
  const count = runs.reduce((most, { gapsMs }) => Math.max(most, gapsMs.length), 0);
  if (count === 0) return false;
  const longest = Math.max(1, ...runs.flatMap(({ gapsMs }) => gapsMs)) / 1000;
  const ticks = niceTicks(longest, 4);
  const end = ticks.at(-1)!;
  const x = (index: number): number => Math.round(((index + 0.5) / count) * WIDTH);
  const y = (seconds: number): number => Math.round((1 - seconds / end) * HEIGHT * 10) / 10;
  const title = `Delays before attempts to connect: ${runs.map(({ name, grade }) => `${name} ${grade ?? "too few to grade"}`).join(", ")}`;
  return html`<figure class="chart"><figcaption><span class="axis">seconds before each attempt</span><span class="legend">${runs.map((run, index) => html`<span class="key"><span class="swatch ${tone(index)}"></span>${run.name}: ${run.grade ?? "too few to grade"}</span>`)}</span></figcaption>
<div class="canvas" style="height:${HEIGHT}px">
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}"><title>${title}</title>
${ticks.map((tick) => html`<path class="grid" d="M0 ${y(tick)}H${WIDTH}"/>`)}
${runs.map(({ gapsMs }, index) => {
  const points = gapsMs.map((gap, at) => `${x(at)} ${y(gap / 1000)}`);
  if (points.length === 0) return "";
  return html`<g class="${tone(index)}"><path class="line" d="M${points.join("L")}"/><path class="dots" d="${points.map((point) => `M${point}h0`).join("")}"/></g>`;
})}</svg>
<div aria-hidden="true">${ticks.map((tick) => html`<span class="ytick" style="top:${y(tick)}px">${tick}</span>`)}
${Array.from({ length: count }, (_, index) => html`<span class="xtick" style="left:${x(index) / 10}%">${index + 1}</span>`)}</div>
</div></figure>`;
}

const tone = (index: number): string => `t${(index % TONES) + 1}`;
