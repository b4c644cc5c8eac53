import type { SeriesRecord } from "../../../record/run-record.js";
import { type Content, html, type Markup } from "../markup.js";
import { formatValue } from "../../record-values.js";
import { areaPath, bandPath, linePath, type PathPoint, stepPath } from "./path.js";
import {
  decadeTicks,
  formatClock,
  linearScale,
  logScale,
  niceTicks,
  timeTicks,
  type YScale,
} from "./scale.js";

/**
 * A chart of values over the time of a run. The curves are an SVG that stretches with the page; every word is HTML
 * above it, so that text keeps its size on any screen. It needs no script: the script only adds a crosshair.
 */
export interface ChartSpec {
  /** A sentence that says what the chart shows, for those who cannot see it too. */
  readonly title: string;
  /** Unit of the values, as in a series record. */
  readonly unit: string;
  /** What stands on the value axis: `messages per second`. */
  readonly axis: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly layers: readonly Layer[];
  readonly bands?: readonly Band[];
  readonly markers?: readonly Marker[];
  /** In px. */
  readonly height?: number;
  /** Upper end of the axis at least, so that charts side by side can be compared. */
  readonly max?: number;
  /** A logarithmic axis when the values spread over more than two decades. */
  readonly mayBeLogarithmic?: boolean;
}

/** `stack` layers stand on each other in the order given. */
export interface Layer {
  readonly kind: "line" | "dashed" | "step" | "area" | "stack";
  readonly name: string;
  /** Number of the colour in the palette of the style sheet, 1 to 8. */
  readonly tone: number;
  readonly series: SeriesRecord;
  /** Where in its step a point stands: 0 begin, 0.5 middle, 1 end. */
  readonly offset?: number;
}

