import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { Random } from "fleetrig/kernel";
import { beforeAll, describe, expect, it } from "vitest";
import { type CloudProcess, startCloud } from "../cli/cloud-process.js";
import { build } from "../cli/process.js";
import { dataFolder } from "./cloud-bench.js";

const LIVES = 5;
const WRITERS = 4;

/** Paths that answered 200 when they were written, with what has to be found there, and when. */
const promised = new Map<string, (body: Record<string, unknown>) => boolean>();

const keep = (path: string, holds: (body: Record<string, unknown>) => boolean): void =>
  void promised.set(path, holds);

/** Writes over HTTP until the server is gone. Only what was answered counts. */
async function write(base: string, name: string): Promise<void> {
  for (let i = 0; ; i += 1) {
    const thing = `${name}-${i}`;
    const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
      const answer = await fetch(base + path, { method: "POST", body: JSON.stringify(body) });
      const text = await answer.text();
      if (answer.status !== 200) throw new TypeError(`${path}: ${answer.status} ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    };
    try {
      const { thingId } = await post(`/things/${thing}`, { attributePayload: { attributes: { a: thing } } });
      keep(`/things/${thing}`, (body) => body["thingId"] === thingId);
      const policyDocument =
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}';
      await post(`/policies/${thing}`, { policyDocument });
      keep(`/policies/${thing}`, (body) => body["policyDocument"] === policyDocument);
      await post(`/things/${thing}/shadow`, { state: { reported: { name: thing } } });
      keep(`/things/${thing}/shadow`, (body) => JSON.stringify(body).includes(`"name":"${thing}"`));
      if (i % 4 !== 0) continue;
      const { certificateId, certificatePem } = await post("/keys-and-certificate?setAsActive=true", {});
      const der = Buffer.from(String(certificatePem).replace(/-----[^-]+-----|\s/g, ""), "base64");
      const isSame = createHash("sha256").update(der).digest("hex") === certificateId;
      keep(`/certificates/${String(certificateId)}`, () => isSame);
    } catch (error) {
      if (error instanceof TypeError && /: \d{3} /.test(error.message)) throw error;
      return;
    }
  }
}

/** Updates a shadow over MQTT until the server is gone; PUBACK counts. */
async function update(client: MqttClient, name: string, life: number): Promise<void> {
  for (let i = 0; ; i += 1) {
    const number = life * 1_000_000 + i;
    const payload = JSON.stringify({ state: { reported: { number } } });
    try {
      await client.publishAsync(`$aws/things/${name}/shadow/update`, payload, { qos: 1 });
    } catch {
      return;
    }
    keep(`/things/${name}/shadow`, (body) => {
      const { state } = body as { state: { reported: { number: number } } };
      return state.reported.number >= number;
    });
  }
}

async function live(cloud: CloudProcess, life: number, random: Random): Promise<void> {
  const { http, mqtt } = cloud.ready.endpoints;
  const client = await connectAsync(mqtt, { clientId: "shadows", reconnectPeriod: 0 });
  client.on("error", () => undefined);
  const work = Array.from({ length: WRITERS }, (_, i) => write(http, `life-${life}-writer-${i}`));
  const updates = update(client, "mqtt-thing", life);
  const enough = promised.size + 20 + random.below(40);
  for (let waited = 0; promised.size < enough && waited < 500; waited += 1) await sleep(10);
  cloud.child.kill("SIGKILL");
  await cloud.ended;
  await client.endAsync(true);
  await Promise.all([...work, Promise.race([updates, sleep(1_000)])]);
}

async function check(base: string): Promise<string[]> {
  const broken: string[] = [];
  for (const [path, holds] of promised) {
    const answer = await fetch(base + path);
    const text = await answer.text();
    if (answer.status !== 200 || !holds(JSON.parse(text) as Record<string, unknown>))
      broken.push(`${path}: ${answer.status} ${text.slice(0, 200)}`);
  }
  return broken;
}

beforeAll(build);

describe("a cloud that is killed in the middle of its work", () => {
  it("has everything that it answered 200 or PUBACK to, after each restart", async () => {
    const data = dataFolder();
    const random = Random.seeded("kill -9 of a cloud");
    for (let life = 0; life < LIVES; life += 1) {
      const cloud = await startCloud(["--data", data]);
      expect(await check(cloud.ready.endpoints.http), `life ${life}`).toEqual([]);
      await live(cloud, life, random);
    }
    const last = await startCloud(["--data", data]);
    expect(await check(last.ready.endpoints.http)).toEqual([]);
    expect(promised.size).toBeGreaterThan(80);
    last.child.kill("SIGTERM");
    expect((await last.ended).code).toBe(0);
  }, 180_000);
});
