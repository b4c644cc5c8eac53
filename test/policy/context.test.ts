import { authorizationContext, type PolicyCertificate, type PolicyThing } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { allow, outcome } from "./statements.js";

const certificate: PolicyCertificate = {
  certificateId: "c0ffee",
  serialNumber: "01ab",
  subject: new Map([
    ["CommonName", ["sensor-1"]],
    ["Organization", ["Example Corp", "AnyCompany"]],
    ["OrganizationalUnit", ["1", "2", "3", "4", "5", "6"]],
  ]),
  issuer: new Map([["Country", ["DE"]]]),
  alternativeNames: new Map([["DNSName", ["a.example", "b.example"]]]),
  issuerAlternativeNames: new Map([["RFC822Name", ["ca@example"]]]),
};

describe("the context of a client", () => {
  const { value } = authorizationContext({
    clientId: "sensor-1",
    certificate,
    nowMs: 1_769_860_800_500,
    isSecureTransport: true,
  });

  it.each<[string, string | readonly string[] | undefined]>([
    ["iot:ClientId", "sensor-1"],
    ["iot:CertificateId", "c0ffee"],
    ["iot:Certificate.SerialNumber", "01ab"],
    ["iot:Certificate.Subject.CommonName", "sensor-1"],
    ["iot:Certificate.Subject.Organization", "Example Corp"],
    ["iot:Certificate.Subject.Organization.List", ["Example Corp", "AnyCompany"]],
    // AWS: five values at most.
    ["iot:Certificate.Subject.OrganizationalUnit.List", ["1", "2", "3", "4", "5"]],
    ["iot:Certificate.Subject.Title", undefined],
    ["iot:Certificate.Issuer.Country", "DE"],
    ["iot:Certificate.Issuer.Country.List", ["DE"]],
    ["iot:Certificate.Subject.AlternativeName.DNSName", "a.example"],
    ["iot:Certificate.Subject.AlternativeName.DNSName.List", ["a.example", "b.example"]],
    ["iot:Certificate.Issuer.AlternativeName.RFC822Name", "ca@example"],
    ["aws:CurrentTime", "2026-01-31T12:00:00.500Z"],
    ["aws:EpochTime", "1769860800"],
    ["aws:SecureTransport", "true"],
    ["iot:Connection.Thing.IsAttached", "false"],
    ["iot:Connection.Thing.ThingName", undefined],
    ["iot:ConnectAttributes", undefined],
    ["iot:LastWillTopic", undefined],
    ["aws:SourceIp", undefined],
    ["iot:Connection.Thing.Attributes[a]", undefined],
    ["constructor", undefined],
  ])("%s is %j", (key, expected) => {
    expect(value(key)).toEqual(expected);
  });

  it("names the variables of its certificate that have values", () => {
    expect(value("iot:Certificate.AvailableKeys")).toEqual([
      "iot:Certificate.SerialNumber",
      "iot:Certificate.Issuer.Country",
      "iot:Certificate.Subject.Organization",
      "iot:Certificate.Subject.OrganizationalUnit",
      "iot:Certificate.Subject.CommonName",
      "iot:Certificate.Issuer.AlternativeName.RFC822Name",
      "iot:Certificate.Subject.AlternativeName.DNSName",
    ]);
  });

  it("has nothing of a thing that the principal is not attached to", () => {
    const thing: PolicyThing = {
      thingName: "t",
      thingTypeName: "y",
      attributes: new Map([["a", "b"]]),
      isAttached: false,
    };
    const of = (isAttached: boolean) =>
      authorizationContext({ thing: { ...thing, isAttached, isExclusivelyAttached: true } });
    const keys = ["ThingName", "ThingTypeName", "Attributes[a]", "IsAttached", "IsExclusivelyAttached"];
    const values = (isAttached: boolean) =>
      keys.map((key) => of(isAttached).value(`iot:Connection.Thing.${key}`));
    expect(values(true)).toEqual(["t", "y", "b", "true", "true"]);
    expect(values(false)).toEqual([undefined, undefined, undefined, "false", "false"]);
  });

  it("takes other keys as they are given", () => {
    const others = new Map([
      ["aws:userid", "me"],
      ["iot:ClientId", "other"],
    ]);
    expect(authorizationContext({ clientId: "c", others }).value("aws:userid")).toBe("me");
    expect(authorizationContext({ clientId: "c", others }).value("iot:ClientId")).toBe("other");
  });
});

