import { describe, expect, it } from "vitest";
import { Bench, type TestClient } from "./bench.js";

const COUNT = 3000;

function stocked(): Bench {
  const bench = new Bench({ profile: "oasis", limits: { maxInflight: 100 } });
  for (let i = 0; i < COUNT; i += 1)
    bench.broker.publish({ topic: `s/${i % 7}/${i}`, payload: "old", qos: 1, retain: true });
  return bench;
}

const topics = (client: TestClient): Set<string> => new Set(client.publishes.map(({ topic }) => topic));

describe("many retained messages for one subscription", () => {
  it("go out page by page while the client acknowledges, each exactly once", () => {
    const bench = stocked();
    const client = bench.connect("client");
    client.autoAcknowledge = true;
    client.subscribe(["s/#"]);
    expect(client.publishes.length).toBeLessThan(COUNT);
    bench.advanceS(1);
    expect(client.publishes).toHaveLength(COUNT);
    expect(topics(client).size).toBe(COUNT);
  });

  it("wait in the store, not in a queue, for a client that does not", () => {
    const bench = stocked();
    const client = bench.connect("client");
    client.subscribe(["s/#"]);
    bench.advanceS(60);
    expect(client.publishes).toHaveLength(100);
    expect(bench.broker.statistics().queuedMessages).toBeLessThanOrEqual(500);
    expect(bench.eventsOf("broker.dropped")).toEqual([]);
    for (const packet of client.publishes) client.acknowledge(packet);
    client.autoAcknowledge = true;
    for (const packet of client.publishes.slice(100)) client.acknowledge(packet);
    bench.advanceS(60);
    expect(topics(client).size).toBe(COUNT);
    expect(bench.broker.statistics().queuedMessages).toBe(0);
  });

  it("leave room in the output for live messages, and go on when it drains", () => {
    const bench = stocked();
    const client = bench.connect("client");
    client.bufferedBytes = 512 * 1024;
    client.subscribe([{ filter: "s/#", qos: 0 }]);
    bench.advanceS(5);
    expect(client.publishes).toEqual([]);
    bench.broker.publish({ topic: "s/live", payload: "x", qos: 0 });
    expect(client.delivered).toEqual(["s/live=x"]);
    client.bufferedBytes = 0;
    bench.advanceS(5);
    expect(client.publishes).toHaveLength(COUNT + 1);
  });

  it("never bring an older value after a newer one, nor the same twice", () => {
    const bench = stocked();
    const client = bench.connect("client");
    client.subscribe([{ filter: "s/#", qos: 0 }]);
    bench.time.advance(1);
    for (const i of [0, COUNT - 1])
      bench.broker.publish({ topic: `s/${i % 7}/${i}`, payload: "new", qos: 0, retain: true });
    bench.advanceS(1);
    const last = `s/${(COUNT - 1) % 7}/${COUNT - 1}`;
    expect(client.delivered.filter((text) => text.startsWith(last))).toEqual([`${last}=new`]);
    expect(client.delivered.filter((text) => text.startsWith("s/0/0="))).toEqual(["s/0/0=old", "s/0/0=new"]);
    expect(client.publishes).toHaveLength(COUNT + 1);
  });

  it("end with the subscription, and with a connection that had asked for QoS 0", () => {
    const bench = stocked();
    const leaving = bench.connect("leaving");
    leaving.subscribe([{ filter: "s/#", qos: 0 }]);
    leaving.unsubscribe("s/#");
    const away = { cleanStart: false, sessionExpiryS: 60 };
    bench.connect("lost", away).subscribe([{ filter: "s/#", qos: 0 }]);
    bench.connect("lost", away);
    const count = leaving.publishes.length;
    bench.advanceS(10);
    expect(leaving.publishes).toHaveLength(count);
    expect(bench.connect("lost", away).publishes).toEqual([]);
  });

  it("go on after a reconnect of a session that had asked for QoS 1", () => {
    const bench = stocked();
    const away = { cleanStart: false, sessionExpiryS: 60 };
    const client = bench.connect("client", away);
    client.subscribe(["s/#"]);
    client.lose();
    bench.advanceS(1);
    expect(bench.broker.statistics().queuedMessages).toBeLessThanOrEqual(500);
    const back = bench.connect("client", away);
    back.autoAcknowledge = true;
    for (const packet of back.publishes) back.acknowledge(packet);
    bench.advanceS(10);
    expect(topics(back).size).toBe(COUNT);
  });

  it("start again with a new SUBSCRIBE, once [MQTT-3.8.4-3]", () => {
    const bench = stocked();
    const client = bench.connect("client");
    client.subscribe([{ filter: "s/#", qos: 0 }]);
    const first = client.publishes.length;
    client.subscribe([{ filter: "s/#", qos: 0 }]);
    bench.advanceS(10);
    expect(client.publishes).toHaveLength(first + COUNT);
  });

  it("are searched in small steps, so that a filter that matches none of them holds nobody up", () => {
    const bench = new Bench({ profile: "oasis" });
    for (let i = 0; i < 50_000; i += 1)
      bench.broker.publish({ topic: `${i}/state`, payload: "x", qos: 0, retain: true });
    const client = bench.connect("client");
    client.subscribe(Array.from({ length: 100 }, (_, n) => ({ filter: `+/none-${n}`, qos: 0 as const })));
    client.subscribe([{ filter: "7/state", qos: 0 }]);
    // All at once would be a look at 5,000,000 topics.
    expect(client.publishes).toEqual([]);
    bench.advanceS(2);
    expect(client.delivered).toEqual(["7/state=x"]);
  });
});
