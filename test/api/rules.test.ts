import { VirtualTime } from "fleetrig/kernel";
import { Cloud } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { PaperJournal } from "../records/paper-journal.js";
import { startApi } from "./api-client.js";
import { connectClient } from "./memory-client.js";

const republish = (topic: string, extras = {}) => ({
  sql: "SELECT * FROM 'in/#'",
  actions: [{ republish: { roleArn: "arn:aws:iam::000000000000:role/r", topic } }],
  ...extras,
});

describe("topic rules over the API", () => {
  it("run from their creation until they are disabled, replaced or deleted", async () => {
    const world = startApi();
    const client = connectClient(world, "c1");
    client.subscribe("out/#");
    const heard = (): readonly string[] => {
      client.publish("in/1", { a: 1 });
      return client.take().map(({ topic }) => topic);
    };
    await world.ok("POST", "/rules/r1", republish("out/1"));
    expect(heard()).toEqual(["out/1"]);
    await world.ok("POST", "/rules/r1/disable");
    expect(heard()).toEqual([]);
    await world.ok("POST", "/rules/r1/enable");
    expect(heard()).toEqual(["out/1"]);
    await world.ok("PATCH", "/rules/r1", republish("out/2"));
    expect(heard()).toEqual(["out/2"]);
    await world.ok("DELETE", "/rules/r1");
    expect(heard()).toEqual([]);
    await world.ok("DELETE", "/rules/r1");
  });

  it("are described as they were given, with AWS's default SQL version", async () => {
    const { ok } = startApi();
    const payload = {
      sql: "SELECT a FROM 'in'",
      description: "d",
      actions: [{ s3: { roleArn: "arn:aws:iam::1:role/r", bucketName: "b", key: "k" } }],
      errorAction: { sqs: { roleArn: "arn:aws:iam::1:role/r", queueUrl: "https://q" } },
    };
    await ok("POST", "/rules/r1", payload);
    expect(await ok("GET", "/rules/r1")).toEqual({
      ruleArn: "arn:aws:iot:us-east-1:000000000000:rule/r1",
      rule: {
        ...payload,
        ruleName: "r1",
        ruleDisabled: false,
        awsIotSqlVersion: "2015-10-08",
        createdAt: expect.any(Number),
      },
    });
  });

  it("are listed in pages, by topic and by state", async () => {
    const { ok } = startApi();
    for (const name of ["a", "b", "c"])
      await ok("POST", `/rules/${name}`, republish(`out/${name}`, { ruleDisabled: name === "b" }));
    const names = async (query: string) => {
      const { rules, nextToken } = await ok("GET", `/rules${query}`);
      return { names: rules.map(({ ruleName }: { ruleName: string }) => ruleName), nextToken };
    };
    const first = await names("?maxResults=2");
    expect(first.names).toEqual(["a", "b"]);
    expect(await names(`?nextToken=${first.nextToken}`)).toEqual({ names: ["c"], nextToken: undefined });
    expect((await names("?ruleDisabled=true")).names).toEqual(["b"]);
    expect((await names("?topic=in%2Fx")).names).toEqual(["a", "b", "c"]);
    expect((await names("?topic=elsewhere")).names).toEqual([]);
  });

  it.each([
    ["bad SQL", "POST", "/rules/new", { sql: "SELECT FROM", actions: [] }, "SqlParseException", 400],
    ["a name with a dash", "POST", "/rules/a-b", republish("out"), "InvalidRequestException", 400],
    ["a name that is taken", "POST", "/rules/taken", republish("out"), "ResourceAlreadyExistsException", 409],
    [
      "an action of two kinds",
      "POST",
      "/rules/new",
      {
        sql: "SELECT * FROM 'a'",
        actions: [{ sns: { targetArn: "t", roleArn: "r" }, lambda: { functionArn: "f" } }],
      },
      "InvalidRequestException",
      400,
    ],
    [
      "an unknown SQL version",
      "POST",
      "/rules/new",
      republish("out", { awsIotSqlVersion: "2040-01-01" }),
      "InvalidRequestException",
      400,
    ],
    ["a replacement of nothing", "PATCH", "/rules/nothing", republish("out"), "UnauthorizedException", 401],
    ["an unknown rule", "GET", "/rules/nothing", undefined, "UnauthorizedException", 401],
  ])("refuse %s", async (_what, method, target, body, name, status) => {
    const { ok, refused } = startApi();
    await ok("POST", "/rules/taken", republish("out"));
    expect(await refused(method, target, body)).toMatchObject({ name, status });
  });

  it("keep running when their replacement is no good", async () => {
    const world = startApi();
    const client = connectClient(world, "c1");
    client.subscribe("out/#");
    await world.ok("POST", "/rules/r1", republish("out/1"));
    await world.refused("PATCH", "/rules/r1", { sql: "SELECT", actions: [] });
    client.publish("in/1", {});
    expect(client.take()).toHaveLength(1);
  });

  it("run again after a restart, unless they are disabled", async () => {
    const journal = new PaperJournal();
    const { ok } = startApi({ journal });
    await ok("POST", "/rules/on", republish("out/on"));
    await ok("POST", "/rules/off", republish("out/off", { ruleDisabled: true }));
    journal.commit();
    const cloud = new Cloud({ time: new VirtualTime() });
    journal.restoreInto(cloud.records);
    const client = connectClient({ cloud }, "c1");
    client.subscribe("out/#");
    client.publish("in/1", {});
    expect(client.take().map(({ topic }) => topic)).toEqual(["out/on"]);
    expect(cloud.ruleDirectory.list().map(({ ruleName }) => ruleName)).toEqual(["off", "on"]);
  });
});
