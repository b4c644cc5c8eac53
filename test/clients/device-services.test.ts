import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  CreateJobCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateProvisioningClaimCommand,
  CreateProvisioningTemplateCommand,
  AttachPolicyCommand,
  DescribeJobExecutionCommand,
  DescribeThingCommand,
  ListThingPrincipalsCommand,
} from "@aws-sdk/client-iot";
import {
  iot,
  iotidentity,
  iotjobs,
  iotshadow,
  mqtt,
  type mqtt_request_response,
} from "aws-iot-device-sdk-v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksDeviceSdk } from "../embedding/rigs.js";
import { type CloudUnderTest, startCloudUnderTest } from "./cloud-under-test.js";
import { ALLOW_ALL, DeviceAccount, type DeviceIdentity, policyOf } from "./device-account.js";
import { connectMqtt311 } from "./device-sdk/mqtt311-client.js";
import { type ConnectedClient, connectMqtt5 } from "./device-sdk/mqtt5-client.js";

const OPTIONS = {
  maxRequestResponseSubscriptions: 6,
  maxStreamingSubscriptions: 4,
  operationTimeoutInSeconds: 20,
};
const ARN = "arn:aws:iot:us-east-1:123456789012";

type Streamed = "incomingPublish" | "incomingPublishError";

/** The first event of a stream that is open when this returns. */
async function opened<Event>(
  stream: mqtt_request_response.StreamingOperation<Event>,
): Promise<{ readonly first: Promise<Event> }> {
  const first = new Promise<Event>((resolve, reject) => {
    stream.on("incomingPublish" satisfies Streamed, ({ message }) => resolve(message));
    stream.on("incomingPublishError" satisfies Streamed, ({ error }) => reject(error));
  });
  const established = new Promise<void>((resolve) => stream.on("subscriptionStatus", () => resolve()));
  stream.open();
  await established;
  return { first };
}

/** What a request was rejected with, as the SDK models it. */
async function rejection(request: Promise<unknown>): Promise<unknown> {
  const outcome = await request.then(
    () => "accepted",
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Error);
  return (outcome as mqtt_request_response.ServiceError).modeledError;
}

