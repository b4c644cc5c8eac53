import fc from "fast-check";
import { createRandomSource, createSampler, inverseNormal, Random } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const draws = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.uint32());

describe("Random", () => {
  it("draws the same numbers for the same seed and name on every version of Node", () => {
    expect(draws(createRandomSource(42).stream("thing/hq-1/backoff"), 4)).toEqual([
      ...draws(Random.seeded("42/thing/hq-1/backoff"), 4),
    ]);
    expect(draws(Random.seeded("42/golden"), 4)).toMatchInlineSnapshot(`
      [
        582709910,
        405584354,
        1116587373,
        1480866257,
      ]
    `);
  });

  it("gives streams of different names or seeds different numbers", () => {
    const source = createRandomSource(1);
    const first = draws(source.stream("a"), 8);
    expect(draws(source.stream("b"), 8)).not.toEqual(first);
    expect(draws(createRandomSource(2).stream("a"), 8)).not.toEqual(first);
  });

  it("does not let one stream's draws shift another's", () => {
    const source = createRandomSource(7);
    const quiet = draws(source.stream("thing/b"), 5);
    const busy = source.stream("thing/a");
    draws(busy, 1000);
    expect(draws(source.stream("thing/b"), 5)).toEqual(quiet);
  });

  it("keeps every draw within its bounds", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 1_000_000 }), (label, bound) => {
        const random = Random.seeded(label);
        const value = random.below(bound);
        const fraction = random.fraction();
        const between = random.between(-5, 5);
        return (
          Number.isInteger(value) &&
          value >= 0 &&
          value < bound &&
          fraction >= 0 &&
          fraction < 1 &&
          between >= -5 &&
          between < 5
        );
      }),
    );
  });

  it("shuffles without losing or repeating anything", () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    const shuffled = Random.seeded("shuffle").shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.slice().sort((a, b) => a - b)).toEqual(items);
    expect(items).toContain(Random.seeded("pick").pick(items));
  });

  it("is certain at probability 0 and 1, and draws exactly once either way", () => {
    const [a, b] = [Random.seeded("x"), Random.seeded("x")];
    expect(a.chance(0)).toBe(false);
    expect(b.chance(1)).toBe(true);
    expect(a.uint32()).toBe(b.uint32());
  });
});

describe("inverseNormal", () => {
  it.each([
    [0.5, 0],
    [0.99, 2.3263478740408408],
    [0.01, -2.3263478740408408],
    [0.001, -3.090232306167813],
    [0.999, 3.090232306167813],
  ])("gives the quantile of %f", (p, z) => {
    expect(inverseNormal(p)).toBeCloseTo(z, 6);
  });
});

describe("createSampler", () => {
  const quantile = (values: number[], p: number): number =>
    values.sort((a, b) => a - b)[Math.ceil(p * values.length) - 1]!;
  const sample = (distribution: Parameters<typeof createSampler>[0], count = 20_000): number[] => {
    const sampler = createSampler(distribution);
    const random = Random.seeded(`sampler/${distribution.dist}`);
    return Array.from({ length: count }, () => sampler(random));
  };

  it("hits the median and the 99th percentile of a lognormal distribution", () => {
    const values = sample({ dist: "lognormal", median: 40_000, p99: 180_000 });
    expect(quantile(values, 0.5) / 40_000).toBeCloseTo(1, 1);
    expect(quantile(values, 0.99) / 180_000).toBeGreaterThan(0.9);
    expect(quantile(values, 0.99) / 180_000).toBeLessThan(1.1);
  });

  it.each([
    [{ dist: "constant", value: 500 } as const, 500, 500],
    [{ dist: "uniform", min: 100, max: 200 } as const, 100, 200],
    [{ dist: "empirical", samples: [1, 2, 3] } as const, 1, 3],
    [{ dist: "normal", mean: 10, stddev: 100 } as const, 0, 1000],
    [{ dist: "exponential", mean: 100 } as const, 0, 5000],
  ])("draws whole microseconds within range for %o", (distribution, min, max) => {
    for (const value of sample(distribution, 2000)) {
      expect(Number.isInteger(value)).toBe(true);
      expect(value).toBeGreaterThanOrEqual(min);
      expect(value).toBeLessThanOrEqual(max);
    }
  });

  it("refuses an empirical distribution without samples", () => {
    expect(() => createSampler({ dist: "empirical", samples: [] })).toThrow("KERNEL_EMPTY_DISTRIBUTION");
  });
});
