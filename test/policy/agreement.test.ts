import { compilePolicy, evaluatePolicies, isAllowed, parsePolicyDocument } from "fleetrig/broker";
import { createRandomSource } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { askOracle } from "./oracle.js";
import { randomContext, randomPolicies, randomRequest } from "./random-policies.js";

/** `FLEETRIG_POLICY_PAIRS=1000000 npx vitest run test/policy/agreement` is the long run. */
const PAIRS = Number(process.env["FLEETRIG_POLICY_PAIRS"] ?? "100000");
const REQUESTS = 10;

describe("the policy engine", () => {
  it(`agrees with the oracle on ${PAIRS} random pairs of policies and requests`, () => {
    const outcomes = { allowed: 0, explicitDeny: 0, implicitDeny: 0 };
    for (let pair = 0; pair < PAIRS; pair += REQUESTS) {
      const random = createRandomSource(pair).stream("policies");
      const requests = Array.from({ length: REQUESTS }, () => randomRequest(random));
      const values = randomContext(random);
      const raw = randomPolicies(random, requests, values);
      const policies = raw.map((policy, index) =>
        compilePolicy(parsePolicyDocument(JSON.stringify(policy), { maxCharacters: 9999 }), String(index)),
      );
      const context = { value: (key: string) => values.get(key) };
      for (const { action, resource } of requests) {
        const expected = askOracle(raw, { action, resource, context: values });
        const decision = evaluatePolicies(policies, { action, resource, context });
        const actual = {
          outcome: decision.outcome,
          matched: decision.matched.map(({ policyName, index }) => `${policyName}.${index}`),
          missing: [...decision.missingContextValues].sort(),
        };
        const isSame = JSON.stringify(actual) === JSON.stringify(expected);
        const isQuickSame =
          isAllowed(policies, { action, resource, context }) === (expected.outcome === "allowed");
        if (!isSame || !isQuickSame) {
          expect({ pair, action, resource, values, raw: JSON.stringify(raw), ...actual }).toEqual(expected);
        }
        outcomes[expected.outcome] += 1;
      }
    }
    // Every outcome is common, or the agreement would mean little.
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(PAIRS / 20);
  }, 600_000);
});
