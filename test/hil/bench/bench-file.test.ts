import { hostMonotonicUs } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { parseBenchFile } from "../../../hil/bench/bench-file.js";
import { globMatches, matchBoards } from "../../../hil/bench/board-matching.js";
import type { BoardSelector } from "../../../hil/bench/bench.js";

const requests = (...selectors: BoardSelector[]) =>
  selectors.map((select, index) => ({
    thing: `t${index}`,
    select,
    path: "bridge" as const,
    profile: "fleetrig",
  }));

const board = (path: string, chip: string, tags: readonly string[] = []) => ({
  path,
  aliases: [],
  mac: undefined,
  chip,
  tags,
});

describe("parseBenchFile", () => {
  it.each([
    ["boards: [{ name: x }]", "a board needs a mac or a port"],
    ["boards: [{ mac: nonsense }]", "a MAC address is written like"],
    ["boards: [{ mac: 7cdfa1000001 }, { mac: '7c:df:a1:00:00:01' }]", "listed twice"],
    ["boards: [{ mac: 7cdfa1000001, colour: red }]", "colour"],
    ["boards: {", "cannot be used"],
    [
      "boards:\n  - mac: 7cdfa1000001\n    colour: red",
      'bench.yaml:3:5 cannot be used: boards.0: there is no key "colour".',
    ],
    [
      "boards:\n  - { name: a, mac: '7c:df' }",
      "bench.yaml:2:21 cannot be used: boards.0.mac: a MAC address is written like",
    ],
    ["boards:\n  - { name: a }", "bench.yaml:2:5 cannot be used: boards.0: a board needs a mac or a port."],
    ["boards:\n  - mac: 021122334455", "bench.yaml:2:10 cannot be used: boards.0.mac: write it in quotes"],
    [
      "boards: [\n  { mac: 7cdfa1000001 },\n  { mac: 7cdfa1000001 }]",
      "bench.yaml:3:10 cannot be used: the board 7c:df:a1:00:00:01",
    ],
    ["boards:\n  - { mac: 7cdfa1000001\nx: 1", "bench.yaml:3:"],
  ])("refuses %s", (text, why) => {
    expect(() => parseBenchFile(text, "bench.yaml")).toThrow(
      expect.objectContaining({ code: "BENCH_FILE_INVALID", message: expect.stringContaining(why) }),
    );
  });

  it("asks whether another key was meant", () => {
    expect(() => parseBenchFile("boards: [{ mac: 7cdfa1000001, tag: [lab] }]", "b")).toThrow(
      expect.objectContaining({ hint: "Did you mean tags?" }),
    );
  });

  it.each(["[", "{a: ", "- ", "? ", "&a [", "- [\n"])(
    "refuses a file of nothing but %j in no time",
    (piece) => {
      const sinceUs = hostMonotonicUs();
      const text = piece.repeat(1_000_000 / piece.length);
      expect(() => parseBenchFile(text, "b")).toThrow(
        expect.objectContaining({ code: "BENCH_FILE_INVALID" }),
      );
      expect(hostMonotonicUs() - sinceUs).toBeLessThan(20_000_000);
    },
  );

  it("reads a thousand boards", () => {
    const boards = Array.from({ length: 1000 }, (_, number) => {
      const mac = `7cdfa1${number.toString(16).padStart(6, "0")}`;
      return `- { mac: "${mac}", name: b${number}, tags: [a, b], baud: 115200, power: { kind: uhubctl, location: 1-1, port: 2 } }`;
    });
    expect(parseBenchFile(`boards:\n${boards.join("\n")}\n`, "b").boards).toHaveLength(1000);
  });

  it("reads an empty file, and power settings", () => {
    expect(parseBenchFile("", "b").boards).toEqual([]);
    const file = parseBenchFile("boards: [{ port: /dev/ttyS1, power: { kind: uhubctl, port: 2 } }]", "b");
    expect(file.boards[0]?.power).toEqual({ kind: "uhubctl", port: 2 });
  });
});

describe("matchBoards", () => {
  it("moves one who has chosen when another has no choice", () => {
    const boards = [board("/dev/a", "c3", ["x"]), board("/dev/b", "c3")];
    expect(matchBoards(requests({ chip: "c3" }, { tags: ["x"] }), boards)).toEqual([1, 0]);
    expect(matchBoards(requests({ chip: "c3" }, { port: "/dev/a" }), boards)).toEqual([1, 0]);
    expect(matchBoards(requests({ chip: "s3" }), boards)).toEqual([undefined]);
  });

  it.each([
    ["/dev/ttyUSB*", "/dev/ttyUSB12", true],
    ["/dev/tty???0", "/dev/ttyUSB0", true],
    ["/dev/*", "/dev/pts/3", false],
    ["tcp://10.0.0.?:*", "tcp://10.0.0.7:3333", true],
    ["*a*a*a*a*a*b", "a".repeat(200), false],
  ])("globs %s over %s: %s", (glob, text, isMatch) => {
    expect(globMatches(glob, text)).toBe(isMatch);
  });
});