describe("policies about CONNECT", () => {
  const connect = (
    condition: object,
    connectAttributes: readonly ("PersistentConnect" | "LastWill")[],
    lastWillTopic?: string,
  ) =>
    outcome([allow("iot:Connect", "client/*", condition)], "iot:Connect", "client/c", {
      clientId: "c",
      connectAttributes,
      lastWillTopic,
    });

  it("may keep clients from persistent sessions and wills", () => {
    const neither = {
      "ForAllValues:StringNotEquals": { "iot:ConnectAttributes": ["PersistentConnect", "LastWill"] },
    };
    expect(connect(neither, [])).toBe("allowed");
    expect(connect(neither, ["LastWill"])).toBe("implicitDeny");
    const will = { "ForAnyValue:StringEquals": { "iot:ConnectAttributes": "LastWill" } };
    expect(connect(will, ["PersistentConnect", "LastWill"])).toBe("allowed");
    expect(connect(will, ["PersistentConnect"])).toBe("implicitDeny");
  });

  it("may look at the topic of the will", () => {
    const condition = { StringLike: { "iot:LastWillTopic": "wills/*" } };
    expect(connect(condition, ["LastWill"], "wills/c")).toBe("allowed");
    expect(connect(condition, ["LastWill"], "other")).toBe("implicitDeny");
    expect(connect(condition, [])).toBe("implicitDeny");
  });
});

describe("policies about certificates", () => {
  const publish = (topic: string, subject: Readonly<Record<string, readonly string[]>>, condition?: object) =>
    outcome([allow("iot:Publish", `topic/${topic}`, condition)], "iot:Publish", "topic/a", {
      certificate: { ...certificate, subject: new Map(Object.entries(subject)) },
    });

  it("compare the first value of a field, and all of them with .List", () => {
    const plain = { StringEquals: { "iot:Certificate.Subject.Organization": "B" } };
    const list = { "ForAnyValue:StringEquals": { "iot:Certificate.Subject.Organization.List": "B" } };
    const all = { "ForAllValues:StringEquals": { "iot:Certificate.Subject.Organization.List": ["A", "B"] } };
    expect(publish("*", { Organization: ["A", "B"] }, plain)).toBe("implicitDeny");
    expect(publish("*", { Organization: ["B", "A"] }, plain)).toBe("allowed");
    expect(publish("*", { Organization: ["A", "B"] }, list)).toBe("allowed");
    expect(publish("*", { Organization: ["A", "B"] }, all)).toBe("allowed");
    expect(publish("*", { Organization: ["A", "C"] }, all)).toBe("implicitDeny");
  });

  it("put no value with special characters, and none that is too long, into a grant (AWS)", () => {
    const grant = (CommonName: string, topic: string) =>
      outcome(
        [allow("iot:Publish", "topic/${iot:Certificate.Subject.CommonName}")],
        "iot:Publish",
        `topic/${topic}`,
        {
          certificate: { ...certificate, subject: new Map([["CommonName", [CommonName]]]) },
        },
      );
    expect(grant("a", "a")).toBe("allowed");
    for (const name of ["*", "$", "+", "?", "#", "a*"]) expect(grant(name, name)).toBe("implicitDeny");
    expect(grant("x".repeat(1024), "x".repeat(1024))).toBe("allowed");
    expect(grant("x".repeat(1025), "x".repeat(1025))).toBe("implicitDeny");
  });
});
