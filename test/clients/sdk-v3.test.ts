import {
  CreateJobCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteThingCommand,
  DescribeEndpointCommand,
  DescribeJobCommand,
  DescribeJobExecutionCommand as DescribeExecution,
  DescribeThingCommand,
  InternalFailureException,
  InvalidRequestException,
  IoTClient,
  IoTServiceException,
  ListCertificatesCommand,
  ListSecurityProfilesCommand,
  paginateListCertificates,
  paginateListThingGroups,
  paginateListThings,
  SearchIndexCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  UpdateIndexingConfigurationCommand,
  UpdateThingCommand,
  VersionConflictException,
} from "@aws-sdk/client-iot";
import {
  ConflictException,
  DeleteThingShadowCommand,
  GetRetainedMessageCommand,
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ListNamedShadowsForThingCommand,
  paginateListRetainedMessages,
  PublishCommand,
  ResourceNotFoundException as NoSuchData,
  UnauthorizedException,
  UpdateThingShadowCommand,
} from "@aws-sdk/client-iot-data-plane";
import {
  DescribeJobExecutionCommand,
  GetPendingJobExecutionsCommand,
  InvalidStateTransitionException,
  StartNextPendingJobExecutionCommand,
  TerminalStateException,
  UpdateJobExecutionCommand,
} from "@aws-sdk/client-iot-jobs-data-plane";
import { connectAsync } from "mqtt";
import { describe, expect, it } from "vitest";
import { failureOf, SIGNING_KEYS, useSdk, WAYS } from "./sdk-clients.js";

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

