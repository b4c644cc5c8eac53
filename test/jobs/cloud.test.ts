import mqtt from "mqtt";
import { type Cloud, type CloudOptions, createCloud } from "fleetrig/broker";
import { afterEach, describe, expect, it } from "vitest";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const start = async (options: CloudOptions = {}) => {
  const cloud: Cloud = await createCloud(options);
  stops.push(() => cloud.stop());
  const { port } = await cloud.listen();
  const connect = async (clientId: string) => {
    const client = await mqtt.connectAsync({ host: "127.0.0.1", port, clientId, reconnectPeriod: 0 });
    stops.push(() => client.endAsync(true));
    return client;
  };
  return { cloud, connect };
};

/** The next message a client gets, as topic and JSON. */
const next = (client: mqtt.MqttClient): Promise<[string, unknown]> =>
  new Promise((resolve) =>
    client.once("message", (topic, payload) => resolve([topic, JSON.parse(payload.toString())])),
  );

describe("jobs in the cloud (realtime)", () => {
  it("tell subscribers of a new job, and show a device's requests and answers to nobody else", async () => {
    const { cloud, connect } = await start();
    cloud.registry.createThing({ thingName: "t1" });
    const [device, spy] = [await connect("t1"), await connect("spy")];
    await spy.subscribeAsync("$aws/things/t1/jobs/#", { qos: 1 });
    const notified = next(spy);
    cloud.jobs.createJob({ jobId: "j1", targets: ["t1"], document: {} });
    expect((await notified)[0]).toBe("$aws/things/t1/jobs/notify");
    const seen: string[] = [];
    spy.on("message", (topic) => seen.push(topic));
    const answer = next(device);
    await device.publishAsync("$aws/things/t1/jobs/start-next", "{}", { qos: 1 });
    expect((await answer)[0]).toBe("$aws/things/t1/jobs/start-next/accepted");
    const last = next(spy);
    await device.publishAsync("$aws/things/t1/jobs/j1/update", '{"status":"SUCCEEDED"}', { qos: 1 });
    await last;
    expect(new Set(seen.map((topic) => topic.split("/").at(-1)))).not.toContain("accepted");
    expect(seen.every((topic) => /\/notify(-next)?$/.test(topic))).toBe(true);
  });

  it("answer InvalidTopic below jobs/ when a topic names no request", async () => {
    const { connect } = await start();
    const device = await connect("t1");
    const answer = next(device);
    await device.publishAsync("$aws/things/t1/jobs/stop", "{}", { qos: 1 });
    expect(await answer).toEqual([
      "$aws/things/t1/jobs/stop/rejected",
      expect.objectContaining({ code: "InvalidTopic" }),
    ]);
  });

  it("take the account and their settings from the cloud's options", async () => {
    const { cloud } = await start({ account: { accountId: "123456789012" }, jobs: { maxConcurrentJobs: 0 } });
    cloud.registry.createThing({ thingName: "t1" });
    const create = () => cloud.jobs.createJob({ jobId: "j1", targets: ["t1"], document: {} });
    expect(create).toThrow("CLOUD_LIMIT_EXCEEDED");
  });

  it("follow the registry's groups, beginning with an empty one", async () => {
    const { cloud } = await start({ account: { accountId: "123456789012" } });
    cloud.registry.createThingGroup({ thingGroupName: "g" });
    cloud.registry.createThing({ thingName: "t1" });
    const created = cloud.jobs.createJob({
      jobId: "j1",
      targets: ["arn:aws:iot:us-east-1:123456789012:thinggroup/g"],
      targetSelection: "CONTINUOUS",
      document: {},
    });
    expect(created["jobArn"]).toBe("arn:aws:iot:us-east-1:123456789012:job/j1");
    cloud.registry.addThingToThingGroup({ thingName: "t1", thingGroupName: "g" });
    expect(cloud.jobs.progress("j1").counts.QUEUED).toBe(1);
    cloud.registry.deleteThing({ thingName: "t1" });
    expect(cloud.jobs.progress("j1").counts.REMOVED).toBe(1);
  });
});
