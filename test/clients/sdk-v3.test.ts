import { Agent } from "node:https";
import {
  AttachThingPrincipalCommand,
  CreateCommandCommand,
  CreateJobCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DeleteCommandCommand,
  DeleteCommandExecutionCommand,
  DeleteThingCommand,
  DescribeEndpointCommand,
  DescribeJobCommand,
  DescribeJobExecutionCommand as DescribeExecution,
  DescribeThingCommand,
  DescribeThingTypeCommand,
  GetCommandCommand,
  GetCommandExecutionCommand,
  GetThingConnectivityDataCommand,
  InternalFailureException,
  InvalidRequestException,
  IoTClient,
  IoTServiceException,
  ListCertificatesCommand,
  ListCommandExecutionsCommand,
  ListCommandsCommand,
  ListPrincipalThingsV2Command,
  ListSecurityProfilesCommand,
  ListThingPrincipalsV2Command,
  paginateListCertificates,
  paginateListThingGroups,
  paginateListThings,
  SearchIndexCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  UpdateCommandCommand,
  UpdateIndexingConfigurationCommand,
  UpdateThingCommand,
  UpdateThingTypeCommand,
  VersionConflictException,
} from "@aws-sdk/client-iot";
import {
  ConflictException,
  DeleteConnectionCommand,
  DeleteThingShadowCommand,
  GetConnectionCommand,
  GetRetainedMessageCommand,
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ListNamedShadowsForThingCommand,
  ListSubscriptionsCommand,
  paginateListRetainedMessages,
  PublishCommand,
  ResourceNotFoundException as NoSuchData,
  SendDirectMessageCommand,
  UnauthorizedException,
  UpdateThingShadowCommand,
} from "@aws-sdk/client-iot-data-plane";
import {
  DescribeJobExecutionCommand,
  GetPendingJobExecutionsCommand,
  InvalidStateTransitionException,
  IoTJobsDataPlaneClient,
  StartCommandExecutionCommand,
  StartNextPendingJobExecutionCommand,
  TerminalStateException,
  UpdateJobExecutionCommand,
} from "@aws-sdk/client-iot-jobs-data-plane";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CloudUnderTest, startCloudUnderTest } from "./cloud-under-test.js";
import { ANY_CREDENTIALS, REGION } from "./device-account.js";

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const ARN = "arn:aws:iot:us-east-1:123456789012";
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const parsed = (bytes: Uint8Array | undefined): unknown => JSON.parse(Buffer.from(bytes!).toString());

/** Everything that a paginator yields. */
async function all<Page, Item>(
  pages: AsyncIterable<Page>,
  items: (page: Page) => readonly Item[] | undefined,
): Promise<Item[]> {
  const found: Item[] = [];
  for await (const page of pages) found.push(...(items(page) ?? []));
  return found;
}

const failureOf = (request: Promise<unknown>): Promise<unknown> =>
  request.then(
    () => "no failure",
    (error: unknown) => error,
  );

/** The ways to the APIs: plain with anything for a signature, and HTTPS where signatures are checked. */
const ways = {
  "plain HTTP": { isSigned: false },
  "HTTPS with the cloud's CA and checked signatures": { isSigned: true },
};