describe.each(Object.entries(WAYS))("AWS SDK for JavaScript v3 over %s", (_, { isSigned }) => {
  const sdk = useSdk(isSigned);

  it("creates, updates and deletes things, with errors as classes", async () => {
    const created = await sdk.iot.send(
      new CreateThingCommand({ thingName: "t1", attributePayload: { attributes: { a: "1" } } }),
    );
    expect(created).toMatchObject({ thingName: "t1", thingArn: `${ARN}:thing/t1` });
    expect(created.$metadata).toMatchObject({
      httpStatusCode: 200,
      requestId: expect.stringMatching(/^[\da-f-]{36}$/),
    });
    const conflict = await failureOf(sdk.iot.send(new CreateThingCommand({ thingName: "t1" })));
    expect(conflict).toBeInstanceOf(ResourceAlreadyExistsException);
    expect(conflict).toMatchObject({ resourceArn: `${ARN}:thing/t1`, $metadata: { httpStatusCode: 409 } });
    const stale = await failureOf(
      sdk.iot.send(new UpdateThingCommand({ thingName: "t1", expectedVersion: 9 })),
    );
    expect(stale).toBeInstanceOf(VersionConflictException);
    const missing = await failureOf(sdk.iot.send(new DescribeThingCommand({ thingName: "nobody" })));
    expect(missing).toBeInstanceOf(ResourceNotFoundException);
    expect(missing).toBeInstanceOf(IoTServiceException);
    expect(missing).toMatchObject({
      name: "ResourceNotFoundException",
      $fault: "client",
      message: expect.stringContaining("nobody"),
    });
    const invalid = await failureOf(sdk.iot.send(new CreateThingCommand({ thingName: "with space" })));
    expect(invalid).toBeInstanceOf(InvalidRequestException);
    await sdk.iot.send(new DeleteThingCommand({ thingName: "t1" }));
  });

  it("pages through lists of any length", async () => {
    const names = Array.from({ length: 23 }, (_each, index) => `page-${String(index).padStart(2, "0")}`);
    await Promise.all(names.map((thingName) => sdk.iot.send(new CreateThingCommand({ thingName }))));
    await sdk.iot.send(new CreateThingGroupCommand({ thingGroupName: "G1" }));
    await sdk.iot.send(new CreateThingGroupCommand({ thingGroupName: "G2" }));
    const things = await all(paginateListThings({ client: sdk.iot, pageSize: 5 }, {}), (page) => page.things);
    expect(new Set(things.map(({ thingName }) => thingName))).toEqual(new Set(names));
    const groups = await all(
      paginateListThingGroups({ client: sdk.iot, pageSize: 1 }, {}),
      (page) => page.thingGroups,
    );
    expect(groups.map(({ groupName }) => groupName)).toEqual(["G1", "G2"]);
    await sdk.iot.send(
      new UpdateIndexingConfigurationCommand({
        thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" },
      }),
    );
    const queryString = "thingName:page-*";
    const first = await sdk.iot.send(new SearchIndexCommand({ queryString, maxResults: 20 }));
    const second = await sdk.iot.send(new SearchIndexCommand({ queryString, nextToken: first.nextToken }));
    const found = [...first.things!, ...second.things!].map(({ thingName }) => thingName);
    expect(new Set(found)).toEqual(new Set(names));
  });

  it("reads timestamps as dates", async () => {
    const made = await sdk.iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    const { certificates } = await sdk.iot.send(new ListCertificatesCommand({}));
    const [certificate] = certificates!;
    expect(certificate).toMatchObject({ certificateId: made.certificateId, status: "ACTIVE" });
    expect(Math.abs(certificate!.creationDate!.getTime() - Date.now())).toBeLessThan(60_000);
    expect(
      await all(paginateListCertificates({ client: sdk.iot, pageSize: 1 }, {}), (page) => page.certificates),
    ).toEqual(certificates);
  });

  it("sends and receives blobs as bytes", async () => {
    const client = await connectAsync(sdk.stage.mqttUrl, { protocolVersion: 5, clientId: "sdk-listener" });
    await client.subscribeAsync("bytes/#", { qos: 1 });
    const received = new Promise<{ payload: Buffer; properties: unknown }>((resolve) => {
      client.on("message", (_topic, payload, { properties }) => resolve({ payload, properties }));
    });
    const payload = Uint8Array.from({ length: 256 }, (_each, index) => index);
    await sdk.data.send(
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
    const kept = await sdk.data.send(new GetRetainedMessageCommand({ topic: "bytes/all" }));
    expect(Buffer.from(kept.payload!)).toEqual(Buffer.from(payload));
    const topics = await all(
      paginateListRetainedMessages({ client: sdk.data, pageSize: 1 }, {}),
      (page) => page.retainedTopics,
    );
    expect(topics).toMatchObject([{ topic: "bytes/all", payloadSize: 256, qos: 1 }]);
    await client.endAsync();
  });

  it("changes shadows", async () => {
    const thingName = "shadowed";
    const missing = await failureOf(sdk.data.send(new GetThingShadowCommand({ thingName })));
    expect(missing).toBeInstanceOf(NoSuchData);
    const { payload } = await sdk.data.send(
      new UpdateThingShadowCommand({ thingName, payload: json({ state: { desired: { n: 1 } } }) }),
    );
    expect(parsed(payload)).toMatchObject({ state: { desired: { n: 1 } }, version: 1 });
    const stale = await failureOf(
      sdk.data.send(new UpdateThingShadowCommand({ thingName, payload: json({ state: {}, version: 9 }) })),
    );
    expect(stale).toBeInstanceOf(ConflictException);
    await sdk.data.send(
      new UpdateThingShadowCommand({
        thingName,
        shadowName: "s",
        payload: json({ state: { reported: {} } }),
      }),
    );
    expect((await sdk.data.send(new ListNamedShadowsForThingCommand({ thingName }))).results).toEqual(["s"]);
    await sdk.data.send(new DeleteThingShadowCommand({ thingName }));
  });

  it("runs jobs", async () => {
    await sdk.iot.send(new CreateThingCommand({ thingName: "worker" }));
    await sdk.iot.send(
      new CreateJobCommand({ jobId: "j1", targets: [`${ARN}:thing/worker`], document: '{"do":"it"}' }),
    );
    const { job } = await sdk.iot.send(new DescribeJobCommand({ jobId: "j1" }));
    expect(job!.createdAt).toBeInstanceOf(Date);
    const { queuedJobs } = await sdk.jobs.send(new GetPendingJobExecutionsCommand({ thingName: "worker" }));
    expect(queuedJobs).toMatchObject([{ jobId: "j1", queuedAt: expect.any(Number) }]);
    const started = await sdk.jobs.send(new StartNextPendingJobExecutionCommand({ thingName: "worker" }));
    expect(started.execution).toMatchObject({
      jobId: "j1",
      status: "IN_PROGRESS",
      jobDocument: '{"do":"it"}',
    });
    await sdk.jobs.send(
      new UpdateJobExecutionCommand({ thingName: "worker", jobId: "j1", status: "SUCCEEDED" }),
    );
    const { execution } = await sdk.iot.send(new DescribeExecution({ thingName: "worker", jobId: "j1" }));
    expect(execution).toMatchObject({ status: "SUCCEEDED" });
    const over = await failureOf(
      sdk.jobs.send(new DescribeJobExecutionCommand({ thingName: "worker", jobId: "j1" })),
    );
    expect(over).toBeInstanceOf(TerminalStateException);
    const late = await failureOf(
      sdk.jobs.send(new UpdateJobExecutionCommand({ thingName: "worker", jobId: "j1", status: "FAILED" })),
    );
    expect(late).toBeInstanceOf(InvalidStateTransitionException);
  });

  it("is told what there is not, and that trying again is of no use", async () => {
    const missing = await failureOf(sdk.iot.send(new ListSecurityProfilesCommand({})));
    expect(missing).toBeInstanceOf(IoTServiceException);
    expect(missing).not.toBeInstanceOf(InternalFailureException);
    expect(missing).toMatchObject({ name: "NotImplementedException", $metadata: { httpStatusCode: 501 } });
    const { endpointAddress } = await sdk.iot.send(
      new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }),
    );
    expect(endpointAddress).toEqual(expect.any(String));
  });

  it("looks at signatures only where credentials are configured", async () => {
    const wrong = { ...SIGNING_KEYS, secretAccessKey: "wrong" };
    const [control, plane] = [
      new IoTClient(sdk.clientOptions(wrong)),
      new IoTDataPlaneClient(sdk.clientOptions(wrong)),
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
