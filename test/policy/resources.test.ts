import { describe, expect, it } from "vitest";
import { allow, ask, deny, outcome, policyOf } from "./statements.js";

describe("actions of a statement", () => {
  it.each([
    ["iot:Publish", "iot:Publish", true],
    ["IOT:publish", "iot:Publish", true],
    ["iot:*", "iot:Receive", true],
    ["*", "greengrass:Discover", true],
    ["iot:Pub*", "iot:Publish", true],
    ["iot:?ublish", "iot:Publish", true],
    ["iot:Publish", "iot:RetainPublish", false],
    ["iot:*Publish", "iot:RetainPublish", true],
    ["iot:${iot:ClientId}", "iot:Publish", false],
    ["iotjobsdata:UpdateJobExecution", "iot:UpdateJobExecution", true],
    ["iot:UpdateJobExecution", "iotjobsdata:UpdateJobExecution", true],
    ["iot:UpdateThingShadow", "iotjobsdata:UpdateThingShadow", false],
  ])("%s is about %s: %s", (pattern, action, isAbout) => {
    expect(outcome([allow(pattern, "*")], action, "topic/a", { clientId: "Publish" })).toBe(
      isAbout ? "allowed" : "implicitDeny",
    );
  });

  it("with NotAction are all others", () => {
    const statement = { Effect: "Allow", NotAction: ["iot:Publish", "iot:Retain*"], Resource: "*" };
    expect(outcome([statement], "iot:Publish", "topic/a")).toBe("implicitDeny");
    expect(outcome([statement], "iot:RetainPublish", "topic/a")).toBe("implicitDeny");
    expect(outcome([statement], "iot:Receive", "topic/a")).toBe("allowed");
  });
});

