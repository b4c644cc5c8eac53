import * as fc from "fast-check";
import { Histogram } from "fleetrig/reports";
import { describe, expect, it } from "vitest";

const of = (values: readonly number[]): Histogram => {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
};

const nearestRank = (values: readonly number[], percent: number): number =>
  [...values].sort((a, b) => a - b)[Math.max(1, Math.ceil((percent * values.length) / 100 - 1e-9)) - 1]!;

describe("Histogram", () => {
  it("finds the nearest rank exactly below 2,048 µs", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2047 }), { minLength: 1, maxLength: 300 }),
        fc.constantFrom(1, 25, 50, 90, 99, 99.9, 100),
        (values, percent) => {
          expect(of(values).percentile(percent)).toBe(nearestRank(values, percent));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("stays within 0.1 % of the nearest rank up to an hour", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3_600_000_000 }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(1, 50, 95, 99.9, 100),
        (values, percent) => {
          const truth = nearestRank(values, percent);
          expect(Math.abs(of(values).percentile(percent) - truth)).toBeLessThanOrEqual(truth / 1000);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("keeps p(99.9) of 1,000 values at rank 999", () => {
    const values = Array.from({ length: 1000 }, (_, i) => i + 1);
    expect(of(values).percentile(99.9)).toBe(999);
    expect(of(values).percentile(100)).toBe(1000);
  });

  it("counts zeros, clamps negatives to zero and more than an hour to an hour", () => {
    const histogram = of([0, 0, -5, 4e9]);
    expect([histogram.zeros, histogram.min, histogram.max, histogram.count]).toEqual([3, 0, 3.6e9, 4]);
  });

  it("is empty without values", () => {
    const histogram = new Histogram();
    expect([histogram.count, histogram.min, histogram.max, histogram.mean, histogram.percentile(99)]).toEqual(
      [0, 0, 0, 0, 0],
    );
  });

  it("merges to what one histogram would have recorded", () => {
    const value = fc.integer({ min: 0, max: 5_000_000 });
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (left, right) => {
        const merged = Histogram.merged([of(left), of(right)]);
        const whole = of([...left, ...right]);
        for (const percent of [10, 50, 99])
          expect(merged.percentile(percent)).toBe(whole.percentile(percent));
        expect([merged.count, merged.min, merged.max, merged.mean]).toEqual([
          whole.count,
          whole.min,
          whole.max,
          whole.mean,
        ]);
      }),
      { numRuns: 100 },
    );
  });

  it("records steps like single values, up to an hour", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3_599_000_000 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 0, max: 50 }),
        (first, step, count) => {
          const steps = new Histogram();
          steps.recordSteps(first, step, count);
          const singles = of(Array.from({ length: count }, (_, i) => first + i * step));
          expect([steps.count, steps.min, steps.max, steps.percentile(50), steps.percentile(99)]).toEqual([
            singles.count,
            singles.min,
            singles.max,
            singles.percentile(50),
            singles.percentile(99),
          ]);
        },
      ),
      { numRuns: 200 },
    );
    const beyond = new Histogram();
    beyond.recordSteps(3_599_000_000, 1_000_000, 3);
    expect([beyond.count, beyond.max, beyond.min]).toEqual([3, 3.6e9, 3_599_000_000]);
  });

  it("survives the HdrHistogram V2 format within a bucket", () => {
    const histogram = of([0, 0, 1, 2047, 2048, 5000, 123_456, 98_765_432, 3_600_000_000]);
    const read = Histogram.fromHdr(histogram.toHdr());
    expect([read.count, read.zeros]).toEqual([9, 2]);
    for (const percent of [10, 50, 60, 70, 80, 90]) {
      const truth = histogram.percentile(percent);
      expect(Math.abs(read.percentile(percent) - truth)).toBeLessThanOrEqual(truth / 1000);
    }
  });

  it("refuses text that is no histogram", () => {
    expect(() => Histogram.fromHdr("aGVsbG8=")).toThrow(
      expect.objectContaining({ code: "HISTOGRAM_INVALID" }),
    );
  });
});
