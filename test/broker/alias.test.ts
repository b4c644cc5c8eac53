import fc from "fast-check";
import type { ConnectPacket } from "fleetrig/protocol";
import { wireBytes } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient } from "./bench.js";

/** The topics as the client understands them, alias by alias [MQTT-3.3.2-8..12]. */
function understood(client: TestClient, maximum: number): string[] {
  const aliases = new Map<number, string>();
  return client.publishes.map(({ topic, topicAlias }) => {
    if (topicAlias === undefined) return topic;
    expect(topicAlias).toBeGreaterThan(0);
    expect(topicAlias).toBeLessThanOrEqual(maximum);
    if (topic !== "") aliases.set(topicAlias, topic);
    return aliases.get(topicAlias)!;
  });
}

function subscribed(options: Partial<ConnectPacket>): { bench: Bench; client: TestClient } {
  const bench = new Bench({ profile: "oasis" });
  const client = bench.connect("client", options);
  client.subscribe([{ filter: "#", qos: 1 }]);
  client.autoAcknowledge = true;
  return { bench, client };
}

const send = (bench: Bench, ...topics: string[]): void => {
  for (const topic of topics) bench.broker.publish({ topic, payload: "x", qos: 1 });
};

describe("topic aliases towards a client", () => {
  it("are set when a topic repeats, with the topic first and then instead of it", () => {
    const { bench, client } = subscribed({ topicAliasMaximum: 10 });
    send(bench, "topic/a", "topic/b", "topic/a", "topic/a", "topic/b");
    expect(client.publishes.map(({ topic, topicAlias }) => [topic, topicAlias])).toEqual([
      ["topic/a", undefined],
      ["topic/b", undefined],
      ["topic/a", 1],
      ["", 1],
      ["topic/b", 2],
    ]);
  });

  it.each([{}, { topicAliasMaximum: 0 }, { protocolVersion: 4 }])(
    "are not used for a client that takes none: %o [MQTT-3.1.2-26] [MQTT-3.1.2-27]",
    (options) => {
      const { bench, client } = subscribed(options);
      send(bench, "topic", "topic", "topic");
      expect(client.publishes.every(({ topicAlias }) => topicAlias === undefined)).toBe(true);
    },
  );

  it("keep to the client's maximum and to the broker's own", () => {
    const topics = Array.from({ length: 200 }, (_, i) => `topic/${i}`);
    for (const [topicAliasMaximum, expected] of [
      [3, 3],
      [65_535, 64],
    ] as const) {
      const { bench, client } = subscribed({ topicAliasMaximum });
      send(bench, ...topics.flatMap((topic) => [topic, topic]));
      expect(new Set(client.publishes.map(({ topicAlias }) => topicAlias)).size).toBe(expected + 1);
      expect(understood(client, expected)).toEqual(topics.flatMap((topic) => [topic, topic]));
    }
  });

  it("move on to other topics when those in use are not heard of any more", () => {
    const { bench, client } = subscribed({ topicAliasMaximum: 2 });
    const rounds = (topics: readonly string[]): string[] => Array.from({ length: 10 }, () => topics).flat();
    const sent = [...rounds(["old/1", "old/2"]), ...rounds(["new/1", "new/2"])];
    send(bench, ...sent);
    expect(understood(client, 2)).toEqual(sent);
    expect(client.publishes.at(-1)!.topic).toBe("");
  });

  it("always mean the topic that was published, whatever comes in which order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(12), { maxLength: 200 }),
        fc.integer({ min: 1, max: 5 }),
        (sequence, maximum) => {
          const { bench, client } = subscribed({ topicAliasMaximum: maximum });
          const topics = sequence.map((i) => `topic/${i}`);
          send(bench, ...topics);
          expect(understood(client, maximum)).toEqual(topics);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("end with the connection: what is sent again has its topic", () => {
    const away = { cleanStart: false, sessionExpiryS: 60, topicAliasMaximum: 10 };
    const { bench, client } = subscribed(away);
    client.autoAcknowledge = false;
    send(bench, "topic", "topic", "topic");
    expect(client.publishes.at(-1)).toMatchObject({ topic: "", topicAlias: 1 });
    client.lose();
    const back = bench.connect("client", away);
    expect(back.publishes).toMatchObject([
      { topic: "topic", dup: true },
      { topic: "topic", topicAlias: 1, dup: true },
      { topic: "", topicAlias: 1, dup: true },
    ]);
  });

  it("never make a packet larger than the client takes [MQTT-3.1.2-24]", () => {
    const maximumPacketBytes = 40;
    const { bench, client } = subscribed({ topicAliasMaximum: 10, maximumPacketBytes });
    for (let length = 1; length < 40; length += 1) {
      const topic = `topic/${length}`;
      for (let i = 0; i < 3; i += 1) bench.broker.publish({ topic, payload: "x".repeat(length), qos: 1 });
    }
    for (const packet of client.inbox) expect(wireBytes(packet, 5)).toBeLessThanOrEqual(maximumPacketBytes);
    expect(client.publishes.some(({ topicAlias }) => topicAlias !== undefined)).toBe(true);
  });

  it("are not worth it for topics as short as they are", () => {
    const { bench, client } = subscribed({ topicAliasMaximum: 10 });
    send(bench, "abc", "abc", "abc");
    expect(client.publishes.every(({ topicAlias }) => topicAlias === undefined)).toBe(true);
  });
});
