import { describe, expect, it } from "vitest";
import { createCertificateAuthority, type NameFields } from "fleetrig/broker";
import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import { type AccessWorld, Device, peerWith, startAccess } from "../identity/device.js";

const PREFIX = "AWS::IoT::Certificate::";
const NOT_AUTHORIZED = 0x87;

/** A thing that is named as the certificate, in a policy of its own. */
const TEMPLATE = {
  Parameters: {
    [`${PREFIX}CommonName`]: { Type: "String" },
    [`${PREFIX}Country`]: { Type: "String" },
    [`${PREFIX}Id`]: { Type: "String" },
  },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: {
        ThingName: { Ref: `${PREFIX}CommonName` },
        AttributePayload: { country: { Ref: `${PREFIX}Country` } },
      },
    },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: `${PREFIX}Id` }, Status: "ACTIVE" },
    },
    policy: {
      Type: "AWS::IoT::Policy",
      Properties: {
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Action: "iot:Connect",
              Resource: {
                "Fn::Join": [
                  "",
                  ["arn:aws:iot:us-east-1:000000000000:client/", { Ref: `${PREFIX}CommonName` }],
                ],
              },
            },
          ],
        },
      },
    },
  },
};

type Config = { readonly templateBody?: string; readonly templateName?: string };

interface Factory extends AccessWorld {
  /** A device of the user's own CA connects for the first, the second, ... time. */
  arriving(clientId: string, subject: NameFields): () => Device;
}

async function factory(registrationConfig: Config | undefined): Promise<Factory> {
  const world = startAccess({ openListeners: "none" });
  const own = createCertificateAuthority({
    clock: new VirtualTime().lane(LANE.services),
    random: createRandomSource(3).stream("own"),
    subject: { CommonName: "Factory" },
  });
  await world.ok("POST", "/cacertificate?setAsActive=true&allowAutoRegistration=true", {
    caCertificate: own.caCertificatePem,
    certificateMode: "SNI_ONLY",
    ...(registrationConfig !== undefined && { registrationConfig }),
  });
  return {
    ...world,
    arriving: (clientId, subject) => {
      const { certificatePem } = own.issueCertificate({ subject });
      return () => new Device(world.cloud, clientId, { peer: peerWith(certificatePem) });
    },
  };
}

const SUBJECT = { CommonName: "sensor-7", Country: "AT" } as const;
const BODY = { templateBody: JSON.stringify(TEMPLATE) };

describe("just-in-time provisioning (C8)", () => {
  it("fails the first connection, and lets the second one in as a thing with policies", async () => {
    const world = await factory(BODY);
    const connect = world.arriving("sensor-7", SUBJECT);
    const first = connect();
    expect([first.connack, first.isOpen]).toEqual([NOT_AUTHORIZED, false]);
    const [row] = world.cloud.identity.certificates.list().items;
    expect(row?.status).toBe("ACTIVE");
    expect(world.cloud.registry.describeThing("sensor-7").attributes).toEqual({ country: "AT" });
    expect(connect().connack).toBe(0);
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: "provisioning.provisioned", template: "", thing: "sensor-7" }),
    );
  });

  it("fails where the subject lacks what the template declares", async () => {
    const world = await factory(BODY);
    const connect = world.arriving("sensor-7", { CommonName: "sensor-7" });
    for (const device of [connect(), connect()]) expect(device.connack).toBe(NOT_AUTHORIZED);
    expect(world.cloud.identity.certificates.list().items).toMatchObject([{ status: "PENDING_ACTIVATION" }]);
    expect(world.cloud.registry.hasThing("sensor-7")).toBe(false);
    expect(world.events).toContainEqual(
      expect.objectContaining({
        type: "provisioning.rejected",
        errorCode: "InvalidRequest",
        reason: expect.stringContaining("Certificate::Country"),
      }),
    );
  });

  it.each(["*", "a*", "?", "${iot:ClientId}", '"],"x":["'])(
    "never lets the subject %j widen a policy (E12)",
    async (name) => {
      const world = await factory(BODY);
      const connect = world.arriving("other", { CommonName: name, Country: "AT" });
      connect();
      expect(connect().connack).toBe(NOT_AUTHORIZED);
      expect(world.cloud.identity.policies.list().items).toEqual([]);
    },
  );

  it("takes its template by name, if it is for that and enabled", async () => {
    const world = await factory({ templateName: "jitp" });
    const path = "/provisioning-templates";
    await world.ok("POST", path, {
      templateName: "jitp",
      type: "JITP",
      templateBody: BODY.templateBody,
      provisioningRoleArn: "arn:aws:iam::000000000000:role/r",
    });
    world.arriving("sensor-7", SUBJECT)();
    expect(world.cloud.registry.hasThing("sensor-7")).toBe(false);
    await world.ok("PATCH", `${path}/jitp`, { enabled: true });
    const connect = world.arriving("sensor-7", SUBJECT);
    connect();
    expect(connect().connack).toBe(0);
  });

  it("tells mistakes of a template when its CA is registered", async () => {
    await expect(factory({ templateBody: '{"Resources":{"t":{"Type":"x"}}}' })).rejects.toThrow(
      /InvalidRequest|Resources.t.Type/,
    );
  });

  it("leaves devices of a CA without a template to whoever hears of their registration", async () => {
    const world = await factory(undefined);
    world.arriving("sensor-7", SUBJECT)();
    expect(world.cloud.identity.certificates.list().items).toMatchObject([{ status: "PENDING_ACTIVATION" }]);
    expect(world.cloud.registry.thingCount).toBe(0);
  });
});

describe("claims of trusted users", () => {
  it("provision with their template, and do nothing else", async () => {
    const world = startAccess({ openListeners: "none" });
    await world.ok("POST", "/provisioning-templates", {
      templateName: "fleet",
      enabled: true,
      templateBody: JSON.stringify({
        Resources: { thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: "t1" } } },
      }),
      provisioningRoleArn: "arn:aws:iam::000000000000:role/r",
    });
    const { certificatePem } = await world.ok("POST", "/provisioning-templates/fleet/provisioning-claim");
    const device = new Device(world.cloud, "any", { peer: peerWith(certificatePem as string) });
    expect(device.connack).toBe(0);
    expect(device.subscribe("$aws/certificates/create/json/accepted")).toEqual([1]);
    expect(device.publish("$aws/certificates/create/json")).toBe(0);
    expect(device.received).toEqual(["$aws/certificates/create/json/accepted"]);
    expect(device.publish("$aws/provisioning-templates/fleet/provision/json")).toBe(0);
    expect(device.received.at(-1)).toBe("$aws/provisioning-templates/fleet/provision/json/rejected");
    expect(device.publish("$aws/provisioning-templates/other/provision/json")).toBe(NOT_AUTHORIZED);
  });
});
