import type { ExecutionStatus } from "fleetrig/kernel";

/** Retries per failure type and device (REF §6.1, §6.4). Only FAILED and TIMED_OUT can be retried. */
export interface RetryCriterion {
  readonly failureType: "FAILED" | "TIMED_OUT" | "ALL";
  readonly numberOfRetries: number;
}

/**
 * The criterion that pays for a retry of an execution that ended so: the first in the list that names the
 * status, or ALL, and has retries left. `used` counts the retries of this device by criterion.
 * @returns its index, or undefined when the execution stays as it is.
 */
export function retryCriterion(
  criteria: readonly RetryCriterion[],
  used: readonly number[],
  status: ExecutionStatus,
): number | undefined {
  if (status !== "FAILED" && status !== "TIMED_OUT") return undefined;
  const index = criteria.findIndex(
    ({ failureType, numberOfRetries }, i) =>
      (failureType === "ALL" || failureType === status) && (used[i] ?? 0) < numberOfRetries,
  );
  return index === -1 ? undefined : index;
}
