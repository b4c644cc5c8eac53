import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import fc from "fast-check";
import { type Listener, type ListenerOptions, openListener, type Rejection } from "fleetrig/broker";
import { VirtualTime } from "fleetrig/kernel";
import { afterEach, describe, expect, it } from "vitest";
import { type ProxyHeader, readProxyHeader } from "../../broker/listeners/proxy-header.js";
import { makeAuthority } from "./certificates.js";
import { RawPeer } from "./raw-peer.js";
import { RecordingAcceptor } from "./recording-acceptor.js";

const CONNECT = "100d00044d5154540402003c000161";
const CONNACK = "20020000";
const V1 = Buffer.from("PROXY TCP4 203.0.113.9 192.0.2.1 40001 1883\r\n");
const SIGNATURE = "0d0a0d0a000d0a515549540a";
const V2 = Buffer.from(`${SIGNATURE} 21 11 000c cb007109 c0000201 9c41 075b`.replaceAll(" ", ""), "hex");
const V2_TLV = Buffer.from(
  `${SIGNATURE} 21 11 0013 cb007109 c0000201 9c41 075b 20000401020304`.replaceAll(" ", ""),
  "hex",
);
const V2_IP6 = Buffer.from(
  `${SIGNATURE} 21 21 0024 20010db8000000000000000000000001 ${"00".repeat(15)}01 9c41 075b`.replaceAll(
    " ",
    "",
  ),
  "hex",
);
const V2_LOCAL = Buffer.from(`${SIGNATURE} 20 00 0000`.replaceAll(" ", ""), "hex");
const SOURCE = { address: "203.0.113.9", port: 40_001 };

const HEADERS: readonly [string, Buffer, { address: string; port: number } | undefined][] = [
  ["version 1, IPv4", V1, SOURCE],
  [
    "version 1, IPv6",
    Buffer.from("PROXY TCP6 2001:db8::1 ::1 40001 1883\r\n"),
    { address: "2001:db8::1", port: 40_001 },
  ],
  ["version 1, unknown", Buffer.from("PROXY UNKNOWN whatever follows\r\n"), undefined],
  ["version 2, IPv4", V2, SOURCE],
  ["version 2, IPv4 with TLVs", V2_TLV, SOURCE],
  ["version 2, IPv6", V2_IP6, { address: "2001:db8::1", port: 40_001 }],
  ["version 2, local", V2_LOCAL, undefined],
];

const v2 = (rest: string): Buffer => Buffer.from(`${SIGNATURE}${rest.replaceAll(" ", "")}`, "hex");

describe("readProxyHeader", () => {
  it.each(HEADERS)("reads %s, wherever it is split", (_, header, source) => {
    const bytes = Buffer.concat([header, Buffer.from(CONNECT, "hex")]);
    for (let length = 0; length < header.length; length += 1)
      expect(readProxyHeader(bytes.subarray(0, length))).toEqual({ state: "incomplete" });
    for (let length = header.length; length <= bytes.length; length += 1)
      expect(readProxyHeader(bytes.subarray(0, length))).toEqual({
        state: "complete",
        headerBytes: header.length,
        source,
      });
  });

  it.each([
    ["no header", Buffer.from(CONNECT, "hex")],
    ["another word", Buffer.from("PROXX TCP4")],
    ["five words", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n")],
    ["seven words", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n")],
    ["two spaces", Buffer.from("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n")],
    ["an IPv6 address for TCP4", Buffer.from("PROXY TCP4 ::1 ::1 1 2\r\n")],
    ["an address that is none", Buffer.from("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n")],
    ["a port beyond 65535", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n")],
    ["a port with a leading zero", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n")],
    ["a family of Object.prototype", Buffer.from("PROXY constructor 1.2.3.4 1.2.3.4 1 2\r\n")],
    ["a zone index", Buffer.from("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n")],
    ["a line without end", Buffer.from(`PROXY TCP4 ${"1".repeat(200)}`)],
    ["version 3", v2("31 11 000c cb007109 c0000201 9c41 075b")],
    ["an unknown command", v2("22 11 000c cb007109 c0000201 9c41 075b")],
    ["an unknown family", v2("21 41 000c cb007109 c0000201 9c41 075b")],
    ["an unknown protocol", v2("21 13 000c cb007109 c0000201 9c41 075b")],
    ["addresses that are cut off", v2("21 11 000b cb007109 c0000201 9c41 07")],
    ["a header of 64 KiB", v2("21 11 ffff")],
  ])("refuses %s", (_, bytes) => {
    expect(readProxyHeader(bytes)).toMatchObject({ state: "malformed", detail: expect.any(String) });
  });

  it("never throws, and never changes its mind when more bytes come", () => {
    const start = fc.constantFrom(
      Buffer.from("PROXY "),
      Buffer.from(SIGNATURE, "hex"),
      V1,
      V2_TLV,
      Buffer.alloc(0),
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, tail) => {
        const bytes = Buffer.concat([head, tail]);
        let verdict: ProxyHeader = { state: "incomplete" };
        for (let length = 0; length <= bytes.length; length += 1) {
          const next = readProxyHeader(bytes.subarray(0, length));
          if (verdict.state === "complete") expect(next).toEqual(verdict);
          if (verdict.state === "malformed") expect(next.state).toBe("malformed");
          verdict = next;
        }
      }),
      { numRuns: 300 },
    );
  });

  it("gives back the addresses that a proxy wrote", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (address, port) => {
        const line = Buffer.from(`PROXY TCP4 ${address} 127.0.0.1 ${port} 1883\r\n`);
        expect(readProxyHeader(line)).toMatchObject({ source: { address, port } });
        const binary = Buffer.concat([
          v2("21 11 000c"),
          Buffer.from(address.split(".").map(Number)),
          Buffer.alloc(8),
        ]);
        binary.writeUInt16BE(port, 24);
        expect(readProxyHeader(binary)).toMatchObject({ source: { address, port } });
      }),
    );
  });
});

