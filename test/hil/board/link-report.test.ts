import { describe, expect, it } from "vitest";
import { BoardRig, SECOND } from "./board-rig.js";

const stats = (droppedLogs: number, dropped: number, more = {}) =>
  ({ ok: true, value: { link: { droppedLogs }, dropped, heap: 0, ...more } }) as const;

const asked = (rig: BoardRig): number =>
  rig.device.firmware!.commands.filter(({ op }) => op === "stats").length;

describe("what a board counts", () => {
  it("is asked for soon after the session began, then twice a minute, and told as differences", async () => {
    const rig = await BoardRig.working();
    const { answers } = rig.device.firmware!;
    answers.set("stats", stats(3, 1, { heap: 50_000, longestLoopUs: 4_000 }));
    await rig.pass(6 * SECOND);
    answers.set("stats", stats(5, 1));
    await rig.pass(60 * SECOND);
    expect(rig.find("board.link")).toMatchObject([
      { thing: "r-01", retransmissions: 0, badFrames: 0, droppedLogs: 3, droppedEvents: 1 },
      { droppedLogs: 2, droppedEvents: 0 },
    ]);
    expect(rig.find("board.stats")).toMatchObject([
      { heapFreeBytes: 50_000, longestLoopUs: 4_000 },
      { heapFreeBytes: undefined, longestLoopUs: undefined },
      {},
    ]);
    expect(asked(rig)).toBe(3);
  });

  it("is heard a last time at the end of the run, whatever was asked before", async () => {
    const rig = await BoardRig.working();
    rig.device.firmware!.answers.set("stats", stats(7, 0));
    const settled = rig.board.linkReport.settle();
    await rig.pass(SECOND);
    await settled;
    expect(rig.find("board.link")).toMatchObject([{ droppedLogs: 7 }]);
  });

  it("begins anew with the board's start, and not with a new session", async () => {
    const rig = await BoardRig.working();
    rig.device.firmware!.answers.set("stats", stats(7, 0));
    await rig.pass(6 * SECOND);
    rig.ports.unplug("/dev/ttyUSB0");
    await rig.pass(SECOND);
    rig.ports.plug(rig.device, "/dev/ttyUSB0");
    await rig.pass(9 * SECOND);
    expect(rig.find("board.link").map(({ droppedLogs }) => droppedLogs)).toEqual([7]);
    rig.device.reset();
    rig.device.firmware?.answers.set("stats", stats(2, 0));
    await rig.pass(SECOND);
    rig.device.firmware!.answers.set("stats", stats(2, 0));
    await rig.pass(9 * SECOND);
    expect(rig.find("board.link").reduce((sum, { droppedLogs }) => sum + droppedLogs, 0)).toBe(9);
  });

  it("is not asked for again of firmware that has no such command", async () => {
    const rig = await BoardRig.working();
    rig.device.firmware!.answers.set("stats", { ok: false, error: "unknown-op" });
    await rig.pass(120 * SECOND);
    expect(asked(rig)).toBe(1);
    expect(rig.board.stateName).toBe("app");
  });
});
