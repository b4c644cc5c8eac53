import type { MetricRecord } from "../record/run-record.js";

/** One figure of a metric that is not what it was. */
export interface MetricChange {
  /** `latency.e2e{stage=steady} p(99)`. */
  readonly subject: string;
  readonly unit: string;
  /** Null where one side has no such figure. */
  readonly before: FigureValue | null;
  readonly after: FigureValue | null;
  /** (after - before) / before; null when one of them is not a number or before is 0. */
  readonly relative: number | null;
}

type FigureValue = number | boolean | string;

interface Figure {
  readonly metric: string;
  readonly subject: string;
  readonly unit: string;
  readonly value: FigureValue | null;
}

/** Real-time figures may differ by this share before they count as different. */
const RELATIVE_TOLERANCE = 0.15;

/** Below these differences, in the unit of the record, real-time figures are noise whatever their share. */
const ABSOLUTE_FLOORS: Readonly<Record<string, number>> = {
  ms: 5,
  ratio: 0.01,
  "/s": 2,
  "/min": 2,
  count: 2,
  B: 16 * 1024 * 1024,
  thing·s: 1,
};
const DEFAULT_FLOOR = 0.05;

/** Relative tolerance of a metric, as a fraction; undefined leaves the default. */
type ToleranceOf = (metric: string) => number | undefined;

/** How strictly figures of real-time runs are compared. */
export interface CompareOptions {
  readonly tolerance?: ToleranceOf;
}

/** How far two real-time figures may be apart: the larger of a share of the earlier one and a floor. */
export const toleranceOf = (before: number, unit: string, relative = RELATIVE_TOLERANCE): number =>
  Math.max(Math.abs(before) * relative, ABSOLUTE_FLOORS[unit] ?? DEFAULT_FLOOR);

const STATISTICS = [
  ["min", "min"],
  ["avg", "mean"],
  ["p(50)", "p50"],
  ["p(90)", "p90"],
  ["p(99)", "p99"],
  ["p(99.9)", "p999"],
  ["max", "max"],
] as const;

/** A distribution has several figures, every other metric one. */
function figuresOf(metric: MetricRecord): readonly Figure[] {
  const labels = Object.entries(metric.labels)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(",");
  const subject = labels === "" ? metric.name : `${metric.name}{${labels}}`;
  const { summary, unit } = metric;
  const { name } = metric;
  if (summary === null) return [{ metric: name, subject, unit, value: metric.value }];
  return [
    { metric: name, subject: `${subject} count`, unit: "count", value: summary.count },
    ...STATISTICS.map(([statistic, key]) => ({
      metric: name,
      subject: `${subject} ${statistic}`,
      unit,
      value: summary[key],
    })),
  ];
}

/** Figures that differ, in the order of the later side; those that vanished last. */
export function compareValues(
  before: readonly MetricRecord[],
  after: readonly MetricRecord[],
  { mode, tolerance }: CompareOptions & { readonly mode: "exact" | "tolerant" },
): readonly MetricChange[] {
  const earlier = new Map(before.flatMap(figuresOf).map((figure) => [figure.subject, figure]));
  const later = after.flatMap(figuresOf);
  const present = new Set(later.map(({ subject }) => subject));
  const gone = [...earlier.values()]
    .filter(({ subject }) => !present.has(subject))
    .map((figure) => ({ ...figure, value: null }));
  return [...later, ...gone].flatMap((figure) => {
    const change = changeOf(earlier.get(figure.subject), figure);
    const relative = mode === "exact" ? undefined : (tolerance?.(figure.metric) ?? RELATIVE_TOLERANCE);
    return isDifferent(change, relative) ? [change] : [];
  });
}

function changeOf(before: Figure | undefined, after: Figure): MetricChange {
  const was = before?.value ?? null;
  const is = after.value;
  const isNumeric = typeof was === "number" && typeof is === "number" && was !== 0;
  return {
    subject: after.subject,
    unit: after.unit,
    before: was,
    after: is,
    relative: isNumeric ? (is - was) / Math.abs(was) : null,
  };
}

/** @param relative undefined: exactly. */
function isDifferent({ before, after, unit }: MetricChange, relative: number | undefined): boolean {
  if (before === after) return false;
  if (relative === undefined || typeof before !== "number" || typeof after !== "number") return true;
  return Math.abs(after - before) > toleranceOf(before, unit, relative);
}
