import { type Random, US_PER_S } from "fleetrig/kernel";

/** When the members of a group first connect. Fixed in advance: the broker's slowness changes nothing (open model). */
export type ArrivalPlan =
  | { readonly ratePerSecond: number }
  | { readonly spreadUs: number; readonly distribution: "uniform" | "linear" | "poisson" };

/**
 * @param random The group's stream `group/<group>/arrival`. One draw per member in index order, so that more
 *   members do not change when the first ones come.
 * @returns The instant in µs for each member, by index. `rate` and `linear` are evenly spaced, `uniform` is
 *   independent within the spread, `poisson` has exponential gaps with the spread as its expected length.
 */
export function planArrival(plan: ArrivalPlan, count: number, random: Random): number[] {
  const indices = Array.from({ length: count }, (_, index) => index);
  if ("ratePerSecond" in plan) return indices.map((i) => Math.round((i * US_PER_S) / plan.ratePerSecond));
  const { spreadUs, distribution } = plan;
  switch (distribution) {
    case "linear":
      return indices.map((i) => Math.round((i * spreadUs) / count));
    case "uniform":
      return indices.map(() => Math.floor(random.fraction() * spreadUs));
    case "poisson": {
      let atUs = 0;
      return indices.map(() => Math.round((atUs += (random.exponential() * spreadUs) / count)));
    }
  }
}
