import fc from "fast-check";
import { Random } from "fleetrig/kernel";
import { type ReconnectPlan, type ReconnectPolicy, reconnectDelayUs } from "fleetrig/sim";
import { describe, expect, it } from "vitest";

const S = 1_000_000;
const planOf = (policy: ReconnectPolicy): ReconnectPlan => ({
  policy,
  baseUs: S,
  capUs: 60 * S,
  resetAfterUs: 10 * S,
});

/** Half, or all, of what a policy may draw at most: a stream that always answers the same. */
const constantRandom = (fraction: number): Random =>
  Object.assign(Random.seeded("unused"), { fraction: () => fraction });

describe("reconnectDelayUs", () => {
  it.each([
    { policy: "constant", delays: [1, 1, 1, 1] },
    { policy: "exponential", delays: [1, 2, 4, 8] },
    { policy: "equal-jitter", delays: [0.75, 1.5, 3, 6] },
    { policy: "full-jitter", delays: [0.5, 1, 2, 4] },
  ] as const)("follows $policy at the middle of every draw", ({ policy, delays }) => {
    const drawn = delays.map((_, attempt) =>
      reconnectDelayUs(planOf(policy), { attempt, previousUs: S }, constantRandom(0.5)),
    );
    expect(drawn).toEqual(delays.map((seconds) => seconds * S));
  });

  it("grows decorrelated from the previous delay", () => {
    const next = (previousUs: number) =>
      reconnectDelayUs(planOf("decorrelated"), { attempt: 9, previousUs }, constantRandom(0.5));
    expect([next(1 * S), next(4 * S), next(100 * S)]).toEqual([2 * S, 6.5 * S, 60 * S]);
  });

  it("never tries again under none", () => {
    expect(
      reconnectDelayUs(planOf("none"), { attempt: 0, previousUs: S }, constantRandom(0)),
    ).toBeUndefined();
  });

  it("stays whole, finite and within its bounds after any number of attempts", () => {
    const policies = fc.constantFrom<ReconnectPolicy>(
      "exponential",
      "equal-jitter",
      "full-jitter",
      "decorrelated",
    );
    const durations = fc.integer({ min: 0, max: 3_600 * S });
    fc.assert(
      fc.property(
        policies,
        durations,
        durations,
        fc.nat(100_000),
        fc.nat(),
        (policy, baseUs, spanUs, attempt, seed) => {
          const capUs = baseUs + spanUs;
          const plan: ReconnectPlan = { policy, baseUs, capUs, resetAfterUs: 0 };
          const history = { attempt, previousUs: baseUs };
          const delayUs = reconnectDelayUs(plan, history, Random.seeded(String(seed)))!;
          expect(Number.isSafeInteger(delayUs)).toBe(true);
          expect(delayUs).toBeGreaterThanOrEqual(policy === "decorrelated" ? baseUs : 0);
          expect(delayUs).toBeLessThanOrEqual(capUs);
        },
      ),
    );
  });
});
