import { Random } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { trendOf, verdictOf } from "./trend.js";

/** Samples whose noise remembers its past, as memory does. */
function wavy(random: Random, slope: number): { at: number; value: number }[] {
  let noise = 0;
  return Array.from({ length: 400 }, (_, index) => {
    noise = 0.9 * noise + random.normal();
    return { at: index / 400, value: 50 + slope * (index / 400) + noise };
  });
}

describe("a trend", () => {
  it("is exact for a straight line", () => {
    const line = Array.from({ length: 40 }, (_, at) => ({ at, value: 7 + 3 * at }));
    expect(trendOf(line, 8).slope).toBeCloseTo(3, 10);
    expect(trendOf(line, 8).margin).toBeCloseTo(0, 8);
  });

  it("covers the truth in about 95 of 100 series, although neighbours are alike", () => {
    const random = Random.seeded("trend");
    let covered = 0;
    for (let series = 0; series < 400; series += 1) {
      const { slope, margin } = trendOf(wavy(random, 5), 8);
      if (Math.abs(slope - 5) <= margin) covered += 1;
    }
    expect(covered / 400).toBeGreaterThan(0.9);
  });

  it("tells growth from waves, and waves that would hide it from a level", () => {
    const random = Random.seeded("growth");
    const known = { batches: 8, mean: 50, span: 1, autocorrelation: 0 };
    expect(verdictOf(trendOf(wavy(random, 60), 8), 1)).toBe("grows");
    expect(verdictOf({ ...known, slope: 0.5, margin: 0.1 }, 1)).toBe("level");
    expect(verdictOf({ ...known, slope: 2, margin: 4.9 }, 1)).toBe("level");
    expect(verdictOf({ ...known, slope: 2, margin: 5.1 }, 1)).toBe("unclear");
  });
});