let listener: Listener | undefined;
const rejections: Rejection[] = [];
const time = new VirtualTime();

async function listen(options: ListenerOptions = {}): Promise<RecordingAcceptor> {
  const acceptor = new RecordingAcceptor();
  listener = await openListener(
    { proxyProtocol: {}, ...options },
    {
      acceptor,
      maxPacketBytes: 1_000,
      connectDeadlineMs: 30_000,
      clock: time.lane(1),
      observer: { rejected: (rejection) => rejections.push(rejection) },
    },
  );
  return acceptor;
}

afterEach(async () => {
  await listener?.stop();
  listener = undefined;
  rejections.length = 0;
});

describe("listener behind a proxy", () => {
  it.each(HEADERS)("serves a client behind %s, in one piece and byte by byte", async (_, header, source) => {
    const acceptor = await listen();
    const whole = await RawPeer.dial(listener!.port);
    whole.write(`${header.toString("hex")}${CONNECT}`);
    expect(await whole.hex(4)).toBe(CONNACK);
    const pieces = await RawPeer.dial(listener!.port);
    for (const byte of Buffer.concat([header, Buffer.from(CONNECT, "hex")])) {
      pieces.write(byte.toString(16).padStart(2, "0"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await pieces.hex(4)).toBe(CONNACK);
    for (const { link } of acceptor.recorders) {
      if (source === undefined) {
        expect(link.remoteAddress).toMatch(/^127\.0\.0\.1:/);
        expect(link.peer?.proxiedFrom).toBeUndefined();
        continue;
      }
      const host = source.address.includes(":") ? `[${source.address}]` : source.address;
      expect(link.remoteAddress).toBe(`${host}:${source.port}`);
      expect(link.peer?.proxiedFrom).toMatch(/^127\.0\.0\.1:\d+$/);
    }
    pieces.end();
    whole.end();
  });

  it("goes on with TLS after the header, also when its first bytes came along", async () => {
    const authority = makeAuthority("CA");
    const tls = authority.issue({ commonName: "broker", names: ["127.0.0.1"] });
    const acceptor = await listen({ tls });
    const socket = connectTcp({ port: listener!.port, host: "127.0.0.1" });
    await once(socket, "connect");
    socket.cork();
    socket.write(V2);
    const secured = connectTls({
      socket,
      ca: authority.cert,
      servername: "",
      checkServerIdentity: () => undefined,
    });
    socket.uncork();
    await once(secured, "secureConnect");
    secured.write(Buffer.from(CONNECT, "hex"));
    expect((await once(secured, "data")).toString()).toBe(Buffer.from(CONNACK, "hex").toString());
    const { link } = await acceptor.untilAccepted();
    expect(link.remoteAddress).toBe("203.0.113.9:40001");
    expect(link.peer).toMatchObject({ transport: "tls", proxiedFrom: expect.stringContaining("127.0.0.1") });
    secured.destroy();
  });

  it.each([
    ["that is none", CONNECT, "proxy-header"],
    ["that is broken", Buffer.from("PROXY TCP4 nonsense\r\n").toString("hex"), "proxy-header"],
  ])("closes on a header %s", async (_, bytes, reason) => {
    const acceptor = await listen();
    const peer = await RawPeer.dial(listener!.port);
    peer.write(bytes);
    expect(await peer.untilEnd()).toBe("");
    expect(rejections).toMatchObject([{ reason }]);
    expect(acceptor.recorders).toEqual([]);
  });

  it("closes when the header ends early or does not come in time", async () => {
    await listen();
    const short = await RawPeer.dial(listener!.port);
    short.write(V1.subarray(0, 20).toString("hex"));
    short.end();
    await short.untilEnd();
    const slow = await RawPeer.dial(listener!.port);
    slow.write(V1.subarray(0, 20).toString("hex"));
    await expect.poll(() => listener!.connections()).toBe(1);
    time.advance(5_000_000);
    await slow.untilEnd();
    expect(rejections.map(({ reason }) => reason)).toEqual(["proxy-header", "deadline"]);
  });

  it("serves nobody but its proxies", async () => {
    await listen({ proxyProtocol: { trustedProxies: ["10.0.0.0/8", "fd00::/8", "192.0.2.7"] } });
    const peer = await RawPeer.dial(listener!.port);
    peer.write(V1.toString("hex"));
    expect(await peer.untilEnd()).toBe("");
    expect(rejections).toMatchObject([{ reason: "untrusted-proxy" }]);
  });

  it.each(["10.0.0.0/33", "nonsense", "::1/129", "10.0.0.0/"])("names %s as no block", async (entry) => {
    await expect(listen({ proxyProtocol: { trustedProxies: [entry] } })).rejects.toMatchObject({
      code: "LISTENER_OPTION_INVALID",
    });
  });

  it("takes the header for part of MQTT where it was not asked for", async () => {
    listener = await openListener(
      {},
      {
        acceptor: new RecordingAcceptor(),
        maxPacketBytes: 1_000,
        connectDeadlineMs: 1_000,
        clock: time.lane(1),
      },
    );
    const peer = await RawPeer.dial(listener.port);
    peer.write(V1.toString("hex"));
    expect(await peer.untilEnd()).toBe("");
  });
});
