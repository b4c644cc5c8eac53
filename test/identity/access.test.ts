import { US_PER_S } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { Device, startAccess, type Statement } from "./device.js";

const EVERYTHING = ["Allow", "*", "*"] as const;
const NOT_AUTHORIZED = 0x87;
const LEGACY = { protocolVersion: 4 } as const;
const FOREVER = { cleanStart: false, sessionExpiryS: 3600 };

describe("a CONNECT with a certificate", () => {
  it("is let in when the certificate is ACTIVE and a policy allows it", async () => {
    const world = startAccess();
    const certificate = await world.certificate(["Allow", "Connect", "client/d1"]);
    expect(world.device("d1", certificate).connack).toBe(0);
    expect(world.device("d2", certificate).connack).toBe(NOT_AUTHORIZED);
  });

  it.each(["INACTIVE", "REVOKED"])("is refused when the certificate is %s", async (status) => {
    const world = startAccess();
    const certificate = await world.certificate(EVERYTHING);
    await world.ok("PUT", `/certificates/${certificate.certificateId}?newStatus=${status}`);
    expect(world.device("d1", certificate).connack).toBe(NOT_AUTHORIZED);
    expect(world.cloud.access!.denials.list()).toMatchObject([
      { outcome: "credentials", principal: certificate.certificateId, clientId: "d1" },
    ]);
  });

  it("is refused when nobody knows the certificate, and when no policy is attached", async () => {
    const world = startAccess();
    const stranger = await startAccess({}, { issuer: world.cloud.issuer }).certificate();
    const bare = await world.certificate();
    for (const certificate of [stranger, bare]) {
      const device = world.device("d1", certificate);
      expect([device.connack, device.isOpen]).toEqual([NOT_AUTHORIZED, false]);
    }
    const reasons = world.cloud.access!.denials.list().map(({ reason }) => reason);
    expect(reasons[0]).toContain("no policy is attached");
    expect(reasons[1]).toContain("is not registered");
  });

  it("that is refused is told about with the principal and without a word to the client", async () => {
    const world = startAccess();
    const { certificateId, ...certificate } = await world.certificate();
    const watcher = new Device(world.cloud, "watcher");
    watcher.subscribe("$aws/events/presence/connect_failed/d1");
    world.device("d1", { certificateId, ...certificate }, LEGACY);
    const event = watcher.packets.find((packet) => packet.type === "publish");
    expect(JSON.parse(Buffer.from(event!.payload).toString())).toMatchObject({
      eventType: "connect_failed",
      connectFailureReason: "AUTHORIZATION_FAILED",
      principalIdentifier: certificateId,
    });
  });

  it.each([
    { profile: "aws", protocolVersion: 4, settings: {}, connack: undefined },
    { profile: "aws", protocolVersion: 4, settings: { authFailure: "connack" }, connack: NOT_AUTHORIZED },
    { profile: "aws", protocolVersion: 5, settings: {}, connack: NOT_AUTHORIZED },
    { profile: "aws", protocolVersion: 5, settings: { authFailureMqtt5: "drop" }, connack: undefined },
    { profile: "oasis", protocolVersion: 4, settings: {}, connack: NOT_AUTHORIZED },
  ] as const)("is refused as $profile does at level $protocolVersion with $settings", async (row) => {
    const world = startAccess(row.settings, { profile: row.profile });
    const certificate = await world.certificate();
    const device = world.device("d1", certificate, { protocolVersion: row.protocolVersion });
    expect([device.connack, device.isOpen]).toEqual([row.connack, false]);
  });

  it("in SNI_ONLY mode needs the server's name, except in a resumed session", async () => {
    const world = startAccess();
    const certificate = await startAccess({}, { issuer: world.cloud.issuer }).certificate();
    const { certificatePem } = certificate;
    await world.ok("POST", "/certificate/register-no-ca", { certificatePem, status: "ACTIVE" });
    await world.policy("p", EVERYTHING);
    await world.attach("p", certificate.certificateArn);
    const { serverName: _, ...peer } = world.device("d1", certificate).peer!;
    expect(world.device("d1", certificate, { peer }).connack).toBe(NOT_AUTHORIZED);
    expect(world.device("d1", certificate, { peer: { ...peer, isResumed: true } }).connack).toBe(0);
  });

  it("is asked for its conditions: persistence, will topic, source address", async () => {
    const world = startAccess();
    const certificate = await world.certificate(
      ["Allow", ["Connect", "Publish"], "*", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }],
      [
        "Deny",
        "Connect",
        "*",
        { "ForAnyValue:StringEquals": { "iot:ConnectAttributes": ["PersistentConnect"] } },
      ],
      ["Deny", "Connect", "*", { StringLike: { "iot:LastWillTopic": "secret/*" } }],
    );
    const remoteAddress = "10.1.2.3:4000";
    const will = (topic: string) => ({ topic, payload: Buffer.from("x"), qos: 0, retain: false }) as const;
    const connack = (extras: object) => world.device("d1", certificate, { remoteAddress, ...extras }).connack;
    expect(connack({})).toBe(0);
    expect(connack({ remoteAddress: "192.168.0.1:4000" })).toBe(NOT_AUTHORIZED);
    expect(connack(FOREVER)).toBe(NOT_AUTHORIZED);
    expect(connack({ will: will("public/1") })).toBe(0);
    expect(connack({ will: will("secret/1") })).toBe(NOT_AUTHORIZED);
  });
});

