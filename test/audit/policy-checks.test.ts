import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import { Cloud } from "fleetrig/broker";
import { describe, expect, it } from "vitest";

const OVERLY_PERMISSIVE = "IOT_POLICY_OVERLY_PERMISSIVE_CHECK";
const MISCONFIGURED = "IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK";
const ARN = "arn:aws:iot:us-east-1:000000000000:";

/** Reason codes that an audit finds for one policy. */
function found(check: string, statements: readonly object[]): readonly string[] {
  const time = new VirtualTime();
  const { audits, identity } = new Cloud({ time, random: createRandomSource(1) });
  identity.policies.create("p", JSON.stringify({ Version: "2012-10-17", Statement: statements }));
  audits.configure({ auditCheckConfigurations: { [check]: { enabled: true } } });
  const { taskId } = audits.startOnDemand([check]);
  time.advance(1_000_000);
  expect(audits.tasks.get(taskId).auditDetails[check]!.totalResourcesCount).toBe(1);
  return audits.findings.list({ taskId }).map((finding) => finding.reasonForNonComplianceCode);
}

const allow = (action: string, resource: string, extra: object = {}): object => ({
  Effect: "Allow",
  Action: `iot:${action}`,
  Resource: `${ARN}${resource}`,
  ...extra,
});
const ATTACHED = { Condition: { Bool: { "iot:Connection.Thing.IsAttached": "true" } } };
const OWN = "${iot:Connection.Thing.ThingName}";

describe("the audit of permissive policies", () => {
  it.each<[string, readonly object[]]>([
    ["any client", [allow("Connect", "client/*")]],
    ["a client id that the client chooses", [allow("Connect", "client/${iot:ClientId}")]],
    ["shadow updates of every thing", [allow("Publish", "topic/$aws/things/*/shadow/update")]],
    ["all topics of every thing", [allow("Publish", "topic/$aws/things/*")]],
    ["filters over every thing", [allow("Subscribe", "topicfilter/$aws/things/*")]],
    ["filters over every thing with +", [allow("Subscribe", "topicfilter/$aws/things/+/shadow/update")]],
    ["shadows of every thing", [allow("GetThingShadow", "thing/*")]],
    ["everything", [{ Effect: "Allow", Action: "*", Resource: "*" }]],
    ["everything but something", [{ Effect: "Allow", NotAction: "iot:Connect", Resource: "*" }]],
    ["all topics", [allow("Publish", "topic/*")]],
  ])("finds %s", (_, statements) => {
    expect(found(OVERLY_PERMISSIVE, statements)).toEqual(["ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS"]);
  });

  it.each<[string, readonly object[]]>([
    ["the client of its own thing", [allow("Connect", `client/${OWN}`, ATTACHED)]],
    ["the own client id of an attached thing", [allow("Connect", "client/${iot:ClientId}", ATTACHED)]],
    ["the shadow of its own thing", [allow("Publish", `topic/$aws/things/${OWN}/shadow/*`)]],
    [
      "filters of its own thing",
      [
        allow("Subscribe", `topicfilter/$aws/things/${OWN}/shadow/*`),
        allow("Receive", `topic/$aws/things/${OWN}/shadow/*`),
      ],
    ],
    [
      "receiving, which subscribing limits",
      [allow("Receive", "topic/$aws/things/*"), allow("Receive", "topic/*")],
    ],
    [
      "shadows of two things",
      [allow("GetThingShadow", "thing/MyThing1"), allow("GetThingShadow", "thing/MyThing2")],
    ],
  ])("finds nothing wrong with %s", (_, statements) => {
    expect(found(OVERLY_PERMISSIVE, statements)).toEqual([]);
  });
});

describe("the audit of misconfigured policies", () => {
  it("finds MQTT wildcards in a Deny", () => {
    const statements = [
      allow("Subscribe", "topicfilter/a/*"),
      allow("Receive", "topic/a/*"),
      { Effect: "Deny", Action: "iot:Subscribe", Resource: `${ARN}topicfilter/a/+/secret` },
    ];
    expect(found(MISCONFIGURED, statements)).toContain("POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT");
  });

  it("finds a Deny that a broader filter goes around", () => {
    const statements = [
      allow("Subscribe", "topicfilter/a/*"),
      allow("Receive", "topic/a/*"),
      { Effect: "Deny", Action: "iot:Subscribe", Resource: `${ARN}topicfilter/a/secret` },
    ];
    expect(found(MISCONFIGURED, statements)).toEqual([
      "TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS",
    ]);
  });

  it("finds nothing wrong without a Deny", () => {
    expect(found(MISCONFIGURED, [allow("Publish", "topic/a")])).toEqual([]);
  });
});
