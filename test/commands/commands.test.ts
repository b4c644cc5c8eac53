import { decodeCbor, encodeCbor } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "../api/api-client.js";
import { connectClient } from "../api/memory-client.js";

const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const EPOCH_S = Date.UTC(2026, 0, 1) / 1000;
const SECOND_US = 1_000_000;
const HOUR_US = 3600 * SECOND_US;
const content = Buffer.from('{"light":"on"}').toString("base64");
const command = { payload: { content, contentType: "application/json" } };
const thingArn = `${PREFIX}:thing/t1`;
const commandArn = `${PREFIX}:command/c1`;

async function start(definition: object = command): Promise<ApiWorld> {
  const world = startApi();
  world.cloud.registry.createThing({ thingName: "t1" });
  await world.ok("PUT", "/commands/c1", definition);
  return world;
}

const begin = async (world: ApiWorld, extras: object = {}): Promise<string> =>
  (await world.ok("POST", "/command-executions", { targetArn: thingArn, commandArn, ...extras }, DATA_PLANE))
    .executionId;

/** Two operations have this path; the signature tells them apart. */
const DATA_PLANE = {
  headers: {
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/iot-jobs-data/aws4_request, SignedHeaders=host, Signature=0",
  },
};

const read = ({ ok }: ApiWorld, executionId: string, query = "") =>
  ok("GET", `/command-executions/${executionId}?targetArn=${encodeURIComponent(thingArn)}${query}`);

