import { US_PER_MINUTE } from "fleetrig/kernel";

/**
 * The two timers of an execution (REF §6.4). The *in-progress timer* starts with IN_PROGRESS and nothing moves
 * it; the *step timer* is set by the device, each setting replaces the last, and it never outlives the other.
 */
export interface ExecutionTimers {
  readonly inProgressDueUs: number | undefined;
  readonly stepDueUs: number | undefined;
}

/** `stepTimeoutInMinutes` that removes the step timer. */
export const NO_STEP_TIMER = -1;

export const noTimers: ExecutionTimers = { inProgressDueUs: undefined, stepDueUs: undefined };

/** The timers of an execution that becomes IN_PROGRESS now. */
export const startTimers = (inProgressMinutes: number | undefined, nowUs: number): ExecutionTimers => ({
  inProgressDueUs: inProgressMinutes === undefined ? undefined : nowUs + inProgressMinutes * US_PER_MINUTE,
  stepDueUs: undefined,
});

/** Replaces the step timer; {@link NO_STEP_TIMER} removes it. */
export const setStepTimer = (
  timers: ExecutionTimers,
  stepMinutes: number,
  nowUs: number,
): ExecutionTimers => ({
  ...timers,
  stepDueUs: stepMinutes === NO_STEP_TIMER ? undefined : nowUs + stepMinutes * US_PER_MINUTE,
});

/** When the execution times out, or undefined when it never does. */
export function timeoutDueUs(timers: ExecutionTimers): number | undefined {
  const { inProgressDueUs, stepDueUs } = timers;
  if (inProgressDueUs === undefined) return stepDueUs;
  return stepDueUs === undefined ? inProgressDueUs : Math.min(inProgressDueUs, stepDueUs);
}