describe("resources of a statement (REF §10.2)", () => {
  it.each([
    ["topic/a", "topic/a", true],
    ["topic/a", "topic/A", false],
    ["topic/a", "topic/a/b", false],
    ["topic/a/*", "topic/a/b", true],
    ["topic/a/*", "topic/a/b/c", true],
    ["topic/a/*", "topic/a/", true],
    ["topic/a/*", "topic/a", false],
    ["topic/*/c", "topic/a/b/c", true],
    ["topic/a*", "topicfilter/a", false],
    ["topic*", "topicfilter/a", true],
    ["topic/a?c", "topic/a/c", true],
    ["topic/a?c", "topic/abbc", false],
    ["topic/?", "topic/😀", true],
    ["topic/??", "topic/😀", false],
    ["topic/*a*b*", "topic/xxaxxbxx", true],
    ["topic/*a*b*", "topic/xxbxxaxx", false],
    ["topic/*ab", "topic/aab", true],
    ["topic/*aba*aba", "topic/ababa", false],
    ["topic/**", "topic/", true],
    ["*", "anything", true],
    // MQTT's wildcards are letters.
    ["topicfilter/a/+/b", "topicfilter/a/+/b", true],
    ["topicfilter/a/*/b", "topicfilter/a/+/b", true],
    ["topicfilter/a/+/b", "topicfilter/a/x/b", false],
    ["topicfilter/a/#", "topicfilter/a/b", false],
    ["topicfilter/a/*", "topicfilter/a/#", true],
    // Wildcards as characters.
    ["topic/${*}", "topic/*", true],
    ["topic/${*}", "topic/a", false],
    ["topic/${?}", "topic/?", true],
    ["topic/${?}", "topic/a", false],
    ["topic/${$}aws", "topic/$aws", true],
    ["topic/$aws/${*}*", "topic/$aws/*x", true],
    ["topic/${$}{iot:ClientId}", "topic/${iot:ClientId}", true],
    ["topic/${", "topic/${", true],
    ["topic/a}", "topic/a}", true],
  ])("%s is for %s: %s", (pattern, resource, isFor) => {
    expect(outcome([allow("iot:*", pattern)], "iot:Publish", resource)).toBe(
      isFor ? "allowed" : "implicitDeny",
    );
  });

  it("with NotResource are all others", () => {
    const statement = { Effect: "Allow", Action: "iot:Publish", NotResource: ["arn:*:topic/secret/*"] };
    expect(outcome([statement], "iot:Publish", "topic/secret/a")).toBe("implicitDeny");
    expect(outcome([statement], "iot:Publish", "topic/a")).toBe("allowed");
  });

  it("take no time on patterns made to take time", () => {
    const statements = [
      allow("iot:Publish", `topic/${"*a".repeat(40)}*b`),
      allow("iot:Publish", `topic/${"?*a".repeat(40)}b`),
    ];
    const started = performance.now();
    for (let round = 0; round < 100; round += 1) {
      expect(outcome(statements, "iot:Publish", `topic/${"a".repeat(256)}`)).toBe("implicitDeny");
    }
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("what decides (REF §10.4)", () => {
  it("is nothing without policies", () => {
    expect(ask([], "iot:Publish", "topic/a")).toMatchObject({
      outcome: "implicitDeny",
      reason: { kind: "noPolicies" },
    });
  });

  it("is a Deny before every Allow, in whatever order and policy", () => {
    const allows = policyOf([allow("iot:Publish", "topic/*")]);
    const denies = policyOf([deny("iot:Publish", "topic/a")]);
    for (const policies of [
      [allows, denies],
      [denies, allows],
    ]) {
      expect(ask(policies, "iot:Publish", "topic/a").outcome).toBe("explicitDeny");
      expect(ask(policies, "iot:Publish", "topic/b").outcome).toBe("allowed");
    }
  });

  it("is any of several policies", () => {
    const policies = [
      policyOf([allow("iot:Publish", "topic/a")]),
      policyOf([allow("iot:Publish", "topic/b")]),
    ];
    expect(ask(policies, "iot:Publish", "topic/b").matched).toEqual([
      { policyName: "p", index: 0, sid: undefined, effect: "Allow" },
    ]);
  });

  it("is every condition of a statement together", () => {
    const statements = [
      allow("iot:Publish", "*", {
        StringEquals: { "iot:ClientId": "c" },
        IpAddress: { "aws:SourceIp": "10.0.0.0/8" },
      }),
    ];
    expect(outcome(statements, "iot:Publish", "topic/a", { clientId: "c", sourceIp: "10.1.1.1" })).toBe(
      "allowed",
    );
    expect(outcome(statements, "iot:Publish", "topic/a", { clientId: "c", sourceIp: "11.1.1.1" })).toBe(
      "implicitDeny",
    );
    expect(outcome(statements, "iot:Publish", "topic/a", { clientId: "d", sourceIp: "10.1.1.1" })).toBe(
      "implicitDeny",
    );
  });
});

describe("tutorials' traps (REF §10.1)", () => {
  const TOPIC = "topic/building/floor-1/reported";

  it("iot:Receive on topicfilter/ lets nothing arrive though the subscription succeeds", () => {
    const statements = [
      allow("iot:Subscribe", "topicfilter/building/*"),
      allow("iot:Receive", "topicfilter/building/*"),
    ];
    expect(outcome(statements, "iot:Subscribe", "topicfilter/building/#")).toBe("allowed");
    expect(outcome(statements, "iot:Receive", TOPIC)).toBe("implicitDeny");
  });

  it("no iot:Receive at all does the same", () => {
    const statements = [allow("iot:Subscribe", "topicfilter/building/*")];
    expect(outcome(statements, "iot:Receive", TOPIC)).toBe("implicitDeny");
  });

  it("a Deny on a filter does not deny what filters with wildcards reach, one on iot:Receive does", () => {
    const statements = [
      allow("iot:Subscribe", "topicfilter/*"),
      allow("iot:Receive", "topic/*"),
      deny("iot:Subscribe", "topicfilter/room/*"),
    ];
    expect(outcome(statements, "iot:Subscribe", "topicfilter/room/1")).toBe("explicitDeny");
    expect(outcome(statements, "iot:Subscribe", "topicfilter/#")).toBe("allowed");
    expect(outcome(statements, "iot:Receive", "topic/room/1")).toBe("allowed");
    expect(outcome([...statements, deny("iot:Receive", "topic/room/*")], "iot:Receive", "topic/room/1")).toBe(
      "explicitDeny",
    );
  });

  it("a Deny with an MQTT wildcard denies that filter only", () => {
    const statements = [allow("iot:Subscribe", "topicfilter/x/*"), deny("iot:Subscribe", "topicfilter/x/#")];
    expect(outcome(statements, "iot:Subscribe", "topicfilter/x/#")).toBe("explicitDeny");
    expect(outcome(statements, "iot:Subscribe", "topicfilter/x/1")).toBe("allowed");
  });
});
