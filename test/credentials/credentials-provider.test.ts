import { DescribeRoleAliasCommand, IoTClient, ListRoleAliasesCommand } from "@aws-sdk/client-iot";
import { describe, expect, it } from "vitest";
import { CloudBench, dataFolder, refusalOf } from "../cloud-server/cloud-bench.js";

const ROLE = "arn:aws:iam::123456789012:role/device";

const policyOf = (statement: object): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });

/** Asks the control plane as an operator. */
async function call(bench: CloudBench, method: string, path: string, body?: object) {
  const answer = await bench.ask(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return answer.status === 200 ? (JSON.parse(answer.text) as Record<string, unknown>) : refusalOf(answer);
}

/** A device that may assume `fleet-*`, and is attached to the thing `lamp`. */
async function device(
  bench: CloudBench,
  policy = policyOf({
    Action: "iot:AssumeRoleWithCertificate",
    Resource: "arn:aws:iot:*:*:rolealias/fleet-*",
  }),
) {
  const own = await bench.device();
  const { identity, registry, account } = bench.server.cloud;
  identity.policies.create("assume", policy);
  identity.attachPolicy("assume", own.id);
  registry.createThing({ thingName: "lamp" });
  registry.createThing({ thingName: "other" });
  registry.principals.attach({ thingName: "lamp", principal: account.arn("cert", own.id) });
  return own;
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: string;
}

describe("role aliases", () => {
  it("are created, described, listed, updated and deleted, and outlive the process", async () => {
    const dataDir = dataFolder();
    const first = await CloudBench.open({ dataDir, durability: "os" });
    const created = await call(first, "POST", "/role-aliases/fleet-a", { roleArn: ROLE });
    expect(created).toEqual({
      roleAlias: "fleet-a",
      roleAliasArn: "arn:aws:iot:us-east-1:000000000000:rolealias/fleet-a",
    });
    expect(await call(first, "POST", "/role-aliases/fleet-a", { roleArn: ROLE })).toMatch(
      /^409 ResourceAlready/,
    );
    expect(await call(first, "POST", "/role-aliases/b", { roleArn: "arn:aws:iam::1:user/x-y-z" })).toMatch(
      /^400/,
    );
    const short = { roleArn: ROLE, credentialDurationSeconds: 899 };
    expect(await call(first, "POST", "/role-aliases/b", short)).toMatch(/^400/);
    for (const name of ["b", "c"]) await call(first, "POST", `/role-aliases/${name}`, { roleArn: ROLE });
    await call(first, "PUT", "/role-aliases/fleet-a", { credentialDurationSeconds: 900 });
    expect(await call(first, "DELETE", "/role-aliases/c")).toEqual({});
    await first.server.stop();
    const second = await CloudBench.open({ dataDir, durability: "os" });
    const credentials = { accessKeyId: "any", secretAccessKey: "any" };
    const iot = new IoTClient({ endpoint: second.server.endpoints.http!, region: "us-east-1", credentials });
    const { roleAliasDescription } = await iot.send(new DescribeRoleAliasCommand({ roleAlias: "fleet-a" }));
    expect(roleAliasDescription).toMatchObject({
      roleArn: ROLE,
      owner: "000000000000",
      credentialDurationSeconds: 900,
      creationDate: expect.any(Date) as Date,
    });
    const page = await iot.send(new ListRoleAliasesCommand({ pageSize: 1, ascendingOrder: true }));
    expect(page.roleAliases).toEqual(["b"]);
    const rest = await iot.send(new ListRoleAliasesCommand({ marker: page.nextMarker }));
    expect(rest.roleAliases).toEqual(["fleet-a"]);
    await expect(iot.send(new DescribeRoleAliasCommand({ roleAlias: "c" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});

describe("the credentials provider (REF §1)", () => {
  it("gives devices credentials that sign requests until they expire", async () => {
    const bench = await CloudBench.open({
      credentials: [{ accessKeyId: "AKIDADMIN", secretAccessKey: "not for devices" }],
    });
    const { roleAliases, account } = bench.server.cloud;
    roleAliases.create(
      { roleAlias: "fleet-a", roleArn: ROLE, credentialDurationSeconds: 900 },
      account.arn("rolealias", "fleet-a"),
    );
    const identity = await device(bench);
    for (const door of ["https", "tls"] as const) {
      const answer = await bench.ask("/role-aliases/fleet-a/credentials", {
        door,
        identity,
        headers: { "x-amzn-iot-thingname": "lamp" },
      });
      expect(answer.status).toBe(200);
      const { credentials } = JSON.parse(answer.text) as { credentials: Credentials };
      expect(Object.keys(credentials)).toEqual([
        "accessKeyId",
        "secretAccessKey",
        "sessionToken",
        "expiration",
      ]);
      expect(credentials.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
      const leftMs = Date.parse(credentials.expiration) - Date.now();
      expect(leftMs).toBeGreaterThan(890_000);
      expect(leftMs).toBeLessThanOrEqual(900_000);
      const region = "us-east-1";
      const { accessKeyId, secretAccessKey, sessionToken } = credentials;
      const endpoint = bench.server.endpoints.http!;
      const whole = { accessKeyId, secretAccessKey, sessionToken };
      const iot = new IoTClient({ endpoint, region, credentials: whole });
      expect((await iot.send(new ListRoleAliasesCommand({}))).roleAliases).toEqual(["fleet-a"]);
      const bare = new IoTClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
      await expect(bare.send(new ListRoleAliasesCommand({}))).rejects.toMatchObject({
        name: "UnrecognizedClientException",
      });
    }
    const metrics = await bench.ask("/metrics", {
      headers: { authorization: `Bearer ${bench.server.token}` },
    });
    expect(metrics.text).toContain("aws_iot_credential_exchange_success_total 2");
  });

  it("gives none to whoever may not assume the role, is not the thing, or shows no certificate", async () => {
    const bench = await CloudBench.open();
    const { roleAliases } = bench.server.cloud;
    for (const roleAlias of ["fleet-a", "secret"]) roleAliases.create({ roleAlias, roleArn: ROLE }, "");
    const identity = await device(bench);
    const ask = async (path: string, thing?: string) =>
      refusalOf(
        await bench.ask(path, {
          door: "https",
          identity,
          ...(thing !== undefined && { headers: { "x-amzn-iot-thingname": thing } }),
        }),
      );
    expect(await ask("/role-aliases/secret/credentials")).toMatch(/^403 ForbiddenException The policies/);
    // What may not be assumed may as well not exist.
    expect(await ask("/role-aliases/nothing/credentials")).toMatch(/^403 ForbiddenException The policies/);
    expect(await ask("/role-aliases/fleet-none/credentials")).toMatch(/^404 ResourceNotFoundException/);
    expect(await ask("/role-aliases/fleet-a/credentials", "other")).toMatch(/^403 .* not attached/);
    expect(await ask("/role-aliases/fleet-a/credentials", "a b")).toMatch(/^400 /);
    expect(await ask("/role-aliases/%ff/credentials")).toMatch(/^400 /);
    const plain = await bench.ask("/role-aliases/fleet-a/credentials");
    expect(refusalOf(plain)).toMatch(/^403 .* show their certificate/);
    const post = await bench.ask("/role-aliases/fleet-a/credentials", {
      door: "https",
      identity,
      method: "POST",
    });
    expect(post.status).toBe(405);
  });

  it("lets policies use the thing that a device names", async () => {
    const bench = await CloudBench.open();
    bench.server.cloud.roleAliases.create({ roleAlias: "fleet-a", roleArn: ROLE }, "");
    const identity = await device(
      bench,
      policyOf({
        Action: "iot:AssumeRoleWithCertificate",
        Resource: "*",
        Condition: { StringEquals: { "credentials-iot:ThingName": "lamp" } },
      }),
    );
    const status = async (headers: Readonly<Record<string, string>>) =>
      (await bench.ask("/role-aliases/fleet-a/credentials", { door: "https", identity, headers })).status;
    expect(await status({ "x-amzn-iot-thingname": "lamp" })).toBe(200);
    expect(await status({})).toBe(403);
  });
});
