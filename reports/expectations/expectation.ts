import type { Aggregation, LabelName, MetricUnit } from "../metrics/definition.js";

/** Comparisons, longer ones before their prefixes. */
export const OPERATORS = ["<=", ">=", "==", "!=", "<", ">"] as const;
/** One of `OPERATORS`. */
export type Operator = (typeof OPERATORS)[number];

/** Labels of a selector; an absent label selects everything. */
export type Labels = Readonly<Partial<Record<LabelName, string>>>;

/** What the measured value is compared with. `value` of a number is in `unit`. */
export type Limit =
  | { readonly type: "number"; readonly value: number; readonly unit: MetricUnit; readonly text: string }
  | { readonly type: "boolean"; readonly value: boolean; readonly text: string }
  | { readonly type: "word"; readonly value: string; readonly text: string };

/** One parsed and checked line of `expect`, or one `until` condition. */
export interface Expectation {
  /** As written. */
  readonly text: string;
  readonly metric: string;
  readonly labels: Labels;
  readonly aggregation: Aggregation;
  readonly operator: Operator;
  readonly limit: Limit;
}

/** `latency.e2e{stage=steady} p(99)`: the left-hand side. */
export function formatSelector(expectation: Pick<Expectation, "metric" | "labels">): string {
  const labels = Object.entries(expectation.labels).map(([name, value]) => `${name}=${value}`);
  return labels.length === 0 ? expectation.metric : `${expectation.metric}{${labels.join(",")}}`;
}

const COMPARE: Readonly<Record<Operator, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

/** Numbers compare by order; booleans and words are equal or not. */
export function holds(
  measured: number | boolean | string,
  operator: Operator,
  limit: Limit["value"],
): boolean {
  if (typeof measured === "number" && typeof limit === "number") return COMPARE[operator](measured, limit);
  return operator === "==" ? measured === limit : operator === "!=" && measured !== limit;
}
