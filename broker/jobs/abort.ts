/**
 * When a job gives up on itself (REF §6.3): criteria in list order, the first that holds fires. Evaluated
 * whenever an execution reaches a terminal status.
 */
export type AbortFailureType = "FAILED" | "REJECTED" | "TIMED_OUT" | "ALL";

/** AWS: one entry of `abortConfig.criteriaList`. */
export interface AbortCriterion {
  readonly failureType: AbortFailureType;
  readonly action: "CANCEL";
  /** More than 0, at most 100, up to two decimals. */
  readonly thresholdPercentage: number;
  readonly minNumberOfExecutedThings: number;
}

/** Things by outcome. CANCELED and REMOVED are in none of them. */
export interface AbortCounters {
  readonly FAILED: number;
  readonly REJECTED: number;
  readonly TIMED_OUT: number;
  readonly SUCCEEDED: number;
  readonly notified: number;
}

/**
 * What failures are divided by, and what `minNumberOfExecutedThings` is held against. The developer guide says
 * things that completed, the API reference says things that were notified; the choice decides how late a bad
 * rollout stops.
 */
export type AbortDenominator = "executed" | "notified";

export interface AbortVerdict {
  /** Index into the criteria list. */
  readonly criterion: number;
  readonly failed: number;
  readonly executed: number;
}

/** Things that reached SUCCEEDED, FAILED, REJECTED or TIMED_OUT. */
const executedThings = (counters: AbortCounters): number =>
  counters.SUCCEEDED + counters.FAILED + counters.REJECTED + counters.TIMED_OUT;

const failures = (type: AbortFailureType, counters: AbortCounters): number =>
  type === "ALL" ? counters.FAILED + counters.REJECTED + counters.TIMED_OUT : counters[type];

/** The first criterion that holds, or undefined. The threshold is inclusive and compared in whole numbers. */
export function firstCriterionMet(
  criteria: readonly AbortCriterion[],
  counters: AbortCounters,
  denominator: AbortDenominator,
): AbortVerdict | undefined {
  const executed = executedThings(counters);
  const base = denominator === "executed" ? executed : counters.notified;
  const criterion = criteria.findIndex((candidate) => {
    if (base < candidate.minNumberOfExecutedThings) return false;
    const hundredths = Math.round(candidate.thresholdPercentage * 100);
    return failures(candidate.failureType, counters) * 10_000 >= hundredths * base;
  });
  if (criterion === -1) return undefined;
  return { criterion, failed: failures(criteria[criterion]!.failureType, counters), executed };
}
