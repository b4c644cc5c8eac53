import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { lacksEmulator } from "../../rigs.js";
import { runWithBoards } from "../bench/run-with-boards.js";
import { EventLog } from "./event-log.js";

const SCENARIO = "scenarios/library/mixed-bench.yaml";
const BOARDS = [
  "sensors=rv32,count=5",
  "trackers=rv32,count=5",
  "sensors=micropython,count=1",
  "trackers=micropython,count=1",
];
/** Of each group: the first five members are rv32, the next is MicroPython, the last two are virtual. */
const things = (group: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${group}-0${from + index}`);

describe.skipIf(lacksEmulator)(
  "one scenario file, unedited, on virtual devices and boards (realtime)",
  () => {
    it("passes with 10 rv32 and 2 MicroPython boards, and all members do the same", {
      timeout: 240_000,
    }, async () => {
      const log = new EventLog();
      const record = await runWithBoards(readFileSync(SCENARIO, "utf8"), {
        folder: dirname(SCENARIO),
        boards: BOARDS,
        listener: log,
      });
      expect(record.failure).toBeNull();
      // The verdict may be inconclusive where a loaded machine was late; what was counted may not be wrong.
      expect(record.expectations.filter(({ verdict }) => verdict === "fail")).toEqual([]);
      expect(record.trust.skippedGroups).toEqual([]);
      expect(record.boards?.map(({ chip }) => chip).sort()).toEqual([
        ...Array<string>(10).fill("rv32-virt"),
        ...Array<string>(2).fill("webassembly"),
      ]);
      for (const group of ["sensor", "tracker"]) {
        const virtual = log.of(`${group}-07`);
        expect(virtual.length).toBeGreaterThan(5);
        for (const thing of things(group, 0, 7))
          expect([thing, ...log.of(thing)]).toEqual([thing, ...virtual]);
      }
    });
  },
);
