import fc from "fast-check";
import { VirtualTime } from "fleetrig/kernel";
import {
  type DialHandlers,
  encodePacket,
  type Packet,
  type PacketLink,
  type PacketReceiver,
} from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { type NetworkReply, Tunnel } from "../../../hil/bridge/tunnel.js";

const CONNECT: Packet = {
  type: "connect",
  protocolVersion: 5,
  clientId: "r-01",
  cleanStart: true,
  keepAliveS: 30,
};

const PUBLISH: Packet = {
  type: "publish",
  topic: "t",
  payload: new Uint8Array(1_000),
  qos: 0,
  retain: false,
  dup: false,
};

/** A tunnel between a line and a broker that only write down what they get. */
class TunnelRig {
  readonly time = new VirtualTime();
  readonly replies: NetworkReply[] = [];
  readonly bytes: Uint8Array[] = [];
  readonly packets: Packet[] = [];
  readonly calls: string[] = [];
  pendingBytes = 0;
  receiver: PacketReceiver | undefined;
  handlers: DialHandlers | undefined;
  readonly link: PacketLink = {
    send: (packet) => void this.packets.push(packet),
    close: () => void this.calls.push("close"),
    destroy: () => void this.calls.push("destroy"),
    pauseReading: () => void this.calls.push("pause"),
    resumeReading: () => void this.calls.push("resume"),
    bufferedBytes: 0,
    remoteAddress: "broker",
  };
  readonly tunnel: Tunnel;

  constructor(login?: { username: string; password: string }) {
    const pending = (): number => this.pendingBytes;
    this.tunnel = new Tunnel({
      clock: this.time.lane(1),
      thing: "r-01",
      version: 5,
      dialer: {
        dial: (handlers) => {
          this.handlers = handlers;
          return { abandon: () => void this.calls.push("abandon") };
        },
      },
      login,
      line: {
        sendNetwork: (message) => void this.replies.push(message),
        sendNetworkData: (bytes) => {
          this.bytes.push(bytes);
          this.pendingBytes += bytes.length;
        },
        get pendingBytes() {
          return pending();
        },
      },
    });
    this.tunnel.open();
  }

  connected(n = 1): this {
    this.tunnel.network({ net: "dial", n });
    this.receiver = this.handlers!.opened(this.link);
    this.tunnel.networkData(encodePacket(CONNECT, 5));
    return this;
  }
}

describe("Tunnel", () => {
  it("passes packets that come in pieces of any size", () => {
    const rig = new TunnelRig();
    rig.tunnel.network({ net: "dial", n: 1 });
    rig.handlers!.opened(rig.link);
    for (const byte of encodePacket(CONNECT, 5)) rig.tunnel.networkData(Uint8Array.of(byte));
    expect(rig.replies).toEqual([{ net: "opened", n: 1 }]);
    expect(rig.packets).toMatchObject([{ type: "connect", clientId: "r-01" }]);
  });

  it("shows the login of the group for a board that knows of none", () => {
    const rig = new TunnelRig({ username: "u", password: "p" }).connected();
    expect(rig.packets[0]).toMatchObject({ username: "u" });
  });

  it("ends connections of other members, and of those who speak another version", () => {
    for (const wrong of [
      { ...CONNECT, clientId: "r-02" },
      { ...CONNECT, protocolVersion: 4 },
    ] as const) {
      const rig = new TunnelRig();
      rig.tunnel.network({ net: "dial", n: 1 });
      rig.handlers!.opened(rig.link);
      rig.tunnel.networkData(encodePacket(wrong, wrong.protocolVersion === 4 ? 4 : 5));
      expect(rig.packets).toEqual([]);
      expect(rig.replies.at(-1)).toEqual({ net: "closed", n: 1, reason: "reset" });
    }
  });

  it("lets nobody dial before the member is who it should be", () => {
    const rig = new TunnelRig();
    rig.tunnel.leave();
    rig.tunnel.network({ net: "dial", n: 4 });
    expect(rig.replies).toEqual([{ net: "failed", n: 4, reason: "unreachable" }]);
    expect(rig.tunnel.counters.notWanted).toBe(1);
  });

  it("stops reading from the broker while the line is behind, and goes on after", () => {
    const rig = new TunnelRig().connected();
    for (let i = 0; i < 7; i += 1) rig.receiver!.received(PUBLISH, 1_006);
    expect(rig.calls).toContain("pause");
    rig.pendingBytes = 0;
    rig.time.advance(50_000);
    expect(rig.calls.at(-1)).toBe("resume");
  });

  it("ends a connection whose board takes nothing, before memory runs out", () => {
    const rig = new TunnelRig().connected();
    for (let i = 0; i < 1_100; i += 1) rig.receiver!.received(PUBLISH, 1_006);
    expect(rig.tunnel.counters.overflowed).toBe(1);
    expect(rig.calls).toContain("destroy");
    expect(rig.pendingBytes).toBeLessThan(1_200_000);
  });

  it("closes in order and resets as the board wants it, and tells it how the broker ended", () => {
    const closed = new TunnelRig().connected();
    closed.tunnel.network({ net: "close", n: 1 });
    expect(closed.calls).toEqual(["close"]);
    const aborted = new TunnelRig().connected();
    aborted.tunnel.network({ net: "abort", n: 1 });
    expect(aborted.calls).toEqual(["destroy"]);
    const ended = new TunnelRig().connected();
    ended.receiver!.closed("closed");
    expect(ended.replies.at(-1)).toEqual({ net: "closed", n: 1, reason: "closed" });
  });

  it("gives up a dial that the board gives up, and ignores what comes of it", () => {
    const rig = new TunnelRig();
    rig.tunnel.network({ net: "dial", n: 1 });
    rig.tunnel.network({ net: "dial", n: 2 });
    expect(rig.calls).toEqual(["abandon"]);
    rig.tunnel.network({ net: "abort", n: 1 });
    rig.receiver = rig.handlers!.opened(rig.link);
    expect(rig.replies).toEqual([{ net: "opened", n: 2 }]);
  });

  it("survives any bytes and any messages", () => {
    const message = fc.record({
      net: fc.constantFrom("dial", "close", "abort", "x"),
      n: fc.integer({ min: 0, max: 3 }),
    });
    const step = fc.oneof(
      message,
      fc.uint8Array({ maxLength: 40 }),
      fc.jsonValue().map((value) => ({ value })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const rig = new TunnelRig();
        for (const each of steps) {
          if (each instanceof Uint8Array) rig.tunnel.networkData(each);
          else rig.tunnel.network(each as never);
          rig.handlers?.opened(rig.link);
          rig.handlers = undefined;
        }
        rig.tunnel.leave();
        expect(rig.packets.every(({ type }) => type !== "publish")).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
