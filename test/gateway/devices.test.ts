import { createHash, createHmac } from "node:crypto";
import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import { CloudBench, refusalOf } from "../cloud-server/cloud-bench.js";
import { runProgram } from "../observe/programs.js";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}';

/** A device with a certificate and a policy. */
async function device(bench: CloudBench, policyDocument = ALL) {
  const own = await bench.device();
  const { identity } = bench.server.cloud;
  const policyName = `p${own.id.slice(0, 8)}`;
  identity.policies.create(policyName, policyDocument);
  identity.attachPolicy(policyName, own.id);
  return own;
}

const toldTopic = (client: mqtt.MqttClient): Promise<readonly [string, Buffer]> =>
  new Promise((resolve) => {
    client.once("message", (topic, payload) => resolve([topic, payload]));
  });

const closed = (client: mqtt.MqttClient): Promise<void> =>
  new Promise((resolve) => {
    client.once("close", resolve);
  });

/** What came of dialling: `open`, or what the client was told. */
async function attempt(url: string, options: mqtt.IClientOptions): Promise<string> {
  const client = mqtt.connect(url, { reconnectPeriod: 0, connectTimeout: 5_000, ...options });
  let told = "closed";
  client.on("error", ({ message }) => {
    told = message;
  });
  const outcome = await new Promise<string>((resolve) => {
    client.once("connect", () => resolve("open"));
    client.once("close", () => resolve(told));
  });
  await client.endAsync(true);
  return outcome;
}

const address = (bench: CloudBench, door: "mqtts" | "tls"): string => `mqtts://127.0.0.1:${bench.port(door)}`;

/** A client over TLS. */
const dial = (bench: CloudBench, door: "mqtts" | "tls", options: mqtt.IClientOptions) =>
  mqtt.connectAsync(address(bench, door), { ca: bench.ca, reconnectPeriod: 0, ...options });