/** A span of time with a name, such as a stage. */
export interface Band {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Marker {
  readonly atMs: number;
  readonly name: string;
  readonly tone: "good" | "plain";
}

/** Width of the SVG's own coordinates; the page stretches them. */
const WIDTH = 1000;
const DEFAULT_HEIGHT = 220;

interface Frame {
  readonly spec: ChartSpec;
  readonly height: number;
  readonly ticks: readonly number[];
  readonly y: YScale;
  readonly x: (ms: number) => number;
}

export function chart(spec: ChartSpec): Markup {
  const height = spec.height ?? DEFAULT_HEIGHT;
  const span = Math.max(1, spec.toMs - spec.fromMs);
  const x = (ms: number): number => ((ms - spec.fromMs) / span) * WIDTH;
  const frame: Frame = { spec, height, x, ...verticalAxis(spec, height) };
  const layers = drawnLayers(frame);
  return html`<figure class="chart${isNamedAtEnds(spec) && " named"}" data-chart="${crosshairData(spec)}">
<figcaption><span class="axis">${spec.axis}</span>${legend(spec.layers)}</figcaption>
<div class="canvas" style="height:${height}px">
${bandLabels(frame)}
<svg viewBox="0 0 ${WIDTH} ${height}" preserveAspectRatio="none" role="img" aria-label="${spec.title}"><title>${spec.title}</title>
${bandShapes(frame)}${grid(frame)}${layers.map((layer) => layer.shape)}${markerShapes(frame)}</svg>
${axisLabels(frame)}${markerLabels(frame)}${endLabels(layers, height)}
</div></figure>`;
}

const valuesOf = ({ series }: Layer): number[] => series.points.filter((point) => point !== null);

function verticalAxis(spec: ChartSpec, height: number): Pick<Frame, "ticks" | "y"> {
  const stacked = stackTotals(spec.layers);
  const values = [...spec.layers.filter(({ kind }) => kind !== "stack").flatMap(valuesOf), ...stacked];
  const max = values.reduce((most, value) => Math.max(most, value), spec.max ?? 0);
  const least = values.reduce((low, value) => (value > 0 ? Math.min(low, value) : low), max);
  if (spec.mayBeLogarithmic === true && least > 0 && max / least > 100) {
    const ticks = decadeTicks(least, max);
    return { ticks, y: logScale(ticks[0]!, ticks.at(-1)!, height) };
  }
  const ticks = niceTicks(max, 4);
  return { ticks, y: linearScale(ticks.at(-1)!, height) };
}

function stackTotals(layers: readonly Layer[]): readonly number[] {
  const stack = layers.filter(({ kind }) => kind === "stack");
  return (stack[0]?.series.points ?? []).map((_, index) =>
    stack.reduce((sum, { series }) => sum + (series.points[index] ?? 0), 0),
  );
}

interface DrawnLayer {
  readonly layer: Layer;
  readonly shape: Markup;
  /** Height of the last value, for the label beside it; undefined where nothing ends. */
  readonly endY: number | undefined;
}

function drawnLayers(frame: Frame): readonly DrawnLayer[] {
  const floor = new Map<number, number>();
  return frame.spec.layers.map((layer) =>
    layer.kind === "stack" ? stackedLayer(layer, frame, floor) : plainLayer(layer, frame),
  );
}

const instantOf = ({ series, offset = 0.5 }: Layer, index: number): number =>
  series.startMs + (index + offset) * series.stepMs;

/** Only whole steps are drawn: the last one may reach beyond the end and would look like a drop. */
const wholeSteps = (layer: Layer, { spec }: Frame): number =>
  layer.series.points.filter(
    (_, index) => layer.series.startMs + (index + 1) * layer.series.stepMs <= spec.toMs + 1,
  ).length;

function plainLayer(layer: Layer, frame: Frame): DrawnLayer {
  const { kind, tone, series } = layer;
  const points = series.points
    .slice(0, wholeSteps(layer, frame))
    .map(
      (value, index): PathPoint => [frame.x(instantOf(layer, index)), value === null ? null : frame.y(value)],
    );
  const line = kind === "step" ? stepPath(points) : linePath(points);
  const area =
    kind === "area" ? html`<path class="area t${tone}" d="${areaPath(points, frame.height)}"/>` : "";
  const dash = kind === "dashed" ? " dashed" : "";
  const last = points.findLast(([, y]) => y !== null);
  return {
    layer,
    shape: html`${area}<path class="line t${tone}${dash}" d="${line}"/>`,
    endY: last?.[1] ?? undefined,
  };
}

function stackedLayer(layer: Layer, frame: Frame, floor: Map<number, number>): DrawnLayer {
  const indices = layer.series.points.slice(0, wholeSteps(layer, frame)).map((_, index) => index);
  const xs = indices.map((index) => frame.x(instantOf(layer, index)));
  const lower = indices.map((index) => floor.get(index) ?? 0);
  const upper = indices.map((index) => lower[index]! + (layer.series.points[index] ?? 0));
  for (const index of indices) floor.set(index, upper[index]!);
  const path = bandPath(xs, upper.map(frame.y), lower.map(frame.y));
  const middle = ((upper.at(-1) ?? 0) + (lower.at(-1) ?? 0)) / 2;
  const isThere = upper.at(-1) !== lower.at(-1);
  return {
    layer,
    shape: html`<path class="stack t${layer.tone}" d="${path}"/>`,
    endY: isThere ? frame.y(middle) : undefined,
  };
}

const grid = ({ ticks, y }: Frame): Content =>
  ticks.map((tick, index) => {
    const at = Math.round(y(tick)) + 0.5;
    return html`<path class="${index === 0 ? "base" : "grid"}" d="M0 ${at}H${WIDTH}"/>`;
  });

const bandShapes = ({ spec, x, height }: Frame): Content =>
  (spec.bands ?? []).map(({ fromMs, toMs }, index) => {
    const left = Math.round(x(Math.max(fromMs, spec.fromMs)));
    const right = Math.round(x(Math.min(toMs, spec.toMs)));
    if (right <= left) return "";
    return html`<rect class="band${index % 2 === 0 ? " even" : ""}" x="${left}" y="0" width="${right - left}" height="${height}"/>`;
  });

/** Share of the width below which the name of a stage would be a letter or two. */
const NARROWEST_LABEL = 0.03;

const percent = (x: number): string => `${Math.round(x * 10) / 100}%`;

const bandLabels = ({ spec, x }: Frame): Content =>
  (spec.bands ?? []).map(({ name, fromMs, toMs }) => {
    const left = Math.max(0, x(fromMs));
    const width = Math.min(WIDTH, x(toMs)) - left;
    if (width < WIDTH * NARROWEST_LABEL) return "";
    return html`<span class="stage" title="${name}" style="left:${percent(left)};width:${percent(width)}">${name}</span>`;
  });

function axisLabels({ spec, ticks, y, x }: Frame): Content {
  const times = timeTicks(spec.fromMs, spec.toMs, 9);
  return html`<div aria-hidden="true">${ticks.map(
    (tick) =>
      html`<span class="ytick" style="top:${Math.round(y(tick))}px">${formatTick(tick, spec.unit)}</span>`,
  )}${times.map(
    (ms, index) =>
      html`<span class="xtick${index % 2 === 1 && " odd"}" style="left:${percent(x(ms))}">${formatClock(ms)}</span>`,
  )}</div>`;
}

/** The axis title already says per second. */
const formatTick = (value: number, unit: string): string => formatValue(value, unit === "/s" ? "" : unit);

const markerShapes = ({ spec, x, height }: Frame): Content =>
  (spec.markers ?? []).map(
    ({ atMs, tone }) => html`<path class="marker ${tone}" d="M${Math.round(x(atMs))} 0V${height}"/>`,
  );

const markerLabels = ({ spec, x }: Frame): Content =>
  (spec.markers ?? []).map(({ atMs, name, tone }, index) => {
    const at = x(atMs);
    const side = at > WIDTH * 0.6 ? "before" : "after";
    const place = side === "after" ? `left:${percent(at)}` : `right:${percent(WIDTH - at)}`;
    return html`<span class="flag ${tone} ${side}" style="${place};top:${4 + index * 22}px">${name}</span>`;
  });

const LABEL_HEIGHT = 16;

/** Names beside the ends of their curves, pushed apart where they would cover each other. */
function endLabels(layers: readonly DrawnLayer[], height: number): Content {
  const ends = layers
    .flatMap(({ layer, endY }) => (endY === undefined ? [] : [{ layer, y: endY }]))
    .sort((a, b) => a.y - b.y);
  let above = -LABEL_HEIGHT;
  const placed = ends.map(({ layer, y }) => {
    above = Math.max(y, above + LABEL_HEIGHT);
    return { layer, y: above };
  });
  const overflow = Math.max(0, above - height);
  return html`<div class="ends" aria-hidden="true">${placed.map(
    ({ layer, y }) =>
      html`<span class="end t${layer.tone}" style="top:${Math.round(y - overflow)}px">${layer.name}</span>`,
  )}</div>`;
}

/** Curves that carry their names need a legend only where there is no room for them. */
const isNamedAtEnds = ({ layers }: ChartSpec): boolean => layers.every(({ kind }) => kind !== "stack");

const legend = (layers: readonly Layer[]): Markup | false =>
  layers.length > 1 &&
  html`<span class="legend">${layers.map(
    ({ name, tone, kind }) => html`<span class="key"><i class="swatch t${tone} ${kind}"></i>${name}</span>`,
  )}</span>`;

const rounded = (value: number | null): number | null =>
  value === null ? null : Number(value.toPrecision(4));

/** What the crosshair needs: per layer the name, the colour, the grid and the points. */
const crosshairData = ({ fromMs, toMs, unit, layers }: ChartSpec): string =>
  JSON.stringify({
    fromMs,
    toMs,
    unit,
    layers: layers.map(({ name, tone, series, offset = 0.5 }) => ({
      name,
      tone,
      startMs: series.startMs + offset * series.stepMs,
      stepMs: series.stepMs,
      points: series.points.map(rounded),
    })),
  });
