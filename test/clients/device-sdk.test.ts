import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auth, iot, mqtt, mqtt5 } from "aws-iot-device-sdk-v2";
import type { HookFunction } from "fleetrig/broker";
import { CreateAuthorizerCommand, UpdateCertificateCommand } from "@aws-sdk/client-iot";
import { lacksDeviceSdk } from "../embedding/rigs.js";
import { type CloudUnderTest, startCloudUnderTest } from "./cloud-under-test.js";
import { DeviceAccount, type DeviceIdentity, policyOf, ALLOW_ALL } from "./device-account.js";
import { connectMqtt311 } from "./device-sdk/mqtt311-client.js";
import { connectMqtt5, type Mqtt5ConfigBuilder, refusedMqtt5, textOf } from "./device-sdk/mqtt5-client.js";

const HOST = "localhost";
const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const Mqtt5Builder = iot.AwsIotMqtt5ClientConfigBuilder;

const authorize: HookFunction = (event) => {
  const { protocolData } = event as { protocolData?: { mqtt?: { username?: string; password?: string } } };
  const password = Buffer.from(protocolData?.mqtt?.password ?? "", "base64").toString();
  return {
    isAuthenticated: password === "sesame",
    principalId: "ali",
    policyDocuments: [policyOf(ALLOW_ALL)],
    disconnectAfterInSeconds: 3600,
    refreshAfterInSeconds: 300,
  };
};

