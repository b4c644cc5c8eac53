import { expectPassed, runScenarioFile } from "fleetrig/testing";
import { connectAsync } from "mqtt";
import { describe, expect, it } from "vitest";
import { lacksMosquittoClients, lacksPaho, run, runPython } from "./rigs.js";

/** Lets a guest in while the scenario runs on sockets; both must be content in the end. */
async function withGuest<T>(visit: (port: number) => Promise<T>): Promise<T> {
  let visiting: Promise<T> | undefined;
  const record = await runScenarioFile("test/embedding/telemetry.yaml", {
    listening: ({ port }) => {
      visiting = visit(port);
    },
  });
  const outcome = await visiting!;
  expectPassed(record);
  return outcome;
}

const MESSAGES = 10;

describe("an ordinary client in the middle of a run (realtime)", () => {
  it.each([4, 5] as const)(
    "mqtt.js with version %i hears telemetry and is heard",
    async (protocolVersion) => {
      const heard = await withGuest(async (port) => {
        const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion });
        const topics: string[] = [];
        const enough = new Promise<void>((resolve) => {
          client.on("message", (topic) => {
            topics.push(topic);
            if (topics.length >= MESSAGES && topics.includes("guest/echo")) resolve();
          });
        });
        await client.subscribeAsync(["fleetrig-test/+", "guest/#"], { qos: 1 });
        await client.publishAsync("guest/echo", "hello", { qos: 1 });
        await enough;
        await client.endAsync();
        return topics;
      });
      expect(heard).toContain("guest/echo");
      expect(heard.filter((topic) => topic.startsWith("fleetrig-test/")).length).toBeGreaterThan(0);
    },
  );

  describe.skipIf(lacksMosquittoClients)("mosquitto's tools", () => {
    it("hear telemetry and each other, with versions 3.1.1 and 5", async () => {
      const [telemetry, note] = await withGuest((port) => {
        const at = ["-h", "127.0.0.1", "-p", String(port)];
        const note = run("mosquitto_sub", [
          ...at,
          "-V",
          "5",
          "-q",
          "1",
          "-C",
          "1",
          "-W",
          "10",
          "-t",
          "guest/note",
        ]);
        const publish = ["-V", "mqttv311", "-q", "1", "-t", "guest/note", "-m", "from mosquitto", "-r"];
        return Promise.all([
          run("mosquitto_sub", [
            ...at,
            "-q",
            "1",
            "-C",
            String(MESSAGES),
            "-W",
            "10",
            "-v",
            "-t",
            "fleetrig-test/+",
          ]),
          run("mosquitto_pub", [...at, ...publish]).then(() => note),
        ]);
      });
      const lines = telemetry.trim().split("\n");
      expect(lines).toHaveLength(MESSAGES);
      expect(lines.every((line) => /^fleetrig-test\/[mq]-\d \{.*"seq":\d+\}$/.test(line))).toBe(true);
      expect(note.trim()).toBe("from mosquitto");
    });
  });

  describe.skipIf(lacksPaho)("paho", () => {
    it.each(["MQTTv311", "MQTTv5"])("with %s hears telemetry and its own message", async (version) => {
      const answer = await withGuest((port) => runPython(PAHO, String(port), version, String(MESSAGES)));
      const { topics, granted } = JSON.parse(answer) as { topics: string[]; granted: number };
      expect(granted).toBe(1);
      expect(topics).toContain("guest/paho");
      expect(topics.filter((topic) => topic.startsWith("fleetrig-test/")).length).toBeGreaterThanOrEqual(
        MESSAGES - 1,
      );
    });
  });
});

/** Subscribes to everything of the test, publishes once at QoS 1, leaves after so many messages. */
const PAHO = `
import json, sys
import paho.mqtt.client as mqtt

port, version, wanted = int(sys.argv[1]), getattr(mqtt, sys.argv[2]), int(sys.argv[3])
topics, granted = [], []
extra = {"callback_api_version": mqtt.CallbackAPIVersion.VERSION1} if hasattr(mqtt, "CallbackAPIVersion") else {}
client = mqtt.Client(client_id="paho-guest", protocol=version, **extra)

def on_connect(client, *_):
    client.subscribe([("fleetrig-test/+", 1), ("guest/#", 1)])

def on_subscribe(client, userdata, mid, codes, *_):
    granted.append(int(getattr(codes[0], "value", codes[0])))
    client.publish("guest/paho", "hello", qos=1)

def on_message(client, userdata, message):
    topics.append(message.topic)
    if len(topics) >= wanted and "guest/paho" in topics:
        client.disconnect()

client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", port, 60)
client.loop_forever()
print(json.dumps({"topics": topics, "granted": granted[0]}))
`;
