import { describe, expect, it } from "vitest";
import type { Caller } from "fleetrig/broker";
import { type ApiWorld, startApi } from "../api/api-client.js";
import { connectClient } from "../api/memory-client.js";

const EPOCH_S = Date.UTC(2026, 0, 1) / 1000;
const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const MINUTE_US = 60_000_000;

/** What the SDKs send: the signature tells the jobs data plane from the control plane. */
const DEVICE = {
  headers: {
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/iot-jobs-data/aws4_request, SignedHeaders=host, Signature=0",
  },
};

const withThings = (...names: string[]): ApiWorld => {
  const world = startApi();
  for (const thingName of names) world.cloud.registry.createThing({ thingName });
  return world;
};

const job = (targets: readonly string[], extras: object = {}) => ({
  targets: targets.map((name) => `${PREFIX}:thing/${name}`),
  document: '{"operation":"ota"}',
  ...extras,
});

describe("jobs of the control plane over HTTP", () => {
  it("are created, described and listed with AWS's shapes, times in epoch seconds", async () => {
    const { ok, time } = withThings("t1", "t2");
    expect(await ok("PUT", "/jobs/j1", job(["t1", "t2"], { description: "d" }))).toEqual({
      jobArn: `${PREFIX}:job/j1`,
      jobId: "j1",
      description: "d",
    });
    time.advance(MINUTE_US);
    expect(await ok("GET", "/jobs/j1")).toMatchObject({
      job: {
        jobArn: `${PREFIX}:job/j1`,
        status: "IN_PROGRESS",
        targetSelection: "SNAPSHOT",
        targets: [`${PREFIX}:thing/t1`, `${PREFIX}:thing/t2`],
        createdAt: EPOCH_S,
        jobProcessDetails: { numberOfQueuedThings: 2 },
        jobExecutionsRolloutConfig: { maximumPerMinute: 1000 },
      },
    });
    expect(await ok("GET", "/jobs/j1/job-document")).toEqual({ document: '{"operation":"ota"}' });
    expect(await ok("GET", "/jobs")).toMatchObject({ jobs: [{ jobId: "j1", isConcurrent: false }] });
    expect(await ok("GET", "/jobs?status=COMPLETED")).toEqual({ jobs: [] });
    expect(await ok("GET", "/jobs/j1/things?maxResults=1")).toEqual({
      executionSummaries: [
        {
          thingArn: `${PREFIX}:thing/t1`,
          jobExecutionSummary: {
            status: "QUEUED",
            queuedAt: EPOCH_S,
            lastUpdatedAt: EPOCH_S,
            executionNumber: 1,
            retryAttempt: 0,
          },
        },
      ],
      nextToken: expect.any(String),
    });
    expect(await ok("GET", "/things/t1/jobs")).toMatchObject({ executionSummaries: [{ jobId: "j1" }] });
    expect(await ok("GET", "/things/t1/jobs/j1")).toMatchObject({
      execution: { jobId: "j1", status: "QUEUED", versionNumber: 1, thingArn: `${PREFIX}:thing/t1` },
    });
  });

  it("are updated, cancelled and deleted, and so are single executions", async () => {
    const { ok, refused, cloud, time } = withThings("t1", "t2");
    await ok("PUT", "/jobs/j1", job(["t1", "t2"]));
    time.advance(MINUTE_US);
    cloud.jobs.deviceRequest({ operation: "start-next", thing: "t1", body: {} });
    await ok("PATCH", "/jobs/j1", { description: "new" });
    expect(await ok("GET", "/jobs/j1")).toMatchObject({ job: { description: "new" } });
    expect(await refused("PUT", "/things/t1/jobs/j1/cancel", {})).toMatchObject({
      name: "InvalidStateTransitionException",
      status: 409,
    });
    expect(await refused("PUT", "/things/t2/jobs/j1/cancel", { expectedVersion: 9 })).toMatchObject({
      name: "VersionConflictException",
      status: 409,
    });
    await ok("PUT", "/things/t1/jobs/j1/cancel?force=true", { statusDetails: { why: "x" } });
    await ok("DELETE", "/things/t1/jobs/j1/executionNumber/1");
    expect(await refused("DELETE", "/jobs/j1")).toMatchObject({ name: "InvalidStateTransitionException" });
    expect(await ok("PUT", "/jobs/j1/cancel", { reasonCode: "BAD", comment: "c" })).toEqual({
      jobArn: `${PREFIX}:job/j1`,
      jobId: "j1",
    });
    expect(await ok("GET", "/jobs/j1")).toMatchObject({
      job: { status: "CANCELED", reasonCode: "BAD", comment: "c" },
    });
    await ok("DELETE", "/jobs/j1");
    expect(await refused("GET", "/jobs/j1")).toMatchObject({
      name: "ResourceNotFoundException",
      status: 404,
    });
  });

  it.each([
    ["an unknown target", job(["t9"]), "ResourceNotFoundException", 404],
    ["no document", { targets: [`${PREFIX}:thing/t1`] }, "InvalidRequestException", 400],
    ["a document that is not JSON", job(["t1"], { document: "{" }), "InvalidRequestException", 400],
    [
      "too short a timeout",
      job(["t1"], { timeoutConfig: { inProgressTimeoutInMinutes: 0 } }),
      "InvalidRequestException",
      400,
    ],
  ])("refuse %s", async (_, body, name, status) => {
    expect(await withThings("t1").refused("PUT", "/jobs/j1", body)).toMatchObject({ name, status });
  });

  it("exist once, have tags, and carry the region that the request was signed for", async () => {
    const { ok, refused } = withThings("t1");
    const headers = {
      authorization: "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/iot/aws4_request, Signature=0",
    };
    const tags = [{ Key: "k", Value: "v" }];
    expect(await ok("PUT", "/jobs/j1", job(["t1"], { tags }), { headers })).toMatchObject({
      jobArn: "arn:aws:iot:eu-west-1:000000000000:job/j1",
    });
    expect(await refused("PUT", "/jobs/j1", job(["t1"]))).toMatchObject({
      name: "ResourceAlreadyExistsException",
      status: 409,
    });
  });
});