describe.skipIf(lacksDeviceSdk)("AWS IoT Device SDK v2", () => {
  let stage: CloudUnderTest;
  let account: DeviceAccount;
  let device: DeviceIdentity;
  beforeAll(async () => {
    stage = await startCloudUnderTest({ credentials: [KEYS], cloud: { hooks: { authorize } } });
    account = new DeviceAccount(stage, KEYS);
    device = await account.device("sdk-device");
    await account.iot.send(
      new CreateAuthorizerCommand({
        authorizerName: "Sesame",
        authorizerFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:authorize",
        signingDisabled: true,
        status: "ACTIVE",
      }),
    );
  });
  afterAll(async () => {
    account.close();
    await stage.stop();
  });

  const port = (door: "mqtts" | "tls"): number => stage.server.port(door)!;
  const mutual = (
    { certificatePem, privateKeyPem } = device,
    door: "mqtts" | "tls" = "mqtts",
  ): Mqtt5ConfigBuilder =>
    Mqtt5Builder.newDirectMqttBuilderWithMtlsFromMemory(HOST, certificatePem, privateKeyPem)
      .withCertificateAuthority(stage.ca)
      .withPort(port(door));

  describe("MQTT 5 client", () => {
    it("connects with its certificate, and exchanges messages with all their properties", async () => {
      const { client, settings, next, stop } = await connectMqtt5(mutual(), "sdk-device");
      expect(settings).toMatchObject({
        clientId: "sdk-device",
        maximumQos: 1,
        retainAvailable: true,
        rejoinedSession: false,
      });
      const { reasonCodes } = await client.subscribe({
        subscriptions: [{ topicFilter: "sdk/+", qos: mqtt5.QoS.AtLeastOnce }],
      });
      expect(reasonCodes).toEqual([mqtt5.SubackReasonCode.GrantedQoS1]);
      const received = next("sdk/one");
      const acknowledged = await client.publish({
        topicName: "sdk/one",
        qos: mqtt5.QoS.AtLeastOnce,
        payload: "hello",
        contentType: "text/plain",
        responseTopic: "sdk/answers",
        correlationData: Buffer.from([1, 2, 3]),
        userProperties: [{ name: "unit", value: "°C" }],
      });
      expect(acknowledged).toMatchObject({ reasonCode: mqtt5.PubackReasonCode.Success });
      const message = await received;
      expect(textOf(message)).toBe("hello");
      expect(message).toMatchObject({
        contentType: "text/plain",
        responseTopic: "sdk/answers",
        userProperties: [{ name: "unit", value: "°C" }],
      });
      expect(Buffer.from(message.correlationData as Uint8Array)).toEqual(Buffer.from([1, 2, 3]));
      await client.unsubscribe({ topicFilters: ["sdk/+"] });
      await stop();
    });

    it("connects on the port of HTTPS by ALPN", async () => {
      const { client, stop } = await connectMqtt5(mutual(device, "tls"), "sdk-alpn");
      expect(await client.publish({ topicName: "sdk/alpn", qos: mqtt5.QoS.AtLeastOnce })).toMatchObject({
        reasonCode: 0,
      });
      await stop();
    });

    it("connects with a certificate for its own EC key", async () => {
      const { stop } = await connectMqtt5(
        mutual(await account.ellipticDevice("sdk-elliptic")),
        "sdk-elliptic",
      );
      await stop();
    });

    it("connects over a WebSocket whose request is signed, and only with the right key", async () => {
      const signed = (secret: string): Mqtt5ConfigBuilder =>
        Mqtt5Builder.newWebsocketMqttBuilderWithSigv4Auth(HOST, {
          region: "us-east-1",
          credentialsProvider: auth.AwsCredentialsProvider.newStatic(KEYS.accessKeyId, secret),
        })
          .withCertificateAuthority(stage.ca)
          .withPort(port("tls"));
      const { client, stop } = await connectMqtt5(signed(KEYS.secretAccessKey), "sdk-web-socket");
      expect(await client.publish({ topicName: "sdk/ws", qos: mqtt5.QoS.AtLeastOnce })).toMatchObject({
        reasonCode: 0,
      });
      await stop();
      expect((await refusedMqtt5(signed("wrong"), "sdk-web-socket")).error).toMatch(/Websocket/i);
    });

    it("connects with a custom authorizer, directly and over a WebSocket", async () => {
      const custom = (kind: "Direct" | "Websocket", password: string): Mqtt5ConfigBuilder => {
        const config = { authorizerName: "Sesame", username: "ali", password: Buffer.from(password) };
        return Mqtt5Builder[`new${kind}MqttBuilderWithCustomAuth`](HOST, config)
          .withCertificateAuthority(stage.ca)
          .withPort(port("tls"));
      };
      for (const kind of ["Direct", "Websocket"] as const) {
        const { client, stop } = await connectMqtt5(custom(kind, "sesame"), `sdk-${kind}`);
        expect(await client.publish({ topicName: "sdk/custom", qos: mqtt5.QoS.AtLeastOnce })).toMatchObject({
          reasonCode: 0,
        });
        await stop();
        const { reasonCode } = await refusedMqtt5(custom(kind, "wheat"), `sdk-${kind}`);
        expect(reasonCode, kind).toBe(mqtt5.ConnectReasonCode.NotAuthorized);
      }
    });

    it("is told within a second that its certificate was revoked, and does not come back", async () => {
      const doomed = await account.device("sdk-doomed");
      const { client, stop } = await connectMqtt5(mutual(doomed), "sdk-doomed");
      const ended = once(client, "disconnection") as Promise<[mqtt5.DisconnectionEvent]>;
      const { certificateId } = doomed;
      await account.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "REVOKED" }));
      const answeredMs = performance.now();
      const [{ disconnect }] = await ended;
      expect(performance.now() - answeredMs).toBeLessThan(1_000);
      expect(disconnect?.reasonCode).toBe(mqtt5.DisconnectReasonCode.NotAuthorized);
      await stop();
      await refusedMqtt5(mutual(doomed), "sdk-doomed");
    });

    it("finds its session, and what was sent to it meanwhile", async () => {
      const persistent = (): Mqtt5ConfigBuilder =>
        mutual().withSessionBehavior(mqtt5.ClientSessionBehavior.RejoinAlways);
      const properties = {
        clientId: "sdk-session",
        keepAliveIntervalSeconds: 60,
        sessionExpiryIntervalSeconds: 300,
      };
      const first = await connectMqtt5(persistent(), properties);
      expect(first.settings).toMatchObject({ rejoinedSession: false, sessionExpiryInterval: 300 });
      await first.client.subscribe({
        subscriptions: [{ topicFilter: "sdk/later", qos: mqtt5.QoS.AtLeastOnce }],
      });
      await first.stop();
      const other = await connectMqtt5(mutual(), "sdk-other");
      await other.client.publish({ topicName: "sdk/later", qos: mqtt5.QoS.AtLeastOnce, payload: "waited" });
      await other.stop();
      const client = new mqtt5.Mqtt5Client(persistent().withConnectProperties(properties).build());
      const kept = new Promise<string>((resolve) => {
        client.on("messageReceived", ({ message }) => resolve(textOf(message)));
      });
      const connected = once(client, "connectionSuccess") as Promise<[mqtt5.ConnectionSuccessEvent]>;
      client.start();
      expect((await connected)[0].settings.rejoinedSession).toBe(true);
      expect(await kept).toBe("waited");
      const stopped = once(client, "stopped");
      client.stop();
      await stopped;
      client.close();
    });

    it("learns from the reason code what its policies do not allow", async () => {
      const limited = await account.device("sdk-limited", [
        {
          Effect: "Allow",
          Action: "iot:Connect",
          Resource: "arn:aws:iot:us-east-1:123456789012:client/sdk-limited",
        },
        { Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:us-east-1:123456789012:topic/mine" },
      ]);
      expect(await refusedMqtt5(mutual(limited), "somebody-else")).toMatchObject({
        reasonCode: mqtt5.ConnectReasonCode.NotAuthorized,
      });
      const { client, stop } = await connectMqtt5(mutual(limited), "sdk-limited");
      expect(await client.publish({ topicName: "mine", qos: mqtt5.QoS.AtLeastOnce })).toMatchObject({
        reasonCode: 0,
      });
      const { reasonCodes } = await client.subscribe({
        subscriptions: [{ topicFilter: "mine", qos: mqtt5.QoS.AtLeastOnce }],
      });
      expect(reasonCodes).toEqual([mqtt5.SubackReasonCode.NotAuthorized]);
      expect(await client.publish({ topicName: "theirs", qos: mqtt5.QoS.AtLeastOnce })).toMatchObject({
        reasonCode: mqtt5.PubackReasonCode.NotAuthorized,
      });
      await stop();
    });
  });

  describe("MQTT 3.1.1 client", () => {
    it("connects with its certificate, publishes and receives", async () => {
      const connection = await connectMqtt311(device, {
        ca: stage.ca,
        port: port("mqtts"),
        clientId: "sdk-311",
      });
      const received = new Promise<string>((resolve, reject) => {
        connection
          .subscribe("sdk311/topic", mqtt.QoS.AtLeastOnce, (_, payload) =>
            resolve(Buffer.from(payload).toString()),
          )
          .catch(reject);
      });
      await connection.publish("sdk311/topic", { n: 1 }, mqtt.QoS.AtLeastOnce);
      expect(await received).toBe('{"n":1}');
      await connection.disconnect();
    });

    it("connects over a WebSocket with SigV4", async () => {
      const config = iot.AwsIotMqttConnectionConfigBuilder.new_with_websockets({
        region: "us-east-1",
        credentials_provider: auth.AwsCredentialsProvider.newStatic(KEYS.accessKeyId, KEYS.secretAccessKey),
      })
        .with_certificate_authority(stage.ca)
        .with_endpoint(HOST)
        .with_client_id("sdk-311-ws")
        .with_clean_session(true)
        .with_port(port("tls"))
        .build();
      const connection = new mqtt.MqttClient().new_connection(config);
      await connection.connect();
      await connection.publish("sdk311/ws", "x", mqtt.QoS.AtLeastOnce);
      await connection.disconnect();
    });
  });
});
