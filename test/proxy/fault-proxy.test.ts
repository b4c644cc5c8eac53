import { createRandomSource, FleetrigError } from "fleetrig/kernel";
import { createFaultProxy, type ProxyNotice } from "fleetrig/sim";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProxyRig, publish, until } from "./proxy-rig.js";

const MS = 1_000;
const SECOND = 1_000_000;
/** tcpmux, which nobody has run for decades; a port freed a moment ago might become the proxy's own. */
const CLOSED_PORT = 1;
const CONNACK = { type: "connack", sessionPresent: false, reasonCode: 0 } as const;

let rig: ProxyRig;
beforeEach(() => {
  rig = new ProxyRig();
});
afterEach(() => rig.stop());

const counters = () => rig.proxy.counters();

describe("a fault proxy without faults", () => {
  it("passes every byte on, both ways, also what is no MQTT", async () => {
    await rig.start();
    const { client, server } = await rig.open("dev-1");
    const strange = Buffer.from("00ff17deadbeef", "hex");
    client.socket.write(strange);
    server.socket.write(strange);
    await until(() => server.received.subarray(-7).equals(strange) && client.received.equals(strange));
    expect(counters().up.passedBytes).toBe(server.received.length);
    expect(counters().down.passedBytes).toBe(7);
  });

  it("passes the end of one side on and lets the other finish", async () => {
    await rig.start();
    const { client, server } = await rig.open("dev-1");
    client.socket.end();
    await until(() => server.ending === "fin");
    server.socket.end("last words");
    await until(() => client.ending === "fin");
    expect(client.received.toString()).toBe("last words");
    await until(() => counters().connections.open === 0);
  });

  it("passes a reset on, in both directions", async () => {
    await rig.start();
    const one = await rig.open("dev-1");
    one.client.socket.resetAndDestroy();
    await until(() => one.server.ending === "reset");
    const two = await rig.open("dev-2");
    two.server.socket.resetAndDestroy();
    await until(() => two.client.ending === "reset");
    await until(() => counters().connections.open === 0);
  });

  it("ends a connection that stays half open and silent", async () => {
    await rig.start();
    const { client, server } = await rig.open("dev-1");
    client.socket.end();
    await until(() => server.ending === "fin");
    rig.time.advance(31 * SECOND);
    await until(() => counters().connections.open === 0);
  });

  it("resets the client, and counts it, when the target refuses", async () => {
    const notices: ProxyNotice[] = [];
    await rig.start({
      to: { host: "127.0.0.1", port: CLOSED_PORT },
      notice: (notice) => notices.push(notice),
    });
    const client = await rig.dial();
    client.socket.write(Buffer.from("c000", "hex"));
    await until(() => client.ending === "reset");
    expect(counters().connections).toMatchObject({ accepted: 1, targetFailed: 1 });
    expect(notices).toEqual([{ type: "target-failed", reason: "ECONNREFUSED" }]);
    await until(() => counters().connections.open === 0);
  });

  it("lets a client through after ten seconds even if it says nothing", async () => {
    await rig.start();
    await rig.dial();
    await until(() => counters().connections.open === 1);
    expect(rig.target.peers).toHaveLength(0);
    rig.time.advance(10 * SECOND);
    await until(() => rig.target.peers.length === 1);
  });

  it("turns away who comes on top of the most connections it may have", async () => {
    await rig.start({ maxConnections: 1 });
    await rig.open("dev-1");
    const second = await rig.dial();
    await until(() => second.ending === "reset");
    expect(counters().connections).toMatchObject({ accepted: 2, open: 1, overLimit: 1 });
  });

  it("says so when its port is taken", async () => {
    await rig.start();
    const taken = { host: "127.0.0.1", port: rig.proxy.port };
    const second = createFaultProxy({
      ...taken,
      to: taken,
      clock: rig.time.lane(1),
      random: createRandomSource(1),
    });
    await expect(second).rejects.toThrow(FleetrigError);
    await expect(second).rejects.toMatchObject({ code: "LISTENER_UNAVAILABLE" });
  });

  it("refuses to be its own target", async () => {
    await rig.start();
    const { port } = rig.proxy;
    await rig.proxy.stop();
    const clock = rig.time.lane(1);
    const to = { host: "127.0.0.1", port };
    const itself = createFaultProxy({ port, to, clock, random: createRandomSource(1) });
    await expect(itself).rejects.toMatchObject({ code: "PROXY_TO_ITSELF" });
  });

  it("stops with connections open, and leaves none", async () => {
    await rig.start();
    const { client, server } = await rig.open("dev-1");
    await rig.proxy.stop();
    await until(() => client.ending !== undefined && server.ending !== undefined);
    expect(counters().connections.open).toBe(0);
  });
});