describe.skipIf(lacksDeviceSdk)("service clients of the AWS IoT Device SDK v2", () => {
  let stage: CloudUnderTest;
  let account: DeviceAccount;
  let device: DeviceIdentity;
  beforeAll(async () => {
    stage = await startCloudUnderTest();
    account = new DeviceAccount(stage);
    device = await account.device("service-device");
  });
  afterAll(async () => {
    account.close();
    await stage.stop();
  });

  const connect5 = (
    identity: { certificatePem: string; privateKeyPem: string },
    clientId: string,
  ): Promise<ConnectedClient> =>
    connectMqtt5(
      iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
        "localhost",
        identity.certificatePem,
        identity.privateKeyPem,
      )
        .withCertificateAuthority(stage.ca)
        .withPort(stage.server.port("mqtts")!),
      clientId,
    );
  const connect311 = (clientId: string): Promise<mqtt.MqttClientConnection> =>
    connectMqtt311(device, { ca: stage.ca, port: stage.server.port("mqtts")!, clientId });

  describe("shadow client", () => {
    const protocols = {
      "MQTT 5": async () => {
        const { client, stop } = await connect5(device, "shadow-5");
        return { shadows: iotshadow.IotShadowClientv2.newFromMqtt5(client, OPTIONS), stop };
      },
      "MQTT 3.1.1": async () => {
        const connection = await connect311("shadow-311");
        return {
          shadows: iotshadow.IotShadowClientv2.newFromMqtt311(connection, OPTIONS),
          stop: () => connection.disconnect(),
        };
      },
    };

    it.each(Object.keys(protocols) as (keyof typeof protocols)[])(
      "works on classic and named shadows over %s",
      async (protocol) => {
        const { shadows, stop } = await protocols[protocol]();
        const thingName = `shadow-${protocol.replace(/\W/g, "")}`;
        expect(await rejection(shadows.getShadow({ thingName }))).toMatchObject({
          code: 404,
          message: `No shadow exists with name: '${thingName}'`,
        });
        const delta = shadows.createShadowDeltaUpdatedStream({ thingName });
        const { first } = await opened(delta);
        const updated = await shadows.updateShadow({
          thingName,
          state: { desired: { color: "red", on: true }, reported: { on: true } },
        });
        expect(updated).toMatchObject({ version: 1, state: { desired: { color: "red" } } });
        expect(updated.timestamp).toEqual(expect.any(Number));
        expect(await first).toMatchObject({ state: { color: "red" }, version: 1 });
        const documents = shadows.createShadowUpdatedStream({ thingName });
        const { first: document } = await opened(documents);
        await shadows.updateShadow({ thingName, version: 1, state: { reported: { color: "red" } } });
        expect(await document).toMatchObject({ previous: { version: 1 }, current: { version: 2 } });
        expect(
          await rejection(
            shadows.updateShadow({ thingName, version: 1, state: { reported: { color: "blue" } } }),
          ),
        ).toMatchObject({ code: 409, message: "Version conflict" });
        expect(await shadows.getShadow({ thingName })).toMatchObject({
          version: 2,
          state: { desired: { color: "red", on: true }, reported: { color: "red", on: true } },
        });

        await shadows.updateNamedShadow({
          thingName,
          shadowName: "wifi",
          state: { reported: { ssid: "fleet" } },
        });
        expect(await shadows.getNamedShadow({ thingName, shadowName: "wifi" })).toMatchObject({
          state: { reported: { ssid: "fleet" } },
        });
        await shadows.deleteNamedShadow({ thingName, shadowName: "wifi" });
        expect(await shadows.deleteShadow({ thingName })).toMatchObject({ version: 2 });
        delta.close();
        documents.close();
        shadows.close();
        await stop();
      },
    );

    it("works as its first version does, with topics and tokens by hand", async () => {
      const connection = await connect311("shadow-v1");
      const shadows = new iotshadow.IotShadowClient(connection);
      const thingName = "shadow-v1";
      const accepted = new Promise<iotshadow.model.UpdateShadowResponse>((resolve, reject) => {
        shadows
          .subscribeToUpdateShadowAccepted({ thingName }, mqtt.QoS.AtLeastOnce, (error, response) =>
            response === undefined ? reject(error) : resolve(response),
          )
          .then(() =>
            shadows.publishUpdateShadow(
              { thingName, state: { reported: { n: 1 } }, clientToken: "mine" },
              mqtt.QoS.AtLeastOnce,
            ),
          )
          .catch(reject);
      });
      expect(await accepted).toMatchObject({
        clientToken: "mine",
        version: 1,
        state: { reported: { n: 1 } },
      });
      await connection.disconnect();
    });
  });

  describe("jobs client", () => {
    it("is told of jobs, starts them, and reports how they went", async () => {
      const { client, stop } = await connect5(device, "service-device");
      const jobs = iotjobs.IotJobsClientv2.newFromMqtt5(client, OPTIONS);
      const thingName = "service-device";
      expect(await jobs.getPendingJobExecutions({ thingName })).toMatchObject({
        inProgressJobs: [],
        queuedJobs: [],
      });
      const changed = jobs.createJobExecutionsChangedStream({ thingName });
      const next = jobs.createNextJobExecutionChangedStream({ thingName });
      const [{ first: firstChange }, { first: firstNext }] = [await opened(changed), await opened(next)];
      await account.iot.send(
        new CreateJobCommand({
          jobId: "sdk-job",
          targets: [`${ARN}:thing/${thingName}`],
          document: JSON.stringify({ operation: "update", files: ["a"] }),
        }),
      );
      expect(await firstChange).toMatchObject({
        jobs: { QUEUED: [{ jobId: "sdk-job", executionNumber: 1 }] },
      });
      const { execution } = await firstNext;
      expect(execution).toMatchObject({
        jobId: "sdk-job",
        status: "QUEUED",
        jobDocument: { operation: "update", files: ["a"] },
      });
      expect(execution!.queuedAt).toEqual(expect.any(Number));

      const started = await jobs.startNextPendingJobExecution({ thingName, statusDetails: { step: "1" } });
      expect(started.execution).toMatchObject({ jobId: "sdk-job", status: "IN_PROGRESS", versionNumber: 2 });
      expect(
        await rejection(
          jobs.updateJobExecution({
            thingName,
            jobId: "sdk-job",
            status: iotjobs.model.JobStatus.SUCCEEDED,
            expectedVersion: 1,
          }),
        ),
      ).toMatchObject({
        code: "VersionMismatch",
        executionState: { status: "IN_PROGRESS", versionNumber: 2 },
      });
      const done = await jobs.updateJobExecution({
        thingName,
        jobId: "sdk-job",
        status: iotjobs.model.JobStatus.SUCCEEDED,
        expectedVersion: 2,
        includeJobExecutionState: true,
        statusDetails: { step: "2" },
      });
      expect(done.executionState).toMatchObject({
        status: iotjobs.model.JobStatus.SUCCEEDED,
        versionNumber: 3,
        statusDetails: { step: "2" },
      });
      expect(await rejection(jobs.describeJobExecution({ thingName, jobId: "no-such-job" }))).toMatchObject({
        code: "ResourceNotFound",
      });
      const { execution: seen } = await account.iot.send(
        new DescribeJobExecutionCommand({ thingName, jobId: "sdk-job" }),
      );
      expect(seen).toMatchObject({ status: "SUCCEEDED", statusDetails: { detailsMap: { step: "2" } } });
      changed.close();
      next.close();
      jobs.close();
      await stop();
    });
  });

  describe("identity client", () => {
    const templateBody = JSON.stringify({
      Parameters: { SerialNumber: { Type: "String" } },
      Resources: {
        thing: {
          Type: "AWS::IoT::Thing",
          Properties: { ThingName: { "Fn::Join": ["-", ["fleet", { Ref: "SerialNumber" }]] } },
        },
        certificate: {
          Type: "AWS::IoT::Certificate",
          Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "ACTIVE" },
        },
        policy: { Type: "AWS::IoT::Policy", Properties: { PolicyDocument: policyOf(ALLOW_ALL) } },
      },
      DeviceConfiguration: { room: "42" },
    });
    beforeAll(async () => {
      await account.iot.send(
        new CreateProvisioningTemplateCommand({
          templateName: "Fleet",
          templateBody,
          enabled: true,
          provisioningRoleArn: "arn:aws:iam::123456789012:role/provisioning",
        }),
      );
    });

    const topics = [
      "certificates/create/*",
      "certificates/create-from-csr/*",
      "provisioning-templates/Fleet/provision/*",
    ];
    const claimPolicy = policyOf([
      { Effect: "Allow", Action: "iot:Connect", Resource: "*" },
      {
        Effect: "Allow",
        Action: ["iot:Publish", "iot:Receive"],
        Resource: topics.map((each) => `${ARN}:topic/$aws/${each}`),
      },
      {
        Effect: "Allow",
        Action: "iot:Subscribe",
        Resource: topics.map((each) => `${ARN}:topicfilter/$aws/${each}`),
      },
    ]);

    it("exchanges a claim for a certificate of its own, and connects with it", async () => {
      const claim = await account.iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
      await account.iot.send(new CreatePolicyCommand({ policyName: "Claim", policyDocument: claimPolicy }));
      await account.iot.send(new AttachPolicyCommand({ policyName: "Claim", target: claim.certificateArn }));
      const { client, stop } = await connect5(
        { certificatePem: claim.certificatePem!, privateKeyPem: claim.keyPair!.PrivateKey! },
        "claiming",
      );
      const identity = iotidentity.IotIdentityClientv2.newFromMqtt5(client, OPTIONS);
      const made = await identity.createKeysAndCertificate({});
      expect(
        new X509Certificate(made.certificatePem!).checkPrivateKey(createPrivateKey(made.privateKey!)),
      ).toBe(true);
      expect(
        await rejection(
          identity.registerThing({ templateName: "Fleet", certificateOwnershipToken: "made up" }),
        ),
      ).toMatchObject({ statusCode: expect.any(Number), errorCode: expect.any(String) });
      const registered = await identity.registerThing({
        templateName: "Fleet",
        certificateOwnershipToken: made.certificateOwnershipToken!,
        parameters: { SerialNumber: "1" },
      });
      expect(registered).toEqual({ thingName: "fleet-1", deviceConfiguration: { room: "42" } });
      identity.close();
      await stop();

      const own = await connect5(
        { certificatePem: made.certificatePem!, privateKeyPem: made.privateKey! },
        "fleet-1",
      );
      await own.stop();
      const { principals } = await account.iot.send(new ListThingPrincipalsCommand({ thingName: "fleet-1" }));
      expect(principals).toEqual([`${ARN}:cert/${made.certificateId}`]);
    });

    it("has its own request signed, with a claim of a trusted user, over MQTT 3.1.1", async () => {
      const claim = await account.iot.send(new CreateProvisioningClaimCommand({ templateName: "Fleet" }));
      const connection = await connectMqtt311(
        { ...device, certificatePem: claim.certificatePem!, privateKeyPem: claim.keyPair!.PrivateKey! },
        { ca: stage.ca, port: stage.server.port("mqtts")!, clientId: "trusted" },
      );
      const identity = iotidentity.IotIdentityClientv2.newFromMqtt311(connection, OPTIONS);
      const { csr, key } = account.certificateRequest("fleet-2");
      const signed = await identity.createCertificateFromCsr({ certificateSigningRequest: csr });
      const { thingName } = await identity.registerThing({
        templateName: "Fleet",
        certificateOwnershipToken: signed.certificateOwnershipToken!,
        parameters: { SerialNumber: "2" },
      });
      expect(thingName).toBe("fleet-2");
      identity.close();
      await connection.disconnect();
      const own = await connect5({ certificatePem: signed.certificatePem!, privateKeyPem: key }, "fleet-2");
      await own.stop();
      expect(await account.iot.send(new DescribeThingCommand({ thingName: "fleet-2" }))).toMatchObject({
        thingName: "fleet-2",
      });
    });
  });
});
