import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BoardLog, deployFiles } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { openReplLine } from "../flash/repl-rig.js";
import { SCRIPT } from "../micropython/bridged-board.js";
import { startBoard, temporaryFolder, Terminal, until } from "./rig.js";

async function startScript(...lines: string[]) {
  const folder = temporaryFolder();
  const firmware = join(folder, "script.py");
  writeFileSync(firmware, lines.join("\n"));
  const stateFolder = join(folder, "state");
  const board = await startBoard({ kind: "micropython", firmware, stateFolder });
  return { board, stateFolder, terminal: await Terminal.open(board.path!) };
}

const CTRL_A = "\x01";
const CTRL_C = "\x03";
const CTRL_D = "\x04";

describe("a virtual MicroPython board", () => {
  it("interrupts a script that sleeps, waits for input, or prints, and shows its prompt", async () => {
    const bodies = [
      "time.sleep(60)",
      "sys.stdin.read(1)",
      "select.poll().poll(60000)",
      // Without a pause it would print more than the line holds, and the answer could be lost with the rest.
      "if time.ticks_ms() % 20 == 0: print('.')",
    ];
    for (const body of bodies) {
      const { board, terminal } = await startScript("import time, sys, select", "while True:", `    ${body}`);
      await board.reset();
      await new Promise((resolve) => setTimeout(resolve, 400));
      terminal.write(CTRL_C);
      await terminal.read("KeyboardInterrupt");
      await terminal.read(">>> ");
    }
  });

  it("runs main.py again at a soft reset, but not in raw mode", async () => {
    const { terminal } = await startScript("import machine", "print('cause', machine.reset_cause())");
    terminal.write("\r");
    await terminal.read(">>> ");
    terminal.write(CTRL_D);
    await terminal.read(/soft reboot\r\ncause 5/);
    await terminal.read(">>> ");
    terminal.write(CTRL_A);
    await terminal.read("raw REPL; CTRL-B to exit\r\n>");
    terminal.write(CTRL_D);
    expect(await terminal.read("raw REPL; CTRL-B to exit\r\n>")).not.toContain("cause");
  });

  it("tells resets apart and keeps its files over power cuts", async () => {
    const { board, stateFolder, terminal } = await startScript(
      "import machine, os",
      "n = len(os.listdir('/log')) if 'log' in os.listdir('/') else 0",
      "if n == 0: os.mkdir('/log')",
      "with open('/log/%d' % n, 'w') as f: f.write('x')",
      "print('run', n, machine.reset_cause())",
      "if n == 1: machine.reset()",
      "if n == 2: machine.deepsleep(100)",
    );
    await until(() => readdirText(stateFolder).includes("x"));
    await board.power(false);
    await board.power(true);
    await terminal.read("run 1 1\n");
    await terminal.read("run 2 2\n");
    await terminal.read("run 3 4\n");
  });

  it("waits for input as long as asked, without using the processor", async () => {
    const { board, terminal } = await startScript(
      "import select, sys, time",
      "p = select.poll()",
      "p.register(sys.stdin, select.POLLIN)",
      "while True:",
      "    t = time.ticks_us()",
      "    r = p.poll(300)",
      "    print('waited', time.ticks_diff(time.ticks_us(), t) // 1000, len(r), sys.stdin.read(1) if r else '')",
    );
    await board.reset();
    const [, waitedMs] = /waited (\d+) 0/.exec(await terminal.read(/waited \d+ 0/))!;
    expect(Number(waitedMs)).toBeGreaterThanOrEqual(300);
    terminal.write("k");
    await terminal.read(/waited \d+ 1 k/);
    const before = cpuTicks(board.pid!);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(cpuTicks(board.pid!) - before).toBeLessThan(20);
  });

  it("lets tools deploy while the reference script runs", async () => {
    const board = await startBoard({ kind: "micropython", firmware: SCRIPT });
    const { line, clock, text } = await openReplLine(board.path!);
    const files = [{ path: "main.py", bytes: Buffer.from("print('deployed', 1 + 1)\n") }];
    await deployFiles({ line, clock, files });
    await expect.poll(text, { timeout: 5_000 }).toContain("deployed 2");
  });

  it("fails with a traceback that the board's log knows for a panic", async () => {
    const { board, terminal } = await startScript("import sys", "sys.stdin.read(1)", "1 / 0");
    const time = new RealTime();
    const panics: string[] = [];
    const handlers = {
      line: () => undefined,
      booted: () => undefined,
      panicked: (report: { kind: string }) => panics.push(report.kind),
      panicEnded: () => undefined,
    };
    const log = new BoardLog({ clock: time.lane(0), handlers });
    terminal.port.on("data", (bytes: Buffer) => log.received(bytes, time.nowUs()));
    await board.reset();
    terminal.write("x");
    await terminal.read(/Traceback .*\r\n.*main\.py", line 3.*\r\nZeroDivisionError: divide by zero\r\n/s);
    await until(() => panics.length === 1);
    time.stop();
  });
});

/** User and system time of a process, in hundredths of a second. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function readdirText(stateFolder: string): string {
  try {
    return readFileSync(join(stateFolder, "files/log/0"), "utf8");
  } catch {
    return "";
  }
}
