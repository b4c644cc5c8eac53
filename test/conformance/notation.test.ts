import { describe, expect, it } from "vitest";
import { encodeBytes, matchesBytes, PacketCutter, parsePattern } from "./byte-pattern.js";
import { type Condition, play, type Stage } from "./player.js";
import { parseScript } from "./script.js";

const hexOf = (source: string): string => encodeBytes(parsePattern(source)).toString("hex");
const fits = (source: string, hex: string): boolean =>
  matchesBytes(parsePattern(source), Buffer.from(hex, "hex"));

describe("the notation of bytes", () => {
  it.each([
    ["10 003c", "10003c"],
    ["'a/b'", "0003612f62"],
    ["`hi`", "6869"],
    ["{'a' 01}", "0400016101"],
    ["[`x` ff]", "000278ff"],
    ["{61*200}", `c801${"61".repeat(200)}`],
    ["'ab'*2", "0002616200026162"],
    ["c0 (ping) {}", "c000"],
    ["''", "0000"],
  ])("writes %s as %s", (source, hex) => expect(hexOf(source)).toBe(hex));

  it.each(["{00", "00}", "0", "zz", "'a", "*3", "<01", "a < b"])("refuses %s", (source) =>
    expect(() => parsePattern(source)).toThrow(),
  );

  it.each(["??", "..", "<01 00>"])("does not send %s", (source) => expect(() => hexOf(source)).toThrow());

  it.each<[string, string, boolean]>([
    ["20 {00 ?? {..}}", "20030086 00", true],
    ["20 {00 ?? {..}}", "2003008600", true],
    ["20 {00 00 {}}", "2003008600", false],
    ["20 {00 86 {}}", "200300860000", false],
    ["c0 {}", "c08000", false],
    ["30 {.. 6162 ..}", "3005ff6162ff00", true],
    ["20 {00 00 <>}", "2003000000", true],
    ["40 {0001 87 <>}", "4003000187", true],
    ["40 {0001 87 <1f ..>}", "4003000187", false],
    ["<21 0064 | 22 0001>", "062200012100 64", true],
    ["<21 0064>", "06220001210064", false],
    ["<21 0064 | ..>", "06220001210064", true],
    ["<!22 | ..>", "06220001210064", false],
    ["<!26 | ..>", "06220001210064", true],
    ["<21 0064 | 21 0064>", "03210064", false],
    ["<26 'k' 'v' | 0b 8001>", "0a0b800126 00016b000176", true],
    ["<..>", "037f0000", false],
  ])("says of %s and %s: %s", (source, hex, expected) => {
    expect(fits(source, hex.replaceAll(" ", ""))).toBe(expected);
  });

  it("cuts a stream into packets wherever it was cut before", () => {
    const stream = encodeBytes(parsePattern("c0 {} 30 {61*200} d0 {}"));
    for (let at = 0; at <= stream.length; at += 1) {
      const cutter = new PacketCutter();
      const packets = [...cutter.push(stream.subarray(0, at)), ...cutter.push(stream.subarray(at))];
      expect([packets.map(({ length }) => length), cutter.isBetweenPackets]).toEqual([[2, 203, 2], true]);
    }
  });
});

/** A server that answers every send with the same bytes, and ends the connection when they are its last. */
function echoStage(answer: string, closes: boolean): Stage {
  return {
    isImmediate: true,
    dial: () => {
      const inbox: Buffer[] = [];
      const wire = {
        isReady: true,
        isClosed: false,
        inbox,
        send: () => {
          if (answer !== "") inbox.push(Buffer.from(answer, "hex"));
          wire.isClosed = closes;
        },
        end: () => undefined,
        drop: () => undefined,
      };
      return wire;
    },
    advance: () => undefined,
    connections: () => 0,
    stop: () => undefined,
  };
}

function verdict(script: string[], stage: Stage): string {
  const unmet = (condition: Condition): Error => new Error(`not: ${condition.line}`);
  try {
    for (const condition of play(parseScript(script, "v5"), stage))
      if (!condition.holds()) throw unmet(condition);
    return "passes";
  } catch (error) {
    return (error as Error).message.split("\n")[0]!;
  }
}

describe("the player", () => {
  it.each<[string, string[], string, boolean, string]>([
    ["the right packet", ["a > c0 {}", "a < d0 {}"], "d000", false, "passes"],
    ["another packet", ["a > c0 {}", "a < d0 {}"], "e000", false, "a < d0 {}"],
    ["no packet", ["a > c0 {}", "a < d0 {}"], "", false, "not: a < d0 {}"],
    ["the end in the place of a packet", ["a > c0 {}", "a < d0 {}"], "", true, "a < d0 {}"],
    ["silence", ["a > c0 {}", "a silent"], "", false, "passes"],
    ["a packet in the place of silence", ["a > c0 {}", "a silent"], "d000", false, "a silent"],
    ["the end in the place of silence", ["a > c0 {}", "a silent"], "", true, "a silent"],
    ["the end", ["a > c0 {}", "a closed"], "", true, "passes"],
    ["a packet before the end", ["a > c0 {}", "a closed"], "e000", true, "a closed"],
    ["no end", ["a > c0 {}", "a closed"], "", false, "not: a closed"],
    ["one of two", ["a > c0 {}", "b|a < d0 {}"], "d000", false, "passes"],
  ])("judges %s", (_, script, answer, closes, expected) => {
    expect(verdict(script, echoStage(answer, closes))).toBe(expected);
  });

  it.each(["a shouts", "a", "advance soon", "> c0", "a < "])("refuses the line %s", (line) => {
    expect(() => parseScript([line], "v5")).toThrow();
  });
});
