import {
  authorizationContext,
  type AuthorizationFacts,
  contextKeysFor,
  evaluatePolicies,
  explainDecision,
} from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { ARN, allow, ask, deny, policyOf } from "./statements.js";

const explain = (
  statements: readonly object[],
  action: string,
  resource: string,
  facts?: AuthorizationFacts,
): string => explainDecision(ask(policyOf(statements), action, resource, facts)).replaceAll(ARN, "");

describe("an explained decision", () => {
  it("names the statements that allow and deny", () => {
    const statements = [
      { Sid: "Everything", Effect: "Allow", Action: "*", Resource: "*" },
      allow("iot:Publish", "topic/a"),
      deny("iot:Publish", "topic/b"),
    ];
    expect(explain(statements, "iot:Publish", "topic/a")).toBe(
      'iot:Publish on topic/a is allowed by statement 0 ("Everything") of policy p and statement 1 of policy p.',
    );
    expect(explain(statements, "iot:Publish", "topic/b")).toBe(
      "iot:Publish on topic/b is denied by statement 2 of policy p.",
    );
  });

  it("says that there is no policy", () => {
    expect(explainDecision(ask([], "iot:Publish", "topic/a"))).toContain(
      "is not allowed: no policy is attached.",
    );
  });

  it("says that no statement is about the action, and which is nearest", () => {
    const statements = [allow("iot:Publsh", "*"), allow("iot:Receive", "*")];
    expect(explain(statements, "iot:Publish", "topic/a")).toBe(
      "iot:Publish on topic/a is not allowed: no statement allows iot:Publish; the nearest is iot:Publsh.",
    );
    expect(explain([deny("iot:Publish", "topic/b")], "iot:Publish", "topic/a")).toContain(
      "no statement allows iot:Publish.",
    );
  });

  it("shows the nearest resource, with values in place of variables", () => {
    const statements = [
      allow("iot:Publish", ["topic/x", "topic/device/${iot:ClientId}/up"]),
      allow("iot:Publish", "topic/d"),
    ];
    expect(explain(statements, "iot:Publish", "topic/device/c/down")).toBe(
      "iot:Publish on topic/device/c/down is not allowed: statement 0 of policy p comes nearest with topic/device/c/up.",
    );
  });

  it("says on what an action is decided", () => {
    expect(explain([allow("iot:Receive", "topicfilter/a")], "iot:Receive", "topic/a")).toContain(
      "comes nearest with topicfilter/a, but iot:Receive is decided on topic/.",
    );
  });

  it("says what NotResource excludes", () => {
    const statement = { Effect: "Allow", Action: "iot:Publish", NotResource: `${ARN}topic/a` };
    expect(explain([statement], "iot:Publish", "topic/a")).toContain(
      "statement 0 of policy p excludes topic/a.",
    );
  });

  it("says which variable has no value, where any would have done", () => {
    const statements = [allow("iot:Publish", ["topic/${iot:Connection.Thing.ThingName}/up"])];
    expect(explain(statements, "iot:Publish", "topic/c/up")).toContain(
      "${iot:Connection.Thing.ThingName} in topic/${iot:Connection.Thing.ThingName}/up of statement 0 of policy p has no value.",
    );
    expect(explain(statements, "iot:Publish", "topic/c/down")).toContain("comes nearest with");
  });

  it("says which value may not stand where it does", () => {
    const statements = [allow("iot:Subscribe", ["topicfilter/${iot:ClientId}/up"])];
    expect(explain(statements, "iot:Subscribe", "topicfilter/+/up", { clientId: "+" })).toContain(
      'of statement 0 of policy p has the value "+", which may not stand there.',
    );
  });

  it("says which condition failed, and why", () => {
    const statements = [
      allow("iot:Connect", "client/c", { Bool: { "iot:Connection.Thing.IsAttached": "true" } }),
    ];
    expect(explain(statements, "iot:Connect", "client/c")).toBe(
      'iot:Connect on client/c is not allowed: statement 0 of policy p asks for Bool ["true"] of ' +
        'iot:Connection.Thing.IsAttached, which is "false".',
    );
    const ip = [allow("iot:Connect", "client/c", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } })];
    expect(explain(ip, "iot:Connect", "client/c")).toContain("of aws:SourceIp, which has no value.");
  });

  it("has the same as data", () => {
    const statements = [allow("iot:Connect", "client/c", { StringEquals: { "iot:DomainName": ["a", "b"] } })];
    const request = { action: "iot:Connect", resource: `${ARN}client/c`, context: authorizationContext({}) };
    expect(evaluatePolicies([policyOf(statements)], request)).toEqual({
      outcome: "implicitDeny",
      action: "iot:Connect",
      resource: `${ARN}client/c`,
      matched: [],
      missingContextValues: ["iot:DomainName"],
      reason: {
        kind: "condition",
        statement: { policyName: "p", index: 0, sid: undefined },
        operator: "StringEquals",
        key: "iot:DomainName",
        expected: ["a", "b"],
        actual: undefined,
      },
    });
  });
});

describe("what a decision depends on", () => {
  const policy = policyOf([
    allow("iot:Connect", "client/${iot:Connection.Thing.ThingName}"),
    allow("iot:Publish", "topic/a/*"),
    allow("iot:Receive", "topic/a", { StringEquals: { "IOT:domainname": "${aws:sourceip}" } }),
  ]);

  it("is known of every policy", () => {
    expect(policy.contextKeys).toEqual(["iot:Connection.Thing.ThingName", "iot:DomainName", "aws:SourceIp"]);
  });

  it("is known by action, so that answers can be kept", () => {
    expect(contextKeysFor([policy], "iot:Connect")).toEqual(["iot:Connection.Thing.ThingName"]);
    expect(contextKeysFor([policy], "iot:Publish")).toEqual([]);
    expect(contextKeysFor([policy, policy], "iot:Receive")).toEqual(["iot:DomainName", "aws:SourceIp"]);
    expect(contextKeysFor([policy], "iot:Subscribe")).toEqual([]);
  });
});
