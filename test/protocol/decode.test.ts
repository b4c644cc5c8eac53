import { encodePacket, type Packet, PacketDecoder, type ProtocolVersion } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { MALFORMED } from "./malformed-table.js";

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");

const serverDecoder = (maxPacketBytes = 1_000) => new PacketDecoder({ role: "server", maxPacketBytes });

function decodeAll(decoder: PacketDecoder, hex: string): Packet[] {
  const packets: Packet[] = [];
  decoder.push(bytesOf(hex), (packet) => packets.push(packet));
  return packets;
}

const CONNECT_V4 = "10 0d 0004 4d515454 04 02 003c 0001 61";
const CONNECT_V5 = "10 0e 0004 4d515454 05 02 003c 00 0001 61";

describe.each(MALFORMED)("PacketDecoder, malformed: $name", ({ role, version, opening, rows }) => {
  it.each(rows)("refuses %s", (_, hex, reasonCode, spec) => {
    const isFirst = opening === "";
    const options = { role, version, maxPacketBytes: isFirst ? 1_000_000 : 1_000 };
    const decoder = new PacketDecoder(options);
    expect(decoder.push(bytesOf(opening), () => undefined)).toBeUndefined();
    const yielded: Packet[] = [];
    const failure = decoder.push(bytesOf(hex), (packet) => yielded.push(packet));
    expect(yielded).toEqual([]);
    expect(failure).toMatchObject({ reasonCode });
    expect(failure?.message).toContain(`[${spec}].`);
    expect(decoder.push(bytesOf("c000"), () => expect.unreachable())).toBe(failure);
  });
});

