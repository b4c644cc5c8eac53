import { type Distribution, inverseNormal, isJsonObject, type JsonValue } from "fleetrig/kernel";

/**
 * The value of a distribution at probability `p` in [0, 1), in whole microseconds. A machine is pure: it asks
 * for a uniform number and shapes it here, instead of drawing from a stream.
 */
export function quantileUs(distribution: Distribution, p: number): number {
  return Math.max(0, Math.round(quantile(distribution, p)));
}

/** Probabilities at which the tails of the normal family are cut, so that no draw is infinite. */
const SMALLEST = 1e-9;

function quantile(distribution: Distribution, p: number): number {
  switch (distribution.dist) {
    case "constant":
      return distribution.value;
    case "uniform":
      return distribution.min + p * (distribution.max - distribution.min);
    case "normal":
      return distribution.mean + distribution.stddev * inverseNormal(Math.max(SMALLEST, p));
    case "lognormal": {
      const sigma = Math.log(distribution.p99 / distribution.median) / inverseNormal(0.99);
      return distribution.median * Math.exp(sigma * inverseNormal(Math.max(SMALLEST, p)));
    }
    case "exponential":
      return -distribution.mean * Math.log(1 - p);
    case "empirical":
      return distribution.samples[Math.floor(p * distribution.samples.length)] ?? 0;
  }
}

/** A distribution out of a model's settings, which the scenario has validated; `fallback` when there is none. */
export const distributionIn = (value: JsonValue | undefined, fallback: Distribution): Distribution =>
  isJsonObject(value) && typeof value["dist"] === "string" ? (value as unknown as Distribution) : fallback;
