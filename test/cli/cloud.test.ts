import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runProgram } from "../observe/programs.js";
import { type CloudProcess, startCloud } from "./cloud-process.js";
import { command } from "./command.js";
import { build, start } from "./process.js";

const running: CloudProcess[] = [];

async function cloud(args: readonly string[] = [], env = {}): Promise<CloudProcess> {
  const one = await startCloud(args, env);
  running.push(one);
  return one;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "fleetrig-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const KEYS = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "a secret of the test" };

/** The AWS CLI against a cloud. */
async function aws(one: CloudProcess, line: string, env: Readonly<Record<string, string>> = KEYS) {
  const settings = { ...env, AWS_DEFAULT_REGION: "eu-central-1", AWS_EC2_METADATA_DISABLED: "true" };
  const args = ["--endpoint-url", one.ready.endpoints.http, ...line.split(" ")];
  const names = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return runProgram("env", [...names, "aws", ...args]);
}

beforeAll(build);

afterEach(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await Promise.all(running.splice(0).map(({ ended }) => ended));
});

describe("fleetrig cloud", () => {
  it("says where everything is, serves the AWS CLI and a device, and ends with 0", async () => {
    const one = await cloud(["--account", "123456789012", "--region", "eu-west-1"]);
    const { ready } = one;
    expect(ready).toMatchObject({
      profile: "aws",
      account: "123456789012",
      region: "eu-west-1",
      durability: "memory",
    });
    expect(ready.signatures).toBe("not checked");
    expect(readFileSync(ready.ca, "utf8")).toContain("BEGIN CERTIFICATE");
    const made = await aws(one, "iot create-thing --thing-name lamp");
    expect(made.stderr).toBe("");
    expect(JSON.parse(made.stdout)).toMatchObject({
      thingArn: "arn:aws:iot:eu-central-1:123456789012:thing/lamp",
    });
    const files = folder();
    const [cert, key] = [join(files, "lamp.pem"), join(files, "lamp.key")];
    const issued = await aws(
      one,
      `iot create-keys-and-certificate --set-as-active --certificate-pem-outfile ${cert} --private-key-outfile ${key} --query certificateArn --output text`,
    );
    const document = join(files, "policy.json");
    writeFileSync(
      document,
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}',
    );
    await aws(one, `iot create-policy --policy-name all --policy-document file://${document}`);
    await aws(one, `iot attach-policy --policy-name all --target ${issued.stdout.trim()}`);
    const where = await aws(
      one,
      "iot describe-endpoint --endpoint-type iot:Data-ATS --query endpointAddress --output text",
    );
    const port = new URL(ready.endpoints.mqtts.replace("mqtts:", "https:")).port;
    const device = `-h ${where.stdout.trim()} -p ${port} --cafile ${ready.ca} --cert ${cert} --key ${key}`;
    const sent = await runProgram("mosquitto_pub", `${device} -i lamp -q 1 -t dt/lamp -m on`.split(" "));
    expect([sent.code, sent.stderr]).toEqual([0, ""]);
    one.child.kill("SIGTERM");
    const { code, stderr } = await one.ended;
    expect(code).toBe(0);
    expect(existsSync(ready.ca)).toBe(false);
    const events = stderr
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toContain("client.connected");
    expect(events.at(-1)).toBe("cloud.stopped");
    expect(stderr).not.toContain("PRIVATE KEY");
  });

  it("wants signatures when it is given keys, and takes those of the AWS CLI", async () => {
    const path = join(folder(), "credentials");
    writeFileSync(
      path,
      `# comment\n[default]\naws_access_key_id = ${KEYS.AWS_ACCESS_KEY_ID}\naws_secret_access_key=${KEYS.AWS_SECRET_ACCESS_KEY.replaceAll(" ", "_")}\n[sso]\nsso_session = x\n`,
    );
    const one = await cloud(["--credentials", path]);
    expect(one.ready.signatures).toBe("required");
    const right = { ...KEYS, AWS_SECRET_ACCESS_KEY: KEYS.AWS_SECRET_ACCESS_KEY.replaceAll(" ", "_") };
    expect((await aws(one, "iot create-thing --thing-name a", right)).stderr).toBe("");
    const wrong = await aws(one, "iot create-thing --thing-name b", {
      ...right,
      AWS_SECRET_ACCESS_KEY: "another",
    });
    expect(wrong.stderr).toContain("InvalidSignatureException");
    const unknown = await aws(one, "iot create-thing --thing-name b", {
      ...right,
      AWS_ACCESS_KEY_ID: "AKIDOTHER",
    });
    expect(unknown.stderr).toContain("UnrecognizedClientException");
    const unsigned = await fetch(`${one.ready.endpoints.http}/things`);
    expect(unsigned.status).toBe(403);
    expect(await (await fetch(`${one.ready.endpoints.http}/health`)).json()).toEqual({ status: "ok" });
    expect((await fetch(`${one.ready.endpoints.http}/metrics`)).status).toBe(403);
    const headers = { authorization: `Bearer ${one.ready.token}` };
    const metrics = await (await fetch(`${one.ready.endpoints.http}/metrics`, { headers })).text();
    expect(metrics).toContain("\naws_iot_connect_success_total 0\n");
    expect(metrics).toContain("\nfleetrig_broker_connections 0\n");
    one.child.kill("SIGTERM");
    const { stderr } = await one.ended;
    expect(stderr).not.toContain(right.AWS_SECRET_ACCESS_KEY);
  });

  it("explains denials", async () => {
    const one = await cloud(["--explain"]);
    const port = new URL(one.ready.endpoints.mqtts.replace("mqtts:", "https:")).port;
    const device = `-h localhost -p ${port} --cafile ${one.ready.ca} -i lamp`;
    const sent = await runProgram("mosquitto_pub", `${device} -t dt/lamp -m on`.split(" "));
    expect(sent.code).not.toBe(0);
    await one.says("denied iot:Connect on arn:aws:iot:us-east-1:000000000000:client/lamp");
    await one.says("The client shows no credentials.");
  });

  it("goes on where it ended with --data, and says that keys come from the environment", async () => {
    const data = folder();
    const env = { ...KEYS, FLEETRIG_HTTP_TOKEN: "a token of the test" };
    const args = ["--data", data, "--durability", "os", "--credentials", "env"];
    const first = await cloud(args, env);
    expect(first.ready).toMatchObject({
      durability: "os",
      dataDir: data,
      signatures: "required",
      token: null,
    });
    const ca = readFileSync(first.ready.ca, "utf8");
    await aws(first, "iot create-thing --thing-name lamp");
    first.child.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);
    const second = await cloud(args, env);
    expect(readFileSync(second.ready.ca, "utf8")).toBe(ca);
    const found = await aws(second, "iot describe-thing --thing-name lamp --query version");
    expect(found.stdout.trim()).toBe("1");
  });

  it.each([
    ["--account 12", 2, "twelve digits"],
    ["--region moon", 2, "eu-central-1"],
    ["--mqtt-port 70000", 2, "port"],
    ["--credentials nowhere", 2, "CLI_FILE_UNREADABLE"],
    ["--credentials env", 2, "CLOUD_CREDENTIALS_UNREADABLE"],
    ["--durability disk", 2, "BROKER_DATA_MISSING"],
    ["--limit nothing=1", 2, "BROKER_LIMIT_UNKNOWN"],
    ["--hook authorize", 2, "HOOK_TARGET_INVALID"],
    ["--hook authorize=http://192.0.2.1/", 2, "HOOK_TARGET_INVALID"],
    ["--hook authorize=./nowhere.ts", 2, "HOOK_MODULE_FAILED"],
  ])("refuses %s", async (line, code, text) => {
    const outcome = await command(`cloud ${line}`);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(text);
  });

  it("ends with 3 when a port is taken, and leaves nothing behind", async () => {
    const one = await cloud();
    const taken = new URL(one.ready.endpoints.http).port;
    const doors = ["mqtt", "mqtts", "tls", "https"].flatMap((door) => [`--${door}-port`, "0"]);
    const { code, stderr } = await start(["cloud", ...doors, "--http-port", taken]).ended;
    expect(code).toBe(3);
    expect(stderr).toContain("LISTENER_UNAVAILABLE");
  });

  it("has a help that fits a terminal", async () => {
    const { stdout } = await command("cloud --help");
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });
});
