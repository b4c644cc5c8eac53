import { createCloud } from "fleetrig/broker";
import { connectAsync } from "mqtt";
import { beforeAll, describe, expect, it } from "vitest";
import { command } from "./command.js";
import { build, type RunningCommand, start } from "./process.js";

const LISTENING = /listening on mqtt:\/\/127\.0\.0\.1:(\d+), passing on to (\S+)\n/;

interface RunningProxy extends RunningCommand {
  readonly port: number;
}

/** The command as a process of its own, once its port is open. */
async function startProxy(...args: string[]): Promise<RunningProxy> {
  const running = start(["proxy", "--listen", "mqtt://127.0.0.1:0", ...args]);
  let stderr = "";
  running.child.stderr?.on("data", (text: string) => (stderr += text));
  await running.says("listening on");
  return { ...running, port: Number(LISTENING.exec(stderr)?.[1]) };
}

describe("fleetrig proxy", () => {
  it.each([
    ["--listen mqtt://127.0.0.1:0", "--to"],
    ["--listen mqtt://0.0.0.0:0 --to mqtt://127.0.0.1:1", "PROXY_BEYOND_LOOPBACK"],
    ["--listen mqtt://[::]:0 --to mqtt://127.0.0.1:1", "PROXY_BEYOND_LOOPBACK"],
    ["--listen mqtt://127.0.0.1:0 --to mqtts://127.0.0.1:1", "PROXY_ADDRESS"],
    ["--listen unix:/tmp/x.sock --to mqtt://127.0.0.1:1 --raw", "PROXY_ADDRESS"],
    ["--listen here --to mqtt://127.0.0.1:1", "LISTENER_URL_INVALID"],
    ["--listen mqtt://127.0.0.1:0 --to mqtt://127.0.0.1:1 --fault slow", "PROXY_FAULT_UNKNOWN"],
    ["--listen mqtt://127.0.0.1:0 --to mqtt://127.0.0.1:1 --fault latency=1", "LINK_FAULT_PARAMETER"],
    ["--listen mqtt://127.0.0.1:0 --to mqtt://127.0.0.1:1 --fault reset=1", "PROXY_FAULT_TEXT"],
    ["--listen mqtt://127.0.0.1:0 --to mqtt://127.0.0.1:1 --raw --fault no-connack", "PROXY_NEEDS_PACKETS"],
    ["--listen mqtt://127.0.0.1:0 --to mqtt://127.0.0.1:1 --seed x", "whole number"],
  ])("refuses %s with %s", async (line, complaint) => {
    const { code, stderr } = await command(`proxy ${line}`);
    expect(stderr).toContain(complaint);
    expect(code).toBe(2);
  });

  it("lists every fault with its parameters in its help", async () => {
    const { code, stdout } = await command("proxy --help");
    expect(code).toBe(0);
    for (const fault of ["latency", "bandwidth", "blackhole", "drop-publish", "stall", "slice", "limit"])
      expect(stdout).toMatch(new RegExp(`^ {2}${fault} `, "m"));
    expect(stdout).toContain("=by (duration), jitter (duration), direction\n");
    expect(stdout.split("\n").filter((text) => text.length > 80)).toEqual([]);
  });
});

describe("fleetrig proxy as a process (realtime)", () => {
  beforeAll(build);

  it.each(["SIGINT", "SIGTERM"] as const)(
    "stops within two seconds of %s and shows what it did",
    async (signal) => {
      const cloud = await createCloud({ listen: [{ port: 0 }] });
      const to = `mqtt://127.0.0.1:${cloud.endpoints[0]!.port}`;
      const proxy = await startProxy(
        "--to",
        to,
        "--fault",
        "latency=20ms",
        "--fault",
        "drop-publish=0,client=dev-1",
      );
      const client = await connectAsync(`mqtt://127.0.0.1:${proxy.port}`, {
        clientId: "dev-1",
        reconnectPeriod: 0,
      });
      await client.publishAsync("t", "dropped", { qos: 0 });
      await client.publishAsync("t", "kept", { qos: 1 });
      const before = performance.now();
      proxy.child.kill(signal);
      const { code, stdout, stderr } = await proxy.ended;
      expect(performance.now() - before).toBeLessThan(20_000);
      expect(code).toBe(0);
      expect(stdout).toContain("connections  1 accepted, 1 open\n");
      expect(stdout).toMatch(/^up +3 packets, 1 dropped; /m);
      expect(stdout).toContain("faults       link.latency 1x, link.drop-publish 1x\n");
      expect(stderr).toContain("link.drop-publish begins for dev-1\n");
      await client.endAsync(true);
      await cloud.stop();
    },
  );

  it("says once why the target fails, and counts each time", async () => {
    const proxy = await startProxy("--to", "mqtt://127.0.0.1:1", "--json");
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const refused = connectAsync(`mqtt://127.0.0.1:${proxy.port}`, {
        reconnectPeriod: 0,
        connectTimeout: 5_000,
      });
      await expect(refused).rejects.toThrow();
    }
    proxy.child.kill("SIGINT");
    const { stdout, stderr } = await proxy.ended;
    expect(JSON.parse(stdout)).toMatchObject({
      connections: { accepted: 3, open: 0, targetFailed: 3 },
      faults: {},
    });
    expect(stderr.match(/the target cannot be reached: ECONNREFUSED/g)).toHaveLength(1);
  });

  it("ends with 3 when its port is taken", async () => {
    const first = await startProxy("--to", "mqtt://127.0.0.1:1");
    const second = start([
      "proxy",
      "--listen",
      `mqtt://127.0.0.1:${first.port}`,
      "--to",
      "mqtt://127.0.0.1:1",
    ]);
    const { code, stderr } = await second.ended;
    expect(stderr).toContain("LISTENER_UNAVAILABLE");
    expect(code).toBe(3);
    first.child.kill("SIGINT");
    await first.ended;
  });
});