describe("commands", () => {
  it("are created, read, updated and listed", async () => {
    const { ok, refused, time } = await start({ ...command, displayName: "Light", description: "d" });
    expect(await ok("GET", "/commands/c1")).toEqual({
      commandId: "c1",
      commandArn,
      namespace: "AWS-IoT",
      displayName: "Light",
      description: "d",
      payload: command.payload,
      createdAt: EPOCH_S,
      lastUpdatedAt: EPOCH_S,
      deprecated: false,
      pendingDeletion: false,
    });
    expect(await refused("PUT", "/commands/c1", command)).toMatchObject({
      name: "ConflictException",
      status: 409,
    });
    time.advance(SECOND_US);
    expect(await ok("PUT", "/commands/c2", command)).toEqual({
      commandId: "c2",
      commandArn: `${PREFIX}:command/c2`,
    });
    expect(await ok("PATCH", "/commands/c1", { displayName: "L" })).toEqual({
      commandId: "c1",
      displayName: "L",
      description: "d",
      deprecated: false,
      lastUpdatedAt: EPOCH_S + 1,
    });
    const ids = async (query: string) =>
      (await ok("GET", `/commands${query}`)).commands.map(
        ({ commandId }: { commandId: string }) => commandId,
      );
    expect(await ids("")).toEqual(["c2", "c1"]);
    expect(await ids("?sortOrder=ASCENDING&maxResults=1")).toEqual(["c1"]);
    expect(await refused("GET", "/commands/c9")).toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("are deleted twelve hours later, at once when they were deprecated that long", async () => {
    const world = await start();
    const { request, ok, refused, time } = world;
    await ok("PUT", "/commands/c2", command);
    await ok("PATCH", "/commands/c2", { deprecated: true });
    expect(await request("DELETE", "/commands/c1")).toMatchObject({ status: 202 });
    expect(await ok("GET", "/commands/c1")).toMatchObject({ pendingDeletion: true });
    expect(await refused("PATCH", "/commands/c1", { description: "x" })).toMatchObject({ status: 409 });
    time.advance(12 * HOUR_US);
    expect(await refused("GET", "/commands/c1")).toMatchObject({ status: 404 });
    expect(await request("DELETE", "/commands/c2")).toMatchObject({ status: 204 });
    expect(await refused("GET", "/commands/c2")).toMatchObject({ status: 404 });
  });

  it.each([
    ["neither payload nor template", {}],
    ["a payload without content", { payload: { contentType: "text/plain" } }],
    ["a payload of more than 32 KiB", { payload: { content: Buffer.alloc(32_769).toString("base64") } }],
    ["a template without a preprocessor", { payloadTemplate: "{}" }],
    ["another namespace", { ...command, namespace: "AWS-IoT-FleetWise" }],
    [
      "a template that is not JSON",
      { payloadTemplate: "{", preprocessor: { awsJsonSubstitution: { outputFormat: "JSON" } } },
    ],
    [
      "a default of another type",
      { ...command, mandatoryParameters: [{ name: "p", type: "STRING", defaultValue: { I: 1 } }] },
    ],
  ])("are refused with %s", async (_, definition) => {
    const { refused } = startApi();
    expect(await refused("PUT", "/commands/c1", definition)).toMatchObject({
      name: "ValidationException",
      status: 400,
    });
  });
});

describe("an execution of a command", () => {
  it("reaches the device with its content type, and is over when the device says so", async () => {
    const world = await start();
    const device = connectClient(world, "device");
    const events = connectClient(world, "events");
    events.subscribe("$aws/events/commandExecution/+/#");
    device.subscribe("$aws/commands/things/t1/executions/+/request/json");
    const executionId = await begin(world, { executionTimeoutSeconds: 60 });
    const [request] = device.take();
    expect(request).toMatchObject({
      topic: `$aws/commands/things/t1/executions/${executionId}/request/json`,
      contentType: "application/json",
      messageExpiryS: 60,
    });
    expect(Buffer.from(request!.payload).toString()).toBe('{"light":"on"}');
    const base = `$aws/commands/things/t1/executions/${executionId}/response`;
    world.time.advance(SECOND_US);
    device.publish(`${base}/json`, { status: "IN_PROGRESS" });
    expect(device.takeJson(`${base}/accepted/json`)).toEqual([{ executionId }]);
    world.time.advance(SECOND_US);
    const result = { light: { S: "on" }, dim: { B: false }, raw: { BIN: "AAE=" } };
    const statusReason = { reasonCode: "OK", reasonDescription: "fine" };
    device.publish(`${base}/json`, { status: "SUCCEEDED", statusReason, result });
    expect(await read(world, executionId, "&includeResult=true")).toEqual({
      executionId,
      commandArn,
      targetArn: thingArn,
      status: "SUCCEEDED",
      statusReason,
      result,
      executionTimeoutSeconds: 60,
      createdAt: EPOCH_S,
      startedAt: EPOCH_S + 1,
      completedAt: EPOCH_S + 2,
      lastUpdatedAt: EPOCH_S + 2,
      timeToLive: EPOCH_S + 180 * 86_400,
    });
    expect(await read(world, executionId)).not.toHaveProperty("result");
    device.take();
    device.publish(`${base}/json`, { status: "FAILED" });
    expect(device.takeJson(`${base}/rejected/json`)).toEqual([
      { error: "TerminalStateReached", errorMessage: expect.any(String), executionId },
    ]);
    const told = events
      .take()
      .map(({ topic, payload }) => [topic.split("/").at(-1), JSON.parse(Buffer.from(payload).toString())]);
    expect(told.map(([status]) => status)).toEqual(["CREATED", "IN_PROGRESS", "SUCCEEDED"]);
    expect(told[2]![1]).toEqual({
      executionId,
      status: "SUCCEEDED",
      statusReason,
      eventType: "COMMAND_EXECUTION",
      commandArn,
      targetArn: thingArn,
      timestamp: (EPOCH_S + 2) * 1000,
    });
  });

  it("goes straight to a client that has not subscribed, and answers in CBOR", async () => {
    const world = await start({ payload: { content, contentType: "text/plain" } });
    const device = connectClient(world, "box.1");
    const executionId = await begin(world, { targetArn: `${PREFIX}:client/box.1` });
    const base = `$aws/commands/clients/box.1/executions/${executionId}`;
    expect(device.take().map(({ topic }) => topic)).toEqual([`${base}/request`]);
    device.publish(
      `${base}/response/cbor`,
      encodeCbor({ status: "REJECTED", result: { x: { BIN: Uint8Array.of(1) } } }),
    );
    const [answer] = device.take();
    expect(answer!.topic).toBe(`${base}/response/accepted/cbor`);
    expect(decodeCbor(answer!.payload)).toEqual({ ok: true, value: { executionId } });
    device.publish(`${base}/response`, { status: "FAILED" });
    expect(device.take()[0]!.topic).toBe(`${base}/response/rejected`);
  });

  it("times out after ten seconds, but believes a device that answers late", async () => {
    const world = await start();
    const device = connectClient(world, "t1");
    const executionId = await begin(world);
    device.publish(`$aws/commands/things/t1/executions/${executionId}/response/json`, {
      status: "IN_PROGRESS",
    });
    world.time.advance(10 * SECOND_US);
    expect(await read(world, executionId)).toMatchObject({
      status: "TIMED_OUT",
      statusReason: { reasonCode: "$NO_RESPONSE_FROM_DEVICE" },
    });
    device.publish(`$aws/commands/things/t1/executions/${executionId}/response/json`, {
      status: "SUCCEEDED",
    });
    const late = await read(world, executionId);
    expect([late.status, late.statusReason]).toEqual(["SUCCEEDED", undefined]);
    const own = await begin(world);
    device.publish(`$aws/commands/things/t1/executions/${own}/response/json`, { status: "TIMED_OUT" });
    device.take();
    device.publish(`$aws/commands/things/t1/executions/${own}/response/json`, { status: "SUCCEEDED" });
    expect(device.take()[0]!.topic).toMatch(/rejected/);
  });

  it.each([
    ["{", "InvalidJson"],
    ["[]", "InvalidRequest"],
    [{}, "InvalidRequest"],
    [{ status: "CREATED" }, "InvalidRequest"],
    [{ status: "FAILED", statusReason: { reasonCode: "lower" } }, "InvalidRequest"],
    [{ status: "FAILED", statusReason: {} }, "InvalidRequest"],
    [{ status: "FAILED", result: { a: { S: "x", B: true } } }, "InvalidRequest"],
    [{ status: "FAILED", result: { "a b": { S: "x" } } }, "InvalidRequest"],
  ])("rejects the response %j", async (body, error) => {
    const world = await start();
    const device = connectClient(world, "t1");
    const executionId = await begin(world);
    device.take();
    const base = `$aws/commands/things/t1/executions/${executionId}/response`;
    device.publish(`${base}/json`, body);
    expect(device.takeJson(`${base}/rejected/json`)).toMatchObject([{ error, executionId }]);
    expect(await read(world, executionId)).toMatchObject({ status: "CREATED" });
  });

  it("is not answered for another target", async () => {
    const world = await start();
    const device = connectClient(world, "t2");
    const executionId = await begin(world);
    device.publish(`$aws/commands/things/t2/executions/${executionId}/response/json`, {
      status: "SUCCEEDED",
    });
    const rejected = `$aws/commands/things/t2/executions/${executionId}/response/rejected/json`;
    expect(device.takeJson(rejected)).toMatchObject([{ error: "ResourceNotFound" }]);
  });

  it("happens once for each client token", async () => {
    const world = await start();
    const first = await begin(world, { clientToken: "a" });
    expect(await begin(world, { clientToken: "a" })).toBe(first);
    expect(await begin(world, { clientToken: "b" })).not.toBe(first);
    const other = { targetArn: thingArn, commandArn, clientToken: "a", executionTimeoutSeconds: 5 };
    expect(await world.refused("POST", "/command-executions", other, DATA_PLANE)).toMatchObject({
      name: "ConflictException",
      status: 409,
    });
  });

  it("has its limits", async () => {
    const world = await start();
    const refusal = (extras: object) =>
      world.refused(
        "POST",
        "/command-executions",
        { targetArn: thingArn, commandArn, ...extras },
        DATA_PLANE,
      );
    expect(await refusal({ executionTimeoutSeconds: 43_201 })).toMatchObject({ name: "ValidationException" });
    expect(await refusal({ targetArn: `${PREFIX}:thinggroup/g` })).toMatchObject({
      name: "ValidationException",
    });
    expect(await refusal({ targetArn: `${PREFIX}:thing/t9` })).toMatchObject({ status: 404 });
    expect(await refusal({ commandArn: `${PREFIX}:command/c9` })).toMatchObject({ status: 404 });
    for (let count = 0; count < 100; count += 1) await begin(world);
    expect(await refusal({})).toMatchObject({ name: "ServiceQuotaExceededException", status: 402 });
    world.time.advance(10 * SECOND_US);
    await begin(world);
    await world.ok("PATCH", "/commands/c1", { deprecated: true });
    expect(await refusal({})).toMatchObject({ name: "ConflictException" });
  });

  it("is listed by target, status and time, newest first, and deleted when it is over", async () => {
    const world = await start();
    const { ok, refused, time } = world;
    const first = await begin(world);
    time.advance(120 * SECOND_US);
    const second = await begin(world);
    const list = async (body: object) =>
      (await ok("POST", "/command-executions", body)).commandExecutions.map(
        ({ executionId }: { executionId: string }) => executionId,
      );
    expect(await list({ targetArn: thingArn })).toEqual([second, first]);
    expect(await list({ commandArn, sortOrder: "ASCENDING" })).toEqual([first, second]);
    expect(await list({ status: "TIMED_OUT" })).toEqual([first]);
    expect(await list({ startedTimeFilter: { after: "2026-01-01T00:01" } })).toEqual([second]);
    expect(await list({ completedTimeFilter: { after: "2026-01-01T00:00" } })).toEqual([]);
    for (const body of [
      { targetArn: thingArn, commandArn },
      { startedTimeFilter: {}, completedTimeFilter: {} },
      { startedTimeFilter: { after: "yesterday" } },
    ])
      expect(await refused("POST", "/command-executions", body)).toMatchObject({
        name: "ValidationException",
      });
    const target = `?targetArn=${encodeURIComponent(thingArn)}`;
    expect(await refused("DELETE", `/command-executions/${second}${target}`)).toMatchObject({
      name: "ConflictException",
    });
    await ok("DELETE", `/command-executions/${first}${target}`);
    expect(await refused("GET", `/command-executions/${first}${target}`)).toMatchObject({ status: 404 });
  });
});

describe("a command with a template", () => {
  const template = {
    payloadTemplate: JSON.stringify({
      level: "${aws:iot:commandexecution::parameter:level}",
      text: "dim to ${aws:iot:commandexecution::parameter:level} in ${aws:iot:commandexecution::parameter:room}",
    }),
    preprocessor: { awsJsonSubstitution: { outputFormat: "JSON" } },
    mandatoryParameters: [
      {
        name: "level",
        type: "INTEGER",
        valueConditions: [
          { comparisonOperator: "IN_RANGE", operand: { numberRange: { min: "0", max: "10" } } },
        ],
      },
      { name: "room", type: "STRING", defaultValue: { S: "hall" } },
    ],
  };

  it("is filled in with the types of its parameters", async () => {
    const world = await start(template);
    const device = connectClient(world, "t1");
    const executionId = await begin(world, { parameters: { level: { I: 7 } } });
    expect(device.takeJson(`$aws/commands/things/t1/executions/${executionId}/request/json`)).toEqual([
      { level: 7, text: "dim to 7 in hall" },
    ]);
    expect(await read(world, executionId)).toMatchObject({ parameters: { level: { I: 7 } } });
  });

  it("can go out as CBOR", async () => {
    const preprocessor = { awsJsonSubstitution: { outputFormat: "CBOR" } };
    const world = await start({ ...template, preprocessor });
    const device = connectClient(world, "t1");
    await begin(world, { parameters: { level: { I: 7 }, room: { S: "x" } } });
    const [request] = device.take();
    expect(request!.topic).toMatch(/\/request\/cbor$/);
    expect(decodeCbor(request!.payload)).toEqual({ ok: true, value: { level: 7, text: "dim to 7 in x" } });
  });

  it.each([
    [undefined],
    [{ level: { I: 11 } }],
    [{ level: { S: "7" } }],
    [{ level: { I: 7, S: "7" } }],
    [{ level: { I: 7 }, other: { S: "x" } }],
  ])("refuses the parameters %j", async (parameters) => {
    const world = await start(template);
    const body = { targetArn: thingArn, commandArn, ...(parameters && { parameters }) };
    expect(await world.refused("POST", "/command-executions", body, DATA_PLANE)).toMatchObject({
      name: "ValidationException",
    });
  });
});
