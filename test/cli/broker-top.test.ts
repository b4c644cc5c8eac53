import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type BrokerServer, createBroker } from "fleetrig/broker";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parsePrometheusText } from "../../scenarios/cli/broker/prometheus-text.js";
import { type BrokerSnapshot } from "../../scenarios/cli/broker/broker-watch.js";
import { topFigures } from "../../scenarios/cli/broker/top-figures.js";
import { renderTop } from "../../scenarios/cli/broker/top-view.js";
import { readMetrics } from "../observe/prometheus-oracle.js";
import { main } from "../../scenarios/cli/program.js";
import { memoryHost } from "../scenarios/cli/memory-host.js";
import { command } from "./command.js";

const EVIL = "evil\u001b[2J\u202e";

let broker: BrokerServer;
let client: MqttClient;
let url: string;
let token: string;
let traffic: ReturnType<typeof setInterval>;

beforeAll(async () => {
  broker = await createBroker({ listen: ["mqtt://127.0.0.1:0"], http: { port: 0 } });
  ({ url, token } = broker.http!);
  client = await connectAsync(broker.endpoints[0]!.url, { clientId: EVIL, protocolVersion: 5 });
  await client.subscribeAsync("t", { qos: 1 });
  for (let n = 0; n < 20; n += 1) await client.publishAsync("t", "x", { qos: 1 });
  const publish = (): void => void client.publish("t", "x", { qos: 1 });
  traffic = setInterval(publish, 10);
});

afterAll(async () => {
  clearInterval(traffic);
  await client.endAsync();
  await broker.stop();
});

const top = (args: string, env: Readonly<Record<string, string>> = {}, columns = 80) =>
  command(`broker top --interval 100ms ${args}`, {}, { env, columns });

