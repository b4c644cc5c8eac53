import { type ChildProcess, spawn } from "node:child_process";
import { BoardFiles, deployFiles, RawRepl } from "fleetrig/hil";
import { describe, expect, it, onTestFinished } from "vitest";
import { lacksFiles } from "../../rigs.js";
import { openReplLine } from "./repl-rig.js";

/**
 * Firmware that others have written and built: MicroPython 1.9.2 of the BBC micro:bit, as Debian has it, on QEMU's micro:bit. It has no raw
 * paste, no folders, no hashes and 16 KiB of memory.
 */
const FIRMWARE = "/usr/share/firmware-microbit-micropython/firmware.hex";
const EMULATOR = "/usr/bin/qemu-system-arm";
const isMissing = lacksFiles(EMULATOR, FIRMWARE);

async function startMicrobit() {
  const machine = [
    "-M",
    "microbit",
    "-device",
    `loader,file=${FIRMWARE}`,
    "-display",
    "none",
    "-monitor",
    "none",
  ];
  const emulator: ChildProcess = spawn(EMULATOR, [...machine, "-serial", "pty"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = new Promise((resolve) => emulator.once("exit", resolve));
  onTestFinished(async () => {
    emulator.kill("SIGKILL");
    await gone;
  });
  const path = await new Promise<string>((resolve, reject) => {
    let said = "";
    const hear = (text: Buffer): void => {
      said += text.toString();
      const found = /redirected to (\/dev\/pts\/\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    };
    emulator.stdout?.on("data", hear);
    emulator.stderr?.on("data", hear);
    emulator.once("exit", () => reject(new Error(said)));
  });
  return await openReplLine(path);
}

describe.skipIf(isMissing)("the raw REPL of MicroPython 1.9.2 on a micro:bit", () => {
  it("runs code without raw paste, and reports tracebacks", async () => {
    const { line, clock } = await startMicrobit();
    const repl = await RawRepl.enter(line, clock);
    expect(await repl.run("import sys\nprint(sys.version)")).toBe("3.4.0\n");
    await expect(repl.run("x=1\nx/0", { name: "probe.py" })).rejects.toMatchObject({
      code: "BOARD_TRACEBACK",
      context: { type: "ZeroDivisionError", file: "probe.py", line: 2 },
    });
  }, 30_000);

  it("interrupts a script that never ends", async () => {
    const { line, clock } = await startMicrobit();
    const first = await RawRepl.enter(line, clock);
    await expect(first.run("while True:\n  pass", { timeoutUs: 300_000 })).rejects.toMatchObject({
      code: "BOARD_NO_ANSWER",
    });
    const second = await RawRepl.enter(line, clock);
    expect(await second.run("print('free')")).toBe("free\n");
  }, 30_000);

  it("deploys a file, verified without hashes, and starts it", async () => {
    const { line, clock, text } = await startMicrobit();
    const bytes = Buffer.from("print('deployed', 40 + 2)\n");
    expect((await deployFiles({ line, clock, files: [{ path: "main.py", bytes }] })).written).toEqual([
      "main.py",
    ]);
    await expect.poll(text, { timeout: 10_000 }).toContain("deployed 42");
    const repl = await RawRepl.enter(line, clock);
    expect(await new BoardFiles(repl).list()).toEqual(["main.py"]);
  }, 60_000);
});