describe("a will", () => {
  it.each([
    { allowed: ["Connect"], retain: false, connack: NOT_AUTHORIZED },
    { allowed: ["Connect", "Publish"], retain: false, connack: 0 },
    { allowed: ["Connect", "Publish"], retain: true, connack: NOT_AUTHORIZED },
    { allowed: ["Connect", "Publish", "RetainPublish"], retain: true, connack: 0 },
  ])("retained $retain needs more than $allowed: $connack", async ({ allowed, retain, connack }) => {
    const world = startAccess();
    const certificate = await world.certificate(["Allow", allowed, "*"]);
    const will = { topic: "w", payload: Buffer.from("x"), qos: 0, retain } as const;
    expect(world.device("d1", certificate, { will }).connack).toBe(connack);
  });

  it("is judged by the policies of its own CONNECT, not by those of the connection it takes over", async () => {
    const world = startAccess();
    const [mighty, weak] = [
      await world.certificate(EVERYTHING),
      await world.certificate(["Allow", "Connect", "*"]),
    ];
    const first = world.device("d1", mighty);
    const will = { topic: "w", payload: Buffer.from("x"), qos: 0, retain: false } as const;
    expect(world.device("d1", weak, { will }).connack).toBe(NOT_AUTHORIZED);
    expect(first.isOpen).toBe(true);
    expect(first.publish("anything")).toBe(0);
  });
});

describe("messages", () => {
  const statements = [
    ["Allow", "Connect", "*"],
    ["Allow", ["Publish", "Receive"], "topic/own/*"],
    ["Allow", "Subscribe", ["topicfilter/own/*", "topicfilter/#", "topicfilter/$share/g/own/*"]],
  ] as const;

  it.each([
    { protocolVersion: 5, puback: NOT_AUTHORIZED, isOpen: true },
    { protocolVersion: 4, puback: undefined, isOpen: false },
  ])("are refused at level $protocolVersion as AWS does", async ({ protocolVersion, puback, isOpen }) => {
    const world = startAccess();
    const device = world.device("d1", await world.certificate(...statements), { protocolVersion });
    expect(device.publish("own/1")).toBe(0);
    expect(device.publish("other/1")).toBe(puback);
    expect(device.isOpen).toBe(isOpen);
    expect(world.cloud.access!.denials.list()).toMatchObject([
      {
        action: "iot:Publish",
        resource: "arn:aws:iot:us-east-1:000000000000:topic/other/1",
        outcome: "implicitDeny",
        statement: "statement 1 of policy own-1",
        reason: expect.stringContaining("topic/own/*"),
      },
    ]);
  });

  it("are retained only with iot:RetainPublish", async () => {
    const world = startAccess();
    const device = world.device("d1", await world.certificate(...statements));
    expect(device.publish("own/1", { retain: true })).toBe(NOT_AUTHORIZED);
    expect(world.cloud.broker.retained("own/1")).toEqual([]);
  });

  it("reach a subscriber only where iot:Receive allows it, in silence", async () => {
    const world = startAccess();
    const device = world.device("d1", await world.certificate(...statements));
    expect(device.subscribe("#")).toEqual([1]);
    expect(device.subscribe("other/#")).toEqual([NOT_AUTHORIZED]);
    for (const topic of ["own/1", "other/1"]) world.cloud.broker.publish({ topic, payload: "x", qos: 1 });
    expect([device.received, device.isOpen]).toEqual([["own/1"], true]);
    expect(world.events.filter(({ type }) => type === "access.denied")).toMatchObject([
      { action: "iot:Subscribe", resource: expect.stringContaining("topicfilter/other/#") },
      { action: "iot:Receive", resource: expect.stringContaining("topic/other/1") },
    ]);
  });

  it("of shared subscriptions are subscribed to by the whole filter", async () => {
    const world = startAccess();
    const device = world.device("d1", await world.certificate(...statements));
    expect(device.subscribe("$share/g/own/+")).toEqual([1]);
    expect(device.subscribe("$share/h/own/+")).toEqual([NOT_AUTHORIZED]);
  });
});

