import { describe, expect, it } from "vitest";
import { DurableBench } from "./durable-bench.js";

const DURABLE = { protocolVersion: 5, cleanStart: false, sessionExpiryS: 3_600 } as const;

describe("an acknowledgement of a durable broker", () => {
  it.each([
    { qos: 1, type: "puback" },
    { qos: 2, type: "pubrec" },
  ] as const)("$type waits until the message is on the disk", async ({ qos, type }) => {
    const bench = await DurableBench.open();
    const client = bench.connect("sub", DURABLE);
    client.subscribe([{ filter: "t", qos }]);
    bench.settle();
    client.disconnect();
    bench.settle();
    const publisher = bench.connect("pub", { protocolVersion: 5 });
    publisher.publish("t", "x", { qos });
    expect(publisher.packets(type)).toEqual([]);
    bench.endTurn();
    expect(publisher.packets(type)).toEqual([]);
    bench.disk.sync(1);
    expect(publisher.packets(type)).toHaveLength(1);
  });

  it("waits for nothing when nothing has to be stored", async () => {
    const bench = await DurableBench.open();
    const publisher = bench.connect("pub", { protocolVersion: 5 });
    publisher.publish("nobody/listens", "x");
    expect(publisher.packets("puback")).toHaveLength(1);
    expect(bench.disk.unsynced).toBe(0);
  });

  it("CONNACK comes first, once the session is on the disk, and everything else after it", async () => {
    const bench = await DurableBench.open();
    const client = bench.connect("sub", DURABLE);
    client.subscribe(["t"]);
    client.say({ type: "pingreq" });
    bench.broker.publish({ topic: "t", payload: "early", qos: 0 });
    expect(client.inbox).toEqual([]);
    bench.settle();
    expect(client.inbox.map(({ type }) => type)).toEqual(["connack", "pingresp", "publish", "suback"]);
  });

  it("a client that is thrown out before its CONNACK gets none", async () => {
    const bench = await DurableBench.open();
    const first = bench.connect("same", DURABLE);
    const second = bench.connect("same", DURABLE);
    bench.settle();
    expect(first.inbox).toEqual([]);
    expect(first.state).toBe("closed");
    expect(second.connack.reasonCode).toBe(0);
  });

  it("SUBACK and UNSUBACK wait for the disk", async () => {
    const bench = await DurableBench.open();
    const client = bench.connect("sub", DURABLE);
    bench.settle();
    client.subscribe(["t"]);
    expect(client.packets("suback")).toEqual([]);
    bench.settle();
    client.unsubscribe("t");
    expect(client.packets("unsuback")).toEqual([]);
    bench.settle();
    expect([client.packets("suback").length, client.packets("unsuback").length]).toEqual([1, 1]);
    const next = await bench.crash();
    expect(next.broker.statistics().subscriptions).toBe(0);
  });

  it("QoS 2 is not sent on before its identifier is on the disk", async () => {
    const bench = await DurableBench.open();
    const client = bench.connect("sub", DURABLE);
    client.subscribe([{ filter: "t", qos: 2 }]);
    bench.settle();
    bench.broker.publish({ topic: "t", payload: "once", qos: 2 });
    expect(client.publishes).toEqual([]);
    bench.settle();
    expect(client.publishes).toHaveLength(1);
  });

  it("one commit carries everything that came in one turn, or while the disk was busy", async () => {
    const bench = await DurableBench.open();
    const client = bench.connect("sub", DURABLE);
    client.subscribe(["t"]);
    bench.settle();
    client.disconnect();
    bench.settle();
    const before = bench.disk.commits;
    const publisher = bench.connect("pub", { protocolVersion: 5 });
    for (let i = 0; i < 50; i += 1) publisher.publish("t", "turn");
    bench.endTurn();
    for (let i = 0; i < 50; i += 1) publisher.publish("t", "busy");
    bench.settle();
    expect(bench.disk.commits - before).toBe(2);
    expect(publisher.packets("puback")).toHaveLength(100);
    // One record per session and commit, not per message.
    expect([...bench.disk.records.keys()].filter((key) => key.startsWith("q/"))).toHaveLength(2);
  });
});

describe("a disk that fails", () => {
  it("is the end of all promises, not of QoS 0", async () => {
    const bench = await DurableBench.open();
    const durable = bench.connect("sub", DURABLE);
    durable.subscribe(["t"]);
    const passing = bench.connect("passing", { protocolVersion: 5 });
    passing.subscribe([{ filter: "t", qos: 0 }]);
    bench.settle();
    const publisher = bench.connect("pub", { protocolVersion: 5 });
    bench.disk.isBroken = true;
    publisher.publish("t", "lost?");
    bench.settle();
    expect(publisher.packets("puback")).toEqual([]);
    expect(publisher.disconnectCode).toBe(0x97);
    expect(bench.journal.hasFailed).toBe(true);
    // Whoever comes later is not promised anything either.
    const late = bench.connect("late", DURABLE);
    bench.settle();
    expect([late.connack.reasonCode, late.state]).toEqual([0x88, "closed"]);
    const other = bench.connect("other", { protocolVersion: 5 });
    bench.settle();
    other.publish("t", "again");
    bench.settle();
    expect([other.packets("puback"), other.disconnectCode]).toEqual([[], 0x97]);
    passing.clear();
    const third = bench.connect("third", { protocolVersion: 5 });
    third.publish("t", "fleeting", { qos: 0 });
    third.publish("nobody", "needs no disk");
    expect(passing.delivered).toEqual(["t=fleeting"]);
    expect(third.packets("puback")).toHaveLength(1);
  });

  it("is not written to again, and what it had is intact", async () => {
    const bench = await DurableBench.open();
    const client = bench.connect("sub", DURABLE);
    client.subscribe(["t"]);
    bench.settle();
    client.disconnect();
    bench.connect("pub", { protocolVersion: 5 }).publish("t", "kept");
    bench.settle();
    bench.disk.isBroken = true;
    bench.connect("pub", { protocolVersion: 5 }).publish("t", "refused");
    bench.settle();
    bench.disk.isBroken = false;
    bench.broker.publish({ topic: "t", payload: "ignored", qos: 1 });
    bench.advanceS(1);
    bench.settle();
    const next = await bench.crash();
    const again = next.connect("sub", DURABLE);
    next.settle();
    expect(again.delivered).toEqual(["t=kept"]);
  });

  it("is waited for by publishers, and by nobody else, when it is slow", async () => {
    const bench = await DurableBench.open();
    const client = bench.connect("sub", DURABLE);
    client.subscribe(["t"]);
    bench.settle();
    client.disconnect();
    bench.settle();
    const publisher = bench.connect("pub", { protocolVersion: 5 });
    const reading: string[] = [];
    Object.assign(publisher, {
      pauseReading: () => reading.push("pause"),
      resumeReading: () => reading.push("resume"),
    });
    publisher.publish("t", "1");
    bench.endTurn();
    publisher.publish("t", "2");
    expect(reading).toEqual([]);
    bench.advanceS(1.5);
    publisher.publish("t", "3");
    publisher.publish("t", "4");
    expect(reading).toEqual(["pause"]);
    bench.settle();
    expect(reading).toEqual(["pause", "resume"]);
    publisher.publish("t", "x".repeat(9 * 1024 * 1024));
    expect(reading.at(-1)).toBe("pause");
    bench.settle();
    expect(reading).toEqual(["pause", "resume", "pause", "resume"]);
    expect(publisher.packets("puback")).toHaveLength(5);
  });
});
