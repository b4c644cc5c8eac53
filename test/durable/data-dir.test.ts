import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BrokerServer, createBroker } from "fleetrig/broker";
import type { RunEvent } from "fleetrig/kernel";
import mqtt from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../store/data-directory.js";

const CLI = join(process.cwd(), "dist/scenarios/cli/main.js");

async function open(dataDir: string, events: RunEvent[] = []): Promise<BrokerServer> {
  const server = await createBroker({
    dataDir,
    durability: "os",
    listen: ["mqtt://127.0.0.1:0"],
    events: { emit: (event) => events.push(event) },
  });
  onTestFinished(() => server.stop());
  return server;
}

const dial = (server: BrokerServer, clientId: string): Promise<mqtt.MqttClient> =>
  mqtt.connectAsync(server.endpoints[0]!.url, { clientId, clean: false, reconnectPeriod: 0 });

async function filled(dataDir: string): Promise<void> {
  const server = await open(dataDir);
  const subscriber = await dial(server, "sub");
  await subscriber.subscribeAsync("t/#", { qos: 2 });
  await subscriber.endAsync();
  const publisher = await dial(server, "pub");
  for (let i = 0; i < 5; i += 1) await publisher.publishAsync(`t/${i}`, `message ${i}`, { qos: 2 });
  await publisher.publishAsync("t/kept", "retained", { qos: 1, retain: true });
  await publisher.endAsync();
  await server.stop();
}

describe("createBroker with a data directory", () => {
  it("goes on where it ended, and says how much it found", async () => {
    const dataDir = temporaryDirectory();
    await filled(dataDir);
    const events: RunEvent[] = [];
    const server = await open(dataDir, events);
    expect(server.durability).toBe("os");
    expect(server.store).toMatchObject({ state: "ok", detail: "" });
    const opened = events.find((event) => event.type === "store.opened");
    expect(opened).toMatchObject({ durability: "os", sessions: 2, messages: 6, retained: 1 });
    const texts: string[] = [];
    const client = mqtt.connect(server.endpoints[0]!.url, { clientId: "sub", clean: false });
    client.on("message", (_topic, payload) => texts.push(payload.toString()));
    const sessionPresent = await new Promise((resolve) =>
      client.once("connect", (connack) => resolve(connack.sessionPresent)),
    );
    expect(sessionPresent).toBe(true);
    await expect.poll(() => texts.length).toBe(6);
    // The client hands over QoS 2 later than QoS 1.
    expect(texts.toSorted()).toEqual([...[0, 1, 2, 3, 4].map((i) => `message ${i}`), "retained"]);
    await client.endAsync();
  });

  it("serves what is intact of damaged records, names the others and keeps them", async () => {
    const dataDir = temporaryDirectory();
    await filled(dataDir);
    const store = join(dataDir, "store");
    const log = readdirSync(store).find((file) => file.endsWith(".log"))!;
    const bytes = readFileSync(join(store, log));
    bytes[bytes.indexOf("message 3")]! ^= 1;
    writeFileSync(join(store, log), bytes);
    const events: RunEvent[] = [];
    const server = await open(dataDir, events);
    expect(server.store?.state).toBe("damaged");
    expect(server.damage.length).toBeGreaterThan(0);
    expect(events.filter(({ type }) => type === "store.damaged")).toHaveLength(server.damage.length);
    expect(readFileSync(join(dataDir, "DAMAGE.log"), "utf8")).toContain(server.damage[0]!.where);
    expect(readdirSync(dataDir)).toContain("store.damaged-1");
    await server.stop();
    expect((await open(dataDir)).damage).toEqual([]);
  });

  it("is refused to a second process, which is told who has it", async () => {
    const dataDir = temporaryDirectory();
    const server = await open(dataDir);
    const child = spawn(process.execPath, [
      CLI,
      "broker",
      "--data",
      dataDir,
      "--listen",
      "mqtt://127.0.0.1:0",
    ]);
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const [code] = await once(child, "exit");
    expect(code).toBe(3);
    expect(stderr).toContain(`in use by process ${process.pid}`);
    await server.stop();
  });

  it("says what is wrong with a directory", async () => {
    await expect(
      createBroker({ dataDir: join(process.cwd(), "package.json", "data") }),
    ).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
  });
});
