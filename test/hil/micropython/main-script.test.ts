import { createCloudServer } from "fleetrig/broker";
import type { JsonObject } from "fleetrig/kernel";
import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { FREE_PORTS } from "../../cloud-server/cloud-bench.js";
import { UPDATE_MODES } from "../firmware-app/twin-rig.js";
import { until } from "../virtual/rig.js";
import { BridgedBoard, configuration } from "./bridged-board.js";

const TELEMETRY = {
  s: 0,
  tag: "r1.0.0.",
  everyUs: 50_000,
  offsetUs: 10_000,
  topic: "site/t1/t",
  qos: 1,
  retain: false,
  payload: '{"t":{state.temperature},"seq":{seq},"ts":{now}}',
};
const TEMPERATURE = {
  shape: "sine",
  mean: 21.5,
  amplitude: 1.5,
  periodUs: 60_000_000,
  noise: 0.3,
  decimals: 1,
};

async function startCloud() {
  const server = await createCloudServer({
    ports: { ...FREE_PORTS, mqtts: "off", tls: "off", https: "off" },
  });
  onTestFinished(() => server.stop());
  server.cloud.registry.createThing({ thingName: "t1" });
  const client = await connectAsync(server.endpoints.mqtt!, { protocolVersion: 5 });
  onTestFinished(() => client.endAsync(true));
  return { server, client, brokerPort: server.port("mqtt")! };
}

const SENDS_TELEMETRY = { telemetry: [TELEMETRY], signals: { temperature: TEMPERATURE } };

/** A board that sends telemetry, and the numbers of the messages that arrive. */
async function startTelemetry() {
  const { client, brokerPort } = await startCloud();
  const seen: number[] = [];
  client.on("message", (_, payload) => seen.push(JSON.parse(payload.toString()).seq as number));
  await client.subscribeAsync("site/#", { qos: 1 });
  const bridged = await BridgedBoard.open({ brokerPort });
  await bridged.begin(configuration("t1", SENDS_TELEMETRY));
  await until(() => bridged.ofKind("acked").length >= 5);
  return { bridged, seen };
}

