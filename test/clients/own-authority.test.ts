import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  DescribeCertificateCommand,
  DescribeThingCommand,
  GetRegistrationCodeCommand,
  ListCertificatesByCACommand,
  ListThingPrincipalsCommand,
  RegisterCACertificateCommand,
  type RegisterCACertificateRequest,
  UpdateCACertificateCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksMosquittoClients } from "../embedding/rigs.js";
import { type CloudUnderTest, startCloudUnderTest } from "./cloud-under-test.js";
import { ALLOW_ALL, DeviceAccount, policyOf } from "./device-account.js";

const TEMPLATE = {
  Parameters: {
    "AWS::IoT::Certificate::CommonName": { Type: "String" },
    "AWS::IoT::Certificate::Id": { Type: "String" },
  },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: { ThingName: { Ref: "AWS::IoT::Certificate::CommonName" } },
    },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "ACTIVE" },
    },
    policy: { Type: "AWS::IoT::Policy", Properties: { PolicyDocument: policyOf(ALLOW_ALL) } },
  },
};

/** A factory that has a CA of its own, made and used with OpenSSL. */
class Factory {
  private readonly ca: { readonly key: string; readonly cert: string };

  constructor(
    private readonly account: DeviceAccount,
    private readonly name: string,
  ) {
    this.ca = { key: this.path("ca.key"), cert: this.path("ca.pem") };
    this.openssl(
      `req -x509 -newkey rsa:2048 -nodes -days 30 -subj /O=${name}/CN=${name} -addext basicConstraints=critical,CA:TRUE -keyout ${this.ca.key} -out ${this.ca.cert}`,
    );
  }

  /** @returns files of a device's key and of its certificate with the CA's behind it, as AWS wants it sent. */
  device(commonName: string): { readonly key: string; readonly chain: string } {
    const [key, csr, cert] = ["key", "csr", "pem"].map((ending) => this.path(`${commonName}.${ending}`)) as [
      string,
      string,
      string,
    ];
    this.openssl(`ecparam -name prime256v1 -genkey -noout -out ${key}`);
    this.openssl(`req -new -key ${key} -subj /CN=${commonName} -out ${csr}`);
    this.openssl(
      `x509 -req -in ${csr} -CA ${this.ca.cert} -CAkey ${this.ca.key} -CAcreateserial -days 30 -out ${cert}`,
    );
    const chain = readFileSync(cert, "utf8") + readFileSync(this.ca.cert, "utf8");
    return { key, chain: this.account.write(`${this.name}-${commonName}-chain.pem`, chain) };
  }

  /** Proves to the cloud that the factory holds the CA's key. @returns the CA's id */
  async register(options: Partial<RegisterCACertificateRequest>): Promise<string> {
    const { registrationCode } = await this.account.iot.send(new GetRegistrationCodeCommand({}));
    const proof = readFileSync(this.device(registrationCode!).chain, "utf8");
    const { certificateId } = await this.account.iot.send(
      new RegisterCACertificateCommand({
        caCertificate: readFileSync(this.ca.cert, "utf8"),
        verificationCertificate: proof.slice(0, proof.indexOf("-----END CERTIFICATE-----") + 26),
        setAsActive: true,
        allowAutoRegistration: true,
        ...options,
      }),
    );
    return certificateId!;
  }

  private path(name: string): string {
    return this.account.write(`${this.name}-${name}`, "");
  }

  private openssl(command: string): void {
    execFileSync("openssl", command.split(" "), { stdio: "pipe" });
  }
}

describe.skipIf(lacksMosquittoClients)("devices with certificates of the user's own CA", () => {
  let stage: CloudUnderTest;
  let account: DeviceAccount;
  beforeAll(async () => {
    stage = await startCloudUnderTest();
    account = new DeviceAccount(stage);
  });
  afterAll(async () => {
    account.close();
    await stage.stop();
  });

  const publish = (clientId: string, { key, chain }: { key: string; chain: string }): Promise<number> =>
    new Promise((resolve) => {
      const ca = account.write("server-ca.pem", stage.ca);
      const connection = `-h localhost -p ${stage.server.port("mqtts")} -i ${clientId} --cafile ${ca} --cert ${chain} --key ${key}`;
      const child = execFile(
        "mosquitto_pub",
        `${connection} -V mqttv311 -q 1 -t factory/${clientId} -m hello`.split(" "),
        { timeout: 20_000 },
        () => resolve(child.exitCode ?? -1),
      );
    });

  it("are provisioned by the CA's template when they first connect (JITP), and let in when they come again", async () => {
    const factory = new Factory(account, "jitp");
    const caId = await factory.register({
      registrationConfig: {
        templateBody: JSON.stringify(TEMPLATE),
        roleArn: "arn:aws:iam::123456789012:role/jitp",
      },
    });
    const device = factory.device("jitp-1");
    expect(await publish("jitp-1", device)).not.toBe(0);
    const { certificates } = await account.iot.send(
      new ListCertificatesByCACommand({ caCertificateId: caId }),
    );
    expect(certificates).toMatchObject([{ status: "ACTIVE" }]);
    expect(await account.iot.send(new DescribeThingCommand({ thingName: "jitp-1" }))).toMatchObject({
      thingName: "jitp-1",
    });
    const { principals } = await account.iot.send(new ListThingPrincipalsCommand({ thingName: "jitp-1" }));
    expect(principals).toEqual([certificates![0]!.certificateArn]);
    expect(await publish("jitp-1", device)).toBe(0);
  });

  it("are announced when there is no template (JITR), and let in once somebody has activated them", async () => {
    const factory = new Factory(account, "jitr");
    const caId = await factory.register({});
    const operator = await connectAsync(stage.mqttUrl, { clientId: "jitr-operator" });
    await operator.subscribeAsync(`$aws/events/certificates/registered/${caId}`);
    const announced = new Promise<{ certificateId: string; certificateStatus: string }>((resolve) => {
      operator.once("message", (_topic, payload) => resolve(JSON.parse(payload.toString()) as never));
    });
    const device = factory.device("jitr-1");
    expect(await publish("jitr-1", device)).not.toBe(0);
    const { certificateId, certificateStatus } = await announced;
    expect(certificateStatus).toBe("PENDING_ACTIVATION");
    const { certificateDescription } = await account.iot.send(
      new DescribeCertificateCommand({ certificateId }),
    );
    expect(certificateDescription).toMatchObject({ caCertificateId: caId, status: "PENDING_ACTIVATION" });
    await account.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "ACTIVE" }));
    // Still nothing allows it anything.
    expect(await publish("jitr-1", device)).not.toBe(0);
    await operator.endAsync();
  });

  it("stay unknown when their CA does not register by itself, or is nobody's", async () => {
    const factory = new Factory(account, "closed");
    const caId = await factory.register({ allowAutoRegistration: false });
    expect(await publish("closed-1", factory.device("closed-1"))).not.toBe(0);
    await account.iot.send(new UpdateCACertificateCommand({ certificateId: caId, newStatus: "INACTIVE" }));
    const stranger = new Factory(account, "stranger");
    expect(await publish("stranger-1", stranger.device("stranger-1"))).not.toBe(0);
    const { certificates } = await account.iot.send(
      new ListCertificatesByCACommand({ caCertificateId: caId }),
    );
    expect(certificates).toEqual([]);
  });
});
