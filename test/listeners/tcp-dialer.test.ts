import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Listener, openListener } from "fleetrig/broker";
import { VirtualTime } from "fleetrig/kernel";
import type { DialFailure, Packet, PendingLink } from "fleetrig/protocol";
import { createTcpDialer } from "fleetrig/sim";
import { afterEach, describe, expect, it } from "vitest";
import { Recorder, RecordingAcceptor } from "./recording-acceptor.js";

const CONNECT: Packet = {
  type: "connect",
  protocolVersion: 5,
  clientId: "a",
  cleanStart: true,
  keepAliveS: 0,
};

let listener: Listener | undefined;

async function listen(acceptor: RecordingAcceptor): Promise<number> {
  listener = await openListener(
    { port: 0 },
    {
      acceptor,
      maxPacketBytes: 10_000_000,
      connectDeadlineMs: 10_000,
      clock: new VirtualTime().lane(1),
    },
  );
  return listener.port;
}

afterEach(async () => {
  await listener?.stop();
  listener = undefined;
});

function dial(port: number, timeoutMs = 5_000): Promise<Recorder | DialFailure> {
  const dialer = createTcpDialer({ host: "127.0.0.1", port, version: 5, timeoutMs });
  return new Promise((resolve) => {
    dialer.dial({
      opened: (link) => {
        const recorder = new Recorder(link, () => undefined);
        resolve(recorder);
        return recorder;
      },
      failed: resolve,
    });
  });
}

async function dialOpen(port: number): Promise<Recorder> {
  const recorder = await dial(port);
  if (typeof recorder === "string") throw new TypeError(`dial failed: ${recorder}`);
  return recorder;
}

describe("createTcpDialer", () => {
  it("carries packets both ways over a real socket, large ones included", async () => {
    const acceptor = new RecordingAcceptor();
    const device = await dialOpen(await listen(acceptor));
    const payload = new Uint8Array(3_000_000).fill(7);
    const publish: Packet = {
      type: "publish",
      topic: "dt/a",
      payload,
      qos: 1,
      packetId: 1,
      retain: false,
      dup: false,
    };
    device.link.send(CONNECT);
    device.link.send(publish);
    const server = await acceptor.untilAccepted();
    const [connect, received] = await server.untilPackets(2);
    expect(connect).toEqual(CONNECT);
    expect(received?.type === "publish" && Buffer.compare(received.payload, payload)).toBe(0);
    expect((await device.untilPackets(1))[0]).toMatchObject({ type: "connack", reasonCode: 0 });
  });

  it("stops reading from a client that does not read, and goes on when it does", async () => {
    const payload = new Uint8Array(1_000_000);
    const acceptor = new RecordingAcceptor((packet, link) => {
      if (packet.type === "connect") link.send({ type: "connack", sessionPresent: false, reasonCode: 0 });
      if (packet.type === "pingreq")
        for (let i = 0; i < 20; i += 1)
          link.send({ type: "publish", topic: "t", payload, qos: 0, retain: false, dup: false });
    });
    const device = await dialOpen(await listen(acceptor));
    for (const packet of [CONNECT, { type: "pingreq" }, { type: "pingreq" }] as const)
      device.link.send(packet);
    expect(await device.untilPackets(41)).toHaveLength(41);
    device.link.send({ type: "pingreq" });
    expect(await device.untilPackets(61)).toHaveLength(61);
  });

  it("tells the device that it ended the link itself, and the server that the client did", async () => {
    const acceptor = new RecordingAcceptor();
    const device = await dialOpen(await listen(acceptor));
    device.link.send(CONNECT);
    device.link.close();
    expect(await device.untilClosed()).toEqual(["local"]);
    expect(await (await acceptor.untilAccepted()).untilClosed()).toEqual(["closed"]);
  });

  it("closes on bytes that are not MQTT and tells the server why (§4.13)", async () => {
    const acceptor = new RecordingAcceptor((_, link) =>
      link.send({ type: "connack", sessionPresent: false, reasonCode: 0x77 }),
    );
    const device = await dialOpen(await listen(acceptor));
    device.link.send(CONNECT);
    expect(await device.untilClosed()).toEqual(["malformed"]);
    const server = await acceptor.untilAccepted();
    expect((await server.untilPackets(2))[1]).toEqual({ type: "disconnect", reasonCode: 0x82 });
  });

  it("fails as refused where nobody listens", async () => {
    const port = await listen(new RecordingAcceptor());
    await listener!.stop();
    expect(await dial(port)).toBe("refused");
  });

  it("fails as unreachable where no route leads", async () => {
    const dialer = createTcpDialer({ host: "255.255.255.255", port: 1, version: 4, timeoutMs: 5_000 });
    const reason = await new Promise<DialFailure>((resolve) => {
      dialer.dial({ opened: () => expect.unreachable(), failed: resolve });
    });
    expect(reason).toBe("unreachable");
  });

  it("calls nobody after it was abandoned", async () => {
    const calls: string[] = [];
    const port = await listen(new RecordingAcceptor());
    const dialer = createTcpDialer({ host: "127.0.0.1", port, version: 4, timeoutMs: 5_000 });
    const pending: PendingLink = dialer.dial({
      opened: (link) => {
        calls.push("opened");
        return new Recorder(link, () => undefined);
      },
      failed: (reason) => calls.push(reason),
    });
    pending.abandon();
    pending.abandon();
    await dialOpen(port);
    expect(calls).toEqual([]);
  });

  it("gives up when the connection does not open in time", async () => {
    const { worker, port } = await deafServer();
    const first = await Promise.all(Array.from({ length: 4 }, () => dial(port, 100)));
    expect(first).toContain("timeout");
    for (const opened of first) if (typeof opened !== "string") opened.link.destroy();
    await worker.terminate();
  });
});

/** Listens in a thread that then blocks for ever: connections fill the backlog and nobody accepts them. */
async function deafServer(): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const server = require("node:net").createServer();
     server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const [port] = (await once(worker, "message")) as [number];
  return { worker, port };
}
