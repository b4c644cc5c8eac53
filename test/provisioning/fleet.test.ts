import { describe, expect, it } from "vitest";
import { decodeCbor, encodeCbor } from "fleetrig/protocol";
import type { CloudOptions } from "fleetrig/broker";
import { type ApiWorld, startApi } from "../api/api-client.js";
import { PaperJournal } from "../records/paper-journal.js";
import { connectClient, type MemoryClient } from "../api/memory-client.js";

const ROLE = "arn:aws:iam::000000000000:role/provisioning";
const CREATE = "$aws/certificates/create/json";
const PROVISION = "$aws/provisioning-templates/fleet/provision/json";

const TEMPLATE = {
  Parameters: { SerialNumber: { Type: "String" }, Site: { Type: "String", Default: "Seattle" } },
  Mappings: { Sites: { Seattle: { url: "https://s.example" }, Wien: { url: "https://w.example" } } },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: {
        ThingName: { "Fn::Join": ["", ["sensor-", { Ref: "SerialNumber" }]] },
        AttributePayload: { serial: { Ref: "SerialNumber" } },
      },
    },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
    },
    policy: {
      Type: "AWS::IoT::Policy",
      Properties: {
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: "*" }],
        },
      },
    },
  },
  DeviceConfiguration: { url: { "Fn::FindInMap": ["Sites", { Ref: "Site" }, "url"] } },
};

interface Fleet extends ApiWorld {
  readonly device: MemoryClient;
}

async function fleetWith(options: Partial<CloudOptions> = {}, template: object = {}): Promise<Fleet> {
  const world = startApi(options);
  await world.ok("POST", "/provisioning-templates", {
    templateName: "fleet",
    templateBody: JSON.stringify(TEMPLATE),
    provisioningRoleArn: ROLE,
    enabled: true,
    ...template,
  });
  return { ...world, device: connectClient(world, "claim-1") };
}

interface Answer {
  readonly topic: string;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly certificateOwnershipToken: string;
  readonly thingName?: string;
  readonly errorCode?: string;
}

/** What the cloud answered last, and where. */
function answer(device: MemoryClient): Answer {
  const messages = device.take();
  expect(messages).toHaveLength(1);
  const [{ topic, payload }] = messages as [(typeof messages)[0]];
  return { topic, ...(JSON.parse(Buffer.from(payload).toString()) as Omit<Answer, "topic">) };
}

function ask(device: MemoryClient, topic: string, body: unknown = ""): Answer {
  device.publish(topic, body);
  return answer(device);
}

const provision = (device: MemoryClient, certificateOwnershipToken: string, parameters: object = {}) =>
  ask(device, PROVISION, { certificateOwnershipToken, parameters: { SerialNumber: "42", ...parameters } });

const statusOf = async ({ request }: ApiWorld, certificateId: string) =>
  (await request("GET", `/certificates/${certificateId}`)).body.certificateDescription?.status;

