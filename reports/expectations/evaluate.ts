import { findMetric } from "../metrics/catalogue.js";
import type { MetricUnit } from "../metrics/definition.js";
import { formatAggregation } from "../metrics/definition.js";
import { formatQuantity } from "../metrics/format-quantity.js";
import type { MetricStore } from "../metrics/metric-store.js";
import type { MetricValue, NoData } from "../metrics/measure.js";
import { type Expectation, formatSelector, holds } from "./expectation.js";
import { doubtAbout, doubtAboutClocks, type Trust } from "./trust.js";

/**
 * `inconclusive` means that the measurement cannot be trusted; it is never a pass. `skipped`: the hardware that the expectation is about is
 * missing; neither a pass nor a failure.
 */
export type ExpectationVerdict = "pass" | "fail" | "inconclusive" | "skipped";

/** How one expectation ended, for people and for programs. */
export interface ExpectationResult {
  readonly verdict: ExpectationVerdict;
  /** For people: `212 ms`, or `no data`. */
  readonly measured: string;
  /** For programs; null without data. Durations in µs, shares and ratios as fractions. */
  readonly value: number | boolean | string | null;
  /** As written in the expectation, with its operator: `< 250ms`. */
  readonly limit: string;
  readonly unit: MetricUnit;
  readonly samples: number;
  /** Of a time that was measured across clocks: the truth is within so much of `value`. */
  readonly uncertaintyUs?: number;
  /** One sentence where the verdict is not `pass`, or where the value needs a remark. */
  readonly reason: string | null;
}

/** How an expectation is judged beyond what it says itself. */
export interface EvaluateOptions {
  /** Pass when nothing was measured. */
  readonly allowEmpty?: boolean;
}

/** Judges one expectation on one run. */
export function evaluateExpectation(
  expectation: Expectation,
  store: MetricStore,
  trust: Trust,
  options: EvaluateOptions = {},
): ExpectationResult {
  const value = store.query(expectation.metric, expectation.labels, expectation.aggregation);
  const result = judge(expectation, value, { ...options, trust });
  if (result.verdict !== "fail") return result;
  return { ...result, reason: joined(result.reason, store.absenceRemark(expectation)) };
}

/** True when the condition holds now; a condition without data does not hold, but nobody waits for hardware that is not there. */
export function conditionHolds(expectation: Expectation, store: MetricStore): boolean {
  const value = store.query(expectation.metric, expectation.labels, expectation.aggregation);
  if (value.kind === "none") return value.isAbsent === true;
  return holds(comparable(value, expectation), expectation.operator, expectation.limit.value);
}

/** The left-hand side for people: `latency.e2e{stage=steady} p(99)`. */
export function formatSubject(expectation: Expectation): string {
  const { aggregation } = expectation;
  const selector = formatSelector(expectation);
  return aggregation.name === "value" ? selector : `${selector} ${formatAggregation(aggregation)}`;
}

/** The limit as written, with its operator: `< 250ms`. */
export const formatLimit = ({ operator, limit }: Expectation): string => `${operator} ${limit.text}`;

/** The number a limit is compared with: a share compares as a count when the limit is one. */
const comparable = (value: MetricValue, { limit }: Expectation): number | boolean | string =>
  value.count !== undefined && limit.type === "number" && limit.unit === "count" ? value.count : value.value;

/** Judges a value that is already there. */
export function judge(
  expectation: Expectation,
  value: MetricValue | NoData,
  { trust, allowEmpty = false }: EvaluateOptions & { readonly trust: Trust },
): ExpectationResult {
  const limit = formatLimit(expectation);
  const metric = findMetric(expectation.metric)!;
  if (value.kind === "none") {
    const empty = { value: null, limit, unit: metric.unit, samples: 0 } as const;
    if (value.isAbsent === true)
      return { ...empty, verdict: "skipped", measured: "skipped", reason: `Skipped: ${value.reason}.` };
    const verdict = allowEmpty ? "pass" : "fail";
    return { ...empty, verdict, measured: "no data", reason: `No data: ${value.reason}.` };
  }
  const measured = comparable(value, expectation);
  const unit = expectation.limit.type === "number" ? expectation.limit.unit : value.unit;
  const result = {
    measured: formatMeasured(value, measured, unit),
    value: measured,
    limit,
    unit,
    samples: value.samples,
    ...(value.uncertaintyUs !== undefined && { uncertaintyUs: value.uncertaintyUs }),
  };
  const doubt = (metric.isTiming ? doubtAbout(trust) : undefined) ?? doubtAboutClocks(value, expectation);
  if (doubt !== undefined) return { ...result, verdict: "inconclusive", reason: doubt };
  const isMet = holds(measured, expectation.operator, expectation.limit.value);
  const reason = isMet ? null : `${formatSubject(expectation)} = ${result.measured}, expected ${limit}.`;
  const remark = value.isThin ? `Only ${value.samples} samples stand behind the percentile.` : undefined;
  return {
    ...result,
    verdict: isMet ? "pass" : "fail",
    reason: joined(reason, remark),
  };
}

const joined = (reason: string | null, remark: string | undefined): string | null =>
  [reason ?? [], remark ?? []].flat().join(" ") || null;

/** A share shows its head count too: `40 % (2,000 of 5,000)`. */
function formatMeasured(value: MetricValue, measured: number | boolean | string, unit: MetricUnit): string {
  const uncertainty =
    value.uncertaintyUs === undefined ? "" : ` ± ${formatQuantity(value.uncertaintyUs, "us")}`;
  const text = formatQuantity(measured, unit) + uncertainty;
  if (value.count === undefined || unit !== "ratio") return text;
  return `${text} (${formatQuantity(value.count, "count")} of ${formatQuantity(value.samples, "count")})`;
}