describe("devices with certificates", () => {
  it("publish and subscribe over MQTT on both doors with TLS", async () => {
    const bench = await CloudBench.open();
    const { key, cert } = await device(bench);
    const one = await dial(bench, "mqtts", { key, cert, clientId: "one" });
    const two = await dial(bench, "tls", { key, cert, clientId: "two", ALPNProtocols: ["x-amzn-mqtt-ca"] });
    await one.subscribeAsync("dt/#", { qos: 1 });
    const heard = toldTopic(one);
    await two.publishAsync("dt/a", "hello", { qos: 1 });
    expect(String((await heard)[1])).toBe("hello");
    await Promise.all([one.endAsync(), two.endAsync()]);
  });

  it("get in with ACTIVE certificates only, and are out within a second once they are REVOKED", async () => {
    const bench = await CloudBench.open();
    const { key, cert, id } = await device(bench);
    const client = await dial(bench, "mqtts", { key, cert, clientId: "one" });
    const gone = closed(client);
    bench.server.cloud.identity.certificates.update(id, "REVOKED");
    await gone;
    const url = address(bench, "mqtts");
    const { ca } = bench;
    expect(await attempt(url, { ca, key, cert, clientId: "one" })).toBe("closed");
    const inactive = await bench.device("INACTIVE");
    expect(await attempt(url, { ca, key: inactive.key, cert: inactive.cert })).toBe("closed");
    expect(await attempt(url, { ca, clientId: "nobody" })).toBe("closed");
    expect(await attempt(url, { ca, protocolVersion: 5 })).toContain("Not authorized");
  });

  it("publish over HTTPS as their policies say (REF §1)", async () => {
    const bench = await CloudBench.open();
    const only = await device(
      bench,
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:*:*:topic/dt/*"}]}',
    );
    const listener = await mqtt.connectAsync(bench.server.endpoints.mqtt!, { reconnectPeriod: 0 });
    await listener.subscribeAsync("#", { qos: 1 });
    const heard = toldTopic(listener);
    for (const door of ["https", "tls"] as const) {
      const asking = { door, method: "POST", body: "x", identity: only } as const;
      expect((await bench.ask("/topics/dt%2Fa?qos=1", asking)).status).toBe(200);
      expect(refusalOf(await bench.ask("/topics/other?qos=1", asking))).toMatch(/^403 ForbiddenException/);
      expect(refusalOf(await bench.ask("/things", { door, identity: only }))).toMatch(
        /^403 ForbiddenException/,
      );
    }
    expect((await heard)[0]).toBe("dt/a");
    await listener.endAsync();
    const stranger = await bench.ask("/topics/dt%2Fa", { door: "https", method: "POST", body: "x" });
    expect(stranger.status).toBe(200);
    const denied = bench.events.filter((event) => event.type === "access.denied");
    expect(denied).toMatchObject([{ action: "iot:Publish" }, { action: "iot:Publish" }]);
  });

  it("that are not ACTIVE are told so over HTTPS", async () => {
    const bench = await CloudBench.open();
    const identity = await bench.device("INACTIVE");
    expect(refusalOf(await bench.ask("/topics/a", { door: "https", method: "POST", identity }))).toBe(
      "403 ForbiddenException The client certificate is not registered, or not ACTIVE.",
    );
  });

  it("speak through mosquitto_pub", async () => {
    const bench = await CloudBench.open();
    const own = await device(bench);
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-test-"));
    writeFileSync(join(folder, "cert.pem"), own.cert);
    writeFileSync(join(folder, "key.pem"), own.key);
    const to = (door: "mqtts" | "tls"): string[] =>
      ["-h", "localhost", "-p", String(bench.port(door)), "--cafile", bench.server.caPath].concat(message);
    const message = ["-i", "t", "-q", "1", "-t", "a", "-m", "b"];
    const files = ["--cert", join(folder, "cert.pem"), "--key", join(folder, "key.pem")];
    const good = await runProgram("mosquitto_pub", to("mqtts").concat(files));
    expect([good.code, good.stderr]).toEqual([0, ""]);
    const alpn = await runProgram("mosquitto_pub", to("tls").concat(files, "--tls-alpn", "x-amzn-mqtt-ca"));
    expect([alpn.code, alpn.stderr]).toEqual([0, ""]);
    const bad = await runProgram("mosquitto_pub", to("mqtts"));
    expect(bad.code).not.toBe(0);
    rmSync(folder, { recursive: true });
  });

  it("reach it by AWS's own names, with a certificate for them", async () => {
    const bench = await CloudBench.open();
    const { key, cert } = await device(bench);
    const servername = "a1b2c3-ats.iot.eu-west-1.amazonaws.com";
    const client = await dial(bench, "mqtts", {
      key,
      cert,
      clientId: "one",
      servername,
    });
    await client.endAsync();
    const other = { key, cert, ca: bench.ca, servername: "evil.example" } as mqtt.IClientOptions;
    expect(await attempt(address(bench, "mqtts"), other)).toMatch(/altnames/);
  });
});

const KEYS = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "a very secret key" };

/** A presigned address of MQTT over WebSocket, as device SDKs make it: the token comes after signing. */
function presigned(
  authority: string,
  { secret = KEYS.secretAccessKey, path = "/mqtt", token = "" } = {},
): string {
  const at = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = at.slice(0, 8);
  const scope = `${day}/eu-west-1/iotdevicegateway/aws4_request`;
  const query = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${KEYS.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${at}`,
    "X-Amz-Expires=300",
    "X-Amz-SignedHeaders=host",
  ].join("&");
  const sha = (text: string) => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const canonical = `GET\n${path}\n${query}\nhost:${authority}\n\nhost\n${sha("")}`;
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha(canonical)}`;
  const key = ["eu-west-1", "iotdevicegateway", "aws4_request"].reduce(hmac, hmac(`AWS4${secret}`, day));
  const signature = hmac(key, text).toString("hex");
  const rest = token === "" ? "" : `&X-Amz-Security-Token=${encodeURIComponent(token)}`;
  return `wss://${authority}${path}?${query}&X-Amz-Signature=${signature}${rest}`;
}

describe("MQTT over WebSocket", () => {
  it("takes signed requests, and no others, once keys are configured", async () => {
    const bench = await CloudBench.open({ credentials: [{ ...KEYS, sessionToken: "token/+=" }] });
    const authority = `127.0.0.1:${bench.port("tls")}`;
    const { ca } = bench;
    const client = await mqtt.connectAsync(presigned(authority, { token: "token/+=" }), { ca });
    await client.subscribeAsync("a/#");
    await client.endAsync();
    const refused = [
      presigned(authority, { secret: "a wrong secret", token: "token/+=" }),
      presigned(authority),
      `${presigned(authority, { token: "token/+=" })}&x=y`,
      `wss://${authority}/mqtt`,
    ];
    for (const url of refused) expect(await attempt(url, { ca }), url).not.toBe("open");
    expect(await attempt(`ws://127.0.0.1:${bench.port("http")}/mqtt`, {})).not.toBe("open");
  });

  it("is open to this machine while none are", async () => {
    const bench = await CloudBench.open();
    for (const url of [
      `wss://127.0.0.1:${bench.port("tls")}/mqtt`,
      `ws://127.0.0.1:${bench.port("http")}/mqtt`,
      presigned(`127.0.0.1:${bench.port("tls")}`),
    ])
      expect(await attempt(url, { ca: bench.ca })).toBe("open");
  });

  it("is closed to pages of other origins, and below other paths and names", async () => {
    const bench = await CloudBench.open();
    const host = `127.0.0.1:${bench.port("http")}`;
    const status = async (path: string, headers: Readonly<Record<string, string>>) => {
      const answer = await bench.ask(path, {
        headers: {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          "sec-websocket-protocol": "mqtt",
          ...headers,
        },
      });
      return [answer.status, answer.headers["x-amzn-errortype"]];
    };
    expect(await status("/mqtt", { origin: "http://evil.example" })).toEqual([403, "ForbiddenException"]);
    expect(await status("/other", {})).toEqual([404, "UnknownOperationException"]);
    expect(await status("/mqtt", { host: "evil.example" })).toEqual([421, "MisdirectedRequestException"]);
    expect(await status("/mqtt", { "sec-websocket-protocol": "amqp" })).toEqual([
      400,
      "InvalidRequestException",
    ]);
    expect(await attempt(`ws://${host}/mqtt`, { wsOptions: { origin: `http://${host}` } })).toBe("open");
  });
});
