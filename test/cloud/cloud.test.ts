import { once } from "node:events";
import { createConnection } from "node:net";
import mqtt from "mqtt";
import { createCloud } from "fleetrig/broker";
import { afterEach, describe, expect, it } from "vitest";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const start = async () => {
  const cloud = await createCloud({ listen: [{ port: 0 }] });
  stops.push(() => cloud.stop());
  const { port } = cloud.endpoints[0]!;
  const connect = async (clientId: string, protocolVersion: 4 | 5 = 5) => {
    const client = await mqtt.connectAsync({
      host: "127.0.0.1",
      port,
      clientId,
      protocolVersion,
      reconnectPeriod: 0,
    });
    stops.push(() => client.endAsync(true));
    return client;
  };
  return { cloud, connect, port };
};

const nextMessage = (client: mqtt.MqttClient): Promise<[topic: string, payload: string]> =>
  new Promise((resolve) => client.once("message", (topic, payload) => resolve([topic, payload.toString()])));

describe("createCloud (realtime)", () => {
  it.each([4, 5] as const)("serves an ordinary MQTT client of version %i", async (version) => {
    const { connect } = await start();
    const subscriber = await connect("subscriber", version);
    const publisher = await connect("publisher", version);
    await subscriber.subscribeAsync("a/+", { qos: 1 });
    const received = nextMessage(subscriber);
    await publisher.publishAsync("a/b", "hello", { qos: 1 });
    expect(await received).toEqual(["a/b", "hello"]);
  });

  it("answers shadow updates on reserved topics", async () => {
    const { cloud, connect } = await start();
    const device = await connect("thing-1");
    await device.subscribeAsync("$aws/things/thing-1/shadow/update/accepted", { qos: 1 });
    const accepted = nextMessage(device);
    await device.publishAsync("$aws/things/thing-1/shadow/update", '{"state":{"reported":{"on":true}}}', {
      qos: 1,
    });
    expect(JSON.parse((await accepted)[1])).toMatchObject({ state: { reported: { on: true } }, version: 1 });
    expect(cloud.shadows.document({ thing: "thing-1" })?.version).toBe(1);
  });

  it("answers job requests directly, without any subscription", async () => {
    const { cloud, connect } = await start();
    cloud.registry.createThing({ thingName: "thing-1" });
    cloud.jobs.createJob({ jobId: "job-1", targets: ["thing-1"], document: { operation: "ota" } });
    const device = await connect("thing-1");
    const answer = nextMessage(device);
    await device.publishAsync("$aws/things/thing-1/jobs/start-next", "{}", { qos: 1 });
    const [topic, body] = await answer;
    expect(topic).toBe("$aws/things/thing-1/jobs/start-next/accepted");
    expect(JSON.parse(body)).toMatchObject({
      execution: { jobId: "job-1", jobDocument: { operation: "ota" } },
    });
  });

  it("runs rules on what devices publish", async () => {
    const { cloud, connect } = await start();
    cloud.rules.createRule({
      ruleName: "hot",
      sql: "SELECT temperature FROM 'sensors/+' WHERE temperature > 30",
      actions: [{ republish: { topic: "alerts/${topic(2)}", qos: 1 } }],
    });
    const client = await connect("c");
    await client.subscribeAsync("alerts/#", { qos: 1 });
    const alert = nextMessage(client);
    await client.publishAsync("sensors/cold", '{"temperature":20}', { qos: 1 });
    await client.publishAsync("sensors/hot", '{"temperature":31}', { qos: 1 });
    expect(await alert).toEqual(["alerts/hot", '{"temperature":31}']);
  });

  it("tells who comes and goes", async () => {
    const { connect } = await start();
    const watcher = await connect("watcher");
    await watcher.subscribeAsync("$aws/events/presence/+/visitor", { qos: 1 });
    const connected = nextMessage(watcher);
    const visitor = await connect("visitor");
    expect(JSON.parse((await connected)[1])).toMatchObject({ clientId: "visitor", eventType: "connected" });
    const disconnected = nextMessage(watcher);
    await visitor.endAsync();
    expect(JSON.parse((await disconnected)[1])).toMatchObject({
      eventType: "disconnected",
      clientInitiatedDisconnect: true,
    });
  });

  it("refuses connections while it restarts", async () => {
    const { cloud, connect, port } = await start();
    const device = await connect("d");
    const closed = new Promise<void>((resolve) => device.once("close", () => resolve()));
    cloud.restart(50_000);
    await closed;
    await once(createConnection({ host: "127.0.0.1", port }), "close");
    expect(cloud.broker.statistics().connections).toBe(0);
  });
});