describe.each(Object.entries(ways))("AWS SDK for JavaScript v3 over %s", (_, { isSigned }) => {
  let stage: CloudUnderTest;
  let iot: IoTClient;
  let data: IoTDataPlaneClient;
  let jobs: IoTJobsDataPlaneClient;
  const clientOptions = (credentials = isSigned ? KEYS : ANY_CREDENTIALS) => ({
    region: REGION,
    credentials,
    maxAttempts: 1,
    ...(isSigned
      ? {
          endpoint: `https://localhost:${stage.server.port("tls")}`,
          requestHandler: { httpsAgent: new Agent({ ca: stage.ca, keepAlive: true }) },
        }
      : { endpoint: stage.url }),
  });
  beforeAll(async () => {
    stage = await startCloudUnderTest(isSigned ? { credentials: [KEYS] } : {});
    iot = new IoTClient(clientOptions());
    data = new IoTDataPlaneClient(clientOptions());
    jobs = new IoTJobsDataPlaneClient(clientOptions());
  });
  afterAll(async () => {
    for (const client of [iot, data, jobs]) client.destroy();
    await stage.stop();
  });

  it("creates, updates and deletes things, with errors as classes", async () => {
    const created = await iot.send(
      new CreateThingCommand({ thingName: "t1", attributePayload: { attributes: { a: "1" } } }),
    );
    expect(created).toMatchObject({ thingName: "t1", thingArn: `${ARN}:thing/t1` });
    expect(created.$metadata).toMatchObject({
      httpStatusCode: 200,
      requestId: expect.stringMatching(/^[\da-f-]{36}$/),
    });
    const conflict = await failureOf(iot.send(new CreateThingCommand({ thingName: "t1" })));
    expect(conflict).toBeInstanceOf(ResourceAlreadyExistsException);
    expect(conflict).toMatchObject({ resourceArn: `${ARN}:thing/t1`, $metadata: { httpStatusCode: 409 } });
    const stale = await failureOf(iot.send(new UpdateThingCommand({ thingName: "t1", expectedVersion: 9 })));
    expect(stale).toBeInstanceOf(VersionConflictException);
    const missing = await failureOf(iot.send(new DescribeThingCommand({ thingName: "nobody" })));
    expect(missing).toBeInstanceOf(ResourceNotFoundException);
    expect(missing).toBeInstanceOf(IoTServiceException);
    expect(missing).toMatchObject({
      name: "ResourceNotFoundException",
      $fault: "client",
      message: expect.stringContaining("nobody"),
    });
    const invalid = await failureOf(iot.send(new CreateThingCommand({ thingName: "with space" })));
    expect(invalid).toBeInstanceOf(InvalidRequestException);
    await iot.send(new DeleteThingCommand({ thingName: "t1" }));
  });

  it("pages through lists of any length", async () => {
    const names = Array.from({ length: 23 }, (_each, index) => `page-${String(index).padStart(2, "0")}`);
    await Promise.all(names.map((thingName) => iot.send(new CreateThingCommand({ thingName }))));
    await iot.send(new CreateThingGroupCommand({ thingGroupName: "G1" }));
    await iot.send(new CreateThingGroupCommand({ thingGroupName: "G2" }));
    const things = await all(paginateListThings({ client: iot, pageSize: 5 }, {}), (page) => page.things);
    expect(new Set(things.map(({ thingName }) => thingName))).toEqual(new Set(names));
    const groups = await all(
      paginateListThingGroups({ client: iot, pageSize: 1 }, {}),
      (page) => page.thingGroups,
    );
    expect(groups.map(({ groupName }) => groupName)).toEqual(["G1", "G2"]);
    await iot.send(
      new UpdateIndexingConfigurationCommand({
        thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" },
      }),
    );
    const queryString = "thingName:page-*";
    const first = await iot.send(new SearchIndexCommand({ queryString, maxResults: 20 }));
    const second = await iot.send(new SearchIndexCommand({ queryString, nextToken: first.nextToken }));
    const found = [...first.things!, ...second.things!].map(({ thingName }) => thingName);
    expect(new Set(found)).toEqual(new Set(names));
  });

  it("reads timestamps as dates", async () => {
    const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    const { certificates } = await iot.send(new ListCertificatesCommand({}));
    const [certificate] = certificates!;
    expect(certificate).toMatchObject({ certificateId: made.certificateId, status: "ACTIVE" });
    expect(Math.abs(certificate!.creationDate!.getTime() - Date.now())).toBeLessThan(60_000);
    expect(
      await all(paginateListCertificates({ client: iot, pageSize: 1 }, {}), (page) => page.certificates),
    ).toEqual(certificates);
  });

  it("sends and receives blobs as bytes", async () => {
    const client = await connectAsync(stage.mqttUrl, { protocolVersion: 5, clientId: "sdk-listener" });
    await client.subscribeAsync("bytes/#", { qos: 1 });
    const received = new Promise<{ payload: Buffer; properties: unknown }>((resolve) => {
      client.on("message", (_topic, payload, { properties }) => resolve({ payload, properties }));
    });
    const payload = Uint8Array.from({ length: 256 }, (_each, index) => index);
    await data.send(
      new PublishCommand({
        topic: "bytes/all",
        qos: 1,
        retain: true,
        payload,
        contentType: "application/octet-stream",
        responseTopic: "bytes/answer",
        correlationData: Buffer.from("c-1").toString("base64"),
        messageExpiry: 300,
        payloadFormatIndicator: "UNSPECIFIED_BYTES",
        userProperties: JSON.stringify([{ key: "value" }]),
      }),
    );
    const message = await received;
    expect(message.payload).toEqual(Buffer.from(payload));
    expect(message.properties).toMatchObject({
      contentType: "application/octet-stream",
      responseTopic: "bytes/answer",
      correlationData: Buffer.from("c-1"),
      userProperties: { key: "value" },
    });
    const kept = await data.send(new GetRetainedMessageCommand({ topic: "bytes/all" }));
    expect(Buffer.from(kept.payload!)).toEqual(Buffer.from(payload));
    const topics = await all(
      paginateListRetainedMessages({ client: data, pageSize: 1 }, {}),
      (page) => page.retainedTopics,
    );
    expect(topics).toMatchObject([{ topic: "bytes/all", payloadSize: 256, qos: 1 }]);
    await client.endAsync();
  });

  it("changes shadows", async () => {
    const thingName = "shadowed";
    const missing = await failureOf(data.send(new GetThingShadowCommand({ thingName })));
    expect(missing).toBeInstanceOf(NoSuchData);
    const { payload } = await data.send(
      new UpdateThingShadowCommand({ thingName, payload: json({ state: { desired: { n: 1 } } }) }),
    );
    expect(parsed(payload)).toMatchObject({ state: { desired: { n: 1 } }, version: 1 });
    const stale = await failureOf(
      data.send(new UpdateThingShadowCommand({ thingName, payload: json({ state: {}, version: 9 }) })),
    );
    expect(stale).toBeInstanceOf(ConflictException);
    await data.send(
      new UpdateThingShadowCommand({
        thingName,
        shadowName: "s",
        payload: json({ state: { reported: {} } }),
      }),
    );
    expect((await data.send(new ListNamedShadowsForThingCommand({ thingName }))).results).toEqual(["s"]);
    await data.send(new DeleteThingShadowCommand({ thingName }));
  });

  it("runs jobs", async () => {
    await iot.send(new CreateThingCommand({ thingName: "worker" }));
    await iot.send(
      new CreateJobCommand({ jobId: "j1", targets: [`${ARN}:thing/worker`], document: '{"do":"it"}' }),
    );
    const { job } = await iot.send(new DescribeJobCommand({ jobId: "j1" }));
    expect(job!.createdAt).toBeInstanceOf(Date);
    const { queuedJobs } = await jobs.send(new GetPendingJobExecutionsCommand({ thingName: "worker" }));
    expect(queuedJobs).toMatchObject([{ jobId: "j1", queuedAt: expect.any(Number) }]);
    const started = await jobs.send(new StartNextPendingJobExecutionCommand({ thingName: "worker" }));
    expect(started.execution).toMatchObject({
      jobId: "j1",
      status: "IN_PROGRESS",
      jobDocument: '{"do":"it"}',
    });
    await jobs.send(new UpdateJobExecutionCommand({ thingName: "worker", jobId: "j1", status: "SUCCEEDED" }));
    const { execution } = await iot.send(new DescribeExecution({ thingName: "worker", jobId: "j1" }));
    expect(execution).toMatchObject({ status: "SUCCEEDED" });
    const over = await failureOf(
      jobs.send(new DescribeJobExecutionCommand({ thingName: "worker", jobId: "j1" })),
    );
    expect(over).toBeInstanceOf(TerminalStateException);
    const late = await failureOf(
      jobs.send(new UpdateJobExecutionCommand({ thingName: "worker", jobId: "j1", status: "FAILED" })),
    );
    expect(late).toBeInstanceOf(InvalidStateTransitionException);
  });

  it("keeps commands, and has devices carry them out", async () => {
    const payload = { content: Buffer.from('{"reboot":true}'), contentType: "application/json" };
    const { commandArn } = await iot.send(
      new CreateCommandCommand({ commandId: "reboot", namespace: "AWS-IoT", payload }),
    );
    expect(commandArn).toBe(`${ARN}:command/reboot`);
    await iot.send(new UpdateCommandCommand({ commandId: "reboot", description: "starts anew" }));
    const got = await iot.send(new GetCommandCommand({ commandId: "reboot" }));
    expect(Buffer.from(got.payload!.content!).toString()).toBe('{"reboot":true}');
    expect(got).toMatchObject({ description: "starts anew", createdAt: expect.any(Date), deprecated: false });
    expect((await iot.send(new ListCommandsCommand({}))).commands).toMatchObject([{ commandId: "reboot" }]);

    await iot.send(new CreateThingCommand({ thingName: "obedient" }));
    const targetArn = `${ARN}:thing/obedient`;
    const device = await connectAsync(stage.mqttUrl, { protocolVersion: 5, clientId: "obedient" });
    await device.subscribeAsync("$aws/commands/things/obedient/executions/+/request/#", { qos: 1 });
    const answered = new Promise<string>((resolve, reject) => {
      device.once("message", (topic, order) => {
        const answer = JSON.stringify({ status: "SUCCEEDED", statusReason: { reasonCode: "DONE" } });
        const [, , , , , executionId] = topic.split("/");
        device
          .publishAsync(`$aws/commands/things/obedient/executions/${executionId}/response/json`, answer, {
            qos: 1,
          })
          .then(() => resolve(order.toString()), reject);
      });
    });
    const { executionId } = await jobs.send(
      new StartCommandExecutionCommand({ commandArn: commandArn!, targetArn, executionTimeoutSeconds: 60 }),
    );
    expect(await answered).toBe('{"reboot":true}');
    const execution = await iot.send(
      new GetCommandExecutionCommand({ executionId: executionId!, targetArn }),
    );
    expect(execution).toMatchObject({
      status: "SUCCEEDED",
      statusReason: { reasonCode: "DONE" },
      startedAt: expect.any(Date),
    });
    const { commandExecutions } = await iot.send(
      new ListCommandExecutionsCommand({ commandArn: commandArn! }),
    );
    expect(commandExecutions).toMatchObject([{ executionId, status: "SUCCEEDED" }]);
    await iot.send(new DeleteCommandExecutionCommand({ executionId: executionId!, targetArn }));
    await iot.send(new UpdateCommandCommand({ commandId: "reboot", deprecated: true }));
    await iot.send(new DeleteCommandCommand({ commandId: "reboot" }));
    await device.endAsync();
  });

  it("has what is newer than Debian's CLI: exclusive principals, types for MQTT 5, connectivity", async () => {
    const { certificateArn } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    await iot.send(new CreateThingCommand({ thingName: "owner" }));
    await iot.send(
      new AttachThingPrincipalCommand({
        thingName: "owner",
        principal: certificateArn,
        thingPrincipalType: "EXCLUSIVE_THING",
      }),
    );
    expect(
      (await iot.send(new ListThingPrincipalsV2Command({ thingName: "owner" }))).thingPrincipalObjects,
    ).toEqual([{ principal: certificateArn, thingPrincipalType: "EXCLUSIVE_THING" }]);
    expect(
      (await iot.send(new ListPrincipalThingsV2Command({ principal: certificateArn }))).principalThingObjects,
    ).toEqual([{ thingName: "owner", thingPrincipalType: "EXCLUSIVE_THING" }]);
    await iot.send(new CreateThingTypeCommand({ thingTypeName: "Five" }));
    const mqtt5Configuration = {
      propagatingAttributes: [{ userPropertyKey: "kind", connectionAttribute: "iot:ClientId" }],
    };
    await iot.send(
      new UpdateThingTypeCommand({ thingTypeName: "Five", thingTypeProperties: { mqtt5Configuration } }),
    );
    const { thingTypeProperties } = await iot.send(new DescribeThingTypeCommand({ thingTypeName: "Five" }));
    expect(thingTypeProperties).toMatchObject({ mqtt5Configuration });
    await iot.send(
      new UpdateIndexingConfigurationCommand({
        thingIndexingConfiguration: {
          thingIndexingMode: "REGISTRY",
          thingConnectivityIndexingMode: "STATUS",
        },
      }),
    );
    const device = await connectAsync(stage.mqttUrl, { clientId: "owner" });
    const connected = await iot.send(new GetThingConnectivityDataCommand({ thingName: "owner" }));
    expect(connected).toMatchObject({ thingName: "owner", connected: true });
    await device.endAsync();
  });

  it("looks after connections", async () => {
    const client = await connectAsync(stage.mqttUrl, {
      protocolVersion: 5,
      clientId: "looked-after",
      reconnectPeriod: 0,
    });
    await client.subscribeAsync("looked/+", { qos: 1 });
    const { connected, cleanSession } = await data.send(
      new GetConnectionCommand({ clientId: "looked-after" }),
    );
    expect({ connected, cleanSession }).toEqual({ connected: true, cleanSession: true });
    const { subscriptions } = await data.send(new ListSubscriptionsCommand({ clientId: "looked-after" }));
    expect(subscriptions).toMatchObject([{ topicFilter: "looked/+", qos: 1 }]);
    const direct = new Promise<string>((resolve) =>
      client.once("message", (topic, payload) => resolve(`${topic} ${payload.toString()}`)),
    );
    await data.send(
      new SendDirectMessageCommand({
        clientId: "looked-after",
        topic: "not/subscribed",
        payload: Buffer.from("you"),
      }),
    );
    expect(await direct).toBe("not/subscribed you");
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    await data.send(new DeleteConnectionCommand({ clientId: "looked-after" }));
    await closed;
    expect(await failureOf(data.send(new GetConnectionCommand({ clientId: "never-there" })))).toBeInstanceOf(
      NoSuchData,
    );
    await client.endAsync(true);
  });

  it("is told what there is not, and that trying again is of no use", async () => {
    const missing = await failureOf(iot.send(new ListSecurityProfilesCommand({})));
    expect(missing).toBeInstanceOf(IoTServiceException);
    expect(missing).not.toBeInstanceOf(InternalFailureException);
    expect(missing).toMatchObject({ name: "NotImplementedException", $metadata: { httpStatusCode: 501 } });
    const { endpointAddress } = await iot.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }));
    expect(endpointAddress).toEqual(expect.any(String));
  });

  it("looks at signatures only where credentials are configured", async () => {
    const wrong = { ...KEYS, secretAccessKey: "wrong" };
    const [control, plane] = [
      new IoTClient(clientOptions(wrong)),
      new IoTDataPlaneClient(clientOptions(wrong)),
    ];
    const outcomes = [
      await failureOf(control.send(new DescribeEndpointCommand({}))),
      await failureOf(plane.send(new PublishCommand({ topic: "a" }))),
    ];
    if (isSigned) {
      for (const outcome of outcomes) expect(outcome).toMatchObject({ $metadata: { httpStatusCode: 403 } });
      expect(outcomes[1]).not.toBeInstanceOf(UnauthorizedException);
    } else expect(outcomes).toEqual(["no failure", "no failure"]);
    for (const client of [control, plane]) client.destroy();
  });
});
