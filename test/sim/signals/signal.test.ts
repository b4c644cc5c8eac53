import fc from "fast-check";
import { createRandomSource } from "fleetrig/kernel";
import { compileSignal, Signal, type SignalSpec } from "fleetrig/sim";
import { describe, expect, it } from "vitest";

const S = 1_000_000;
const signal = (spec: SignalSpec, name = "t") => new Signal(compileSignal(name, spec), createRandomSource(1));

describe("Signal", () => {
  it.each<[string, SignalSpec, number[], number[]]>([
    ["constant", { shape: "constant", value: 4.567 }, [0, S], [4.57, 4.57]],
    [
      "sine",
      { shape: "sine", mean: 20, amplitude: 2, periodUs: 4 * S, decimals: 1 },
      [0, S, 2 * S, 3 * S],
      [20, 22, 20, 18],
    ],
    [
      "sawtooth",
      { shape: "sawtooth", min: 0, max: 10, periodUs: 10 * S },
      [0, S, 9 * S, 10 * S],
      [0, 1, 9, 0],
    ],
    ["replay", { shape: "replay", values: [1, 2, 3], everyUs: S }, [0, S, 2.5 * S, 3 * S], [1, 2, 3, 1]],
    [
      "battery",
      { shape: "battery", start: 100, perDay: 10, perSample: 1 },
      [0, 86_400 * S, 2 * 86_400 * S, 30 * 86_400 * S],
      [100, 89, 78, 0],
    ],
  ])("follows the %s shape", (_, spec, times, values) => {
    const sampled = signal(spec);
    expect(times.map((atUs) => sampled.sample(atUs))).toEqual(values);
  });

  it("keeps a random walk inside its walls and its steps, for every seed", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const walk = signal({ shape: "random-walk", start: 5, step: 2, min: 0, max: 8, decimals: 6 }, name);
        const values = Array.from({ length: 200 }, (_, i) => walk.sample(i));
        expect(values[0]).toBe(5);
        for (const [i, value] of values.entries()) {
          expect(value >= 0 && value <= 8).toBe(true);
          if (i > 0) expect(Math.abs(value - values[i - 1]!)).toBeLessThanOrEqual(2.000001);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("draws its noise from its own stream: same stream, same values; another stream, others", () => {
    const spec: SignalSpec = { shape: "sine", mean: 20, amplitude: 1, periodUs: S, noise: 0.5 };
    const series = (name: string): number[] => {
      const sampled = signal(spec, name);
      return Array.from({ length: 20 }, (_, i) => sampled.sample(i * S));
    };
    expect(series("a")).toEqual(series("a"));
    expect(series("a")).not.toEqual(series("b"));
    expect(series("a").every((value) => Number.isInteger(Math.round(value * 1e8) / 1e6))).toBe(true);
  });

  it("gives one value per microsecond, so that two placeholders agree", () => {
    const sampled = signal({ shape: "random-walk", start: 0, step: 1, min: -9, max: 9 });
    sampled.sample(1);
    const value = sampled.sample(2);
    expect(sampled.sample(2)).toBe(value);
    expect(sampled.samples).toBe(2);
  });

  it("ramps from where it is to the target and stays there", () => {
    const sampled = signal({ shape: "constant", value: 20 });
    sampled.rampTo(34, 120 * S, 60 * S);
    expect([60, 90, 120, 180, 999].map((atS) => sampled.sample(atS * S))).toEqual([20, 23.5, 27, 34, 34]);
  });

  it("starts a second ramp where the first one has got to", () => {
    const sampled = signal({ shape: "constant", value: 20 });
    sampled.rampTo(30, 10 * S, 0);
    sampled.rampTo(20, 5 * S, 5 * S);
    expect([5, 10, 11].map((atS) => sampled.sample(atS * S))).toEqual([25, 20, 20]);
  });

  it("jumps when a ramp takes no time, also within the instant of a sample", () => {
    const sampled = signal({ shape: "constant", value: 20 });
    expect(sampled.sample(7)).toBe(20);
    sampled.rampTo(5, 0, 7);
    expect(sampled.sample(7)).toBe(5);
  });

  it("never yields negative zero", () => {
    expect(Object.is(signal({ shape: "constant", value: -0.001, decimals: 1 }).sample(0), 0)).toBe(true);
  });

  it("refuses a replay of nothing", () => {
    expect(() => compileSignal("r", { shape: "replay", values: [], everyUs: 1 })).toThrow(
      /SIGNAL_EMPTY_REPLAY/,
    );
  });
});
