import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeCbor } from "fleetrig/protocol";
import { startApi } from "../api/api-client.js";
import { connectClient } from "../api/memory-client.js";
import { newRequest } from "./requests.js";

const TEMPLATE = {
  Parameters: { Serial: { Type: "String" } },
  Resources: {
    thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: { Ref: "Serial" } } },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" } },
    },
    policy: {
      Type: "AWS::IoT::Policy",
      Properties: {
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: { "Fn::Sub": "arn:x/${Serial}" } }],
        },
      },
    },
  },
};

const TOPICS = [
  "certificates/create",
  "certificates/create-from-csr",
  "provisioning-templates/fleet/provision",
].flatMap((path) => [`$aws/${path}/json`, `$aws/${path}/cbor`]);

describe("hostile requests of devices", () => {
  it("are answered with a refusal, and never with a fault", async () => {
    const unbounded = Number.POSITIVE_INFINITY;
    const world = startApi({
      provisioning: { createKeysPerS: unbounded, createFromCsrPerS: unbounded, registerThingPerS: unbounded },
    });
    await world.ok("POST", "/provisioning-templates", {
      templateName: "fleet",
      templateBody: JSON.stringify(TEMPLATE),
      provisioningRoleArn: "arn:aws:iam::000000000000:role/r",
      enabled: true,
    });
    const device = connectClient(world, "claim");
    device.publish("$aws/certificates/create/json", "");
    const { certificateOwnershipToken } = JSON.parse(Buffer.from(device.take()[0]!.payload).toString()) as {
      certificateOwnershipToken: string;
    };
    const pem = newRequest();
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.constantFrom(
        "__proto__",
        "constructor",
        pem,
        pem.slice(0, 200),
        certificateOwnershipToken,
        "*",
        "${x}",
      ),
    );
    const value = fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text, { maxLength: 3 }));
    const name = fc.constantFrom(
      "certificateOwnershipToken",
      "certificateSigningRequest",
      "parameters",
      "Serial",
      "AWS::IoT::Certificate::Id",
      "__proto__",
    );
    const body = fc.dictionary(name, fc.oneof(value, fc.dictionary(name, value)));
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      body.map((object) => new Uint8Array(Buffer.from(JSON.stringify(object)))),
      body.map((object) => encodeCbor(object as Parameters<typeof encodeCbor>[0])),
    );
    fc.assert(
      fc.property(fc.constantFrom(...TOPICS), payload, (topic, bytes) => {
        device.publish(topic, bytes);
        const [answer, ...others] = device.take();
        expect(others).toEqual([]);
        expect([`${topic}/accepted`, `${topic}/rejected`]).toContain(answer?.topic);
      }),
      { numRuns: 500 },
    );
    expect(world.events.filter(({ type }) => type === "api.fault")).toEqual([]);
    expect(({} as Record<string, unknown>)["Serial"]).toBeUndefined();
  });
});
