import type { Random } from "fleetrig/kernel";
import type { ReconnectPlan } from "../plan.js";

/** Attempts beyond this do not raise the exponent: 2^52 µs is 142 years. */
const EXPONENT_MAX = 52;

/** What the formulas of the policies depend on. */
export interface ReconnectHistory {
  /** Delays drawn since the counter started over: the `a` of the formulas. */
  readonly attempt: number;
  /** The delay before this one in µs; the base when there is none. */
  readonly previousUs: number;
}

/**
 * The delay before the next connection attempt in µs, or undefined when the policy never tries again.
 * With `c = min(cap, base 2^a)`: constant `base`, exponential `c`, equal jitter `c/2 + U(0, c/2)`, full jitter
 * `U(0, c)`, decorrelated jitter `min(cap, U(base, 3 previous))`.
 */
export function reconnectDelayUs(
  plan: ReconnectPlan,
  history: ReconnectHistory,
  random: Random,
): number | undefined {
  const { baseUs, capUs } = plan;
  const ceilingUs = Math.min(capUs, baseUs * 2 ** Math.min(history.attempt, EXPONENT_MAX));
  switch (plan.policy) {
    case "none":
      return undefined;
    case "constant":
      return baseUs;
    case "exponential":
      return ceilingUs;
    case "equal-jitter":
      return Math.round(random.between(ceilingUs / 2, ceilingUs));
    case "full-jitter":
      return Math.round(random.between(0, ceilingUs));
    case "decorrelated":
      return Math.round(Math.min(capUs, random.between(baseUs, Math.max(baseUs, 3 * history.previousUs))));
  }
}
