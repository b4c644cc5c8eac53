import { describe, expect, it } from "vitest";
import { DurableBench } from "./durable-bench.js";

const DURABLE = { protocolVersion: 5, cleanStart: false, sessionExpiryS: 3_600 } as const;
const PROPERTIES = {
  contentType: "text/plain",
  responseTopic: "answer",
  correlationData: Buffer.from([1, 2, 3]),
  userProperties: [["a", "b"]],
} as const;
const PLAIN = ["0", "1", "2", "3", "4", "5"];

/** A session that is away, with plain messages in its queue, after a crash: none of them has been read yet. */
async function restarted(texts: readonly string[] = PLAIN, topic = "t"): Promise<DurableBench> {
  const bench = await DurableBench.open();
  const client = bench.connect("sub", DURABLE);
  client.subscribe([{ filter: "#", qos: 1 }]);
  bench.settle();
  client.disconnect();
  const publisher = bench.connect("pub", { protocolVersion: 5 });
  texts.forEach((text, i) => {
    publisher.publish(topic, text);
    if (i % 2 === 1) bench.settle();
  });
  bench.settle();
  return bench.crash();
}

const counts = (bench: DurableBench): readonly number[] => {
  const { queuedMessages, queuedBytes } = bench.broker.statistics();
  return [queuedMessages, queuedBytes];
};

describe("a queue that an earlier process left", () => {
  it("is counted before it is read, and handed over in order before what came since", async () => {
    const bench = await restarted();
    const before = counts(bench);
    expect(before[0]).toBe(PLAIN.length);
    expect(before[1]).toBe(PLAIN.length * (400 + "t".length + 1));
    const publisher = bench.connect("pub", { protocolVersion: 5 });
    for (const text of ["6", "7"]) publisher.publish("t", text);
    bench.settle();
    expect(counts(bench)[0]).toBe(8);
    const client = bench.connect("sub", DURABLE);
    bench.settle();
    expect(client.delivered.map((text) => text.split("=")[1])).toEqual([...PLAIN, "6", "7"]);
    for (const packet of client.publishes) client.acknowledge(packet);
    expect(counts(bench)).toEqual([0, 0]);
  });

  it("survives further deaths, partly read and partly acknowledged", async () => {
    const bench = await restarted();
    const client = bench.connect("sub", { ...DURABLE, receiveMaximum: 2 });
    bench.settle();
    client.acknowledge(client.publishes[0]!);
    bench.advanceS(1);
    bench.settle();
    let next = await bench.crash();
    next = await next.crash();
    const again = next.connect("sub", DURABLE);
    next.settle();
    expect(again.delivered.map((text) => text.split("=")[1])).toEqual(PLAIN.slice(1));
    expect(counts(next)).toEqual([0, 0]);
  });

  it("is gone with its session, unread", async () => {
    const bench = await restarted();
    bench.connect("sub", { protocolVersion: 5, cleanStart: true });
    bench.settle();
    expect(counts(bench)).toEqual([0, 0]);
    expect((await bench.crash()).broker.statistics().queuedMessages).toBe(0);
  });

  it("is read at once where topics are not ASCII, and says the same", async () => {
    const bench = await restarted(PLAIN, "tür/größe");
    expect(counts(bench)).toEqual([6, 6 * (400 + "tür/größe".length + 1)]);
    const client = bench.connect("sub", DURABLE);
    bench.settle();
    expect(client.delivered).toEqual(PLAIN.map((text) => `tür/größe=${text}`));
  });

  it("keeps its order and its size when what cannot stay unread lies between the others", async () => {
    const first = await restarted();
    const publisher = first.connect("pub", { protocolVersion: 5 });
    publisher.publish("größe", "6", PROPERTIES);
    first.settle();
    publisher.publish("t", "7");
    first.settle();
    const bench = await first.crash();
    expect(counts(bench)[0]).toBe(8);
    const client = bench.connect("sub", DURABLE);
    bench.settle();
    expect(client.delivered.map((text) => text.split("=")[1])).toEqual([...PLAIN, "6", "7"]);
    expect(client.publishes[6]).toMatchObject({ contentType: "text/plain" });
    for (const packet of client.publishes) client.acknowledge(packet);
    expect(counts(bench)).toEqual([0, 0]);
  });

  it("has properties, which count, and expire as they would have", async () => {
    const first = await restarted();
    const publisher = first.connect("pub", { protocolVersion: 5 });
    publisher.publish("t", "6", { ...PROPERTIES, messageExpiryS: 60 });
    publisher.publish("t", "7", { messageExpiryS: 5 });
    first.settle();
    const before = counts(first);
    const bench = await first.crash(10);
    expect(counts(bench)).toEqual(before);
    const client = bench.connect("sub", DURABLE);
    bench.settle();
    expect(client.delivered.map((text) => text.split("=")[1])).toEqual([...PLAIN, "6"]);
    expect(client.publishes[6]).toMatchObject({ ...PROPERTIES, messageExpiryS: 50 });
    for (const packet of client.publishes) client.acknowledge(packet);
    expect(counts(bench)).toEqual([0, 0]);
  });
});