describe("fleet provisioning (C4)", () => {
  it("turns a claim into a thing with an active certificate and a policy", async () => {
    const fleet = await fleetWith();
    const created = ask(fleet.device, CREATE);
    expect(created).toEqual({
      topic: `${CREATE}/accepted`,
      certificateId: expect.stringMatching(/^[0-9a-f]{64}$/),
      certificatePem: expect.stringContaining("BEGIN CERTIFICATE"),
      privateKey: expect.stringContaining("PRIVATE KEY"),
      certificateOwnershipToken: expect.any(String),
    });
    expect(await statusOf(fleet, created.certificateId)).toBe("PENDING_ACTIVATION");
    expect(provision(fleet.device, created.certificateOwnershipToken, { Site: "Wien" })).toEqual({
      topic: `${PROVISION}/accepted`,
      deviceConfiguration: { url: "https://w.example" },
      thingName: "sensor-42",
    });
    expect(await statusOf(fleet, created.certificateId)).toBe("ACTIVE");
    const { cloud } = fleet;
    expect(cloud.registry.describeThing("sensor-42").attributes).toEqual({ serial: "42" });
    expect(cloud.registry.principals.thingsOf(created.certificateId)).toMatchObject([
      { thing: { name: "sensor-42" } },
    ]);
    expect(cloud.identity.targets.policiesOf(created.certificateId)).toHaveLength(1);
    expect(fleet.events).toContainEqual(
      expect.objectContaining({ type: "provisioning.provisioned", template: "fleet", thing: "sensor-42" }),
    );
  });

  it("answers in CBOR where CBOR is asked for", async () => {
    const { device } = await fleetWith();
    device.publish("$aws/certificates/create/cbor", "");
    const [created] = device.take();
    expect(created!.topic).toBe("$aws/certificates/create/cbor/accepted");
    const body = decodeCbor(created!.payload);
    const token = body.ok && (body.value as unknown as Answer).certificateOwnershipToken;
    const request = encodeCbor({ certificateOwnershipToken: token, parameters: { SerialNumber: "7" } });
    device.publish("$aws/provisioning-templates/fleet/provision/cbor", request);
    const [provisioned] = device.take();
    expect(decodeCbor(provisioned!.payload)).toMatchObject({ ok: true, value: { thingName: "sensor-7" } });
  });

  it("answers whoever asked and nobody else, at the quality of service of the question", async () => {
    const fleet = await fleetWith();
    const other = connectClient(fleet, "other");
    other.subscribe("$aws/certificates/#");
    other.subscribe("#");
    other.take();
    fleet.device.publish(CREATE, "", 0);
    expect(fleet.device.take()).toMatchObject([{ topic: `${CREATE}/accepted`, qos: 0 }]);
    expect(other.take()).toEqual([]);
    other.publish(`${CREATE}/accepted`, { certificateId: "forged" });
    expect(fleet.device.take()).toEqual([]);
  });

  it("forgets a token after an hour, and deletes a certificate that nobody provisioned", async () => {
    const fleet = await fleetWith();
    const created = ask(fleet.device, CREATE);
    const other = ask(fleet.device, CREATE);
    fleet.time.advance(59 * 60_000_000);
    const later = connectClient(fleet, "claim-2");
    expect(provision(later, other.certificateOwnershipToken).thingName).toBe("sensor-42");
    fleet.time.advance(61_000_000);
    expect(provision(later, created.certificateOwnershipToken)).toMatchObject({
      topic: `${PROVISION}/rejected`,
      statusCode: 400,
      errorCode: "InvalidCertificateOwnershipToken",
    });
    expect(await statusOf(fleet, created.certificateId)).toBeUndefined();
    expect(await statusOf(fleet, other.certificateId)).toBe("ACTIVE");
  });

  it("leaves a certificate that somebody attached to a thing in the meantime", async () => {
    const fleet = await fleetWith();
    const { certificateId } = ask(fleet.device, CREATE);
    fleet.cloud.registry.createThing({ thingName: "t" });
    fleet.cloud.registry.principals.attach({ thingName: "t", principal: certificateId });
    fleet.time.advance(3_601_000_000);
    expect(await statusOf(fleet, certificateId)).toBe("PENDING_ACTIVATION");
  });

  it("knows its tokens after a restart, and still deletes what nobody provisions", async () => {
    const paper = new PaperJournal();
    const fleet = await fleetWith({ journal: paper });
    const [used, unused] = [ask(fleet.device, CREATE), ask(fleet.device, CREATE)];
    paper.commit();
    expect([...paper.written.values()].join()).not.toContain(used.certificateOwnershipToken);
    const later = startApi();
    paper.restoreInto(later.cloud.records);
    const device = connectClient(later, "claim-1");
    expect(provision(device, used.certificateOwnershipToken).thingName).toBe("sensor-42");
    later.time.advance(3_601_000_000);
    expect(await statusOf(later, unused.certificateId)).toBeUndefined();
    expect(await statusOf(later, used.certificateId)).toBe("ACTIVE");
  });

  it("takes a token once", async () => {
    const { device } = await fleetWith();
    const { certificateOwnershipToken } = ask(device, CREATE);
    expect(provision(device, certificateOwnershipToken).thingName).toBe("sensor-42");
    expect(provision(device, certificateOwnershipToken).errorCode).toBe("InvalidCertificateOwnershipToken");
  });

  it("accepts none of 10,000 tokens that were used, guessed or changed (E12)", async () => {
    const { device, cloud } = await fleetWith({
      provisioning: { registerThingPerS: Number.POSITIVE_INFINITY },
    });
    const { certificateOwnershipToken: used } = ask(device, CREATE);
    const { certificateOwnershipToken: fresh } = ask(device, CREATE);
    provision(device, used, { SerialNumber: "0" });
    for (let index = 0; index < 10_000; index += 1) {
      const place = index % fresh.length;
      const changed = `${fresh.slice(0, place)}${fresh[place] === "0" ? "1" : "0"}${fresh.slice(place + 1)}`;
      device.publish(PROVISION, {
        certificateOwnershipToken: [used, changed, `${fresh} `, fresh.slice(1)][index % 4],
        parameters: { SerialNumber: `${index}` },
      });
    }
    expect(device.take().filter(({ topic }) => !topic.endsWith("/rejected"))).toEqual([]);
    expect(cloud.registry.thingCount).toBe(1);
  });

  it("keeps a token that was of no use for another try", async () => {
    const { device } = await fleetWith();
    const { certificateOwnershipToken } = ask(device, CREATE);
    expect(provision(device, certificateOwnershipToken, { Site: "Atlantis" })).toMatchObject({
      statusCode: 400,
      errorCode: "InvalidRequest",
      errorMessage: expect.stringContaining("DeviceConfiguration.url"),
    });
    expect(provision(device, certificateOwnershipToken).thingName).toBe("sensor-42");
  });

  it.each<[what: string, topic: string, body: unknown, expected: object]>([
    [
      "no token",
      PROVISION,
      {},
      {
        statusCode: 400,
        errorCode: "InvalidCertificateOwnershipToken",
        errorMessage: "Certificate ownership token cannot be empty.",
      },
    ],
    [
      "an unknown token",
      PROVISION,
      { certificateOwnershipToken: "x" },
      { errorCode: "InvalidCertificateOwnershipToken" },
    ],
    [
      "a token that is a number",
      PROVISION,
      { certificateOwnershipToken: 1 },
      { statusCode: 400, errorCode: "InvalidRequest" },
    ],
    ["no JSON", PROVISION, "{", { statusCode: 400, errorCode: "InvalidRequest" }],
    ["a list", PROVISION, [], { statusCode: 400, errorCode: "InvalidRequest" }],
    ["parameters that are no texts", PROVISION, { parameters: { a: 1 } }, { errorCode: "InvalidRequest" }],
    [
      "an unknown template",
      PROVISION.replace("fleet", "nope"),
      {},
      { statusCode: 404, errorCode: "ResourceNotFound" },
    ],
    [
      "no request for a certificate",
      "$aws/certificates/create-from-csr/json",
      {},
      { errorCode: "InvalidRequest" },
    ],
    [
      "a broken request for a certificate",
      "$aws/certificates/create-from-csr/json",
      { certificateSigningRequest: "x" },
      { statusCode: 400, errorCode: "InvalidRequest" },
    ],
  ])("rejects %s", async (_, topic, body, expected) => {
    const { device } = await fleetWith();
    expect(ask(device, topic, body)).toMatchObject({ topic: `${topic}/rejected`, ...expected });
  });

  it("rejects templates that are not enabled, or for something else", async () => {
    const { ok, device } = await fleetWith();
    const { certificateOwnershipToken } = ask(device, CREATE);
    await ok("PATCH", "/provisioning-templates/fleet", { enabled: false });
    expect(provision(device, certificateOwnershipToken)).toMatchObject({ errorCode: "InvalidRequest" });
  });

  it("never provisions another certificate than the token's", async () => {
    const world = await fleetWith();
    const victim = await world.ok("POST", "/keys-and-certificate?setAsActive=false");
    const templateBody = JSON.stringify({
      Parameters: { Id: { Type: "String" } },
      Resources: { c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: { Ref: "Id" } } } },
    });
    await world.ok("POST", "/provisioning-templates/fleet/versions?setAsDefault=true", { templateBody });
    const { certificateOwnershipToken } = ask(world.device, CREATE);
    expect(provision(world.device, certificateOwnershipToken, { Id: victim.certificateId }).errorCode).toBe(
      "InvalidRequest",
    );
    expect(await statusOf(world, victim.certificateId)).toBe("INACTIVE");
  });

  it("keeps to AWS's rates, which are settings", async () => {
    const { device, time } = await fleetWith();
    for (let request = 0; request < 11; request += 1) device.publish(CREATE, "");
    const topics = device.take().map(({ topic }) => topic);
    expect(topics).toEqual([...Array.from({ length: 10 }, () => `${CREATE}/accepted`), `${CREATE}/rejected`]);
    time.advance(100_000);
    expect(ask(device, CREATE).topic).toBe(`${CREATE}/accepted`);
    const unbounded = await fleetWith({ provisioning: { createKeysPerS: Number.POSITIVE_INFINITY } });
    for (let request = 0; request < 50; request += 1) unbounded.device.publish(CREATE, "");
    expect(unbounded.device.take().filter(({ topic }) => topic.endsWith("accepted"))).toHaveLength(50);
  });
});

