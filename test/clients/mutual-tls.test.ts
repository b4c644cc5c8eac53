import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { CreateRoleAliasCommand, DescribeThingCommand, UpdateCertificateCommand } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksMosquittoClients, lacksPaho, runPython } from "../embedding/rigs.js";
import { type CloudUnderTest, startCloudUnderTest } from "./cloud-under-test.js";
import {
  ANY_CREDENTIALS,
  DeviceAccount,
  REGION,
  type DeviceIdentity,
  type Statement,
} from "./device-account.js";

const ARN = "arn:aws:iot:us-east-1:123456789012";
/** What AWS's tutorials give a device: its own client id, and topics below its own name. */
const OWN_TOPICS: readonly Statement[] = [
  { Effect: "Allow", Action: "iot:Connect", Resource: `${ARN}:client/\${iot:Connection.Thing.ThingName}` },
  { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: `${ARN}:topic/\${iot:ClientId}/*` },
  { Effect: "Allow", Action: "iot:Subscribe", Resource: `${ARN}:topicfilter/\${iot:ClientId}/*` },
];

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const ended = (program: string, args: readonly string[]): Promise<Ending> =>
  new Promise((resolve) => {
    const child = execFile(program, [...args], { timeout: 20_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });

describe("devices with certificates", () => {
  let stage: CloudUnderTest;
  let account: DeviceAccount;
  let data: IoTDataPlaneClient;
  beforeAll(async () => {
    stage = await startCloudUnderTest();
    account = new DeviceAccount(stage);
    data = new IoTDataPlaneClient({ endpoint: stage.url, region: REGION, credentials: ANY_CREDENTIALS });
  });
  afterAll(async () => {
    account.close();
    data.destroy();
    await stage.stop();
  });

  const kinds = {
    "an RSA certificate of the cloud": (name: string) => account.device(name, OWN_TOPICS),
    "a certificate for its own EC key": (name: string) => account.ellipticDevice(name, OWN_TOPICS),
  };
  const doors = ["mqtts", "tls"] as const;
  const mosquitto = ({ files }: DeviceIdentity, clientId: string, door: (typeof doors)[number] = "mqtts") => [
    ...`-h localhost -p ${stage.server.port(door)} -i ${clientId} -V mqttv5`.split(" "),
    ...`--cafile ${files.ca} --cert ${files.cert} --key ${files.key}`.split(" "),
    ...(door === "tls" ? ["--tls-alpn", "x-amzn-mqtt-ca"] : []),
  ];
  const setStatus = (certificateId: string, newStatus: "ACTIVE" | "INACTIVE" | "REVOKED") =>
    account.iot.send(new UpdateCertificateCommand({ certificateId, newStatus }));

  describe.skipIf(lacksMosquittoClients).each(Object.entries(kinds))(
    "mosquitto_pub and mosquitto_sub with %s",
    (kind, make) => {
      const name = kind.includes("RSA") ? "mosquitto-rsa" : "mosquitto-ec";
      let device: DeviceIdentity;
      beforeAll(async () => {
        device = await make(name);
      });

      it.each(doors)("exchange messages through the door %s, and only on their own topics", async (door) => {
        const connection = mosquitto(device, name, door);
        // Line by line, as on a terminal.
        const listening = spawn("stdbuf", [
          "-oL",
          "mosquitto_sub",

          ...connection,
          "-t",
          `${name}/news`,
          "-q",
          "1",
          "-C",
          "1",
          "-d",
          "-W",
          "20",
        ]);
        const gone = once(listening, "close");
        let heard = "";
        const subscribed = new Promise<void>((resolve) => {
          listening.stdout.setEncoding("utf8").on("data", (text: string) => {
            heard += text;
            if (heard.includes("Subscribed")) resolve();
          });
        });
        await subscribed;
        // The operator speaks to it: another connection with its client id would end this one.
        await data.send(new PublishCommand({ topic: `${name}/news`, qos: 1, payload: Buffer.from("hello") }));
        await gone;
        expect(heard).toContain("hello");
        expect(
          await ended("mosquitto_pub", [...connection, "-t", `${name}/news`, "-m", "x", "-q", "1"]),
        ).toMatchObject({
          code: 0,
          stderr: "",
        });
        const refused = await ended("mosquitto_pub", [
          ...connection,
          "-t",
          "others/news",
          "-m",
          "x",
          "-q",
          "1",
        ]);
        expect(refused.stderr).toMatch(/not authori[sz]ed/i);
      });

      it("are refused under another client id", async () => {
        const { code, stderr } = await ended("mosquitto_pub", [
          ...mosquitto(device, "other"),
          "-t",
          "other/a",
          "-m",
          "x",
        ]);
        expect({ code, stderr }).toMatchObject({
          code: 135,
          stderr: expect.stringMatching(/not authori[sz]ed/i),
        });
      });

      it("are refused once the certificate is inactive, and welcome when it is active again", async () => {
        const publish = () =>
          ended("mosquitto_pub", [...mosquitto(device, name), "-t", `${name}/a`, "-m", "x", "-q", "1"]);
        await setStatus(device.certificateId, "INACTIVE");
        expect((await publish()).code).not.toBe(0);
        await setStatus(device.certificateId, "ACTIVE");
        expect(await publish()).toMatchObject({ code: 0 });
        await setStatus(device.certificateId, "REVOKED");
        expect((await publish()).code).not.toBe(0);
      });
    },
  );

  describe.skipIf(lacksPaho)("paho for Python", () => {
    const PUBLISH = `
import ssl, sys, paho.mqtt.client as paho
port, client_id, ca, cert, key, topic = sys.argv[1:7]
seen = []
def on_connect(client, userdata, flags, code, *rest):
    seen.append("connected %s" % code)
    if code == 0: client.subscribe(topic, qos=1)
    else: client.disconnect()
def on_subscribe(client, userdata, mid, granted, *rest):
    seen.append("granted %s" % list(granted))
    client.publish(topic, "from paho", qos=1)
def on_message(client, userdata, message):
    seen.append("received %s" % message.payload.decode())
    client.disconnect()
def on_disconnect(client, userdata, code, *rest):
    if code != 0: seen.append("cut off")
    client.disconnect()
client = paho.Client(client_id=client_id, protocol=paho.MQTTv311)
client.tls_set(ca_certs=ca, certfile=cert, keyfile=key, tls_version=ssl.PROTOCOL_TLS_CLIENT)
client.on_connect, client.on_disconnect = on_connect, on_disconnect
client.on_subscribe, client.on_message = on_subscribe, on_message
try:
    client.connect("localhost", int(port), keepalive=30)
    client.loop_forever(retry_first_connection=False)
except Exception as error:
    seen.append("failed %s" % type(error).__name__)
print("; ".join(seen))
`;
    const session = async ({ files }: DeviceIdentity, clientId: string, topic: string): Promise<string> =>
      (
        await runPython(
          PUBLISH,
          String(stage.server.port("mqtts")),
          clientId,
          files.ca,
          files.cert,
          files.key,
          topic,
        )
      ).trim();

    it.each(Object.entries(kinds))("subscribes, publishes and receives with %s", async (kind, make) => {
      const name = kind.includes("RSA") ? "paho-rsa" : "paho-ec";
      const device = await make(name);
      expect(await session(device, name, `${name}/a`)).toBe("connected 0; granted [1]; received from paho");
      expect(await session(device, "somebody", "somebody/a")).not.toContain("connected 0");
    });
  });

  describe("curl", () => {
    const curl = ({ files }: DeviceIdentity, ...args: string[]): Promise<Ending> =>
      ended("curl", ["-s", "--cacert", files.ca, "--cert", files.cert, "--key", files.key, ...args]);

    it("publishes over HTTPS with a certificate, as its policies allow", async () => {
      const device = await account.device("curl-device", [
        { Effect: "Allow", Action: "iot:Publish", Resource: `${ARN}:topic/curl/allowed` },
      ]);
      const url = (topic: string): string =>
        `https://localhost:${stage.server.port("https")}/topics/${topic}?qos=1`;
      const allowed = await curl(device, "-i", "-d", '{"n":1}', url("curl/allowed"));
      expect(allowed.stdout).toMatch(/^HTTP\/1.1 200/);
      const refused = await curl(device, "-i", "-d", "x", url("curl/other"));
      expect(refused.stdout).toMatch(/^HTTP\/1.1 403[^]*x-amzn-errortype: ForbiddenException/i);
      await setStatus(device.certificateId, "INACTIVE");
      expect((await curl(device, "-i", "-d", "x", url("curl/allowed"))).stdout).toMatch(/^HTTP\/1.1 403/);
    });

    it("fetches credentials of a role, which then sign requests", async () => {
      const keys = {
        accessKeyId: "AKIDEXAMPLE",
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
      };
      const signed = await startCloudUnderTest({ credentials: [keys] });
      const operator = new DeviceAccount(signed, keys);
      const roleArn = "arn:aws:iam::123456789012:role/camera";
      await operator.iot.send(new CreateRoleAliasCommand({ roleAlias: "camera", roleArn }));
      const device = await operator.device("camera-1", [
        { Effect: "Allow", Action: "iot:AssumeRoleWithCertificate", Resource: `${ARN}:rolealias/camera` },
      ]);
      const url = (alias: string): string =>
        `https://localhost:${signed.server.port("https")}/role-aliases/${alias}/credentials`;
      const { stdout } = await curl(device, "-H", "x-amzn-iot-thingname: camera-1", url("camera"));
      const { credentials } = JSON.parse(stdout) as {
        credentials: {
          accessKeyId: string;
          secretAccessKey: string;
          sessionToken: string;
          expiration: string;
        };
      };
      const { expiration, ...assumedKeys } = credentials;
      expect(Date.parse(expiration) - Date.now()).toBeGreaterThan(3_000_000);
      const assumed = new DeviceAccount(signed, assumedKeys);
      expect(await assumed.iot.send(new DescribeThingCommand({ thingName: "camera-1" }))).toMatchObject({
        thingName: "camera-1",
      });
      const { sessionToken: _, ...withoutToken } = assumedKeys;
      const bare = new DeviceAccount(signed, withoutToken);
      await expect(bare.iot.send(new DescribeThingCommand({ thingName: "camera-1" }))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      });
      expect((await curl(device, "-i", url("other"))).stdout).toMatch(/^HTTP\/1.1 40[34]/);
      for (const each of [operator, assumed, bare]) each.close();
      await signed.stop();
    });
  });
});
