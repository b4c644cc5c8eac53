import { connect } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { valueOf } from "../observe/prometheus-oracle.js";
import { runProgram } from "../observe/programs.js";
import { type BrokerProcess, startBroker } from "./broker-process.js";
import { command } from "./command.js";
import { build, start } from "./process.js";

const running: BrokerProcess[] = [];

async function broker(args: readonly string[] = [], env = {}): Promise<BrokerProcess> {
  const one = await startBroker(args, env);
  running.push(one);
  return one;
}

beforeAll(build);

afterEach(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await Promise.all(running.splice(0).map(({ ended }) => ended));
});

const logLines = (stderr: string) =>
  stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("fleetrig broker", () => {
  it("serves mosquitto's clients, and counts and logs what they do", async () => {
    const { ready, port, child, ended } = await broker(["--http", "0"]);
    expect(ready).toMatchObject({ profile: "oasis", durability: "memory", dataDir: null, pid: child.pid });
    const subscriber = runProgram("mosquitto_sub", ["-p", port, "-t", "dt/#", "-q", "1", "-C", "3", "-v"]);
    const url = ready.http!.url;
    const metric = async (name: string, labels?: string) =>
      valueOf(await (await fetch(`${url}/metrics`)).text(), `fleetrig_broker_${name}`, labels);
    await expect.poll(() => metric("subscriptions"), { timeout: 5_000 }).toBe(1);
    for (const message of ["one", "two", "three"]) {
      const { code } = await runProgram("mosquitto_pub", [
        "-p",
        port,
        "-t",
        "dt/a",
        "-m",
        message,
        "-q",
        "1",
      ]);
      expect(code).toBe(0);
    }
    expect((await subscriber).stdout).toBe("dt/a one\ndt/a two\ndt/a three\n");
    await expect.poll(() => metric("connections")).toBe(0);
    expect(await metric("messages_received_total")).toBe(3);
    expect(await metric("messages_delivered_total")).toBe(3);
    expect(await metric("connects_total")).toBe(4);
    expect(await metric("packets_received_total", '{type="publish"}')).toBe(3);
    expect(await metric("received_bytes_total")).toBeGreaterThan(3 * 10);
    expect(await metric("sent_bytes_total")).toBeGreaterThan(3 * 10);
    child.kill("SIGTERM");
    const { code, stderr, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    const events = logLines(stderr).map(({ event }) => event);
    expect(events.filter((event) => event === "client.connected")).toHaveLength(4);
    expect(events.at(-1)).toBe("broker.stopped");
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "tells its clients on %s that it shuts down, and ends with 0",
    async (signal) => {
      const { port, child, ended } = await broker();
      const { connectAsync } = await import("mqtt");
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
        protocolVersion: 5,
        reconnectPeriod: 0,
      });
      const told = new Promise<number | undefined>((resolve) => {
        client.on("disconnect", ({ reasonCode }) => resolve(reasonCode));
      });
      child.kill(signal);
      expect(await told).toBe(0x8b);
      expect(await ended).toMatchObject({ code: 0, signal: null });
      client.end(true);
    },
  );

  it("does not wait for a subscriber that reads nothing", async () => {
    const { port, child, ended } = await broker();
    const frozen = connect(Number(port), "127.0.0.1");
    frozen.write(Buffer.from("100d00044d5154540402003c0001618206000100012300", "hex"));
    await new Promise((resolve) => frozen.once("data", resolve));
    frozen.pause();
    const { connectAsync } = await import("mqtt");
    const publisher = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
    const payload = Buffer.alloc(100_000);
    for (let n = 0; n < 100; n += 1) await publisher.publishAsync("t", payload, { qos: 1 });
    const begun = performance.now();
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(20_000);
    publisher.end(true);
    frozen.destroy();
  });

  it("shows people where it listens, what it promises and how to try it", async () => {
    const one = start([
      "broker",
      "--listen",
      "mqtt://127.0.0.1:0",
      "--http",
      "0",
      "--profile",
      "aws",
      "--log",
      "text",
    ]);
    const text = await new Promise<string>((resolve) => {
      let written = "";
      one.child.stdout!.on("data", (part: string) => {
        written += part;
        if (written.endsWith("ready\n")) resolve(written);
      });
    });
    one.child.kill("SIGINT");
    await one.ended;
    expect(text).toMatch(/^fleetrig broker \d+\.\d+\.\d+, profile aws\n/);
    const port = /listening {3}mqtt:\/\/127\.0\.0\.1:(\d+)\n/.exec(text)?.[1];
    expect(text).toContain(`mosquitto_pub -h 127.0.0.1 -p ${port} -t hello -m world\n`);
    expect(text).toMatch(/durability {2}memory: nothing survives/);
    expect(text).toMatch(/fleetrig broker top --url http:\/\/127\.0\.0\.1:\d+ --token [\w-]{32}\n/);
  });

  it("keeps a token from the environment to itself", async () => {
    const token = "from-the-environment";
    const { ready, child, ended } = await broker(["--http", "0"], { FLEETRIG_HTTP_TOKEN: token });
    const { status } = await fetch(`${ready.http!.url}/clients`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status).toBe(200);
    child.kill("SIGTERM");
    const { stdout, stderr } = await ended;
    expect(stdout + stderr).not.toContain(token);
  });

  it("obeys its limits", async () => {
    const { port, ready } = await broker([
      "--http",
      "0",
      "--max-connections",
      "1",
      "--limit",
      "packetBytes=1KiB",
    ]);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(Buffer.from("100d00044d5154540402003c000161", "hex"));
    await new Promise((resolve) => socket.once("data", resolve));
    const { code } = await runProgram("mosquitto_pub", ["-p", port, "-V", "5", "-t", "t", "-m", "x"]);
    expect(code).not.toBe(0);
    const text = await (await fetch(`${ready.http!.url}/metrics`)).text();
    expect(valueOf(text, "fleetrig_broker_connects_refused_total", '{reason="quotaExceeded"}')).toBe(1);
    socket.destroy();
  });

  it("says in one sentence that its port is taken", async () => {
    const { port } = await broker();
    const { code, stderr } = await start(["broker", "--listen", `mqtt://127.0.0.1:${port}`]).ended;
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: .*EADDRINUSE.*LISTENER_UNAVAILABLE\)\n {2}hint: /m);
    expect(stderr).not.toContain("    at ");
  });

  it.each([
    ["--listen mqts://127.0.0.1:1", "LISTENER_URL_INVALID"],
    ["--listen mqtts://127.0.0.1:0", "BROKER_TLS_FILES"],
    ["--tls-cert a.pem --tls-key a.key", "BROKER_TLS_FILES"],
    ["--listen mqtts://127.0.0.1:0 --tls-cert a.pem", "BROKER_TLS_FILES"],
    ["--listen mqtts://127.0.0.1:0 --tls-cert a --tls-key b --require-client-cert", "BROKER_TLS_FILES"],
    ["--limit packetByte=5", 'Did you mean "packetBytes"?'],
    ["--limit nothingLikeIt=5", "There are: "],
    ["--limit __proto__=5", "BROKER_LIMIT_UNKNOWN"],
    ["--limit packetBytes", "BROKER_LIMIT_VALUE"],
    ["--limit packetBytes=-5", "BROKER_LIMIT_VALUE"],
    ["--limit queueOverflow=drop", "It is drop-oldest or drop-newest."],
    ["--http here", "BROKER_HTTP_ADDRESS"],
    ["--http 127.0.0.1:70000", "BROKER_HTTP_ADDRESS"],
    ["--durability disk", "BROKER_DATA_MISSING"],
    ["--profile azure", "Allowed choices are oasis, aws."],
    ["--durability never", "Allowed choices are disk, os."],
    ["--sys-interval often", "It must be a whole number."],
    ["--log-level loud", "Allowed choices are"],
    ["extra", "too many arguments"],
  ])("refuses %s", async (line, text) => {
    const { code, stderr, stdout } = await command(`broker ${line}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
  });
});
