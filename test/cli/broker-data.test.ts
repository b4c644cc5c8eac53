import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { valueOf } from "../observe/prometheus-oracle.js";
import { runProgram } from "../observe/programs.js";
import { type BrokerProcess, startBroker } from "./broker-process.js";
import { build, start } from "./process.js";

let folder: string;
let broker: BrokerProcess | undefined;

beforeAll(build);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleetrig-data-"));
});

afterEach(async () => {
  broker?.child.kill("SIGKILL");
  await broker?.ended;
  rmSync(folder, { recursive: true, force: true });
});

const durable = async (...args: string[]): Promise<BrokerProcess> => {
  broker = await startBroker(["--data", join(folder, "broker"), "--http", "0", ...args]);
  return broker;
};

const read = async ({ ready }: BrokerProcess, path: string): Promise<string> =>
  (await fetch(`${ready.http!.url}${path}`)).text();

describe("fleetrig broker --data", () => {
  it.each(["SIGTERM", "SIGKILL"] as const)("has everything back after %s", async (signal) => {
    const first = await durable();
    expect(first.ready).toMatchObject({ durability: "disk", dataDir: join(folder, "broker") });
    const subscribe = ["-i", "keeper", "-c", "-q", "1", "-t", "dt/#"];
    await runProgram("mosquitto_sub", ["-p", first.port, ...subscribe, "-E"]);
    for (const message of ["one", "two"])
      await runProgram("mosquitto_pub", ["-p", first.port, "-q", "1", "-t", "dt/a", "-m", message]);
    await runProgram("mosquitto_pub", ["-p", first.port, "-q", "1", "-t", "state", "-m", "kept", "-r"]);
    const metrics = await read(first, "/metrics");
    expect(valueOf(metrics, "fleetrig_broker_store_up")).toBe(1);
    expect(valueOf(metrics, "fleetrig_broker_store_commits_total")).toBeGreaterThan(0);
    expect(valueOf(metrics, "fleetrig_broker_store_commit_seconds_total")).toBeGreaterThan(0);
    first.child.kill(signal);
    await first.ended;
    const second = await durable();
    expect(JSON.parse(await read(second, "/health"))).toMatchObject({
      status: "ok",
      durability: "disk",
      store: { state: "ok" },
    });
    const queued = await runProgram("mosquitto_sub", ["-p", second.port, ...subscribe, "-C", "2"]);
    expect(queued.stdout).toBe("one\ntwo\n");
    const retained = await runProgram("mosquitto_sub", ["-p", second.port, "-t", "state", "-C", "1"]);
    expect(retained.stdout).toBe("kept\n");
    await second.says('"event":"store.opened"');
  });

  it("keeps its word about durability, and its $SYS topics out of the store", async () => {
    const one = await durable("--durability", "os", "--sys-interval", "1");
    expect(one.ready.durability).toBe("os");
    const topics = ["-t", "$SYS/broker/durability", "-t", "$SYS/broker/uptime"];
    const { stdout } = await runProgram("mosquitto_sub", ["-p", one.port, ...topics, "-C", "3"]);
    expect(stdout).toMatch(/^os$/m);
    const commits = async () => valueOf(await read(one, "/metrics"), "fleetrig_broker_store_commits_total");
    const before = await commits();
    await runProgram("mosquitto_sub", ["-p", one.port, "-t", "$SYS/broker/uptime", "-C", "3"]);
    expect(await commits()).toBe(before);
  });

  it("keeps every file to its user, also those that come later", async () => {
    const { port } = await durable();
    const store = join(folder, "broker", "store");
    const before = readdirSync(store);
    // More than a log takes: it becomes a table, and another log begins.
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
    for (let i = 0; i < 20; i += 1)
      await client.publishAsync(`large/${i}`, Buffer.alloc(900_000, i), { qos: 1, retain: true });
    await client.endAsync();
    const later = readdirSync(store).filter((file) => !before.includes(file));
    expect(later.length).toBeGreaterThan(0);
    expect(later.map((file) => statSync(join(store, file)).mode & 0o777)).toEqual(later.map(() => 0o600));
  });

  it("names the process that holds the folder", async () => {
    const { ready } = await durable();
    const other = start(["broker", "--listen", "mqtt://127.0.0.1:0", "--data", join(folder, "broker")]);
    const { code, stderr, stdout } = await other.ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("STORE_LOCKED");
    expect(stderr).toContain(String(ready.pid));
  });
});