describe("PacketDecoder, sizes", () => {
  it("refuses an oversize packet at its header, before any of it arrives", () => {
    const decoder = serverDecoder(100_000_000);
    const failure = decoder.push(bytesOf("10 ffffff7f"), () => undefined);
    expect(failure).toEqual({
      code: "PROTOCOL_PACKET_TOO_LARGE",
      reasonCode: 0x95,
      message: "CONNECT of 268435460 bytes exceeds the limit of 65536 [MQTT-3.1.2-24].",
    });
  });

  it("takes the smaller of both limits before CONNECT", () => {
    const failure = serverDecoder(20).push(bytesOf("10 13"), () => undefined);
    expect(failure?.message).toContain("21 bytes exceeds the limit of 20");
    const wide = new PacketDecoder({ role: "server", maxPacketBytes: 1_000, maxConnectBytes: 12 });
    expect(wide.push(bytesOf(CONNECT_V4), () => undefined)?.code).toBe("PROTOCOL_PACKET_TOO_LARGE");
  });

  it("holds memory for the bytes received, not for the bytes announced", () => {
    const decoders = Array.from({ length: 200 }, () => serverDecoder(250_000_000));
    const before = process.memoryUsage().arrayBuffers;
    for (const decoder of decoders) {
      decodeAll(decoder, CONNECT_V4);
      expect(decodeAll(decoder, "30 80808077 0001 61 0000000000")).toEqual([]);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it("tells the size of each packet on the wire", () => {
    const sizes: number[] = [];
    const push = (hex: string) => serverDecoder().push(bytesOf(hex), (_, bytes) => sizes.push(bytes));
    push(`${CONNECT_V4} c000 30 05 0001 61 6262`);
    expect(sizes).toEqual([15, 2, 7]);
  });
});

describe("PacketDecoder, versions", () => {
  it("takes level 3 under the name MQTT for an unknown one, too", () => {
    const [connect] = decodeAll(serverDecoder(), "10 0d 0004 4d515454 03 02 003c 0001 61");
    expect(connect).toMatchObject({ type: "connect", protocolVersion: 0 });
  });

  it("yields a CONNECT of an unknown level, so that it can be refused [MQTT-3.1.2-2]", () => {
    const unknown = decodeAll(serverDecoder(), "10 09 0004 4d515454 07 ff ff");
    expect(unknown).toEqual([
      { type: "connect", protocolVersion: 7, clientId: "", cleanStart: true, keepAliveS: 0 },
    ]);
  });

  it("learns the version from CONNECT, also from one that it refuses", () => {
    const cases: readonly (readonly [string, ProtocolVersion])[] = [
      [CONNECT_V4, 4],
      [CONNECT_V5, 5],
      ["10 0f 0006 4d5149736470 03 02 003c 0001 61", 4],
      ["10 0e 0004 4d515454 05 03 003c 00 0001 61", 5],
      ["10 09 0004 4d515454 07 ff ff", 5],
    ];
    for (const [hex, version] of cases) {
      const decoder = serverDecoder();
      decodeAll(decoder, hex);
      expect(decoder.version).toBe(version);
    }
  });

  it("reads MQTT 3.1 with its own protocol name", () => {
    const packets = decodeAll(serverDecoder(), "10 0f 0006 4d5149736470 03 02 003c 0001 61 c000");
    expect(packets.map((packet) => packet.type)).toEqual(["connect", "pingreq"]);
    expect(packets[0]).toMatchObject({ protocolVersion: 3, clientId: "a" });
  });

  it("translates the return codes of a 3.1.1 CONNACK", () => {
    const codes = [0, 1, 2, 3, 4, 5].map((code) => {
      const decoder = new PacketDecoder({ role: "client", version: 4, maxPacketBytes: 100 });
      return (decodeAll(decoder, `2002000${code}`)[0] as { reasonCode: number }).reasonCode;
    });
    expect(codes).toEqual([0x00, 0x84, 0x85, 0x88, 0x86, 0x87]);
  });
});

describe("PacketDecoder, reading", () => {
  it("stops in the middle of a chunk when told to", () => {
    const decoder = serverDecoder();
    const seen: string[] = [];
    const failure = decoder.push(bytesOf(`${CONNECT_V4} e000 c000 00`), (packet) => {
      seen.push(packet.type);
      if (packet.type === "disconnect") decoder.stop();
    });
    expect(failure).toBeUndefined();
    expect(seen).toEqual(["connect", "disconnect"]);
    expect(decodeAll(decoder, "c000")).toEqual([]);
  });

  it("hands out payloads as views of the chunk and everything else as copies", () => {
    const decoder = serverDecoder();
    const chunk = bytesOf(`${CONNECT_V5} 30 0d 0001 61 07 09 0004 01020304 0506`);
    const packets: Packet[] = [];
    decoder.push(chunk, (packet) => packets.push(packet));
    chunk.fill(0xff);
    expect(packets[1]).toEqual({
      type: "publish",
      topic: "a",
      payload: Uint8Array.of(0xff, 0xff),
      correlationData: Uint8Array.of(1, 2, 3, 4),
      qos: 0,
      retain: false,
      dup: false,
    });
  });

  it("keeps topics apart that fall into one slot of its memory", () => {
    const decoder = serverDecoder(1_000_000);
    decodeAll(decoder, CONNECT_V4);
    const topics = Array.from({ length: 400 }, (_, i) => `${i % 97}/${"ab".repeat(i % 7)}/é/${i % 13}`);
    const packets = topics.map(
      (topic): Packet => ({
        type: "publish",
        topic,
        payload: new Uint8Array(0),
        qos: 0,
        retain: false,
        dup: false,
      }),
    );
    const decoded = decodeAll(
      decoder,
      Buffer.concat(packets.map((packet) => encodePacket(packet, 4))).toString("hex"),
    );
    expect(decoded).toEqual(packets);
  });

  it("keeps a byte order mark [MQTT-1.5.4-3]", () => {
    const decoded = decodeAll(serverDecoder(), `${CONNECT_V4} 30 06 0004 efbbbf61`);
    expect(decoded[1]).toMatchObject({ topic: "\ufeffa" });
  });

  it("reads a chunk that is not a Buffer", () => {
    const decoder = serverDecoder();
    const seen: string[] = [];
    decoder.push(Uint8Array.from(bytesOf(CONNECT_V4)), (packet) => seen.push(packet.type));
    expect(seen).toEqual(["connect"]);
    expect(decoder.isOpened).toBe(true);
  });
});
