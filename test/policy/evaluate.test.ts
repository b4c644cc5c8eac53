import {
  authorizationContext,
  compilePolicy,
  evaluatePolicies,
  isAllowed,
  parsePolicyDocument,
} from "fleetrig/broker";
import { describe, expect, it } from "vitest";

const ARN = "arn:aws:iot:us-east-1:123456789012:";
const policy = (...statements: object[]) =>
  compilePolicy(parsePolicyDocument(JSON.stringify({ Version: "2012-10-17", Statement: statements })), "p");

describe("policies", () => {
  it("allow what a statement allows", () => {
    const p = policy({ Effect: "Allow", Action: "iot:Publish", Resource: `${ARN}topic/a/*` });
    const context = authorizationContext({ clientId: "c" });
    const ask = (resource: string) =>
      evaluatePolicies([p], { action: "iot:Publish", resource: ARN + resource, context });
    expect(ask("topic/a/b").outcome).toBe("allowed");
    expect(ask("topic/b").outcome).toBe("implicitDeny");
    expect(isAllowed([p], { action: "iot:Publish", resource: `${ARN}topic/a/b`, context })).toBe(true);
  });
});
