import { FleetrigError } from "./errors.js";
import { inverseNormal, type Random } from "./random.js";

/** A distribution of durations, in microseconds, as the scenario names it. */
export type Distribution =
  | { readonly dist: "constant"; readonly value: number }
  | { readonly dist: "uniform"; readonly min: number; readonly max: number }
  | { readonly dist: "normal"; readonly mean: number; readonly stddev: number }
  | { readonly dist: "lognormal"; readonly median: number; readonly p99: number }
  | { readonly dist: "exponential"; readonly mean: number }
  | { readonly dist: "empirical"; readonly samples: readonly number[] };

/** Draws one value in microseconds: an integer, never negative. */
export type Sampler = (random: Random) => number;

const Z99 = inverseNormal(0.99);

/**
 * Compiles a distribution. Values are rounded to whole microseconds, which also hides the last-bit
 * differences of `Math.exp` and `Math.log` between engines.
 */
export function createSampler(distribution: Distribution): Sampler {
  const draw = drawer(distribution);
  return (random) => Math.max(0, Math.round(draw(random)));
}

function drawer(distribution: Distribution): Sampler {
  switch (distribution.dist) {
    case "constant":
      return () => distribution.value;
    case "uniform":
      return (random) => random.between(distribution.min, distribution.max);
    case "normal":
      return (random) => distribution.mean + distribution.stddev * random.normal();
    case "lognormal": {
      const sigma = Math.log(distribution.p99 / distribution.median) / Z99;
      return (random) => distribution.median * Math.exp(sigma * random.normal());
    }
    case "exponential":
      return (random) => distribution.mean * random.exponential();
    case "empirical": {
      if (distribution.samples.length === 0) {
        throw new FleetrigError("KERNEL_EMPTY_DISTRIBUTION", "An empirical distribution has no samples.", {
          hint: "List at least one duration under samples.",
        });
      }
      return (random) => random.pick(distribution.samples);
    }
  }
}