describe("a client id that is an MQTT wildcard", () => {
  it.each(["+", "#"])("%s widens no grant of topic filters", async (clientId) => {
    const world = startAccess();
    const certificate = await world.certificate(
      ["Allow", "Connect", "client/*"],
      ["Allow", "Subscribe", "topicfilter/a/${iot:ClientId}"],
      ["Allow", "Receive", "topic/a/*"],
    );
    const device = world.device(clientId, certificate);
    expect(device.connack).toBe(0);
    for (const filter of ["a/+", "a/#", "#"]) expect(device.subscribe(filter)).toEqual([NOT_AUTHORIZED]);
  });
});

describe("a change of policies", () => {
  it("holds for live subscriptions from the next message on", async () => {
    const world = startAccess();
    const { certificateArn, ...rest } = await world.certificate();
    await world.policy("p", EVERYTHING);
    await world.attach("p", certificateArn);
    const device = world.device("d1", { certificateArn, ...rest });
    device.subscribe("t");
    const publish = () => world.cloud.broker.publish({ topic: "t", payload: "x", qos: 0 });
    publish();
    await world.change("p", EVERYTHING, ["Deny", "Receive", "topic/t"]);
    publish();
    expect(device.received).toHaveLength(1);
    await world.ok("PATCH", "/policies/p/version/1");
    publish();
    expect(device.received).toHaveLength(2);
    await world.ok("POST", "/target-policies/p", { target: certificateArn });
    publish();
    expect([device.received.length, device.isOpen]).toEqual([2, true]);
    expect(device.publish("t")).toBe(NOT_AUTHORIZED);
    await world.attach("p", certificateArn);
    expect(device.publish("t")).toBe(0);
  });

  it("holds for messages stored while the client was away", async () => {
    const world = startAccess();
    const certificate = await world.certificate();
    await world.policy("p", EVERYTHING);
    await world.attach("p", certificate.certificateArn);
    const first = world.device("d1", certificate, FOREVER);
    first.subscribe("t/+");
    first.lose();
    world.time.advance(US_PER_S);
    for (const topic of ["t/1", "t/2"]) world.cloud.broker.publish({ topic, payload: "x", qos: 1 });
    await world.change("p", EVERYTHING, ["Deny", "Receive", "topic/t/1"]);
    world.time.advance(US_PER_S);
    const second = world.device("d1", certificate, FOREVER);
    world.time.advance(US_PER_S);
    expect(second.received).toEqual(["t/2"]);
  });
});

describe("a change of a certificate", () => {
  const will = { topic: "gone/d1", payload: Buffer.from("x"), qos: 0, retain: false } as const;

  it.each([
    ["deactivation", (id: string) => ["PUT", `/certificates/${id}?newStatus=INACTIVE`] as const],
    ["revocation", (id: string) => ["PUT", `/certificates/${id}?newStatus=REVOKED`] as const],
  ])("ends live connections on %s, and their wills go out", async (_, request) => {
    const world = startAccess();
    const certificate = await world.certificate(EVERYTHING);
    const watcher = new Device(world.cloud, "watcher");
    watcher.subscribe("gone/+");
    watcher.subscribe("$aws/events/presence/disconnected/+");
    const device = world.device("d1", certificate, { will });
    const legacy = world.device("d2", certificate, LEGACY);
    const other = world.device("d3", await world.certificate(EVERYTHING));
    const [method, path] = request(certificate.certificateId);
    await world.ok(method, path);
    world.time.advance(1);
    expect([device.isOpen, device.goodbye, legacy.isOpen, other.isOpen]).toEqual([
      false,
      NOT_AUTHORIZED,
      false,
      true,
    ]);
    expect(watcher.received).toContain("gone/d1");
    expect(world.events.filter(({ type }) => type === "broker.disconnected")).toMatchObject([
      { clientId: "d1", reason: "AUTH_ERROR", clientInitiated: false },
      { clientId: "d2", reason: "AUTH_ERROR" },
    ]);
    expect(world.device("d1", certificate).connack).toBe(NOT_AUTHORIZED);
  });

  it("does not touch a connection that has taken over the client id", async () => {
    const world = startAccess();
    const [old, fresh] = [await world.certificate(EVERYTHING), await world.certificate(EVERYTHING)];
    world.device("d1", old);
    const device = world.device("d1", fresh);
    await world.ok("PUT", `/certificates/${old.certificateId}?newStatus=REVOKED`);
    world.time.advance(1);
    expect(device.isOpen).toBe(true);
    expect(device.publish("t")).toBe(0);
  });
});

