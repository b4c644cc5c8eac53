import { US_PER_MINUTE } from "fleetrig/kernel";

/**
 * How fast a job reaches its targets (REF §6.2). The *rate* is new executions per minute, not completions.
 *
 * Constant: `maximumPerMinute`. Exponential: `min(base * factor^k, maximumPerMinute)`, where k is how often
 * the counter (things notified or succeeded) has passed the threshold, cumulatively: with a threshold of
 * 1,000 the rate grows at 1,000, 2,000, 3,000.
 *
 * AWS does not say how a minute's worth is spread nor how fractional rates are rounded. Here executions are
 * spread evenly, the first at once and the next after `60 s / rate`, by a credit that grows with time and never
 * exceeds one execution. So a fractional rate is exact in the long run, no minute holds more than the rate
 * (rounded up), and time lost while a host was late or a job paused is not caught up in a burst.
 */
export interface RolloutPlan {
  /** Cap, or the rate itself when `exponential` is undefined; 1 to 1,000. */
  readonly maximumPerMinute: number;
  readonly exponential: ExponentialRate | undefined;
}

/** A rate in things per minute that is multiplied by the factor at every multiple of the threshold. */
export interface ExponentialRate {
  readonly baseRatePerMinute: number;
  readonly incrementFactor: number;
  /** Which counter raises the rate. */
  readonly counter: "notified" | "succeeded";
  /** Things per increase. */
  readonly threshold: number;
}

export interface RolloutCounters {
  readonly notified: number;
  readonly succeeded: number;
}

/** New executions per minute at these counters; may be fractional. */
export function ratePerMinute(plan: RolloutPlan, counters: RolloutCounters): number {
  const { exponential } = plan;
  if (exponential === undefined) return plan.maximumPerMinute;
  const increases = Math.floor(counters[exponential.counter] / exponential.threshold);
  const rate = exponential.baseRatePerMinute * exponential.incrementFactor ** increases;
  return Math.min(rate, plan.maximumPerMinute);
}

/** Where a rollout stands between two executions. */
export interface Pace {
  readonly ratePerMinute: number;
  /** Share of the next execution that has been earned, 0 to 1. */
  readonly credit: number;
  readonly asOfUs: number;
}

/** Credit is a sum of products; this much below 1 is rounding. */
const ROUNDING = 1e-9;

/** The pace of a rollout that starts now: its first execution is due at once. */
export const startPace = (rate: number, nowUs: number): Pace => ({
  ratePerMinute: rate,
  credit: 1,
  asOfUs: nowUs,
});

/** The pace after time has passed at the old rate; `rate` holds from now on. */
export function paceAt(pace: Pace, nowUs: number, rate: number): Pace {
  const earned = ((nowUs - pace.asOfUs) * pace.ratePerMinute) / US_PER_MINUTE;
  return { ratePerMinute: rate, credit: Math.min(1, pace.credit + earned), asOfUs: nowUs };
}

/** May an execution be created now? */
export const isDue = (pace: Pace): boolean => pace.credit >= 1 - ROUNDING;

/** The pace after an execution was created. */
export const spend = (pace: Pace): Pace => ({ ...pace, credit: Math.max(0, pace.credit - 1) });

/** Microseconds until the next execution is due at this rate; 0 when it is due. */
export const untilDueUs = (pace: Pace): number =>
  isDue(pace) ? 0 : Math.ceil(((1 - pace.credit) * US_PER_MINUTE) / pace.ratePerMinute);

/** A corner of the planned curve: its start, a change of the rate, or its end. */
export interface PlannedPoint {
  /** Seconds since the rollout began. */
  readonly atS: number;
  /** Things notified by then. */
  readonly notified: number;
  /** Rate from then on. */
  readonly ratePerMinute: number;
}

/**
 * The planned curve: one point at the start, at each change of the rate, and at the end. For a rate that
 * grows with successes it is the upper bound, where every thing succeeds the moment it is notified.
 */
export function plannedRollout(plan: RolloutPlan, targets: number): readonly PlannedPoint[] {
  const points: PlannedPoint[] = [];
  const step = plan.exponential?.threshold ?? targets;
  let atS = 0;
  let notified = 0;
  while (notified < targets) {
    const rate = ratePerMinute(plan, { notified, succeeded: notified });
    if (points.at(-1)?.ratePerMinute !== rate) points.push({ atS, notified, ratePerMinute: rate });
    const isCapped = rate >= plan.maximumPerMinute;
    const next = isCapped ? targets : Math.min(targets, notified + step);
    atS += ((next - notified) * 60) / rate;
    notified = next;
  }
  points.push({ atS, notified, ratePerMinute: 0 });
  return points;
}
