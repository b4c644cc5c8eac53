import fc from "fast-check";
import { encodePacket } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { FrameCutter, type Piece } from "../../sim/proxy/frame-cutter.js";
import { connectPacket, publish } from "./proxy-rig.js";

function cut(chunks: readonly Uint8Array[]): Piece[] {
  const pieces: Piece[] = [];
  const cutter = new FrameCutter((piece) => pieces.push({ ...piece, bytes: Uint8Array.from(piece.bytes) }));
  for (const chunk of chunks) cutter.push(Buffer.from(chunk));
  cutter.end();
  return pieces;
}

const bytesOf = (pieces: readonly Piece[]): Buffer => Buffer.concat(pieces.map(({ bytes }) => bytes));

/** The same bytes in chunks that end at the given places. */
function chunked(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

const stream = Buffer.concat([
  encodePacket(connectPacket("dev-1"), 4),
  encodePacket(publish("one"), 4),
  encodePacket(publish("x".repeat(300)), 4),
  encodePacket({ type: "pingreq" }, 4),
]);

describe("FrameCutter", () => {
  it("finds the packets however the stream is chunked", () => {
    const places = fc.array(fc.nat(stream.length), { maxLength: 40 });
    fc.assert(
      fc.property(places, (at) => {
        const pieces = cut(chunked(stream, at));
        expect(pieces.map(({ packet }) => packet?.type)).toEqual([
          "connect",
          "publish",
          "publish",
          "pingreq",
        ]);
        expect(bytesOf(pieces).equals(stream)).toBe(true);
      }),
    );
  });

  it("passes on any bytes unchanged, MQTT or not", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.nat(400), { maxLength: 10 }),
        (bytes, at) => {
          expect(bytesOf(cut(chunked(Buffer.from(bytes), at))).equals(Buffer.from(bytes))).toBe(true);
        },
      ),
    );
  });

  it("keeps what comes while it pauses, whole", () => {
    const pieces: Piece[] = [];
    const cutter = new FrameCutter((piece) => {
      pieces.push(piece);
      if (piece.packet?.type === "connect") cutter.pause();
    });
    for (const chunk of chunked(stream, [5, 40, 41])) cutter.push(chunk);
    expect(pieces).toHaveLength(1);
    cutter.resume();
    expect(pieces.map(({ packet }) => packet?.type)).toEqual(["connect", "publish", "publish", "pingreq"]);
    expect(bytesOf(pieces).equals(stream)).toBe(true);
  });

  it("passes a packet of more than 64 KiB on in pieces, of which the first has its type", () => {
    const long = encodePacket(publish("y".repeat(200_000)), 4);
    const pieces = cut(chunked(Buffer.concat([long, stream]), [3, 70_000, 140_000]));
    expect(pieces[0]).toMatchObject({ packet: { type: "publish" }, isContinuation: false });
    const rest = pieces.slice(1).filter(({ isContinuation }) => isContinuation);
    expect(rest.length).toBeGreaterThan(1);
    expect(rest.every(({ packet }) => packet === undefined)).toBe(true);
    expect(pieces.slice(rest.length + 1).map(({ packet }) => packet?.type)).toEqual([
      "connect",
      "publish",
      "publish",
      "pingreq",
    ]);
  });

  it.each([
    ["the reserved packet type 0", "00 02 61 62"],
    ["a remaining length of five bytes", "30 ff ff ff ff 01 61"],
    ["TLS", "16 ff ff ff ff 00 01"],
  ])("takes %s for bytes that are no packet", (_, hex) => {
    const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
    const pieces = cut([bytes]);
    expect(pieces.every(({ packet }) => packet === undefined)).toBe(true);
    expect(bytesOf(pieces).equals(bytes)).toBe(true);
  });
});
