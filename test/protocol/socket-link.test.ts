import { EventEmitter } from "node:events";
import {
  type ByteStream,
  type DecoderRole,
  encodePacket,
  type LinkCloseReason,
  type LinkHost,
  type Packet,
  SocketLink,
  WriteBatch,
} from "fleetrig/protocol";
import { describe, expect, it } from "vitest";

/** A stream in memory: writes are recorded, what the other side does is emitted by the test. */
class RecordedStream extends EventEmitter implements ByteStream {
  readonly log: string[] = [];
  writableLength = 0;

  write(bytes: Uint8Array): void {
    this.log.push(Buffer.from(bytes).toString("hex"));
  }

  end(): void {
    this.log.push("end");
  }

  destroy(): void {
    this.log.push("destroy");
  }

  pause(): void {
    this.log.push("pause");
  }

  resume(): void {
    this.log.push("resume");
  }
}

function rig(
  role: DecoderRole = "server",
  answer: (packet: Packet, link: SocketLink) => void = () => undefined,
  more: Partial<LinkHost> = {},
) {
  const stream = new RecordedStream();
  const turns: (() => void)[] = [];
  const batch = new WriteBatch((task) => turns.push(task));
  const packets: string[] = [];
  const closings: LinkCloseReason[] = [];
  const host: LinkHost = {
    role,
    batch,
    maxPacketBytes: 10_000_000,
    linger: () => stream.log.push("linger"),
    ...(role === "client" ? { version: 5 } : {}),
    ...more,
  };
  const link = new SocketLink(host, { stream, remoteAddress: "peer" });
  link.attach({
    received: (packet) => {
      packets.push(packet.type);
      answer(packet, link);
    },
    closed: (reason) => closings.push(reason),
  });
  const nextTurn = () => {
    for (const task of turns.splice(0)) task();
  };
  return { stream, link, packets, closings, turns, nextTurn };
}

const PING: Packet = { type: "pingresp" };
const CONNECT = encodePacket(
  { type: "connect", protocolVersion: 5, clientId: "a", cleanStart: true, keepAliveS: 0 },
  5,
);

describe("SocketLink", () => {
  it("closes a stream that both sides are done with, where ending is closing", () => {
    const { stream, link, closings, nextTurn } = rig("server", undefined, { endsByClosing: true });
    link.send(PING);
    stream.emit("end");
    nextTurn();
    expect([stream.log, closings]).toEqual([["d000", "destroy"], ["closed"]]);
  });

  it("ends a stream in order while the network has not taken everything", () => {
    const { stream, nextTurn } = rig("server", undefined, { endsByClosing: true });
    stream.writableLength = 10;
    stream.emit("end");
    nextTurn();
    expect(stream.log).toEqual(["end", "linger"]);
  });

  it("sends everything of one turn in one write", () => {
    const { stream, link, turns, nextTurn } = rig();
    for (let i = 0; i < 3; i += 1) link.send(PING);
    expect([stream.log, link.bufferedBytes, turns.length]).toEqual([[], 6, 1]);
    nextTurn();
    expect([stream.log, link.bufferedBytes]).toEqual([["d000d000d000"], 0]);
    link.send(PING);
    nextTurn();
    expect(stream.log).toEqual(["d000d000d000", "d000"]);
  });

  it("adds what the stream has not passed on to the buffered bytes", () => {
    const { stream, link } = rig();
    stream.writableLength = 100;
    link.send(PING);
    expect(link.bufferedBytes).toBe(102);
  });

  it("ends after the last write when closed, and reports it outside of close()", () => {
    const { stream, link, closings, nextTurn } = rig();
    link.send(PING);
    link.close();
    expect(closings).toEqual([]);
    nextTurn();
    expect([stream.log, closings]).toEqual([["d000", "end", "linger"], ["local"]]);
    link.destroy();
    stream.emit("close");
    nextTurn();
    expect([stream.log, closings]).toEqual([["d000", "end", "linger"], ["local"]]);
  });

  it("can be destroyed while it is closing; what was waiting is lost", () => {
    const { stream, link, closings, nextTurn } = rig();
    link.send(PING);
    link.close();
    link.destroy();
    nextTurn();
    expect([stream.log, closings]).toEqual([["destroy"], ["local"]]);
  });

  it("delivers nothing after close(), not even from the chunk at hand", () => {
    const { stream, packets, nextTurn } = rig("server", (_, link) => link.close());
    stream.emit("data", Buffer.concat([CONNECT, Buffer.from("c000", "hex")]));
    stream.emit("data", Buffer.from("c000", "hex"));
    nextTurn();
    expect(packets).toEqual(["connect"]);
  });

  it.each([
    [4, ["end", "linger"]],
    [5, ["2003008200", "end", "linger"]],
  ])(
    "refuses a client that takes %i bytes with what fits [MQTT-3.1.2-24]",
    (maximumPacketBytes, expected) => {
      const { stream, nextTurn } = rig();
      const session = { protocolVersion: 5, clientId: "a", cleanStart: true, keepAliveS: 0 } as const;
      stream.emit("data", encodePacket({ type: "connect", ...session, maximumPacketBytes }, 5));
      stream.emit("data", Buffer.from("2000", "hex"));
      nextTurn();
      expect(stream.log).toEqual(expected);
    },
  );

  it("reports the first reason only", () => {
    const { stream, link, closings, nextTurn } = rig();
    stream.emit("end");
    stream.emit("end");
    stream.emit("error");
    stream.emit("close");
    link.close();
    nextTurn();
    expect([closings, link.bufferedBytes]).toEqual([["closed"], 0]);
  });

  it("drops what waits when the path breaks", () => {
    const { stream, link, closings, nextTurn } = rig();
    link.send(PING);
    stream.emit("error");
    nextTurn();
    expect([stream.log, closings, link.bufferedBytes]).toEqual([[], ["reset"], 0]);
  });

  it("pauses a client that does not read its answers, once, until it does", () => {
    const { stream, link, nextTurn } = rig();
    stream.emit("drain");
    stream.writableLength = 2_000_000;
    link.send(PING);
    nextTurn();
    link.send(PING);
    nextTurn();
    stream.emit("drain");
    expect(stream.log).toEqual(["d000", "pause", "d000", "resume"]);
  });

  it("never pauses on a device: the fleet keeps listening", () => {
    const { stream, link, nextTurn } = rig("client");
    stream.writableLength = 2_000_000;
    link.send({ type: "pingreq" });
    nextTurn();
    expect(stream.log).toEqual(["c000"]);
  });

  it("works without an owner until one is attached", () => {
    const stream = new RecordedStream();
    const batch = new WriteBatch(() => undefined);
    const link = new SocketLink(
      { role: "server", batch, maxPacketBytes: 100, linger: () => undefined },
      { stream, remoteAddress: "peer" },
    );
    stream.emit("data", CONNECT);
    stream.emit("close");
    expect(link.isOpened).toBe(true);
  });
});
