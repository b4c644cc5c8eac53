import { join } from "node:path";
import { readVirtualBoards, startVirtualBench, type VirtualBenchOptions } from "fleetrig/hil";
import { describe, expect, it, onTestFinished } from "vitest";
import { echoScript, isAlive, temporaryFolder, Terminal } from "./rig.js";

function optionsIn(folder: string): VirtualBenchOptions {
  const folders = { stateFolder: join(folder, "state"), registryFolder: join(folder, "boards") };
  return { kind: "micropython", count: 2, firmware: echoScript(folder), node: process.execPath, ...folders };
}

describe("a virtual bench", () => {
  it("has so many boards, each with a tty and an address of its own, and ends all of them", async () => {
    const options = optionsIn(temporaryFolder());
    const first = await startVirtualBench(options);
    onTestFinished(() => first.stop());
    const second = await startVirtualBench(options);
    const boards = [...first.boards, ...second.boards];
    expect(new Set(boards.map(({ path }) => path)).size).toBe(4);
    expect(boards.map(({ mac }) => mac)).toEqual([1, 2, 3, 4].map((n) => `02f1ee03000${n}`));
    expect(readVirtualBoards(options.registryFolder)).toHaveLength(4);
    const terminal = await Terminal.open(second.boards[1]!.path!);
    terminal.write("x\n");
    await terminal.read("echo x");
    const pids = second.boards.map(({ pid }) => pid!);
    await second.stop();
    expect(pids.some(isAlive)).toBe(false);
    expect(readVirtualBoards(options.registryFolder)).toHaveLength(2);
  });

  it("leaves nothing behind when a board cannot be started", async () => {
    const options = { ...optionsIn(temporaryFolder()), node: "/no/such/node" };
    await expect(startVirtualBench(options)).rejects.toMatchObject({ code: "BOARD_PROGRAM_MISSING" });
    expect(readVirtualBoards(options.registryFolder)).toEqual([]);
    await expect(startVirtualBench({ ...options, firmware: "/no/such/script" })).rejects.toMatchObject({
      code: "BOARD_FIRMWARE_MISSING",
    });
  });
});