describe("things and groups", () => {
  const byThing: readonly Statement[] = [
    ["Allow", "Connect", "client/*"],
    ["Allow", "Publish", "topic/${iot:Connection.Thing.ThingName}/*"],
    ["Allow", "Publish", "topic/site/${iot:Connection.Thing.Attributes[site]}"],
  ];

  it("give values to variables for the thing that the client is named after", async () => {
    const world = startAccess();
    const certificate = await world.certificate(...byThing);
    world.cloud.registry.createThing({ thingName: "d1", attributes: { site: "a" } });
    const device = world.device("d1", certificate);
    expect(device.publish("d1/x")).toBe(NOT_AUTHORIZED);
    world.cloud.registry.principals.attach({ thingName: "d1", principal: certificate.certificateArn });
    expect([device.publish("d1/x"), device.publish("site/a"), device.publish("site/b")]).toEqual([
      0,
      0,
      NOT_AUTHORIZED,
    ]);
    world.cloud.registry.updateThing({ thingName: "d1", attributes: { site: "b" } });
    expect([device.publish("site/a"), device.publish("site/b")]).toEqual([NOT_AUTHORIZED, 0]);
    const other = world.device("d2", certificate);
    expect(other.publish("d1/x")).toBe(NOT_AUTHORIZED);
    world.cloud.registry.principals.detach({ thingName: "d1", principal: certificate.certificateArn });
    expect(device.publish("d1/x")).toBe(NOT_AUTHORIZED);
  });

  it("give values to any client where the attachment is exclusive, and name the thing in lifecycle events", async () => {
    const world = startAccess();
    const certificate = await world.certificate(...byThing);
    world.cloud.registry.createThing({ thingName: "t1" });
    const watcher = new Device(world.cloud, "watcher");
    watcher.subscribe("$aws/events/presence/connected/any");
    const principal = { thingName: "t1", principal: certificate.certificateArn };
    world.cloud.registry.principals.attach({ ...principal, thingPrincipalType: "EXCLUSIVE_THING" });
    const device = world.device("any", certificate);
    expect(device.publish("t1/x")).toBe(0);
    const event = watcher.packets.find((packet) => packet.type === "publish");
    expect(JSON.parse(Buffer.from(event!.payload).toString())).toMatchObject({
      thingName: "t1",
      principalIdentifier: certificate.certificateId,
    });
    world.cloud.registry.principals.detach(principal);
    expect(device.publish("t1/x")).toBe(NOT_AUTHORIZED);
  });

  it("bring the policies of groups and their ancestors, at once and for as long as they last", async () => {
    const world = startAccess();
    const { registry } = world.cloud;
    const certificate = await world.certificate(["Allow", "Connect", "*"]);
    registry.createThing({ thingName: "d1" });
    registry.principals.attach({ thingName: "d1", principal: certificate.certificateArn });
    registry.createThingGroup({ thingGroupName: "plant" });
    registry.createThingGroup({ thingGroupName: "line", parentGroupName: "plant" });
    await world.policy("publish", ["Allow", "Publish", "*"]);
    await world.attach("publish", "arn:aws:iot:us-east-1:000000000000:thinggroup/plant");
    const device = world.device("d1", certificate);
    const codes = [device.publish("t")];
    registry.addThingToThingGroup({ thingName: "d1", thingGroupName: "line" });
    codes.push(device.publish("t"));
    const listed = await world.ok(
      "POST",
      `/attached-policies/${encodeURIComponent("arn:aws:iot:us-east-1:000000000000:thinggroup/line")}?recursive=true`,
    );
    expect(listed.policies).toMatchObject([{ policyName: "publish" }]);
    registry.removeThingFromThingGroup({ thingName: "d1", thingGroupName: "line" });
    codes.push(device.publish("t"));
    expect(codes).toEqual([NOT_AUTHORIZED, 0, NOT_AUTHORIZED]);
    registry.deleteThingGroup({ thingGroupName: "line" });
    registry.deleteThingGroup({ thingGroupName: "plant" });
    await world.ok("DELETE", "/policies/publish");
  });

  it("are static where they have policies", async () => {
    const world = startAccess();
    await world.ok("POST", "/indexing/config", {
      thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" },
    });
    await world.ok("POST", "/dynamic-thing-groups/dyn", { queryString: "thingName:d*" });
    await world.policy("p", ["Allow", "Publish", "*"]);
    const target = "arn:aws:iot:us-east-1:000000000000:thinggroup/dyn";
    expect((await world.refused("PUT", "/target-policies/p", { target })).name).toBe(
      "InvalidRequestException",
    );
  });

  it("keep a certificate from being deleted", async () => {
    const world = startAccess();
    const certificate = await world.certificate();
    world.cloud.registry.createThing({ thingName: "d1" });
    world.cloud.registry.principals.attach({ thingName: "d1", principal: certificate.certificateArn });
    const path = `/certificates/${certificate.certificateId}`;
    await world.ok("PUT", `${path}?newStatus=INACTIVE`);
    expect((await world.refused("DELETE", `${path}?forceDelete=true`)).name).toBe("DeleteConflictException");
  });
});
