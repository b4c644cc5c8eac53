import { type Cloud, costOf, type MeterName, PRICES_US_EAST_1 } from "fleetrig/broker";
import { type CloudReader, type CostRecord, METER_METRICS, type MeterMetric } from "fleetrig/reports";
import type { Scenario } from "../scenario.js";

/** `shadow_operations` is the metric of the meter `shadowOperations`. */
const METERS = METER_METRICS.map((metric): readonly [MeterMetric, MeterName] => [
  metric,
  metric.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) as MeterName,
]);

/** What metrics ask a cloud for when they are looked at. */
export function readCloud({ metering, indexing }: Cloud, { controlPlane }: Scenario): CloudReader {
  const matches = new Map<string, number>();
  // A standing query: a search would count among what is metered.
  for (const [name, queryString] of Object.entries(controlPlane.index?.queries ?? {})) {
    matches.set(name, 0);
    const change = (by: number) => (): void => void matches.set(name, matches.get(name)! + by);
    indexing.watch(queryString, { joined: change(1), left: change(-1) });
  }
  return {
    meters: () => {
      const reading = metering.reading();
      return Object.fromEntries(METERS.map(([metric, meter]) => [metric, reading[meter]])) as Record<
        MeterMetric,
        number
      >;
    },
    costUsd: () => costOf(metering.reading(), PRICES_US_EAST_1).total,
    matches: () => matches,
  };
}

/** What everything so far would have cost. */
export function costRecord({ metering }: Cloud): CostRecord {
  const { total, unpriced } = costOf(metering.reading(), PRICES_US_EAST_1);
  const { region, asOf } = PRICES_US_EAST_1;
  return { totalUsd: total, region, asOf, unpriced: [...unpriced] };
}