describe("pre-provisioning hooks (C6)", () => {
  const HOOK = { preProvisioningHook: { targetArn: "arn:aws:lambda:us-east-1:1:function:gate" } };
  const DENIED = {
    topic: `${PROVISION}/rejected`,
    statusCode: 403,
    errorCode: "ACCESS_DENIED",
    errorMessage: "Access denied.",
  };

  it("see who asks, and change parameters", async () => {
    let seen: unknown;
    const gate = (event: unknown): object => {
      seen = event;
      return { allowProvisioning: true, parameterOverrides: { SerialNumber: "43" } };
    };
    const { device } = await fleetWith({ hooks: { gate } }, HOOK);
    const { certificateOwnershipToken, certificateId, certificatePem } = ask(device, CREATE);
    expect(provision(device, certificateOwnershipToken).thingName).toBe("sensor-43");
    expect(seen).toEqual({
      claimCertificateId: "",
      certificateId,
      certificatePem,
      templateArn: "arn:aws:iot:us-east-1:000000000000:provisioningtemplate/fleet",
      clientId: "claim-1",
      parameters: { SerialNumber: "42" },
    });
  });

  it.each<[what: string, gate: () => unknown]>([
    ["say no", () => ({ allowProvisioning: false })],
    ["say yes in other words", () => ({ allowProvisioning: "yes" })],
    ["answer nothing", () => undefined],
    [
      "answer overrides that are no texts",
      () => ({ allowProvisioning: true, parameterOverrides: { SerialNumber: 1 } }),
    ],
    ["throw", () => JSON.parse("secret") as unknown],
  ])("that %s deny, in the same words", async (_, gate) => {
    const { device } = await fleetWith({ hooks: { gate } }, HOOK);
    const { certificateOwnershipToken } = ask(device, CREATE);
    expect(provision(device, certificateOwnershipToken)).toEqual(DENIED);
  });

  it("that are late deny after five seconds; the token stays good", async () => {
    let isSlow = true;
    const gate = (): unknown => (isSlow ? new Promise(() => undefined) : { allowProvisioning: true });
    const { device, time, events } = await fleetWith({ hooks: { gate } }, HOOK);
    const { certificateOwnershipToken } = ask(device, CREATE);
    device.publish(PROVISION, { certificateOwnershipToken, parameters: { SerialNumber: "1" } });
    expect(device.take()).toEqual([]);
    expect(provision(device, certificateOwnershipToken).errorCode).toBe("InvalidCertificateOwnershipToken");
    time.advance(5_000_000);
    expect(answer(device)).toEqual(DENIED);
    expect(events).toContainEqual(expect.objectContaining({ type: "hook.failed", reason: "timeout" }));
    isSlow = false;
    expect(provision(device, certificateOwnershipToken).thingName).toBe("sensor-42");
  });
});
