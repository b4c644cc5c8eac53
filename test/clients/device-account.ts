import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  IoTClient,
} from "@aws-sdk/client-iot";
import type { CloudUnderTest } from "./cloud-under-test.js";

/** One that is not looked at as long as the cloud has none. */
export const ANY_CREDENTIALS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "any" };

export const REGION = "us-east-1";

/** What a device holds after it was registered. */
export interface DeviceIdentity {
  readonly certificateId: string;
  readonly certificateArn: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** The same as files, with the cloud's CA. */
  readonly files: { readonly cert: string; readonly key: string; readonly ca: string };
}

export interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

export const ALLOW_ALL: readonly Statement[] = [{ Effect: "Allow", Action: "iot:*", Resource: "*" }];

export const policyOf = (statements: readonly Statement[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

/** An operator who registers devices through the SDK, as in the tutorials. */
export class DeviceAccount {
  readonly folder = mkdtempSync(join(tmpdir(), "fleetrig-devices-"));
  readonly iot: IoTClient;
  private readonly ca: string;
  private policies = 0;

  constructor({ url, ca }: Pick<CloudUnderTest, "url" | "ca">, credentials = ANY_CREDENTIALS) {
    this.iot = new IoTClient({ endpoint: url, region: REGION, credentials, maxAttempts: 1 });
    this.ca = this.write("ca.pem", ca);
  }

  /** A thing with an active RSA certificate, whose keys the cloud made. */
  async device(thingName: string, statements = ALLOW_ALL): Promise<DeviceIdentity> {
    const made = await this.iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    return this.registered(thingName, statements, { ...made, privateKeyPem: made.keyPair!.PrivateKey! });
  }

  /** A thing with an active certificate for a P-256 key that never leaves the device. */
  async ellipticDevice(thingName: string, statements = ALLOW_ALL): Promise<DeviceIdentity> {
    const { csr, key } = this.certificateRequest(thingName);
    const command = new CreateCertificateFromCsrCommand({
      certificateSigningRequest: csr,
      setAsActive: true,
    });
    return this.registered(thingName, statements, { ...(await this.iot.send(command)), privateKeyPem: key });
  }

  /** Made by OpenSSL. */
  certificateRequest(name: string): { readonly csr: string; readonly key: string } {
    const openssl = (...args: string[]): string =>
      execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
    const key = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout");
    return {
      key,
      csr: openssl("req", "-new", "-key", this.write(`${name}.req.key`, key), "-subj", `/CN=${name}`),
    };
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  close(): void {
    this.iot.destroy();
    rmSync(this.folder, { recursive: true });
  }

  private async registered(
    thingName: string,
    statements: readonly Statement[],
    made: {
      readonly certificateId?: string | undefined;
      readonly certificateArn?: string | undefined;
      readonly certificatePem?: string | undefined;
      readonly privateKeyPem: string;
    },
  ): Promise<DeviceIdentity> {
    const { certificateId = "", certificateArn = "", certificatePem = "", privateKeyPem } = made;
    this.policies += 1;
    const policyName = `${thingName}-${this.policies}`;
    await this.iot.send(new CreatePolicyCommand({ policyName, policyDocument: policyOf(statements) }));
    await this.iot.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
    await this.iot.send(new CreateThingCommand({ thingName }));
    await this.iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    const files = {
      cert: this.write(`${thingName}.pem`, certificatePem),
      key: this.write(`${thingName}.key`, privateKeyPem),
      ca: this.ca,
    };
    return { certificateId, certificateArn, certificatePem, privateKeyPem, files };
  }
}
