import {
  authorizationContext,
  type AuthorizationFacts,
  compilePolicy,
  isAllowed,
  parsePolicyDocument,
  type PolicyThing,
} from "fleetrig/broker";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARN, allow, ask, deny, outcome, policyOf } from "./statements.js";

const thing: PolicyThing = {
  thingName: "sensor-1",
  thingTypeName: "sensor",
  attributes: new Map([["room", "r1"]]),
  isAttached: true,
};
const KEYS = {
  clientId: "${iot:ClientId}",
  thingName: "${iot:Connection.Thing.ThingName}",
};

describe("variables (REF §10.3)", () => {
  const facts: AuthorizationFacts = {
    clientId: "sensor-1",
    thing,
    sourceIp: "10.0.0.1",
    domainName: "d.example",
  };

  it.each([
    ["${iot:ClientId}", "sensor-1"],
    ["${IOT:CLIENTID}", "sensor-1"],
    ["${aws:SourceIp}", "10.0.0.1"],
    ["${iot:DomainName}", "d.example"],
    ["${iot:Connection.Thing.ThingName}", "sensor-1"],
    ["${iot:Connection.Thing.ThingTypeName}", "sensor"],
    ["${iot:Connection.Thing.Attributes[room]}", "r1"],
    ["${iot:connection.thing.attributes[room]}", "r1"],
    ["${iot:Connection.Thing.IsAttached}", "true"],
  ])("%s stands for %s", (variable, value) => {
    const statements = [allow("iot:Publish", `topic/a/${variable}/b`)];
    expect(outcome(statements, "iot:Publish", `topic/a/${value}/b`, facts)).toBe("allowed");
    expect(outcome(statements, "iot:Publish", `topic/a/${value}x/b`, facts)).toBe("implicitDeny");
  });

  it("may stand several times in one resource, with wildcards around", () => {
    const statements = [allow("iot:Publish", `topic/*/${KEYS.clientId}/?/${KEYS.thingName}/*`)];
    expect(outcome(statements, "iot:Publish", "topic/x/y/sensor-1/a/sensor-1/z", facts)).toBe("allowed");
    expect(outcome(statements, "iot:Publish", "topic/x/y/sensor-1/ab/sensor-1/z", facts)).toBe(
      "implicitDeny",
    );
  });

  it("of things have values only where the principal is attached to the thing", () => {
    const statements = [allow("iot:Connect", `client/${KEYS.thingName}`)];
    const request = (given: AuthorizationFacts) =>
      ask(policyOf(statements), "iot:Connect", "client/sensor-1", given);
    expect(request(facts).outcome).toBe("allowed");
    for (const given of [
      { clientId: "sensor-1" },
      { clientId: "sensor-1", thing: { ...thing, isAttached: false } },
    ]) {
      expect(request(given)).toMatchObject({
        outcome: "implicitDeny",
        missingContextValues: ["iot:Connection.Thing.ThingName"],
        reason: { kind: "variable", key: "iot:Connection.Thing.ThingName" },
      });
    }
  });

  it("without value leave the other resources of the statement alone (IAM)", () => {
    const statements = [allow("iot:Publish", [`topic/${KEYS.thingName}`, "topic/all"])];
    expect(outcome(statements, "iot:Publish", "topic/all")).toBe("allowed");
    expect(outcome(statements, "iot:Publish", "topic/")).toBe("implicitDeny");
  });

  it("without value never grant through NotResource, and deny through it", () => {
    const statement = { Action: "iot:Publish", NotResource: `${ARN}topic/${KEYS.thingName}/*` };
    const grant = [{ Effect: "Allow", ...statement }];
    expect(outcome(grant, "iot:Publish", "topic/a")).toBe("implicitDeny");
    expect(outcome(grant, "iot:Publish", "topic/a", facts)).toBe("allowed");
    const refusal = [allow("iot:Publish", "*"), { Effect: "Deny", ...statement }];
    expect(outcome(refusal, "iot:Publish", "topic/a")).toBe("explicitDeny");
    expect(outcome(refusal, "iot:Publish", "topic/sensor-1/a", facts)).toBe("allowed");
  });

  it("without value in a Deny's Resource deny nothing (IAM: the resource is like no other)", () => {
    const statements = [allow("iot:Publish", "*"), deny("iot:Publish", `topic/${KEYS.thingName}/secret`)];
    expect(outcome(statements, "iot:Publish", "topic/sensor-1/secret", facts)).toBe("explicitDeny");
    expect(ask(policyOf(statements), "iot:Publish", "topic/sensor-1/secret").missingContextValues).toEqual([
      "iot:Connection.Thing.ThingName",
    ]);
  });

  it("that nobody knows never have a value", () => {
    expect(
      outcome([allow("iot:Publish", "topic/${iot:ThingName}")], "iot:Publish", "topic/sensor-1", facts),
    ).toBe("implicitDeny");
    expect(outcome([allow("iot:Publish", "topic/${}")], "iot:Publish", "topic/", facts)).toBe("implicitDeny");
  });

  it("have no value where they have several", () => {
    const connect = { clientId: "c", connectAttributes: ["LastWill"] } as const;
    expect(
      outcome(
        [allow("iot:Connect", "client/${iot:ConnectAttributes}")],
        "iot:Connect",
        "client/LastWill",
        connect,
      ),
    ).toBe("implicitDeny");
  });

  it("are plain text in the language of 2008", () => {
    const text = `{"Version":"2008-10-17","Statement":${JSON.stringify(allow("iot:Publish", "topic/${iot:ClientId}"))}}`;
    const request = (resource: string) => ({
      action: "iot:Publish",
      resource: ARN + resource,
      context: authorizationContext(facts),
    });
    const policies = [policyFromText(text)];
    expect(isAllowed(policies, request("topic/sensor-1"))).toBe(false);
    expect(isAllowed(policies, request("topic/${iot:ClientId}"))).toBe(true);
  });
});