describe("backpressure", () => {
  it("stops reading a sender once a mebibyte waits for a stalled path", async () => {
    await rig.start({ faults: [{ fault: "link.stall", detail: { hold: "10s", direction: "up" } }] });
    const client = await rig.dial();
    client.send({ type: "connect", protocolVersion: 4, clientId: "a", cleanStart: true, keepAliveS: 0 });
    await until(() => rig.target.peers.length === 1);
    const sent = 2 * 1_048_576;
    client.socket.write(Buffer.alloc(sent, "c000", "hex"));
    await until(() => counters().up.receivedBytes > 0);
    let before = -1;
    for (let quiet = 0; quiet < 100; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (counters().up.receivedBytes !== before) quiet = 0;
      before = counters().up.receivedBytes;
    }
    // 2-byte packets: what waiting costs counts too, so that far less than a mebibyte of them was read.
    expect(before).toBeLessThan(200_000);
    rig.time.advance(10 * SECOND);
    await until(() => rig.target.peers[0]!.received.length >= sent);
  });

  it("stops reading a sender whose receiver does not read", async () => {
    await rig.start({ mode: "raw" });
    const client = await rig.dial();
    await until(() => rig.target.peers.length === 1);
    const server = rig.target.peers[0]!;
    server.socket.pause();
    const sent = 64 * 1_048_576;
    client.socket.write(Buffer.alloc(sent));
    let before = -1;
    for (let quiet = 0; quiet < 200; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (counters().up.receivedBytes !== before) quiet = 0;
      before = counters().up.receivedBytes;
    }
    expect(before).toBeLessThan(32 * 1_048_576);
    client.socket.destroy();
    server.socket.destroy();
    await until(() => counters().connections.open === 0);
  });
});

describe("when faults are on", () => {
  it("applies to links that are open and those to come, until cleared", async () => {
    await rig.start();
    const first = await rig.open("dev-1");
    const applied = rig.proxy.apply({ fault: "link.drop-publish", detail: { direction: "up" } });
    const second = await rig.open("dev-2");
    for (const { client } of [first, second]) client.send(publish("dropped"));
    await until(() => counters().up.droppedPackets === 2);
    applied.clear();
    for (const { client } of [first, second]) client.send(publish("kept"));
    await until(() => [first, second].every(({ server }) => server.payloads("server").includes("kept")));
    expect(first.server.payloads("server")).toEqual(["kept"]);
    expect(counters().faults).toEqual({ "link.drop-publish": 1 });
  });

  it("chooses clients by their identifier", async () => {
    const fault = { fault: "link.drop-publish", client: "dev-*" };
    await rig.start({ faults: [fault] });
    const chosen = await rig.open("dev-1");
    const other = await rig.open("gateway");
    for (const { client } of [chosen, other]) client.send(publish("hello"));
    await until(() => counters().up.droppedPackets === 1 && other.server.payloads("server").length === 1);
    expect(chosen.server.payloads("server")).toEqual([]);
  });

  it("begins and ends at its time", async () => {
    const notices: string[] = [];
    await rig.start({
      faults: [{ fault: "link.drop-publish", atUs: 5 * SECOND, forUs: 2 * SECOND }],
      notice: (notice) => notices.push(`${rig.time.nowUs() / SECOND} ${notice.type}`),
    });
    const { client, server } = await rig.open("dev-1");
    for (const [payload, advanceS] of [
      ["before", 5],
      ["during", 2],
      ["after", 0],
    ] as const) {
      const { passedBytes, droppedPackets } = counters().up;
      client.send(publish(payload));
      await until(
        () => counters().up.passedBytes + counters().up.droppedPackets > passedBytes + droppedPackets,
      );
      rig.time.advance(advanceS * SECOND);
    }
    await until(() => server.payloads("server").length === 2);
    expect(server.payloads("server")).toEqual(["before", "after"]);
    expect(notices).toEqual(["5 fault-on", "7 fault-off"]);
  });

  it("adds the same fault twice, and direction by direction", async () => {
    await rig.start();
    const { client, server } = await rig.open("dev-1");
    server.send(CONNACK);
    await until(() => client.received.length > 0);
    rig.proxy.apply({ fault: "link.latency", detail: { by: "100ms" } });
    rig.proxy.apply({ fault: "link.latency", detail: { by: "50ms", direction: "up" } });
    const base = counters();
    client.send(publish("up"));
    server.send(publish("down"));
    await until(() => counters().up.receivedBytes > base.up.receivedBytes);
    await until(() => counters().down.receivedBytes > base.down.receivedBytes);
    rig.time.advance(100 * MS);
    await until(() => client.payloads("client").length === 1);
    expect(counters().up.passedBytes).toBe(base.up.passedBytes);
    rig.time.advance(50 * MS);
    await until(() => server.payloads("server").length === 1);
  });
});
