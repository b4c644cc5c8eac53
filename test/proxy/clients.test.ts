import { type Cloud, createCloud } from "fleetrig/broker";
import { createRandomSource, hostNowUs, LANE, RealTime } from "fleetrig/kernel";
import { createFaultProxy, type FaultProxy, parseFaultText } from "fleetrig/sim";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lacksMosquitto, lacksMosquittoClients, run, startMosquitto } from "../embedding/rigs.js";
import { until } from "./proxy-rig.js";

let time: RealTime;
let proxy: FaultProxy | undefined;
const releases: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  time = new RealTime();
});
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
  await proxy?.stop();
  proxy = undefined;
  time.stop();
});

async function embedded(): Promise<number> {
  const cloud: Cloud = await createCloud({ listen: [{ port: 0 }] });
  releases.push(() => cloud.stop());
  return cloud.endpoints[0]!.port;
}

async function mosquitto(): Promise<number> {
  const broker = await startMosquitto();
  releases.push(() => broker.stop());
  return broker.port;
}

async function inFrontOf(port: number, ...faults: string[]): Promise<FaultProxy> {
  proxy = await createFaultProxy({
    port: 0,
    to: { host: "127.0.0.1", port },
    clock: time.lane(LANE.harness),
    random: createRandomSource(7),
    faults: faults.map(parseFaultText),
  });
  return proxy;
}

async function client(port: number, clientId: string, protocolVersion: 4 | 5 = 5): Promise<MqttClient> {
  const connected = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId,
    protocolVersion,
    reconnectPeriod: 0,
  });
  connected.on("error", () => undefined);
  releases.push(() => connected.endAsync(true));
  return connected;
}

const BROKERS = [
  ["the embedded broker", embedded, false],
  ["mosquitto", mosquitto, lacksMosquitto],
] as const;

describe.each(BROKERS)("mqtt.js in front of %s (realtime)", (_, start, isLacking) => {
  it.skipIf(isLacking).each([4, 5] as const)("waits at least the latency, version %i", async (version) => {
    const { port } = await inFrontOf(await start(), "latency=40ms,jitter=10ms");
    const beforeUs = hostNowUs();
    const device = await client(port, "dev-1", version);
    const connectUs = hostNowUs() - beforeUs;
    const publishUs = hostNowUs();
    await device.publishAsync("t", "x", { qos: 1 });
    const ackUs = hostNowUs() - publishUs;
    // The handshake's round trip, then CONNECT and CONNACK; one round trip for PUBLISH and PUBACK.
    expect(connectUs).toBeGreaterThanOrEqual(160_000);
    expect(ackUs).toBeGreaterThanOrEqual(80_000);
  });

  it.skipIf(isLacking)("hears a reset, and finds its way back", async () => {
    const { port, apply, counters } = await inFrontOf(await start());
    const device = await client(port, "dev-1");
    const closed = new Promise<void>((resolve) => device.once("close", () => resolve()));
    apply({ fault: "link.reset" });
    await closed;
    const again = await client(port, "dev-1");
    await again.publishAsync("t", "x", { qos: 1 });
    expect(counters().connections).toMatchObject({ accepted: 2, reset: 1 });
  });

  it.skipIf(isLacking)("gets through a stall late and complete", async () => {
    const { port, apply } = await inFrontOf(await start());
    const device = await client(port, "dev-1");
    apply({ fault: "link.stall", detail: { hold: "300ms" } });
    const beforeUs = hostNowUs();
    await Promise.all(["1", "2", "3"].map((payload) => device.publishAsync("t", payload, { qos: 1 })));
    expect(hostNowUs() - beforeUs).toBeGreaterThanOrEqual(295_000);
  });

  it.skipIf(isLacking)("is cut off after the limit", async () => {
    const { port, counters } = await inFrontOf(await start(), "limit=200,direction=up");
    const device = await client(port, "dev-1");
    const closed = new Promise<void>((resolve) => device.once("close", () => resolve()));
    device.publish("t", "x".repeat(500), { qos: 0 });
    await closed;
    expect(counters().up.passedBytes).toBe(200);
  });

  it.skipIf(isLacking)("loses exactly the messages that were dropped", async () => {
    const { port } = await inFrontOf(await start(), "drop-publish=1+2,direction=up,client=sender");
    const receiver = await client(port, "receiver");
    const heard: string[] = [];
    receiver.on("message", (_topic, payload) => heard.push(payload.toString()));
    await receiver.subscribeAsync("t", { qos: 0 });
    const sender = await client(port, "sender");
    for (let n = 0; n < 6; n += 1) await sender.publishAsync("t", String(n), { qos: 0 });
    await until(() => heard.includes("5"));
    expect(heard).toEqual(["0", "3", "4", "5"]);
  });
});

describe.skipIf(lacksMosquittoClients || lacksMosquitto)(
  "mosquitto's tools through the proxy (realtime)",
  () => {
    it.each(BROKERS)("talk to each other in front of %s, with their bytes in slices", async (_, start) => {
      const { port, counters } = await inFrontOf(await start(), "slice=5,gap=1ms", "latency=5ms");
      const at = ["-h", "127.0.0.1", "-p", String(port), "-q", "1", "-t", "note"];
      await run("mosquitto_pub", [...at, "-V", "mqttv311", "-m", "through slices", "-r"]);
      expect(await run("mosquitto_sub", [...at, "-V", "5", "-C", "1", "-W", "10"])).toBe("through slices\n");
      await until(() => counters().connections.open === 0);
      expect(counters().connections.accepted).toBe(2);
    });
  },
);
