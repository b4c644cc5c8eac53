import { pathToFileURL } from "node:url";
import { createCloud } from "fleetrig/broker";
import { expectPassed, runScenarioFile } from "fleetrig/testing";
import { connectAsync, type MqttClient } from "mqtt";
import { describe, expect, it } from "vitest";

/** What a user's own suite looks like: only public imports, any runner. */
const scenario = (name: string): URL => pathToFileURL(`test/embedding/${name}`);

describe("my backend", () => {
  it("survives a disconnect wave, in a second of the test's time", async () => {
    expectPassed(await runScenarioFile(scenario("sensor-wave.yaml")));
  });

  it.each([1, 2, 3])("survives it with seed %i as well", async (seed) => {
    expectPassed(await runScenarioFile(scenario("sensor-wave.yaml"), { seed }));
  });

  it("hears every sensor over a real connection (realtime)", async () => {
    const heard = new Set<string>();
    const listen = async (port: number): Promise<MqttClient> => {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
      client.on("message", (topic) => heard.add(topic));
      await client.subscribeAsync("t/+");
      return client;
    };
    let listener: Promise<MqttClient> | undefined;
    const record = await runScenarioFile(scenario("sensor-wave.yaml"), {
      clock: "real",
      listening: ({ port }) => {
        listener = listen(port);
      },
    });
    await (await listener)?.endAsync(true);
    expectPassed(record);
    expect([...heard].sort()).toEqual(["t/s-0", "t/s-1", "t/s-2", "t/s-3", "t/s-4"]);
  });

  it("keeps my app's device in step with its shadow (realtime)", async () => {
    const cloud = await createCloud();
    try {
      const { port } = await cloud.listen();
      const app = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: "lamp" });
      const delta = new Promise<unknown>((resolve) => {
        app.on("message", (_topic, payload) => resolve(JSON.parse(payload.toString()).state));
      });
      await app.subscribeAsync("$aws/things/lamp/shadow/update/delta", { qos: 1 });
      cloud.shadows.update({ thing: "lamp", payload: { state: { desired: { on: true } } } });
      expect(await delta).toEqual({ on: true });
      await app.endAsync(true);
    } finally {
      await cloud.stop();
    }
  });
});
