import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cobsMaxBytes, decodeCobs, encodeCobs } from "../../../hil/link/cobs.js";
import { crc32 } from "../../../hil/link/crc32.js";
import {
  decodeCobsFrame,
  decodeLineFrame,
  encodeFrame,
  FRAME,
  FRAME_MAX_BYTES,
  type Frame,
} from "../../../hil/link/frame.js";

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Bytes `from` to `to`, both included. */
const run = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => (from + i).toString(16).padStart(2, "0")).join("");

function stuffed(bytes: Uint8Array): Uint8Array {
  const target = new Uint8Array(cobsMaxBytes(bytes.length));
  return target.subarray(0, encodeCobs(bytes, target, 0));
}

describe("COBS", () => {
  it.each([
    ["", "01"],
    ["00", "01 01"],
    ["00 00", "01 01 01"],
    ["11 22 00 33", "03 11 22 02 33"],
    ["11 22 33 44", "05 11 22 33 44"],
    ["11 00 00 00", "02 11 01 01 01"],
    [run(0x01, 0xfe), `ff ${run(0x01, 0xfe)}`],
    [`00 ${run(0x01, 0xfe)}`, `01 ff ${run(0x01, 0xfe)}`],
    [run(0x01, 0xff), `ff ${run(0x01, 0xfe)} 02 ff`],
    [`${run(0x02, 0xff)} 00`, `ff ${run(0x02, 0xff)} 01 01`],
    [`${run(0x03, 0xff)} 00 01`, `fe ${run(0x03, 0xff)} 02 01`],
  ])("writes %s as %s and reads it back", (plain, wire) => {
    expect(stuffed(hex(plain))).toEqual(new Uint8Array(hex(wire)));
    expect(decodeCobs(hex(wire))).toEqual(new Uint8Array(hex(plain)));
  });

  it("reads the code that others write after a block of 254 at the very end", () => {
    expect(decodeCobs(hex(`ff ${run(0x01, 0xfe)} 01`))).toEqual(new Uint8Array(hex(run(0x01, 0xfe))));
  });

  it.each([
    ["a zero inside", "03 00 11"],
    ["a zero as code", "02 11 00 11"],
    ["a block that is longer than the rest", "05 11 22"],
  ])("refuses %s", (_, wire) => {
    expect(decodeCobs(hex(wire))).toBeUndefined();
  });

  it("brings any bytes back, without a zero and within its bound", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 1_200 }),
      fc.array(fc.constantFrom(0, 1, 255), { maxLength: 1_200 }).map((list) => Uint8Array.from(list)),
      fc.integer({ min: 250, max: 515 }).map((length) => new Uint8Array(length).fill(7)),
    );
    fc.assert(
      fc.property(bytes, (plain) => {
        const wire = stuffed(plain);
        expect(wire.includes(0)).toBe(false);
        expect(wire.length).toBeLessThanOrEqual(cobsMaxBytes(plain.length));
        expect(decodeCobs(wire)).toEqual(plain);
      }),
      { numRuns: 500 },
    );
  });
});

describe("CRC-32", () => {
  it.each([
    ["123456789", 0xcbf4_3926],
    ["", 0],
    ["a", 0xe8b7_be43],
    ["The quick brown fox jumps over the lazy dog", 0x414f_a339],
  ])("of %j", (text, crc) => {
    expect(crc32(Buffer.from(text))).toBe(crc);
  });
});

const frame: fc.Arbitrary<Frame> = fc.record({
  type: fc.nat(255),
  channel: fc.nat(255),
  sequence: fc.nat(0xffff),
  acknowledged: fc.nat(0xffff),
  credit: fc.nat(0xffff),
  session: fc.nat(0xffff_ffff),
  timeUs: fc.nat(2 ** 48 - 1),
  payload: fc.uint8Array({ maxLength: 1_400 }),
});

const plain = (read: Frame | undefined): Frame | undefined =>
  read === undefined ? undefined : { ...read, payload: new Uint8Array(read.payload) };

describe("A frame", () => {
  const example: Frame = {
    type: FRAME.data,
    channel: 0x81,
    sequence: 0x0102,
    acknowledged: 0x0304,
    credit: 0x0506,
    session: 0xa1a2a3a4,
    timeUs: 0xb1b2b3b4b5b6,
    payload: Buffer.from("hi"),
  };
  const header = "01 81 02 01 04 03 06 05 a4 a3 a2 a1 b6 b5 b4 b3 b2 b1";

  it("has a header of 18 bytes, little-endian, then the payload, then the CRC", () => {
    const wire = encodeFrame(example, "line");
    const body = Buffer.from(Buffer.from(wire.subarray(1, -1)).toString("latin1"), "base64");
    expect([wire[0], wire.at(-1)]).toEqual([0x1e, 0x0a]);
    expect(body.subarray(0, 20).toString("hex")).toBe(`${header}6869`.replaceAll(" ", ""));
    expect(body.readUInt32LE(20)).toBe(crc32(body.subarray(0, 20)));
    expect(body.length).toBe(24);
  });

  it.each(["cobs", "line"] as const)("comes back whatever is in it, in encoding %s", (encoding) => {
    const decode = encoding === "cobs" ? decodeCobsFrame : decodeLineFrame;
    fc.assert(
      fc.property(frame, (sent) => {
        const wire = encodeFrame(sent, encoding);
        expect(plain(decode(wire.subarray(1, -1)))).toEqual(sent);
      }),
      { numRuns: 300 },
    );
  });

  it("holds no byte that a console would swallow, in encoding line", () => {
    fc.assert(
      fc.property(frame, (sent) => {
        const inside = encodeFrame(sent, "line").subarray(1, -1);
        expect(inside.every((byte) => byte > 0x20 && byte < 0x7f)).toBe(true);
      }),
    );
  });

  it.each(["cobs", "line"] as const)("is refused with any one byte changed, in encoding %s", (encoding) => {
    const decode = encoding === "cobs" ? decodeCobsFrame : decodeLineFrame;
    const wire = encodeFrame(example, encoding).subarray(1, -1);
    for (let at = 0; at < wire.length; at += 1)
      for (let change = 1; change < 256; change += 1) {
        const harmed = Uint8Array.from(wire);
        harmed[at]! ^= change;
        expect(decode(harmed)).toBeUndefined();
      }
  });

  it("is refused when it is cut, and when it is too short for a header", () => {
    const wire = encodeFrame(example, "cobs").subarray(1, -1);
    for (let length = 0; length < wire.length; length += 1)
      expect(decodeCobsFrame(wire.subarray(0, length))).toBeUndefined();
    expect(decodeLineFrame(Buffer.from(""))).toBeUndefined();
    expect(decodeLineFrame(Buffer.from("AAAA"))).toBeUndefined();
  });

  it("of any length that can be agreed is shorter than the bound", () => {
    const longest = { ...example, payload: new Uint8Array(1_500).fill(1) };
    expect(encodeFrame(longest, "cobs").length).toBeLessThan(FRAME_MAX_BYTES);
    expect(
      encodeFrame({ ...longest, payload: longest.payload.subarray(0, 1_490) }, "line").length,
    ).toBeLessThan(FRAME_MAX_BYTES);
  });
});
