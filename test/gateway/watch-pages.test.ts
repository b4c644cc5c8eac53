import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import { CloudBench, refusalOf } from "../cloud-server/cloud-bench.js";
import { valueOf } from "../observe/prometheus-oracle.js";

const metricsOf = async (bench: CloudBench): Promise<string> => (await bench.ask("/metrics")).text;

/** A client over TLS that shows nothing. */
async function stranger(bench: CloudBench): Promise<void> {
  const client = mqtt.connect(`mqtts://127.0.0.1:${bench.port("mqtts")}`, {
    ca: bench.ca,
    reconnectPeriod: 0,
  });
  client.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    client.once("close", resolve);
  });
  await client.endAsync(true);
}

describe("metrics with CloudWatch's names (REF §16)", () => {
  it("count what devices and services do", async () => {
    const bench = await CloudBench.open();
    const before = await metricsOf(bench);
    for (const name of ["connect_success", "publish_in_success", "update_thing_shadow_accepted"])
      expect(valueOf(before, `aws_iot_${name}_total`), name).toBe(0);
    await bench.ask("/rules/r1", {
      method: "POST",
      body: JSON.stringify({
        sql: "SELECT * FROM 'dt/#'",
        actions: [{ republish: { roleArn: "arn:aws:iam::000000000000:role/r", topic: "copy" } }],
      }),
    });
    const client = await mqtt.connectAsync(bench.server.endpoints.mqtt!, { reconnectPeriod: 0 });
    await client.subscribeAsync("copy", { qos: 1 });
    await client.publishAsync("dt/a", "{}", { qos: 1 });
    await client.publishAsync("$aws/things/t/shadow/update", '{"state":{"reported":{"a":1}}}', { qos: 1 });
    await bench.ask("/things/t/shadow", { method: "POST", body: '{"state":{"reported":{"a":2}}}' });
    await bench.ask("/things/t/shadow", { method: "DELETE" });
    await client.endAsync();
    await stranger(bench);
    const after = await metricsOf(bench);
    const count = (name: string, labels?: string) => valueOf(after, `aws_iot_${name}_total`, labels);
    expect(count("connect_success")).toBe(1);
    expect(count("connection_authn_error")).toBe(1);
    expect(count("publish_in_success")).toBe(2);
    expect(count("publish_out_success")).toBeGreaterThanOrEqual(1);
    expect(count("topic_match", '{rule_name="r1"}')).toBe(1);
    expect(count("update_thing_shadow_accepted")).toBe(2);
    expect(count("delete_thing_shadow_accepted")).toBe(1);
    expect(valueOf(after, "fleetrig_broker_connects_total")).toBe(1);
  });
});

describe("pages for watching", () => {
  it("are open to whoever may do everything, else to the token", async () => {
    const credentials = [{ accessKeyId: "AKIDADMIN", secretAccessKey: "a secret key" }];
    const bench = await CloudBench.open({ credentials, token: "0123456789abcdef" });
    const headers = { authorization: "Bearer 0123456789abcdef" };
    for (const path of ["/metrics", "/clients", "/slow-subscribers"]) {
      expect(refusalOf(await bench.ask(path))).toMatch(/^403 ForbiddenException/);
      expect((await bench.ask(path, { headers })).status).toBe(200);
      expect((await bench.ask(path, { headers: { authorization: "Bearer wrong-wrong-wrong" } })).status).toBe(
        403,
      );
    }
    expect(JSON.parse((await bench.ask("/health")).text)).toEqual({ status: "ok" });
    const { text } = await bench.ask("/health", { headers });
    expect(JSON.parse(text)).toMatchObject({
      status: "ok",
      profile: "aws",
      durability: "memory",
      problems: [],
    });
    expect((await bench.ask("/metrics", { method: "POST", headers })).status).toBe(405);
  });
});
