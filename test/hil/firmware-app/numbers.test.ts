import fc from "fast-check";
import type { Distribution, Random } from "fleetrig/kernel";
import { beforeEach, describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { reconnectDelayUs } from "../../../sim/connection/reconnect-delay.js";
import { quantileUs } from "../../../sim/models/quantile.js";
import { build, NativeProgram } from "./native.js";

const POLICIES = ["none", "constant", "exponential", "equal-jitter", "full-jitter", "decorrelated"] as const;
const us = fc.integer({ min: 1, max: 10_000_000_000 });

const distribution: fc.Arbitrary<Distribution> = fc.oneof(
  fc.record({ dist: fc.constant("constant" as const), value: us }),
  fc.tuple(us, us).map(([min, more]) => ({ dist: "uniform" as const, min, max: min + more })),
  fc.record({ dist: fc.constant("normal" as const), mean: us, stddev: us }),
  fc
    .tuple(us, fc.integer({ min: 2, max: 100 }))
    .map(([median, times]) => ({ dist: "lognormal" as const, median, p99: median * times })),
  fc.record({ dist: fc.constant("exponential" as const), mean: us }),
  fc.record({
    dist: fc.constant("empirical" as const),
    samples: fc.array(us, { minLength: 1, maxLength: 20 }),
  }),
);

describe.skipIf(lacksCompiler)("the firmware's numbers", () => {
  let program: NativeProgram;
  beforeEach(() => {
    program = new NativeProgram(build("codec"));
  });

  it("shapes a draw by a distribution as the models do, to a millionth", () => {
    const p = fc.double({ min: 0, max: 0.999_999, noNaN: true }).map((value) => Number(value.toFixed(9)));
    fc.assert(
      fc.property(distribution, p, (dist, probability) => {
        const expected = quantileUs(dist, probability);
        const drawn = Number(program.ask(`Q${JSON.stringify({ ...dist, p: probability })}`));
        /* Near 0 the two halves of a normal distribution cancel out. */
        const scale = dist.dist === "normal" ? dist.mean + dist.stddev : expected;
        expect(Math.abs(drawn - expected)).toBeLessThanOrEqual(1 + scale * 1e-6);
      }),
      { numRuns: 1_000 },
    );
  });

  it("waits before a new attempt by the same formulas", () => {
    const history = fc.record({ attempt: fc.integer({ min: 0, max: 80 }), previousUs: us });
    const plan = fc.record({ policy: fc.constantFrom(...POLICIES), baseUs: us, capUs: us });
    fc.assert(
      fc.property(plan, history, fc.nat(999_999), ({ policy, ...limits }, past, millionths) => {
        const fraction = millionths / 1_000_000;
        const random = {
          between: (least: number, most: number) => least + fraction * (most - least),
        } as Random;
        const expected = reconnectDelayUs({ policy, ...limits, resetAfterUs: 0 }, past, random) ?? -1;
        const asked = { policy: POLICIES.indexOf(policy), ...limits, ...past, fraction };
        expect(Math.abs(Number(program.ask(`R${JSON.stringify(asked)}`)) - expected)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_000 },
    );
  });

  it("has a sine of its own", () => {
    for (let degrees = -720; degrees <= 720; degrees += 7) {
      const radians = (degrees * Math.PI) / 180;
      expect(Number(program.ask(`S${radians.toFixed(12)}`))).toBeCloseTo(Math.sin(radians), 8);
    }
  });
});
