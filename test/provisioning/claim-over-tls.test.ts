import { createCertificateAuthority } from "fleetrig/broker";
import { createRandomSource, hostWallMs } from "fleetrig/kernel";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { CloudBench } from "../cloud-server/cloud-bench.js";
import { newRequest } from "./requests.js";

const TEMPLATE = {
  Parameters: { Serial: { Type: "String" } },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: { ThingName: { "Fn::Join": ["-", ["sensor", { Ref: "Serial" }]] } },
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
          Statement: [
            {
              Effect: "Allow",
              Action: "iot:*",
              Resource: {
                "Fn::Sub": [
                  "arn:aws:iot:us-east-1:000000000000:client/sensor-${s}",
                  { s: { Ref: "Serial" } },
                ],
              },
            },
          ],
        },
      },
    },
  },
  DeviceConfiguration: { mode: "eco" },
};

const POLICY = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
};

interface KeyAndCertificate {
  readonly key: string;
  readonly cert: string;
}

interface Claim {
  readonly certificatePem: string;
  readonly keyPair: { readonly PrivateKey: string };
}

async function connect(
  bench: CloudBench,
  clientId: string,
  identity: KeyAndCertificate,
): Promise<MqttClient> {
  const options: IClientOptions = {
    clientId,
    ca: bench.ca,
    protocolVersion: 5,
    reconnectPeriod: 0,
    connectTimeout: 5_000,
    ...identity,
  };
  const client = await connectAsync(`mqtts://localhost:${bench.port("mqtts")}`, options);
  onTestFinished(async () => {
    await client.endAsync(true);
  });
  return client;
}

/** Publishes and waits for the answer, to which nobody has subscribed. */
function ask(client: MqttClient, topic: string, body: object): Promise<Record<string, string>> {
  return new Promise((resolve) => {
    client.once("message", (answered, payload) =>
      resolve({ answered, ...(JSON.parse(payload.toString()) as Record<string, string>) }),
    );
    client.publish(topic, JSON.stringify(body), { qos: 1 });
  });
}

/** A server with the template `fleet`, and a claim for it. */
async function serverWithClaim(): Promise<{ bench: CloudBench; claim: KeyAndCertificate }> {
  const bench = await CloudBench.open();
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await bench.ask(path, { method: "POST", body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return JSON.parse(answer.text) as unknown;
  };
  await post("/provisioning-templates", {
    templateName: "fleet",
    templateBody: JSON.stringify(TEMPLATE),
    provisioningRoleArn: "arn:aws:iam::000000000000:role/provisioning",
    enabled: true,
  });
  const { certificatePem, keyPair } = (await post(
    "/provisioning-templates/fleet/provisioning-claim",
    {},
  )) as Claim;
  return { bench, claim: { key: keyPair.PrivateKey, cert: certificatePem } };
}

const PROVISION = "$aws/provisioning-templates/fleet/provision/json";

describe("fleet provisioning over mutual TLS", () => {
  it("takes a device from a claim to a session of its own", async () => {
    const { bench, claim } = await serverWithClaim();
    const claiming = await connect(bench, "claim", claim);
    const created = await ask(claiming, "$aws/certificates/create/json", {});
    expect(created["answered"]).toBe("$aws/certificates/create/json/accepted");
    const { certificateOwnershipToken } = created;
    const parameters = { Serial: "42" };
    expect(await ask(claiming, PROVISION, { certificateOwnershipToken, parameters })).toEqual({
      answered: `${PROVISION}/accepted`,
      deviceConfiguration: { mode: "eco" },
      thingName: "sensor-42",
    });
    const own = { key: created["privateKey"]!, cert: created["certificatePem"]! };
    expect((await connect(bench, "sensor-42", own)).connected).toBe(true);
    await expect(connect(bench, "sensor-43", own)).rejects.toThrow();
  });

  it("signs the device's own request, so that its key never leaves it", async () => {
    const { bench, claim } = await serverWithClaim();
    const claiming = await connect(bench, "claim", claim);
    const certificateSigningRequest = newRequest();
    const created = await ask(claiming, "$aws/certificates/create-from-csr/json", {
      certificateSigningRequest,
    });
    expect(Object.keys(created).sort()).toEqual([
      "answered",
      "certificateId",
      "certificateOwnershipToken",
      "certificatePem",
    ]);
  });
});

describe("just-in-time provisioning over mutual TLS", () => {
  it("lets a device of the user's own CA in when it comes for the second time", async () => {
    const bench = await CloudBench.open();
    const own = createCertificateAuthority({
      clock: { wallMs: hostWallMs },
      random: createRandomSource(1).stream("own"),
      subject: { CommonName: "Factory" },
    });
    const commonName = "AWS::IoT::Certificate::CommonName";
    const templateBody = JSON.stringify({
      Parameters: { [commonName]: { Type: "String" } },
      Resources: {
        thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: { Ref: commonName } } },
        certificate: TEMPLATE.Resources.certificate,
        policy: { Type: "AWS::IoT::Policy", Properties: { PolicyDocument: POLICY } },
      },
    });
    const registered = await bench.ask("/cacertificate?setAsActive=true&allowAutoRegistration=true", {
      method: "POST",
      body: JSON.stringify({
        caCertificate: own.caCertificatePem,
        certificateMode: "SNI_ONLY",
        registrationConfig: { templateBody },
      }),
    });
    expect(registered.status).toBe(200);
    const made = own.issueCertificate({ subject: { CommonName: "sensor-7" } });
    const identity = { key: made.keyPair.privateKeyPem, cert: made.certificatePem };
    await expect(connect(bench, "sensor-7", identity)).rejects.toThrow();
    expect((await connect(bench, "sensor-7", identity)).connected).toBe(true);
  });
});
