import { LANE, VirtualTime } from "fleetrig/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_LINE_BYTES, TextLane, type TextLine } from "../../../hil/log/index.js";
import { BoardRig } from "./board-rig.js";

const linesOf = (...chunks: readonly (string | Uint8Array)[]): TextLine[] => {
  const lines: TextLine[] = [];
  const clock = new VirtualTime().lane(LANE.firstDevice);
  const lane = new TextLane({ clock, line: (line) => lines.push(line), unfinished: () => undefined });
  for (const chunk of chunks) lane.received(typeof chunk === "string" ? Buffer.from(chunk) : chunk, 0);
  return lines;
};
const textsOf = (...chunks: readonly (string | Uint8Array)[]): string[] =>
  linesOf(...chunks).map(({ text }) => text);

describe("the text lane", () => {
  it.each([
    ["LF", "a\nb\n", ["a", "b"]],
    ["CRLF", "a\r\nb\r\n", ["a", "b"]],
    ["CR", "10 %\r20 %\r", ["10 %", "20 %"]],
    ["CR CR LF", "a\r\r\nb\r\r\n", ["a", "b"]],
    ["LF after LF, which is an empty line", "a\n\nb\n", ["a", "", "b"]],
  ])("ends lines at %s", (_, text, wanted) => {
    expect(textsOf(text)).toEqual(wanted);
    expect(textsOf(...text.split(""))).toEqual(wanted);
  });

  it.each([
    ["UTF-8", Buffer.from("température 21 °C 🌡\n"), "température 21 °C 🌡"],
    ["colours", "\u001b[0;32mI (12) a: b\u001b[0m\n", "I (12) a: b"],
    ["a title and cursor movements", "\u001b]0;title\u0007a\u001b[2Kb\u001b(Bc\n", "abc"],
    ["tabs", "a\tb\n", "a\tb"],
    ["control characters, shown", "a\u0007\u0000b\n", "a\\x07\\x00b"],
    [
      "broken UTF-8, shown",
      Uint8Array.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0x0a]),
      "a\\xff\\xc3(\\xe2\\x82",
    ],
    ["overlong UTF-8, shown", Uint8Array.from([0xc0, 0xaf, 0x0a]), "\\xc0\\xaf"],
    ["surrogates, shown", Uint8Array.from([0xed, 0xa0, 0x80, 0x0a]), "\\xed\\xa0\\x80"],
  ])("has %s", (_, bytes, wanted) => {
    expect(textsOf(bytes)).toEqual([wanted]);
  });

  it("does not care how the bytes were cut", () => {
    const anyBytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(anyBytes, fc.array(fc.nat(300), { maxLength: 8 }), (bytes, cuts) => {
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const parts = at.slice(1).map((to, i) => bytes.subarray(at[i], to));
        expect(textsOf(...parts)).toEqual(textsOf(bytes));
      }),
    );
  });

  it("cuts lines that are too long", () => {
    const texts = textsOf(`${"x".repeat(2 * MAX_LINE_BYTES + 5)}\n`);
    expect(texts.map(({ length }) => length)).toEqual([MAX_LINE_BYTES, MAX_LINE_BYTES, 5]);
  });

  it("shows a prompt that nothing follows, once, and the whole line later", () => {
    const rig = new BoardRig();
    rig.say(">>> ", 1000);
    rig.time.advance(90_000);
    expect(rig.paused).toEqual([]);
    rig.time.advance(5_000_000);
    expect(rig.paused).toMatchObject([{ text: ">>> ", atUs: 1000, position: 0 }]);
    expect(rig.lines).toEqual([]);
    rig.say("1+1\r\n");
    expect(rig.lines).toMatchObject([{ text: ">>> 1+1", atUs: 1000, position: 0 }]);
  });
});

describe("prefixes of log lines", () => {
  it.each([
    ["I (1234) wifi:  up", { level: "info", tag: "wifi", boardMs: 1234, message: " up" }],
    ["E (99) task_wdt: late", { level: "error", tag: "task_wdt", boardMs: 99 }],
    [
      "W (12:00:01.250) app: by the clock",
      { level: "warn", tag: "app", boardMs: undefined, boardTime: "12:00:01.250" },
    ],
    [
      "D (2026-11-21 10:00:00.123) app: dated",
      { level: "debug", boardTime: "2026-11-21 10:00:00.123", message: "dated" },
    ],
    [
      "[  1234][V][main.cpp:12] setup(): hi",
      { level: "verbose", tag: "main.cpp:12", boardMs: 1234, message: "setup(): hi" },
    ],
    [
      "[01:00:02.345,678] <wrn> net: slow",
      { level: "warn", tag: "net", boardMs: 3_602_345.678, message: "slow" },
    ],
    ["Hello world", { level: undefined, tag: undefined, boardMs: undefined, message: "Hello world" }],
    ["X (12) app: no level", { level: undefined }],
    ["", { level: undefined, message: "" }],
  ])("%s", (text, wanted) => {
    const rig = new BoardRig();
    rig.say(`${text}\n`);
    expect(rig.lines[0]).toMatchObject({ text, ...wanted });
  });
});
