import { type BrokerServer, createBroker } from "fleetrig/broker";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";

let broker: BrokerServer | undefined;
const clients: MqttClient[] = [];

async function start(options: Parameters<typeof createBroker>[0] = {}): Promise<BrokerServer> {
  broker = await createBroker({ listen: ["mqtt://127.0.0.1:0"], ...options });
  return broker;
}

async function client(clientId: string): Promise<MqttClient> {
  const opened = await connectAsync(broker!.endpoints[0]!.url, {
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  clients.push(opened);
  return opened;
}

afterEach(async () => {
  for (const opened of clients.splice(0)) opened.end(true);
  await broker?.stop();
  broker = undefined;
});

describe("createBroker", () => {
  it("serves ordinary clients where it says it does", async () => {
    await start();
    expect(broker!.endpoints[0]).toMatchObject({ transport: "tcp", host: "127.0.0.1" });
    const subscriber = await client("s");
    const heard = new Promise<string>((resolve) => {
      subscriber.on("message", (topic, payload) => resolve(`${topic} ${payload.toString()}`));
    });
    await subscriber.subscribeAsync("dt/+/t", { qos: 1 });
    await (await client("p")).publishAsync("dt/a/t", "21", { qos: 1 });
    expect(await heard).toBe("dt/a/t 21");
    expect(broker!.statistics()).toMatchObject({ connections: 2, subscriptions: 1, received: 1 });
  });

  it("publishes and subscribes without a socket, with MQTT 5 properties", async () => {
    await start();
    const heard: string[] = [];
    const unsubscribe = broker!.subscribe("dt/#", (message, { isRetained }) => {
      heard.push(`${message.topic} ${message.payloadText()} ${isRetained} ${message.userProperty("k")}`);
    });
    await (await client("p")).publishAsync("dt/a", "1", {
      qos: 1,
      properties: { userProperties: { k: "v" } },
    });
    broker!.publish({ topic: "dt/b", payload: "2", retain: true, messageExpiryS: 60 });
    broker!.publish({ topic: "other", payload: "3" });
    unsubscribe();
    unsubscribe();
    broker!.publish({ topic: "dt/c", payload: "4" });
    expect(heard).toEqual(["dt/a 1 false v", "dt/b 2 false undefined"]);
  });

  it("hands what is retained to a new local subscriber, unless it does not want it", async () => {
    await start();
    broker!.publish({ topic: "cfg/a", payload: "1", retain: true });
    const heard: string[] = [];
    broker!.subscribe("cfg/+", (message, { isRetained }) => heard.push(`${message.topic} ${isRetained}`));
    broker!.subscribe("cfg/a", () => heard.push("never"), { retained: false });
    expect(heard).toEqual(["cfg/a true"]);
  });

  it("names what is no topic and what is no filter", async () => {
    await start();
    expect(() => broker!.publish({ topic: "a/#", payload: "" })).toThrow("BROKER_TOPIC_INVALID");
    expect(() => broker!.subscribe("a/#/b", () => undefined)).toThrow("BROKER_FILTER_INVALID");
    expect(() => broker!.subscribe("$share/g/a", () => undefined)).toThrow("BROKER_FILTER_INVALID");
  });

  it("tells the program what happens, in order", async () => {
    await start({
      hooks: { authorizeConnect: (packet) => (packet.clientId === "bad" ? { refuse: 0x87 } : "allow") },
    });
    const told: string[] = [];
    broker!.on("connected", ({ clientId, peer }) => told.push(`connected ${clientId} ${peer?.transport}`));
    broker!.on("subscribed", ({ clientId, filters }) =>
      told.push(`subscribed ${clientId} ${filters.join()}`),
    );
    broker!.on("refused", ({ clientId, reasonCode }) => told.push(`refused ${clientId} ${reasonCode}`));
    const left = new Promise<void>((resolve) => {
      broker!.on("disconnected", ({ clientId, reason }) => {
        told.push(`disconnected ${clientId} ${reason}`);
        resolve();
      });
    });
    const off = broker!.on("connected", () => told.push("never"));
    off();
    const good = await client("good");
    await good.subscribeAsync("x");
    await expect(client("bad")).rejects.toMatchObject({ code: 0x87 });
    expect(broker!.disconnectClient("good")).toBe(true);
    expect(broker!.disconnectClient("good")).toBe(false);
    await left;
    expect(told).toEqual([
      "connected good tcp",
      "subscribed good x",
      "refused bad 135",
      "disconnected good SERVER_INITIATED_DISCONNECT",
    ]);
  });

  it("closes what it opened when one listener cannot be opened", async () => {
    await start();
    const { url } = broker!.endpoints[0]!;
    await expect(createBroker({ listen: ["mqtt://127.0.0.1:0", url] })).rejects.toMatchObject({
      code: "LISTENER_UNAVAILABLE",
    });
  });

  it("leaves no handle and no timer behind, however often it is stopped", async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length;
    // Those of test files before this one in the thread may still be closing.
    const before = sockets();
    await start();
    await client("a");
    clients.splice(0)[0]!.end(true);
    await Promise.all([broker!.stop(), broker!.stop()]);
    await broker!.stop();
    expect(broker!.endpoints).toEqual([]);
    await expect.poll(sockets).toBeLessThanOrEqual(before);
  });
});
