import { describe, expect, it } from "vitest";
import type { TestClient } from "../broker/bench.js";
import { DurableBench } from "./durable-bench.js";

const DURABLE = { protocolVersion: 5, cleanStart: false, sessionExpiryS: 3_600 } as const;
const PASSING = { protocolVersion: 5 } as const;

/** A subscriber with a session that outlives it. */
function subscriber(bench: DurableBench, filter: string, qos: 0 | 1 | 2 = 1): TestClient {
  const client = bench.connect("sub", DURABLE);
  client.subscribe([{ filter, qos }]);
  bench.settle();
  return client;
}

function resumed(bench: DurableBench, clientId = "sub"): TestClient {
  const client = bench.connect(clientId, DURABLE);
  bench.settle();
  return client;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

describe("a broker that dies and comes back", () => {
  it("knows sessions, subscriptions and what waits for them, in order, across several deaths", async () => {
    let bench = await DurableBench.open();
    subscriber(bench, "t/+").disconnect();
    for (let life = 0; life < 3; life += 1) {
      const publisher = bench.connect("pub", PASSING);
      for (let i = 0; i < 10; i += 1) {
        publisher.publish(`t/${i}`, String(life * 10 + i));
        if (i % 3 === 0) bench.settle();
      }
      bench.settle();
      bench = await bench.crash();
    }
    const client = resumed(bench);
    expect(client.connack.sessionPresent).toBe(true);
    expect(client.delivered.map((text) => text.split("=")[1])).toEqual(numbers(30));
    bench.connect("pub", PASSING).publish("t/new", "live");
    bench.settle();
    expect(client.delivered.at(-1)).toBe("t/new=live");
  });

  it("repeats what was in flight under its identifier with DUP, before what waits [MQTT-4.4.0-1]", async () => {
    const bench = await DurableBench.open();
    const client = bench.connect("sub", { ...DURABLE, receiveMaximum: 2 });
    client.subscribe([{ filter: "t", qos: 1 }]);
    bench.settle();
    const publisher = bench.connect("pub", PASSING);
    for (const text of numbers(4)) publisher.publish("t", text);
    bench.settle();
    bench.advanceS(1);
    bench.settle();
    expect(client.publishes.map(({ packetId }) => packetId)).toEqual([1, 2]);
    const next = await bench.crash();
    const again = resumed(next);
    expect(again.publishes.map(({ packetId, dup }) => [packetId, dup])).toEqual([
      [1, true],
      [2, true],
      [3, false],
      [4, false],
    ]);
  });

  it("forgets what was acknowledged 100 ms before, and deletes its records", async () => {
    const bench = await DurableBench.open();
    const client = subscriber(bench, "t");
    const publisher = bench.connect("pub", PASSING);
    for (const text of numbers(5)) publisher.publish("t", text);
    bench.settle();
    for (const packet of client.publishes.slice(0, 3)) client.acknowledge(packet);
    bench.advanceS(0.1);
    bench.settle();
    const next = await bench.crash();
    const again = resumed(next);
    expect(again.delivered).toEqual(["t=3", "t=4"]);
    for (const packet of again.publishes) again.acknowledge(packet);
    next.advanceS(0.1);
    next.settle();
    expect([...next.disk.records.keys()].filter((key) => key.startsWith("q/"))).toEqual([]);
    // New messages do not take the numbers of those that were removed.
    next.connect("pub", PASSING).publish("t", "new");
    next.settle();
    expect(resumed(await next.crash()).delivered).toEqual(["t=new"]);
  });

  it("gives no number twice while earlier messages of the same record wait", async () => {
    const bench = await DurableBench.open();
    const client = subscriber(bench, "t");
    const publisher = bench.connect("pub", PASSING);
    for (const text of numbers(3)) publisher.publish("t", text);
    bench.settle();
    for (const packet of client.publishes.slice(1)) client.acknowledge(packet);
    bench.advanceS(0.1);
    bench.settle();
    const next = await bench.crash();
    const passer = next.connect("pub", PASSING);
    for (const text of ["x", "y"]) passer.publish("t", text);
    next.settle();
    expect(resumed(await next.crash()).delivered).toEqual(["t=0", "t=x", "t=y"]);
  });

  it("never writes what was queued and acknowledged before the commit", async () => {
    const bench = await DurableBench.open();
    const client = subscriber(bench, "t");
    client.autoAcknowledge = true;
    const publisher = bench.connect("pub", PASSING);
    publisher.publish("t", "quick");
    bench.settle();
    expect(client.delivered).toEqual(["t=quick"]);
    expect(publisher.packets("puback")).toHaveLength(1);
    expect([...bench.disk.records.keys()].some((key) => key.startsWith("q/"))).toBe(false);
  });

  it("stores a message for many sessions once, and deletes it with the last", async () => {
    let bench = await DurableBench.open();
    const names = numbers(8).map((n) => `sub${n}`);
    for (const name of names) {
      const client = bench.connect(name, DURABLE);
      client.subscribe(["t"]);
      bench.settle();
      client.disconnect();
    }
    bench.connect("pub", PASSING).publish("t", "x".repeat(500));
    bench.settle();
    const bodies = (): string[] => [...bench.disk.records.keys()].filter((key) => key.startsWith("b/"));
    expect(bodies()).toHaveLength(1);
    expect(
      Math.max(...[...bench.disk.records].map(([key, value]) => (key.startsWith("q/") ? value.length : 0))),
    ).toBeLessThan(50);
    bench = await bench.crash();
    for (const name of names) {
      expect(bodies()).toHaveLength(1);
      const client = resumed(bench, name);
      expect(client.delivered).toEqual([`t=${"x".repeat(500)}`]);
      client.acknowledge(client.publishes[0]!);
      bench.advanceS(0.1);
      bench.settle();
    }
    expect(bodies()).toEqual([]);
  });

  it("keeps retained messages with their properties, and forgets cleared and expired ones", async () => {
    const bench = await DurableBench.open();
    const publisher = bench.connect("pub", PASSING);
    const retain = { retain: true, qos: 1 } as const;
    const userProperties = [["k", "ü"]] as const;
    publisher.publish("r/kept", "1", { ...retain, contentType: "text/plain", userProperties });
    publisher.publish("r/short", "2", { ...retain, messageExpiryS: 10 });
    publisher.publish("r/cleared", "3", retain);
    publisher.publish("r/soon", "4", { retain: true, qos: 0 });
    bench.settle();
    publisher.publish("r/cleared", "", retain);
    bench.advanceS(0.1);
    bench.settle();
    const next = await bench.crash(60);
    const client = next.connect("reader", PASSING);
    client.subscribe(["r/#"]);
    expect(client.delivered).toEqual(["r/kept=1", "r/soon=4"]);
    expect(client.publishes[0]).toMatchObject({ contentType: "text/plain", userProperties, retain: true });
  });

  it("lets sessions expire while it is away, and counts on from there", async () => {
    const bench = await DurableBench.open();
    bench.connect("short", { ...DURABLE, sessionExpiryS: 60 }).disconnect();
    bench.connect("long", { ...DURABLE, sessionExpiryS: 1_000 }).disconnect();
    bench.connect("for ever", { ...DURABLE, sessionExpiryS: 0xff_ff_ff_ff }).disconnect();
    bench.settle();
    const next = await bench.crash(900);
    expect([...next.broker.sessions()].map(({ clientId }) => clientId)).toEqual(["long", "for ever"]);
    next.advanceS(99);
    expect([...next.broker.sessions()]).toHaveLength(2);
    next.advanceS(2);
    expect([...next.broker.sessions()].map(({ clientId }) => clientId)).toEqual(["for ever"]);
    next.settle();
    expect([...next.disk.records.keys()].filter((key) => key.startsWith("s/"))).toHaveLength(1);
  });

  it("publishes wills of the connections it lost by dying, and those whose delay ran out meanwhile", async () => {
    const bench = await DurableBench.open();
    subscriber(bench, "will/#").disconnect();
    const will = (name: string, delayS: number) =>
      ({
        will: { topic: `will/${name}`, payload: Buffer.from(name), qos: 1, retain: false, delayS },
      }) as const;
    bench.connect("clean", { ...PASSING, ...will("clean", 0) });
    bench.connect("stays", { ...DURABLE, ...will("stays", 50) });
    bench.connect("delayed", { ...DURABLE, ...will("delayed", 30) }).lose();
    bench.connect("later", { ...DURABLE, ...will("later", 100) }).lose();
    bench.connect("polite", { ...DURABLE, ...will("polite", 0) }).disconnect();
    bench.settle();
    const next = await bench.crash(40);
    next.advanceS(0);
    next.settle();
    const client = resumed(next);
    expect(client.delivered.toSorted()).toEqual(["will/clean=clean", "will/delayed=delayed"]);
    next.advanceS(49);
    expect(client.delivered).toHaveLength(2);
    next.advanceS(2);
    expect(client.delivered.at(-1)).toBe("will/stays=stays");
    next.advanceS(10);
    expect(client.delivered.at(-1)).toBe("will/later=later");
    next.settle();
    const third = await next.crash(500);
    third.settle();
    expect(resumed(third).delivered).toHaveLength(4);
  });

  it("knows everything after an orderly end too", async () => {
    const bench = await DurableBench.open();
    const client = subscriber(bench, "t", 2);
    bench.connect("pub", PASSING).publish("t", "kept", { qos: 2 });
    bench.settle();
    expect(client.delivered).toEqual(["t=kept"]);
    const next = await bench.restart();
    const again = resumed(next);
    expect(again.publishes[0]).toMatchObject({ dup: true, qos: 2, packetId: 1 });
  });
});
