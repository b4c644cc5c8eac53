import fc from "fast-check";
import { VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { Demultiplexer } from "../../../hil/link/demultiplexer.js";
import { encodeFrame, FRAME, type Frame, type FrameEncoding } from "../../../hil/link/frame.js";
import { createLinkCounters } from "../../../hil/link/link-counters.js";

const frameOf = (text: string): Frame => ({
  type: FRAME.data,
  channel: 0,
  sequence: 7,
  acknowledged: 0,
  credit: 100,
  session: 5,
  timeUs: 1,
  payload: Buffer.from(text),
});

const cobs = (text: string): Uint8Array => encodeFrame(frameOf(text), "cobs");
const line = (text: string): Uint8Array => encodeFrame(frameOf(text), "line");
const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** Reads pieces in virtual time; a number is a silence in ms. */
class Reader {
  readonly time = new VirtualTime();
  readonly counters = createLinkCounters();
  /** What came out, in order: text in quotes, frames by payload, both with the ms of arrival. */
  readonly out: string[] = [];
  /** All that came out as it must have come in, without zeros. */
  readonly bytes: Uint8Array[] = [];
  private lateFrames = 0;
  readonly demultiplexer = new Demultiplexer(this.time.lane(1), this.counters, {
    text: (bytes, atUs) => {
      this.out.push(`"${latin(bytes)}"@${atUs / 1_000}`);
      this.bytes.push(bytes);
    },
    frame: (frame, atUs, encoding) => {
      this.out.push(`${latin(frame.payload)}@${atUs / 1_000}`);
      // What comes late was told as text before.
      if (this.counters.lateFrames === this.lateFrames)
        this.bytes.push(encodeFrame(frame, encoding).filter((byte) => byte !== 0));
      this.lateFrames = this.counters.lateFrames;
    },
  });

  read(...pieces: readonly (Uint8Array | string | number)[]): this {
    for (const piece of pieces) {
      if (typeof piece === "number") this.time.advance(piece * 1_000);
      else
        this.demultiplexer.received(
          typeof piece === "string" ? Buffer.from(piece, "latin1") : piece,
          this.time.nowUs(),
        );
    }
    return this;
  }
}

describe("Demultiplexer", () => {
  const one = cobs("one");
  const two = cobs("two");
  it.each<[string, readonly (Uint8Array | string | number)[], readonly string[]]>([
    ["text alone", ["boot\n", "up\n"], ['"boot\n"@0', '"up\n"@0']],
    ["a frame alone", [one], ["one@0"]],
    ["frames back to back", [one, two], ["one@0", "two@0"]],
    ["frames that share a zero", [one.subarray(0, -1), two], ["one@0", '"']],
    ["text between frames", [one, "log\n", two], ["one@0", '"log\n"@0', "two@0"]],
    ["empty frames", ["\0\0\0", one, "\0\0", two], ["one@0", "two@0"]],
    ["a frame in two pieces", [one.subarray(0, 9), 20, one.subarray(9)], ["one@0"]],
    ["a zero, then the frame after 50 ms", ["\0", 50, one], ["one@50"]],
    ["both encodings among each other", [line("L"), one, "x", line("M")], ["L@0", "one@0", '"x"@0', "M@0"]],
    ["a line with carriage return", [latin(line("L")).replace("\n", "\r\n")], ["L@0"]],
    ["a bad line, as text with its ends", ["\x1eno frame\n", one], ['"\x1eno frame\n"@0', "one@0"]],
    ["a line that another cuts off", ["\x1eabc", line("L")], ['"\x1eabc"@0', "L@0"]],
    ["a line that a frame cuts off", ["\x1eabc", one], ['"\x1eabc"@0', "one@0"]],
    ["a line start within a frame", [cobs("\x1e \x1e")], ["\x1e \x1e@0"]],
  ])("reads %s", (_, pieces, expected) => {
    const { out } = new Reader().read(...pieces);
    for (const [at, start] of expected.entries()) expect(out[at]).toMatch(new RegExp(`^${start}`, "s"));
  });

  it("shows a panic that cuts a frame in half, and reads the frame after it", () => {
    const panic = "Guru Meditation Error: Core 0 panic'ed (Load access fault)\r\nRebooting...\r\n";
    const { out, counters } = new Reader().read(one.subarray(0, 12), panic, two);
    expect(out[0]).toContain(panic);
    expect(out.slice(1)).toEqual(["two@0"]);
    expect(counters).toMatchObject({ badFrames: 1, framesIn: 1 });
  });

  it("shows a panic in the middle of a frame after 100 ms when nothing follows", () => {
    const reader = new Reader().read(one.subarray(0, 12), "abort() was called", 99);
    expect(reader.out).toEqual([]);
    reader.read(1);
    expect(reader.out.join()).toContain("abort() was called");
    expect(reader.counters).toMatchObject({ cutFrames: 1, badFrames: 0 });
    reader.read("plain again\n", two);
    expect(reader.out.slice(1)).toEqual(['"plain again\n"@100', "two@100"]);
  });

  it.each([
    ["cobs", one],
    ["line", line("one")],
  ] as const)("takes a frame in %s whose rest comes late, and shows it as text at once", (_, bytes) => {
    const reader = new Reader().read(bytes.subarray(0, 20), 100);
    expect(reader.out).toEqual([expect.stringMatching(/^".*"@0$/s)]);
    reader.read(bytes.subarray(20, 30), 400, bytes.subarray(30), two);
    expect(reader.out.slice(-2)).toEqual(["one@0", "two@500"]);
    expect(reader.counters).toMatchObject({ cutFrames: 1, lateFrames: 1, badFrames: 0, framesIn: 2 });
  });

  it("takes nothing that comes after more than a second for the rest of a frame", () => {
    const reader = new Reader().read(one.subarray(0, 20), 1_001, one.subarray(20), two);
    expect(reader.out.at(-1)).toBe("two@1001");
    expect(reader.counters).toMatchObject({ cutFrames: 1, lateFrames: 0, framesIn: 1 });
  });

  it("counts silence from the last byte of the frame", () => {
    const parts = [one.subarray(0, 5), 90, one.subarray(5, 10), 90, one.subarray(10)];
    expect(new Reader().read(...parts).out).toEqual(["one@0"]);
  });

  it("takes the frame after a lost zero, a doubled one and a bad one", () => {
    const harmed = Uint8Array.from(one);
    harmed[5]! ^= 1;
    expect(new Reader().read(one.subarray(1), two, one).out.slice(-1)).toEqual(["one@0"]);
    expect(new Reader().read("\0", one, "\0", two).out).toEqual(["one@0", "two@0"]);
    expect(new Reader().read(harmed, two).out.slice(-1)).toEqual(["two@0"]);
    expect(new Reader().read(harmed.subarray(0, -1), two).out.slice(-1)).toEqual(["two@0"]);
  });

  it.each(["\0", "\x1e"])("gives up what is longer than any frame, begun by %j", (start) => {
    const long = "x".repeat(5_000);
    const reader = new Reader().read(start, long);
    expect(reader.out.join("").replaceAll('"@0', "").replaceAll('"', "").replace(start, "")).toBe(long);
    expect(reader.counters.longFrames).toBe(1);
    expect(reader.read(one).out.at(-1)).toBe("one@0");
  });

  it("hands out what it holds when it is stopped", () => {
    const reader = new Reader().read("\0half");
    reader.demultiplexer.stop();
    expect(reader.out).toEqual(['"half"@0']);
    expect(reader.time.heap.size).toBe(0);
  });

  const encoding = fc.constantFrom<FrameEncoding>("cobs", "line");
  const frame = fc
    .tuple(fc.uint8Array({ maxLength: 300 }), encoding)
    .map(([payload, as]) => encodeFrame({ ...frameOf(""), payload }, as));
  const soup = fc.uint8Array({ maxLength: 200 });
  const ends = fc.array(fc.constantFrom(0, 0x1e, 0x0a, 0x0d, 0x41), { maxLength: 40 });
  const part = fc.oneof(
    frame,
    soup,
    ends.map((list) => Uint8Array.from(list)),
    fc.tuple(frame, fc.nat()).map(([bytes, n]) => bytes.subarray(0, n % (bytes.length - 2))),
    fc.tuple(frame, fc.nat()).map(([bytes, n]) => bytes.subarray(1 + (n % (bytes.length - 2)))),
  );

  it("loses no byte of any stream, makes none up, and gives each frame only as it was sent", () => {
    const stream = fc.array(part, { maxLength: 12 });
    const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.constantFrom(0, 0, 0, 30, 100)), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(stream, cuts, (parts, pauses) => {
        const bytes = Buffer.concat(parts);
        const reader = new Reader();
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const [length, pauseMs] = pauses[n % pauses.length]!;
          reader.read(bytes.subarray(at, at + length), pauseMs);
          at += length;
        }
        reader.read(100);
        expect(latin(Buffer.concat(reader.bytes))).toBe(latin(bytes.filter((byte) => byte !== 0)));
        expect(reader.counters.bytesIn).toBe(bytes.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it("ends a frame at once in which a line says that the firmware dies, but lets a repeated one through", () => {
    const time = new VirtualTime();
    const out: string[] = [];
    const lanes = new Demultiplexer(
      time.lane(1),
      createLinkCounters(),
      {
        text: (bytes) => out.push(latin(bytes)),
        frame: (frame) => out.push(`frame ${latin(frame.payload)}`),
      },
      (text) => text.endsWith("panic'ed"),
    );
    const half = cobs("half a frame").subarray(0, 15);
    lanes.received(half, 0);
    lanes.received(Buffer.from("\r\nCore 0 panic'ed\r\nMEPC"), 0);
    expect(out).toEqual([`${latin(half.subarray(1))}\r\nCore 0 panic'ed\r\n`, "MEPC"]);
    out.length = 0;
    // A board that sends what another one logged.
    lanes.received(cobs("a log\nCore 0 panic'ed\n"), 100_000);
    expect(out).toEqual(["frame a log\nCore 0 panic'ed\n"]);
    lanes.stop();
  });
});
