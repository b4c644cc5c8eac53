import { encodePacket } from "fleetrig/protocol";
import { parseFaultText } from "fleetrig/sim";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectPacket, type Peer, ProxyRig, publish, until } from "./proxy-rig.js";

const MS = 1_000;
const SECOND = 1_000_000;
const CONNACK = { type: "connack", sessionPresent: false, reasonCode: 0 } as const;

let rig: ProxyRig;
beforeEach(async () => {
  rig = await new ProxyRig().start();
});
afterEach(() => rig.stop());

const counters = () => rig.proxy.counters();
const apply = (text: string) => rig.proxy.apply(parseFaultText(text));

/** Sends, and waits until the proxy has read it. */
async function sent(peer: Peer, payload: string): Promise<void> {
  const before = counters();
  peer.send(publish(payload));
  const isRead = () =>
    counters().up.packets + counters().down.packets > before.up.packets + before.down.packets;
  await until(isRead);
}

describe("link.latency", () => {
  it("delays each direction, in order, never less than it says", async () => {
    const { client, server } = await rig.open("dev-1");
    apply("latency=100ms,jitter=20ms");
    for (const payload of ["1", "2", "3"]) await sent(client, payload);
    rig.time.advance(100 * MS - 1);
    expect(counters().up.passedBytes).toBe(encodePacket(connectPacket("dev-1"), 4).length);
    rig.time.advance(20 * MS + 1);
    await until(() => server.payloads("server").length === 3);
    expect(server.payloads("server")).toEqual(["1", "2", "3"]);
  });

  it("delays a new connection by a round trip before its CONNECT goes on", async () => {
    apply("latency=100ms");
    const client = await rig.dial();
    client.send(connectPacket("dev-1"));
    await until(() => rig.target.peers.length === 1);
    const server = rig.target.peers[0]!;
    rig.time.advance(300 * MS - 1);
    expect(counters().up.passedBytes).toBe(0);
    // The round trip may have begun with the turn after the target's peer appeared.
    await until(() => {
      rig.time.advance(MS);
      return server.received.length > 0;
    });
  });
});

describe("link.bandwidth", () => {
  it("lets bytes leave no faster than its rate", async () => {
    const { client } = await rig.open("dev-1");
    const base = counters().up.passedBytes;
    apply("bandwidth=8kbit/s");
    const packet = publish("x".repeat(993));
    const size = encodePacket(packet, 4).length;
    expect(size).toBe(999);
    client.send(packet);
    client.send(packet);
    await until(() => counters().up.packets === 3);
    rig.time.advance(998 * MS);
    expect(counters().up.passedBytes).toBe(base);
    rig.time.advance(MS);
    expect(counters().up.passedBytes).toBe(base + size);
    rig.time.advance(999 * MS);
    expect(counters().up.passedBytes).toBe(base + 2 * size);
  });
});

describe("link.loss", () => {
  it("costs a retransmission, and no message", async () => {
    const { client, server } = await rig.open("dev-1");
    const base = counters().up.passedBytes;
    apply("loss=99%,direction=up");
    await sent(client, "late");
    rig.time.advance(200 * MS - 1);
    expect(counters().up.passedBytes).toBe(base);
    rig.time.advance(60 * SECOND);
    await until(() => server.payloads("server").length === 1);
  });
});

describe("link.stall", () => {
  it("holds everything back and lets it all go at once", async () => {
    const { client, server } = await rig.open("dev-1");
    apply("stall=10s");
    for (const payload of ["1", "2"]) await sent(client, payload);
    rig.time.advance(10 * SECOND - 1);
    expect(server.payloads("server")).toEqual([]);
    rig.time.advance(1);
    await until(() => server.payloads("server").length === 2);
  });

  it("holds a client that comes during the stall only until its end", async () => {
    apply("stall=10s");
    rig.time.advance(4 * SECOND);
    const client = await rig.dial();
    client.send(connectPacket("late"));
    await until(() => counters().up.packets === 1 && rig.target.peers.length === 1);
    await until(() => {
      if (rig.time.nowUs() < 10 * SECOND) rig.time.advance(6 * SECOND);
      return rig.target.peers[0]!.received.length > 0;
    });
    expect(rig.time.nowUs()).toBe(10 * SECOND);
  });
});