describe("fleetrig broker top", () => {
  it("shows one view without a terminal, with client ids that cannot do harm", async () => {
    const { code, stdout, stderr } = await top(`--url ${url} --token ${token} --once`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^fleetrig broker \d.* ok /);
    expect(stdout).toMatch(/^clients +1 connected/m);
    expect(stdout).toMatch(/^busiest clients .*\nevil\\u001b\[2J\\u202e /m);
    for (const harm of ["\u001b", "\u202e"]) expect(stdout).not.toContain(harm);
  });

  it.each([40, 80, 200])("is no wider than %i columns", async (columns) => {
    const { stdout } = await top(`--url ${url} --token ${token} --once`, {}, columns);
    const lines = stdout.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(lines.length).toBeGreaterThan(10);
  });

  it("draws over itself on a terminal until it is interrupted", async () => {
    const memory = memoryHost(
      {},
      {
        argv: ["broker", "top", "--interval", "100ms", "--url", url, "--token", token],
        isTTY: true,
        columns: 80,
      },
    );
    const ended = main(memory.host);
    const views = () => memory.written.stdout.split("\u001b[H").length - 1;
    await expect.poll(views, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    memory.interrupt("SIGINT");
    expect(await ended).toBe(0);
    expect(memory.written.stdout.startsWith("\u001b[2J\u001b[H\u001b[1mfleetrig broker")).toBe(true);
    expect(memory.written.stdout.endsWith("\u001b[J")).toBe(true);
  });

  it("tells the same as JSON, with a token from the environment", async () => {
    const { stdout } = await top(`--url ${url} --once --json`, { FLEETRIG_HTTP_TOKEN: token });
    const figures = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
    expect(figures["gauges"]).toMatchObject({ connections: 1, subscriptions: 1 });
    const rates = figures["rates"] as Record<string, { total: number; perSecond: number }>;
    for (const name of ["messagesIn", "messagesOut", "bytesIn", "bytesOut"]) {
      expect(rates[name]!.total).toBeGreaterThanOrEqual(20);
      expect(rates[name]!.perSecond).toBeGreaterThan(0);
    }
    expect(figures["busy"]).toMatchObject([{ clientId: EVIL, isConnected: true }]);
    expect(JSON.stringify(figures)).not.toContain(token);
  });

  it.each([
    ["--url http://127.0.0.1:1 --once", 3, "BROKER_TOP_UNREACHABLE"],
    ["--url URL --once", 2, "BROKER_TOP_TOKEN"],
    ["--url URL --token wrong --once", 2, "BROKER_TOP_TOKEN"],
    ["--url ftp://127.0.0.1 --once", 2, "It must be like http://127.0.0.1:9090."],
    ["--interval 1ms", 2, "It must be a duration from 100ms to 1h."],
  ])("ends %s with %i", async (line, expected, text) => {
    const { code, stderr } = await command(`broker top ${line.replace("URL", url)}`);
    expect(code).toBe(expected);
    expect(stderr).toContain(text);
    expect(stderr).not.toContain("    at ");
  });

  it("says so when something else answers", async () => {
    const other = createServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await top(`--url http://127.0.0.1:${port} --once`);
    expect(code).toBe(3);
    expect(stderr).toContain("BROKER_TOP_ANSWER");
    await new Promise((resolve) => other.close(resolve));
  });
});

describe("parsePrometheusText", () => {
  it("reads what a strict reader reads", async () => {
    const text = await broker.metrics();
    const samples = parsePrometheusText(text);
    const families = readMetrics(text);
    expect(samples).toHaveLength([...families.values()].reduce((sum, { samples }) => sum + samples.size, 0));
    for (const { name, labels, value } of samples) {
      const entries = Object.entries(labels).map(([key, text]) => `${key}="${text}"`);
      expect(families.get(name)?.samples.get(entries.length === 0 ? "" : `{${entries.join(",")}}`)).toBe(
        value,
      );
    }
  });

  it("understands escapes and passes over what is no sample", () => {
    const text = 'a{x="q\\"\\\\\\n,}",y=""} +Inf\n\n# TYPE a gauge\nnonsense\n{x="1"} 2\nb 1e3 17\n';
    expect(parsePrometheusText(text)).toEqual([
      { name: "a", labels: { x: 'q"\\\n,}', y: "" }, value: Number.POSITIVE_INFINITY },
      { name: "b", labels: {}, value: 1_000 },
    ]);
  });
});

describe("the view", () => {
  const snapshot = (atUs: number, text: string): BrokerSnapshot => ({
    atUs,
    health: {
      status: "degraded",
      problems: ["Memory is high\u001b."],
      version: "1",
      profile: "oasis",
      durability: "disk",
      memory: "high",
      listeners: [],
      store: null,
    },
    samples: parsePrometheusText(text),
    clients: [],
    slow: [],
  });

  it("has rates of what lies between two looks, and problems first", () => {
    const before = snapshot(
      0,
      'fleetrig_broker_messages_dropped_total{reason="expired"} 10\nfleetrig_broker_connects_total 5',
    );
    const now = snapshot(
      2e6,
      'fleetrig_broker_messages_dropped_total{reason="expired"} 2510\nfleetrig_broker_connects_total 5',
    );
    const figures = topFigures(now, before);
    expect(figures.dropped).toEqual({ expired: { total: 2_510, perSecond: 1_250 } });
    expect(figures.rates.connects).toEqual({ total: 5, perSecond: 0 });
    const lines = renderTop(figures, { url: "http://x", width: 100, bold: (text) => text });
    expect(lines[1]).toBe("  ! Memory is high\\u001b.");
    expect(lines.find((line) => line.startsWith("dropped"))).toBe("dropped      expired 1,250/s (2,510)");
  });

  it("does not count backwards when the broker was restarted in between", () => {
    const figures = topFigures(
      snapshot(1e6, "fleetrig_broker_connects_total 1"),
      snapshot(0, "fleetrig_broker_connects_total 900"),
    );
    expect(figures.rates.connects.perSecond).toBe(0);
  });
});
