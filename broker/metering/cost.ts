import type { MeterReading } from "./metering.js";
import type { MeterName, PriceList } from "./prices.js";

/** What a reading costs, in US dollars, line by line. */
export interface Cost {
  readonly lines: Readonly<Partial<Record<MeterName, number>>>;
  readonly total: number;
  /** Meters that have turned and have no price. */
  readonly unpriced: readonly MeterName[];
}

/** Prices a reading. Volume discounts and free tiers are left out. */
export function costOf(reading: MeterReading, { perMillion }: PriceList): Cost {
  const lines: Partial<Record<MeterName, number>> = {};
  const unpriced: MeterName[] = [];
  let total = 0;
  for (const name of Object.keys(reading) as MeterName[]) {
    const price = perMillion[name];
    if (price === undefined) {
      if (reading[name] > 0) unpriced.push(name);
      continue;
    }
    const line = (reading[name] / 1_000_000) * price;
    lines[name] = line;
    total += line;
  }
  return { lines, total, unpriced };
}
