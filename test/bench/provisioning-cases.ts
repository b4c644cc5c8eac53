import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CloudServer, createCloudServer } from "fleetrig/broker";
import type { BenchCase, Figure } from "./bench-case.js";
import { OPENSSL, opensslMissing } from "./certificates.js";
import { startProgram } from "./generator.js";

const CLAIM_DEVICES = fileURLToPath(new URL("./claim-devices.js", import.meta.url));
const UNBOUNDED = Number.POSITIVE_INFINITY;
const TEMPLATE = {
  Parameters: { Serial: { Type: "String" } },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: {
        ThingName: { "Fn::Join": ["-", ["bench", { Ref: "Serial" }]] },
        AttributePayload: { serial: { Ref: "Serial" } },
      },
    },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
    },
    policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "device" } },
  },
};

/** What the devices need: the CA, a claim for the template, and a request of their own. */
async function prepare({ cloud, caPath }: CloudServer, folder: string): Promise<void> {
  const { provisioning, identity } = cloud;
  identity.policies.create(
    "device",
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}',
  );
  provisioning.templates.create({
    templateName: "bench",
    templateBody: JSON.stringify(TEMPLATE),
    provisioningRoleArn: "arn:aws:iam::000000000000:role/bench",
    enabled: true,
  });
  const { certificatePem, keyPair } = await provisioning.claims.create("bench");
  copyFileSync(caPath, join(folder, "ca.crt"));
  writeFileSync(join(folder, "claim.crt"), certificatePem);
  writeFileSync(join(folder, "claim.key"), keyPair!.privateKeyPem);
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    "device.key",
  ];
  execFileSync(OPENSSL, ["req", "-new", "-subj", "/CN=bench", ...key, "-out", "device.csr"], {
    cwd: folder,
    stdio: "ignore",
  });
}

async function figuresOf(devices: number): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
  const unbounded = { createKeysPerS: UNBOUNDED, createFromCsrPerS: UNBOUNDED, registerThingPerS: UNBOUNDED };
  const server = await createCloudServer({
    ports: { mqtt: "off", mqtts: 0, tls: "off", https: "off", http: "off" },
    cloud: { provisioning: { ...unbounded, claimS: 3_600 } },
  });
  try {
    await prepare(server, folder);
    const command = [process.execPath, CLAIM_DEVICES, String(server.port("mqtts")), folder, String(devices)];
    const { perSecond, p50Ms, p99Ms } = await startProgram(command).figures;
    return [
      { name: "devices", value: server.cloud.registry.thingCount, unit: "", least: devices },
      { name: "provisioned", value: perSecond!, unit: "1/s" },
      { name: "median per device", value: p50Ms!, unit: "ms" },
      { name: "99th percentile per device", value: p99Ms!, unit: "ms" },
    ];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

const claims = (name: string, devices: number, isLong: boolean): BenchCase => ({
  name,
  description: `${devices.toLocaleString("en")} devices from a claim to a connection of their own over mTLS, 32 at a time`,
  isLong,
  skipped: opensslMissing,
  run: () => figuresOf(devices),
});

export const PROVISIONING_CASES: readonly BenchCase[] = [
  claims("claims-1k", 1_000, false),
  claims("claims-10k", 10_000, true),
];