const policyFromText = (text: string) => compilePolicy(parsePolicyDocument(text), "p");

describe("client identifiers made to widen a grant", () => {
  const own = [
    allow("iot:Connect", `client/${KEYS.clientId}`),
    allow("iot:Publish", `topic/d/${KEYS.clientId}/up`),
    allow("iot:Subscribe", `topicfilter/d/${KEYS.clientId}/down`),
    allow("iot:Receive", `topic/d/${KEYS.clientId}/down`),
  ];

  it.each(["*", "?", "${*}", "${iot:ClientId}", "**", "a*"])("%s is no wildcard of policies", (clientId) => {
    for (const [action, kind, end] of [
      ["iot:Publish", "topic", "up"],
      ["iot:Subscribe", "topicfilter", "down"],
    ] as const) {
      expect(outcome(own, action, `${kind}/d/${clientId}/${end}`, { clientId })).toBe("allowed");
      for (const other of ["b", "sensor-1", "a", "ab", "+", "#"]) {
        expect(outcome(own, action, `${kind}/d/${other}/${end}`, { clientId })).toBe("implicitDeny");
      }
    }
  });

  it.each(["+", "#", "a/+", "+/+", "#/x"])("%s may not subscribe to the filter that it makes", (clientId) => {
    const decision = ask(policyOf(own), "iot:Subscribe", `topicfilter/d/${clientId}/down`, { clientId });
    expect(decision).toMatchObject({
      outcome: "implicitDeny",
      reason: { kind: "variable", value: clientId },
    });
  });

  it("+ may where the policy's author wants what AWS does", () => {
    const policy = policyOf(own, { allowsMqttWildcardsInVariables: true });
    expect(ask(policy, "iot:Subscribe", "topicfilter/d/+/down", { clientId: "+" }).outcome).toBe("allowed");
  });

  it("+ is still denied what is denied to it by name", () => {
    const statements = [
      allow("iot:Subscribe", "*"),
      deny("iot:Subscribe", `topicfilter/d/${KEYS.clientId}/down`),
    ];
    expect(outcome(statements, "iot:Subscribe", "topicfilter/d/+/down", { clientId: "+" })).toBe(
      "explicitDeny",
    );
  });

  it("of any text never allow more than the literal text would, and no filter beyond its level", () => {
    const nasty = fc.stringMatching(/^[a*?+#${}/:]{1,12}$/);
    const policy = policyOf(own);
    fc.assert(
      fc.property(nasty, nasty, (clientId, other) => {
        const subscribe = ask(policy, "iot:Subscribe", `topicfilter/d/${other}/down`, { clientId }).outcome;
        expect(subscribe === "allowed").toBe(clientId === other && !/[+#]/.test(clientId));
        const publish = ask(policy, "iot:Publish", `topic/d/${other}/up`, { clientId }).outcome;
        expect(publish === "allowed").toBe(clientId === other);
      }),
      {
        numRuns: 3000,
        examples: [
          ["*", "a"],
          ["+", "+"],
          ["#", "#"],
          ["?", "a"],
        ],
      },
    );
  });
});