describe("main.py on a virtual board", () => {
  it.each(["line", "cobs"] as const)(
    "keeps a session and does commands in the encoding %s",
    async (encoding) => {
      const { link, hellos, events, board } = await BridgedBoard.open({ encoding });
      expect(hellos[0]).toMatchObject({
        fw: "fleetrig-micropython",
        mac: board.mac,
        chip: board.chip,
        boots: 1,
      });
      const long = "ü".repeat(1_000);
      expect(await link.command("echo", { data: long })).toBe(long);
      expect(await link.command("gpio", { pin: 4, level: true })).toBe(true);
      expect(await link.command("gpio", { pin: 4 })).toBe(true);
      expect(await link.command("adc", { channel: 1, millivolts: 1_200 })).toBe(1_200);
      expect(events).toEqual([{ ev: "gpio", pin: 4, level: true, at: expect.any(Number) }]);
      await expect(link.command("crash", { kind: "hang" })).rejects.toMatchObject({
        context: { boardError: "unsupported" },
      });
      await expect(link.command("sing", {})).rejects.toMatchObject({ context: { boardError: "unknown-op" } });
      await expect(link.command("echo", { data: 1 })).resolves.toBe(1);
    },
  );

  it("keeps values and its configuration over a power cut", async () => {
    const bridged = await BridgedBoard.open();
    await bridged.link.command("nvs", { key: "colour", value: "blue" });
    await bridged.link.command("configure", configuration("t1"));
    await bridged.board.power(false);
    await bridged.board.power(true);
    await bridged.restarted(1);
    expect(bridged.hellos.at(-1)).toMatchObject({ thing: "t1", boots: 2, reset: "POWERON" });
    expect(await bridged.link.command("nvs", { key: "colour" })).toBe("blue");
    await bridged.link.command("erase", {});
    await bridged.link.command("reboot", {});
    await bridged.restarted(2);
    expect(bridged.hellos.at(-1)).toMatchObject({ boots: 3, reset: "SW_CPU_RESET" });
    expect(bridged.hellos.at(-1)!.thing).toBeUndefined();
    expect(bridged.ofKind("rebooting")).toMatchObject([{ why: "command" }]);
  });

  it.each([4, 5])(
    "sends its telemetry through the tunnel by MQTT version %i, numbered without gaps",
    async (version) => {
      const { client, brokerPort } = await startCloud();
      const seen: { body: JsonObject; tag: unknown }[] = [];
      client.on("message", (_, payload, packet) => {
        const tag = packet.properties?.userProperties?.["fleetrig"];
        seen.push({ body: JSON.parse(payload.toString()) as JsonObject, tag });
      });
      await client.subscribeAsync("site/#", { qos: 1 });
      const bridged = await BridgedBoard.open({ brokerPort });
      const plan = configuration("t1", SENDS_TELEMETRY);
      await bridged.begin({ ...plan, mqtt: { ...(plan["mqtt"] as JsonObject), version } });
      await until(() => bridged.ofKind("acked").length >= 40);
      await bridged.link.command("stop", {});
      expect(seen.map(({ body }) => body["seq"]).slice(0, 40)).toEqual(
        Array.from({ length: 40 }, (_, n) => n),
      );
      expect(seen[36]!.tag).toBe(version === 5 ? "r1.0.0.10" : undefined);
      expect(Math.abs((seen[5]!.body["ts"] as number) - Date.now())).toBeLessThan(30_000);
      expect(seen.every(({ body }) => Math.abs((body["t"] as number) - 21.5) < 4)).toBe(true);
      const kinds = bridged.ofKind("connection").map(({ kind }) => kind);
      expect(kinds).toEqual(["attempt", "open", "closed"]);
      const late = bridged.ofKind("sent").map(({ at, due }) => (at as number) - (due as number));
      expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    },
  );

  it("buffers while it is offline, comes back, and its numbers go on", async () => {
    const { bridged, seen } = await startTelemetry();
    await bridged.link.command("disconnect", { mode: "ungraceful", holdUs: 300_000, action: "a1" });
    await until(() => bridged.ofKind("connection").filter(({ kind }) => kind === "open").length === 2);
    await until(() => seen.length > 20);
    expect([...new Set(seen)]).toEqual(Array.from({ length: new Set(seen).size }, (_, n) => n));
    expect(bridged.ofKind("connection").find(({ kind }) => kind === "lost")).toMatchObject({ action: "a1" });
    expect(bridged.ofKind("connection").at(-1)).toMatchObject({ sessionPresent: true, resumeExpected: true });
  });

  it("goes on after a reset when it is started again, with numbers it never used", async () => {
    const { bridged, seen } = await startTelemetry();
    await bridged.board.reset();
    await bridged.restarted(1);
    const before = seen.length;
    await bridged.link.command("start", { at: bridged.boardNowUs() - 2_000_000 });
    await until(() => seen.length > before + 5);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it("skips no number over a restart that it wants, and a minute's worth at most over a power cut", async () => {
    const { bridged, seen } = await startTelemetry();
    await bridged.link.command("reboot", {});
    await bridged.restarted(1);
    const before = seen.length;
    await bridged.link.command("start", { at: bridged.boardNowUs() });
    await until(() => seen.length > before + 2);
    const sent = bridged.ofKind("sent").map(({ q }) => q);
    expect(sent).toEqual(sent.map((_, n) => n));
    await bridged.board.power(false);
    await bridged.board.power(true);
    await bridged.restarted(2);
    const last = seen.length;
    await bridged.link.command("start", { at: bridged.boardNowUs() });
    await until(() => seen.length > last);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen[last]! - seen[last - 1]!).toBeLessThanOrEqual(64);
  });

  it("connects again when it is started after it was stopped", async () => {
    const { bridged, seen } = await startTelemetry();
    await bridged.link.command("stop", {});
    const before = seen.length;
    await bridged.link.command("start", { at: bridged.boardNowUs() });
    await until(() => seen.length > before + 2);
    expect(seen).toEqual(seen.map((_, n) => n));
  });

  it("tells how long after its start it was online, once", async () => {
    const { brokerPort } = await startCloud();
    const bridged = await BridgedBoard.open({ brokerPort });
    await bridged.begin(configuration("t1"));
    await until(() => bridged.ofKind("connection").some(({ kind }) => kind === "open"));
    await until(() => bridged.ofKind("marker").length > 0);
    expect(bridged.ofKind("marker")).toEqual([
      { ev: "marker", name: "online", us: expect.any(Number), at: expect.any(Number) },
    ]);
  });

  it("applies a shadow's delta after a while and reports it", async () => {
    const { client, brokerPort } = await startCloud();
    const shadow = "$aws/things/t1/shadow";
    const accepted: JsonObject[] = [];
    client.on("message", (_, payload) => accepted.push(JSON.parse(payload.toString()) as JsonObject));
    await client.publishAsync(`${shadow}/update`, '{"state":{"desired":{"led":{"on":true}}}}', { qos: 1 });
    await client.subscribeAsync(`${shadow}/update/accepted`, { qos: 1 });
    const bridged = await BridgedBoard.open({ brokerPort });
    const applyTime = { dist: "constant", value: 100_000 };
    await bridged.begin(configuration("t1", { model: "shadow-device", shadow: { applyTime } }));
    await until(() => bridged.ofKind("config").length === 1);
    await client.publishAsync(`${shadow}/update`, '{"state":{"desired":{"led":{"hue":7}}}}', { qos: 1 });
    await until(() => bridged.ofKind("config").length === 2);
    expect(bridged.ofKind("config").at(-1)).toMatchObject({ state: { led: { on: true, hue: 7 } } });
    const reports = (): unknown[] => accepted.map((body) => (body["state"] as JsonObject)["reported"]);
    await until(() => reports().filter((report) => report !== undefined).length === 2);
    expect(reports().filter((report) => report !== undefined)).toEqual([
      { led: { on: true } },
      { led: { hue: 7 } },
    ]);
    await until(() => bridged.ofKind("mode").length === 4);
    expect(bridged.ofKind("mode").map(({ mode }) => mode)).toEqual([
      "applying",
      "steady",
      "applying",
      "steady",
    ]);
  });

  it("executes a job: passes its phases, restarts, and reports the new version", async () => {
    const { server, brokerPort } = await startCloud();
    const bridged = await BridgedBoard.open({ brokerPort });
    const executionTime = { dist: "constant", value: 1_000_000 };
    await bridged.begin(
      configuration("t1", { model: "ota-device", ota: { executionTime, blockBytes: 16_384 } }),
    );
    await until(() => bridged.ofKind("connection").some(({ kind }) => kind === "open"));
    const document = { operation: "ota", version: "2.0.0" };
    server.cloud.jobs.createJob({ jobId: "j1", targets: ["t1"], document });
    await bridged.restarted(1);
    await bridged.link.command("start", { at: bridged.boardNowUs() });
    await until(() => bridged.ofKind("mode").at(-1)?.["mode"] === "healthy");
    expect(bridged.ofKind("mode").map(({ mode }) => mode)).toEqual(UPDATE_MODES);
    expect(bridged.ofKind("firmware").at(-1)).toMatchObject({ version: "2.0.0" });
    const status = (): unknown => server.cloud.jobs.describeJobExecution({ jobId: "j1", thingName: "t1" });
    await until(() => JSON.stringify(status()).includes("SUCCEEDED"));
  });

  it("shows an exception as a traceback, restarts, and tells of it in its hello", async () => {
    const bridged = await BridgedBoard.open();
    await bridged.link.command("crash", { kind: "abort" });
    await bridged.restarted(1);
    expect(bridged.text).toMatch(
      /^Traceback \(most recent call last\):\n(?: {2}File "main\.py", line \d+, in .*\n)+RuntimeError: abort\(\) was called\n/,
    );
    expect(bridged.hellos.at(-1)).toMatchObject({ reset: "PANIC" });
    await bridged.link.command("crash", { kind: "silent" });
    await until(() => bridged.restarts === 2);
  });

  it("sleeps as long as it is told and comes back", async () => {
    const bridged = await BridgedBoard.open();
    const startedMs = performance.now();
    await bridged.link.command("sleep", { us: 700_000 });
    await bridged.restarted(1);
    expect(performance.now() - startedMs).toBeGreaterThan(700);
    expect(bridged.hellos.at(-1)).toMatchObject({ reset: "DEEPSLEEP" });
    expect(bridged.ofKind("sleeping")).toMatchObject([{ us: 700_000 }]);
  });
});