describe("link.blackhole", () => {
  it("cuts both ways, tells nobody, and leaves the broker with a dead connection", async () => {
    const { client, server } = await rig.open("dev-1");
    const fault = apply("blackhole");
    client.send(publish("lost"));
    await until(() => counters().up.receivedBytes > counters().up.passedBytes);
    client.socket.destroy();
    await until(() => client.socket.closed);
    expect(server.ending).toBeUndefined();
    expect(counters().connections).toMatchObject({ severed: 1, open: 1 });
    fault.clear();
    server.send(publish("anybody?"));
    await until(() => rig.proxy.counters().down.receivedBytes > 0);
    rig.time.advance(0);
    await until(() => server.ending === "reset" && counters().connections.open === 0);
  });

  it("leaves new connections without an answer, and resets them when they send after it", async () => {
    const fault = apply("blackhole");
    const client = await rig.dial();
    client.send(connectPacket("dev-1"));
    await until(() => counters().connections.vanished === 1);
    expect(rig.target.peers).toHaveLength(0);
    const { receivedBytes } = counters().up;
    client.send(publish("still nothing"));
    await until(() => counters().up.receivedBytes > receivedBytes);
    expect(client.ending).toBeUndefined();
    fault.clear();
    client.send(publish("once more"));
    await until(() => {
      rig.time.advance(0);
      return client.ending === "reset";
    });
  });
});

describe("link.reset", () => {
  it("resets both sides of the open link, once", async () => {
    const { client, server } = await rig.open("dev-1");
    apply("reset");
    await until(() => client.ending === "reset" && server.ending === "reset");
    expect(counters().connections.reset).toBe(1);
    const again = await rig.open("dev-1");
    again.client.send(publish("hello"));
    await until(() => again.server.payloads("server").length === 1);
  });
});

describe("link.flap", () => {
  it("takes links down and up in turns, for all clients at the same time", async () => {
    const { client } = await rig.open("dev-1");
    apply("flap=5s,up=20s");
    await until(() => client.ending === "reset");
    rig.time.advance(2 * SECOND);
    const early = await rig.dial();
    early.send(connectPacket("newcomer"));
    await until(() => {
      rig.time.advance(0);
      return early.ending === "reset";
    });
    rig.time.advance(3 * SECOND);
    const back = await rig.open("newcomer");
    rig.time.advance(20 * SECOND);
    await until(() => back.client.ending === "reset");
    expect(counters().connections).toMatchObject({ refused: 1, reset: 2 });
  });
});

describe("link.refuse", () => {
  it("turns new clients away and leaves open links alone", async () => {
    const { client, server } = await rig.open("dev-1");
    apply("refuse");
    const second = await rig.dial();
    second.send(connectPacket("dev-2"));
    await until(() => {
      rig.time.advance(0);
      return second.ending === "reset";
    });
    client.send(publish("still here"));
    await until(() => server.payloads("server").length === 1);
    expect(counters().connections.refused).toBe(1);
  });
});

describe("link.no-connack", () => {
  it("swallows CONNACK and nothing else", async () => {
    apply("no-connack");
    const { client, server } = await rig.open("dev-1");
    server.send(CONNACK);
    await until(() => counters().down.droppedPackets === 1);
    server.send({ type: "pingresp" });
    await until(() => client.received.length === 2);
    expect(client.received.toString("hex")).toBe("d000");
  });
});

