import fc from "fast-check";
import {
  type DecodeFailure,
  type DecoderRole,
  encodePacket,
  type Packet,
  PacketDecoder,
  type ProtocolVersion,
  wireBytes,
} from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { connack, connect, fromClient, fromServer } from "./packet-arbitraries.js";

interface Decoded {
  readonly packets: Packet[];
  readonly sizes: number[];
  readonly failure: DecodeFailure | undefined;
}

function decode(chunks: readonly Uint8Array[], role: DecoderRole, version: ProtocolVersion): Decoded {
  const decoder = new PacketDecoder({ role, maxPacketBytes: 1_048_576, version });
  const packets: Packet[] = [];
  const sizes: number[] = [];
  let failure: DecodeFailure | undefined;
  for (const chunk of chunks)
    failure = decoder.push(chunk, (packet, bytes) => {
      packets.push(packet);
      sizes.push(bytes);
    });
  return { packets, sizes, failure };
}

const stream = (version: ProtocolVersion, role: DecoderRole): fc.Arbitrary<Packet[]> => {
  const [first, later] =
    role === "server" ? [connect(version), fromClient(version)] : [connack(version), fromServer(version)];
  return fc.tuple(first, fc.array(later, { maxLength: 6 })).map(([opening, rest]) => [opening, ...rest]);
};

const DIRECTIONS = [
  ["MQTT 3.1.1 client to server", 4, "server"],
  ["MQTT 3.1.1 server to client", 4, "client"],
  ["MQTT 5 client to server", 5, "server"],
  ["MQTT 5 server to client", 5, "client"],
] as const;

describe.each(DIRECTIONS)("codec, %s", (_, version, role) => {
  it("decodes what it encoded, with the exact size told beforehand", () => {
    fc.assert(
      fc.property(stream(version, role), (packets) => {
        const encoded = packets.map((packet) => encodePacket(packet, version));
        const sizes = packets.map((packet) => wireBytes(packet, version));
        expect(encoded.map((bytes) => bytes.length)).toEqual(sizes);
        expect(decode([Buffer.concat(encoded)], role, version)).toEqual({
          packets,
          sizes,
          failure: undefined,
        });
      }),
      { numRuns: 250 },
    );
  });

  it("does not care where the chunks end", () => {
    fc.assert(
      fc.property(stream(version, role), fc.array(fc.nat(), { maxLength: 8 }), (packets, cuts) => {
        const bytes = Buffer.concat(packets.map((packet) => encodePacket(packet, version)));
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
        const chunks = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
        expect(decode(chunks, role, version).packets).toEqual(packets);
        const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
        expect(decode(single, role, version).packets).toEqual(packets);
      }),
      { numRuns: 80 },
    );
  });

  it("gives the same packets and the same failure for damaged bytes at every split point", () => {
    const damage = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(stream(version, role), damage, (packets, [where, byte]) => {
        const bytes = Buffer.concat(packets.slice(0, 3).map((packet) => encodePacket(packet, version)));
        bytes[where % bytes.length] = byte;
        const whole = decode([bytes], role, version);
        const step = Math.max(1, Math.floor(bytes.length / 40));
        for (let at = 1; at < bytes.length; at += step)
          expect(decode([bytes.subarray(0, at), bytes.subarray(at)], role, version)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it("never throws on random bytes", () => {
    const opening = role === "server" ? "102700044d515454050000" : "20020000";
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, opened) => {
        const start = Buffer.from(opened ? opening : "", "hex");
        const { packets, failure } = decode([start, noise, noise], role, version);
        expect(packets.length).toBeLessThanOrEqual(2 * noise.length + start.length);
        if (failure !== undefined) expect(failure.message).toMatch(/\[.+\]\.$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws on valid packets with flipped, inserted and removed bytes", () => {
    const edit = fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom("flip", "insert", "remove"));
    fc.assert(
      fc.property(stream(version, role), fc.array(edit, { minLength: 1, maxLength: 4 }), (packets, edits) => {
        const bytes = packets.flatMap((packet) => [...encodePacket(packet, version)]);
        for (const [where, byte, kind] of edits) {
          const at = where % bytes.length;
          if (kind === "flip") bytes[at] = byte;
          else bytes.splice(at, kind === "insert" ? 0 : 1, ...(kind === "insert" ? [byte] : []));
        }
        const { failure, sizes } = decode([Uint8Array.from(bytes)], role, version);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(bytes.length);
        if (failure !== undefined) expect(failure.reasonCode).toBeGreaterThanOrEqual(0x80);
      }),
      { numRuns: 600 },
    );
  });
});