describe("a CONTINUOUS job for a dynamic thing group", () => {
  it("reaches things as they come to match, and takes the job from those that no longer do", async () => {
    const { ok, cloud, time } = startApi();
    await ok("POST", "/indexing/config", { thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" } });
    await ok("POST", "/things/t1", { attributePayload: { attributes: { site: "hq" } } });
    await ok("POST", "/things/t2", {});
    await ok("POST", "/dynamic-thing-groups/hq", { queryString: "attributes.site:hq" });
    time.advance(MINUTE_US);
    const targets = [`${PREFIX}:thinggroup/hq`];
    await ok("PUT", "/jobs/j1", { targets, document: "{}", targetSelection: "CONTINUOUS" });
    time.advance(MINUTE_US);
    expect(cloud.jobs.progress("j1").counts.QUEUED).toBe(1);
    await ok("PATCH", "/things/t2", { attributePayload: { attributes: { site: "hq" } } });
    time.advance(MINUTE_US);
    expect(cloud.jobs.progress("j1").counts.QUEUED).toBe(2);
    await ok("PATCH", "/things/t1", { attributePayload: { attributes: { site: "lab" } } });
    time.advance(MINUTE_US);
    expect(cloud.jobs.progress("j1").counts).toMatchObject({ QUEUED: 1, REMOVED: 1 });
  });
});

describe("lists of jobs", () => {
  it("can be of one thing group, by name or by id", async () => {
    const { ok, cloud } = withThings("t1");
    for (const thingGroupName of ["g1", "g2"]) {
      cloud.registry.createThingGroup({ thingGroupName });
      const targets = [`${PREFIX}:thinggroup/${thingGroupName}`];
      await ok("PUT", `/jobs/of-${thingGroupName}`, { targets, document: "{}" });
    }
    const ids = async (query: string) =>
      (await ok("GET", `/jobs?${query}`)).jobs.map(({ jobId }: { jobId: string }) => jobId);
    const { thingGroupId } = cloud.registry.describeThingGroup("g2");
    expect(await ids("thingGroupName=g1")).toEqual(["of-g1"]);
    expect(await ids(`thingGroupId=${thingGroupId}`)).toEqual(["of-g2"]);
    expect(await ids("thingGroupId=unknown")).toEqual([]);
    cloud.registry.deleteThingGroup({ thingGroupName: "g2" });
    expect(await ids(`thingGroupId=${thingGroupId}`)).toEqual([]);
  });
});

describe("jobs of a device over HTTP", () => {
  it("are listed, started, described and updated, with the document as text", async () => {
    const { ok } = withThings("t1");
    await ok("PUT", "/jobs/j1", job(["t1"]));
    const device = (method: string, target: string, body?: unknown) => ok(method, target, body, DEVICE);
    expect(await device("GET", "/things/t1/jobs")).toEqual({
      inProgressJobs: [],
      queuedJobs: [
        { jobId: "j1", queuedAt: EPOCH_S, lastUpdatedAt: EPOCH_S, versionNumber: 1, executionNumber: 1 },
      ],
    });
    expect(await device("PUT", "/things/t1/jobs/$next", { statusDetails: { step: "1" } })).toMatchObject({
      execution: {
        jobId: "j1",
        thingName: "t1",
        status: "IN_PROGRESS",
        statusDetails: { step: "1" },
        jobDocument: '{"operation":"ota"}',
        versionNumber: 2,
      },
    });
    expect(await device("GET", "/things/t1/jobs/j1?includeJobDocument=false")).not.toHaveProperty(
      "execution.jobDocument",
    );
    expect(await device("GET", "/things/t1/jobs/$next")).toMatchObject({ execution: { jobId: "j1" } });
    const update = { status: "SUCCEEDED", includeJobExecutionState: true, includeJobDocument: true };
    expect(await device("POST", "/things/t1/jobs/j1", update)).toEqual({
      executionState: { status: "SUCCEEDED", statusDetails: { step: "1" }, versionNumber: 3 },
      jobDocument: '{"operation":"ota"}',
    });
    expect(await device("PUT", "/things/t1/jobs/$next", {})).toEqual({});
  });

  it("tell how long an execution may still take", async () => {
    const { ok, time } = withThings("t1");
    await ok("PUT", "/jobs/j1", job(["t1"], { timeoutConfig: { inProgressTimeoutInMinutes: 2 } }));
    const started = await ok("PUT", "/things/t1/jobs/$next", {}, DEVICE);
    expect(started).toMatchObject({ execution: { approximateSecondsBeforeTimedOut: 120 } });
    time.advance(MINUTE_US);
    expect(await ok("GET", "/things/t1/jobs/j1", undefined, DEVICE)).toMatchObject({
      execution: { approximateSecondsBeforeTimedOut: 60 },
    });
  });

  it("are refused with 400, 404, 409 and 410", async () => {
    const { ok, refused, request } = withThings("t1");
    await ok("PUT", "/jobs/j1", job(["t1"]));
    const denied = (method: string, target: string, body?: unknown) => refused(method, target, body, DEVICE);
    expect(await denied("POST", "/things/t1/jobs/j1", { status: "QUEUED" })).toMatchObject({
      name: "InvalidRequestException",
      status: 400,
    });
    expect(await denied("GET", "/things/t1/jobs/j9")).toMatchObject({ status: 404 });
    const stale = { status: "SUCCEEDED", expectedVersion: 7 };
    const conflict = await request("POST", "/things/t1/jobs/j1", { ...DEVICE, body: stale });
    expect(conflict).toMatchObject({
      status: 409,
      body: { executionState: { status: "QUEUED", versionNumber: 1 } },
    });
    await ok("POST", "/things/t1/jobs/j1", { status: "SUCCEEDED" }, DEVICE);
    expect(await denied("POST", "/things/t1/jobs/j1", { status: "FAILED" })).toMatchObject({
      name: "InvalidStateTransitionException",
      status: 409,
    });
    expect(await denied("GET", "/things/t1/jobs/j1")).toMatchObject({
      name: "TerminalStateException",
      status: 410,
    });
  });

  it("are throttled with 429 where a rate is set, reading and writing apart", async () => {
    const world = startApi({ jobs: { readsPerS: 2, writesPerS: 1 } });
    const get = () => world.request("GET", "/things/t1/jobs", DEVICE).then(({ status }) => status);
    expect([await get(), await get(), await get()]).toEqual([200, 200, 429]);
    await world.ok("PUT", "/things/t1/jobs/$next", {}, DEVICE);
    const client = connectClient(world, "t1");
    client.publish("$aws/things/t1/jobs/start-next", {});
    expect(client.takeJson("$aws/things/t1/jobs/start-next/rejected")).toMatchObject([
      { code: "RequestThrottled" },
    ]);
    world.time.advance(1_000_000);
    expect(await get()).toBe(200);
  });

  it("tell the same story over MQTT, and need a policy for certificates", async () => {
    const world = withThings("t1");
    await world.ok("PUT", "/jobs/j1", job(["t1"]));
    const client = connectClient(world, "t1");
    client.subscribe("$aws/things/t1/jobs/notify-next");
    await world.ok("POST", "/things/t1/jobs/j1", { status: "SUCCEEDED" }, DEVICE);
    expect(client.takeJson("$aws/things/t1/jobs/notify-next")).toEqual([{ timestamp: EPOCH_S }]);
    const caller: Caller = { kind: "certificate", certificateId: "c" };
    expect(await world.refused("GET", "/things/t1/jobs", undefined, { caller })).toMatchObject({
      name: "ForbiddenException",
      message: expect.stringContaining("iotjobsdata:GetPendingJobExecutions"),
    });
  });
});