describe("link.drop-publish", () => {
  it("swallows exactly the listed ones, counted over reconnects", async () => {
    apply("drop-publish=1+3,direction=up");
    const first = await rig.open("dev-1");
    for (const payload of ["0", "1"]) await sent(first.client, payload);
    first.client.socket.end();
    await until(() => first.server.ending === "fin");
    const second = await rig.open("dev-1");
    for (const payload of ["2", "3", "4"]) await sent(second.client, payload);
    await until(() => second.server.payloads("server").length === 2);
    expect(first.server.payloads("server")).toEqual(["0"]);
    expect(second.server.payloads("server")).toEqual(["2", "4"]);
  });

  it("swallows a PUBLISH of megabytes whole", async () => {
    apply("drop-publish=0,direction=up");
    const { client, server } = await rig.open("dev-1");
    client.send(publish("z".repeat(3_000_000)));
    client.send(publish("small"));
    await until(() => server.received.length > 0 && server.payloads("server").length === 1);
    expect(server.payloads("server")).toEqual(["small"]);
    expect(counters().up).toMatchObject({ droppedPackets: 1, packets: 3 });
  });
});

describe("bytes.slice", () => {
  it("writes a few bytes at a time, with a gap", async () => {
    const { client, server } = await rig.open("dev-1");
    const base = counters().up.passedBytes;
    apply("slice=3,gap=10ms");
    client.send(publish("0123456789"));
    await until(() => counters().up.packets === 2);
    const passed: number[] = [];
    for (let gap = 0; gap < 6; gap += 1) {
      passed.push(counters().up.passedBytes - base);
      rig.time.advance(10 * MS);
    }
    expect(passed).toEqual([3, 6, 9, 12, 15, 15]);
    await until(() => server.payloads("server").length === 1);
  });
});

describe("bytes.limit", () => {
  it("passes on exactly so many bytes, then ends the connection in order", async () => {
    apply("limit=30,direction=up");
    const { client, server } = await rig.open("dev-1");
    client.send(publish("0123456789"));
    client.send(publish("0123456789"));
    await until(() => client.ending !== undefined && server.ending !== undefined);
    expect([server.received.length, server.ending]).toEqual([30, "fin"]);
    client.socket.destroy();
    server.socket.destroy();
    await until(() => counters().connections.open === 0);
  });
});

describe("bytes.corrupt", () => {
  it("inverts one bit of each packet it hits, the same ones for the same seed", async () => {
    const corrupted = async (clientId: string): Promise<Buffer> => {
      const { client, server } = await rig.open(clientId);
      const before = server.received.length;
      const fault = apply("corrupt=100%,direction=up");
      for (let n = 0; n < 3; n += 1) client.send(publish("0123456789"));
      await until(() => server.received.length === before + 3 * 15);
      fault.clear();
      client.socket.destroy();
      server.socket.destroy();
      await until(() => counters().connections.open === 0);
      return server.received.subarray(before);
    };
    const sentBytes = encodePacket(publish("0123456789"), 4);
    const once = await corrupted("dev-1");
    for (const start of [0, 15, 30]) {
      const bits = once
        .subarray(start, start + 15)
        .reduce((sum, byte, i) => sum + (byte ^ sentBytes[i]!).toString(2).replaceAll("0", "").length, 0);
      expect(bits).toBe(1);
    }
    expect(await corrupted("dev-1")).toEqual(once);
    expect(await corrupted("dev-2")).not.toEqual(once);
  });
});

describe("a raw proxy", () => {
  it("passes opaque bytes with the faults that need no packets", async () => {
    await rig.stop();
    rig = await new ProxyRig().start({ mode: "raw" });
    apply("latency=50ms");
    const client = await rig.dial();
    await until(() => rig.target.peers.length === 1);
    const bytes = Buffer.from("160301020001000001fc0303", "hex");
    client.socket.write(bytes);
    await until(() => {
      rig.time.advance(10 * MS);
      return rig.target.peers[0]!.received.equals(bytes);
    });
    expect(rig.time.nowUs()).toBeGreaterThanOrEqual(150 * MS);
    expect(counters().up.packets).toBe(0);
  });
});
