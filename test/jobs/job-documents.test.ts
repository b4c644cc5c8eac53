import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ArtifactSettings, HttpDocuments } from "fleetrig/broker";
import { RealTime } from "fleetrig/kernel";
import { afterEach, describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "../api/api-client.js";
import { connectClient } from "../api/memory-client.js";

const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const TARGETS = [`${PREFIX}:thing/t1`];

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function start(artifacts: ArtifactSettings = { baseUrl: "https://127.0.0.1:8443" }): ApiWorld {
  const world = startApi({ management: { artifacts } });
  world.cloud.registry.createThing({ thingName: "t1" });
  return world;
}

const fetchUrl = ({ cloud }: ApiWorld, url: string) => {
  const { pathname, search } = new URL(url);
  const { status } = cloud.management.artifacts.handle({
    method: "GET",
    target: pathname + search,
    headers: new Map(),
    body: new Uint8Array(),
    remoteAddress: "127.0.0.1",
  })!;
  return status;
};

describe("placeholders for presigned URLs", () => {
  const document = JSON.stringify({
    files: [{ url: "${aws:iot:s3-presigned-url:https://s3.us-east-1.amazonaws.com/firmware/v1/a.bin}" }],
    "${aws:iot:s3-presigned-url:x}": "${aws:iot:s3-presigned-url:https://example.com/x}",
  });

  it("are replaced each time the device asks, and what was handed out before expires (REF §6.1)", async () => {
    const world = start();
    const { ok, time, cloud } = world;
    cloud.management.artifacts.store.put({ bucket: "firmware", key: "v1/a.bin" }, Buffer.from("image"));
    const presignedUrlConfig = { roleArn: "arn:aws:iam::000000000000:role/r", expiresInSec: 60 };
    await ok("PUT", "/jobs/j1", { targets: TARGETS, document, presignedUrlConfig });
    const client = connectClient(world, "t1");
    const ask = () => {
      client.publish("$aws/things/t1/jobs/j1/get", {});
      const [answer] = client.takeJson("$aws/things/t1/jobs/j1/get/accepted");
      return answer.execution.jobDocument;
    };
    const first = ask();
    expect(first.files[0].url).toMatch(
      /^https:\/\/127\.0\.0\.1:8443\/firmware\/v1\/a\.bin\?.*X-Amz-Expires=60/,
    );
    expect(first["${aws:iot:s3-presigned-url:x}"]).toBe("${aws:iot:s3-presigned-url:https://example.com/x}");
    expect(fetchUrl(world, first.files[0].url)).toBe(200);
    time.advance(61_000_000);
    expect(fetchUrl(world, first.files[0].url)).toBe(403);
    expect(fetchUrl(world, ask().files[0].url)).toBe(200);
    expect(await ok("GET", "/jobs/j1/job-document")).toEqual({ document });
  });
});

describe("documentSource", () => {
  it("is read from the cloud's artifacts by its S3 URL", async () => {
    const { ok, refused, cloud } = start();
    const documentSource = "https://s3.us-east-1.amazonaws.com/jobs/update.json";
    const order = { targets: TARGETS, documentSource };
    expect(await refused("PUT", "/jobs/j1", order)).toMatchObject({ name: "InvalidRequestException" });
    cloud.management.artifacts.store.put({ bucket: "jobs", key: "update.json" }, Buffer.from('{"a":1}'));
    await ok("PUT", "/jobs/j1", order);
    expect(await ok("GET", "/jobs/j1")).toMatchObject({ documentSource, job: { jobId: "j1" } });
    expect(await ok("GET", "/jobs/j1/job-document")).toEqual({ document: '{"a":1}' });
  });

  it.each([
    ["both", { document: "{}", documentSource: "https://s3.amazonaws.com/jobs/a" }],
    ["neither", {}],
    ["another scheme", { documentSource: "file:///etc/passwd" }],
    ["no URL", { documentSource: "x" }],
    ["credentials in the URL", { documentSource: "http://a:b@127.0.0.1/x" }],
    ["a host where nothing may be fetched", { documentSource: "https://example.com/x" }],
  ])("is refused: %s", async (_, order) => {
    expect(await start().refused("PUT", "/jobs/j1", { targets: TARGETS, ...order })).toMatchObject({
      name: "InvalidRequestException",
      status: 400,
    });
  });

  const serve = async (answer: (path: string) => { status?: number; body: string } | undefined) => {
    const server = createServer((request, response) => {
      const reply = answer(request.url ?? "");
      if (reply === undefined) return;
      response.writeHead(reply.status ?? 200, { location: "/ok" });
      response.end(reply.body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stops.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it("is fetched from this machine, within size and time", async () => {
    const time = new RealTime();
    stops.push(() => time.stop());
    const fetcher = new HttpDocuments({ clock: time.lane(0), timeoutMs: 300 });
    const host = await serve((path) =>
      path === "/silent"
        ? undefined
        : path === "/moved"
          ? { status: 302, body: "" }
          : { body: path === "/large" ? "x".repeat(200) : "{}" },
    );
    const fetch = (path: string) => fetcher.fetch(new URL(`http://${host}${path}`), 100);
    expect(await fetch("/ok")).toBe("{}");
    await expect(fetch("/large")).rejects.toThrow("more than 100 bytes");
    await expect(fetch("/moved")).rejects.toThrow("the answer was 302");
    await expect(fetch("/silent")).rejects.toThrow("300 ms");
    await expect(fetcher.fetch(new URL("http://192.0.2.1/x"), 100)).rejects.toThrow("not this machine");
    await expect(fetcher.fetch(new URL("http://localhost:1/x"), 100)).rejects.toThrow(
      "CLOUD_INVALID_REQUEST",
    );
  });
});

describe("job templates", () => {
  const template = {
    description: "d",
    document: '{"op":"update"}',
    timeoutConfig: { inProgressTimeoutInMinutes: 10 },
    jobExecutionsRolloutConfig: { maximumPerMinute: 5 },
    maintenanceWindows: [{ startTime: "cron(0 18 * * ? *)", durationInMinutes: 60 }],
  };
  const jobTemplateArn = `${PREFIX}:jobtemplate/tpl`;

  it("are created, described, listed and deleted", async () => {
    const { ok, refused } = start();
    expect(await ok("PUT", "/job-templates/tpl", template)).toEqual({ jobTemplateArn, jobTemplateId: "tpl" });
    expect(await refused("PUT", "/job-templates/tpl", template)).toMatchObject({
      name: "ConflictException",
      status: 409,
    });
    const createdAt = Date.UTC(2026, 0, 1) / 1000;
    expect(await ok("GET", "/job-templates/tpl")).toEqual({
      ...template,
      jobTemplateArn,
      jobTemplateId: "tpl",
      createdAt,
    });
    expect(await ok("GET", "/job-templates")).toEqual({
      jobTemplates: [{ jobTemplateArn, jobTemplateId: "tpl", description: "d", createdAt }],
    });
    await ok("DELETE", "/job-templates/tpl");
    expect(await refused("GET", "/job-templates/tpl")).toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("give jobs what the jobs do not say themselves", async () => {
    const { ok, refused } = start();
    await ok("PUT", "/job-templates/tpl", template);
    await ok("PUT", "/jobs/j1", {
      targets: TARGETS,
      jobTemplateArn,
      targetSelection: "CONTINUOUS",
      timeoutConfig: { inProgressTimeoutInMinutes: 7 },
    });
    expect(await ok("GET", "/jobs/j1")).toMatchObject({
      job: {
        jobTemplateArn,
        description: "d",
        timeoutConfig: { inProgressTimeoutInMinutes: 7 },
        jobExecutionsRolloutConfig: { maximumPerMinute: 5 },
        schedulingConfig: { maintenanceWindows: template.maintenanceWindows },
      },
    });
    await ok("PUT", "/job-templates/copy", { description: "from a job", jobArn: `${PREFIX}:job/j1` });
    expect(await ok("GET", "/job-templates/copy")).toMatchObject({
      document: '{"op":"update"}',
      description: "from a job",
      timeoutConfig: { inProgressTimeoutInMinutes: 7 },
    });
    const unknown = { targets: TARGETS, jobTemplateArn: `${PREFIX}:jobtemplate/x` };
    expect(await refused("PUT", "/jobs/j2", unknown)).toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("include managed ones, whose parameters are filled in", async () => {
    const { ok, refused } = start();
    const { managedJobTemplates } = await ok("GET", "/managed-job-templates");
    expect(managedJobTemplates).toContainEqual(expect.objectContaining({ templateName: "AWS-Reboot" }));
    const managed = await ok("GET", "/managed-job-templates/AWS-Run-Command");
    expect(managed).toMatchObject({
      templateArn: "arn:aws:iot:us-east-1::jobtemplate/AWS-Run-Command:1.0",
      documentParameters: [
        { key: "command", optional: false },
        { key: "runAsUser", optional: true },
      ],
    });
    const order = { targets: TARGETS, jobTemplateArn: managed.templateArn };
    for (const documentParameters of [undefined, {}, { command: "a", other: "b" }])
      expect(await refused("PUT", "/jobs/j1", { ...order, documentParameters })).toMatchObject({
        name: "InvalidRequestException",
      });
    await ok("PUT", "/jobs/j1", { ...order, documentParameters: { command: 'echo,"hi"' } });
    const { document } = await ok("GET", "/jobs/j1/job-document");
    expect(JSON.parse(document)).toEqual({
      version: "1.0",
      steps: [{ action: { name: "Run Command", type: "runCommand", input: { command: 'echo,"hi"' } } }],
    });
    expect(await ok("GET", "/jobs/j1/job-document?beforeSubstitution=true")).toEqual({
      document: managed.document,
    });
    expect(await ok("GET", "/jobs/j1")).toMatchObject({
      job: { documentParameters: { command: 'echo,"hi"' } },
    });
  });

  it("need no parameters of their own", async () => {
    const order = { targets: TARGETS, document: "{}", documentParameters: { a: "b" } };
    expect(await start().refused("PUT", "/jobs/j1", order)).toMatchObject({ status: 400 });
  });
});

describe("targets of a CONTINUOUS job", () => {
  it("can be added while it is in progress", async () => {
    const { ok, refused, cloud, time } = start();
    cloud.registry.createThing({ thingName: "t2" });
    cloud.registry.createThing({ thingName: "t3" });
    cloud.registry.createThingGroup({ thingGroupName: "g" });
    cloud.registry.addThingToThingGroup({ thingName: "t2", thingGroupName: "g" });
    const targets = [`${PREFIX}:thinggroup/g`];
    await ok("PUT", "/jobs/snap", { targets: TARGETS, document: "{}" });
    expect(await refused("POST", "/jobs/snap/targets", { targets })).toMatchObject({
      name: "InvalidRequestException",
    });
    await ok("PUT", "/jobs/j1", { targets: TARGETS, document: "{}", targetSelection: "CONTINUOUS" });
    expect(await ok("POST", "/jobs/j1/targets", { targets, comment: "more" })).toEqual({
      jobArn: `${PREFIX}:job/j1`,
      jobId: "j1",
    });
    await ok("POST", "/jobs/j1/targets", { targets });
    time.advance(60_000_000);
    expect(await ok("GET", "/jobs/j1")).toMatchObject({
      job: {
        targets: [...TARGETS, ...targets],
        comment: "more",
        jobProcessDetails: { numberOfQueuedThings: 2 },
      },
    });
    cloud.registry.addThingToThingGroup({ thingName: "t3", thingGroupName: "g" });
    expect(cloud.jobs.progress("j1").counts.QUEUED).toBe(3);
    const many = Array.from({ length: 99 }, (_, i) => `${PREFIX}:thing/x${i}`);
    expect(await refused("POST", "/jobs/j1/targets", { targets: many })).toMatchObject({
      name: "LimitExceededException",
    });
  });
});
