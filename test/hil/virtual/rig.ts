import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningVirtualBoard, VirtualBoardOptions } from "fleetrig/hil";
import { startVirtualBoard } from "fleetrig/hil";
import { SerialPort } from "serialport";
import { onTestFinished } from "vitest";

const ECHO = fileURLToPath(
  new URL("../../../test/hil/virtual/echo/echo.S", import.meta.url.replace("/dist/", "/")),
);

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-board-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The image of a board that greets and echoes. */
export function echoImage(folder: string): string {
  const image = join(folder, "echo.elf");
  const flags = [
    "-march=rv32imc_zicsr",
    "-mabi=ilp32",
    "-nostdlib",
    "-nostartfiles",
    "-Wl,-Ttext=0x80000000",
  ];
  execFileSync("riscv64-unknown-elf-gcc", [...flags, "-o", image, ECHO], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return image;
}

/** The script of a board that greets and echoes lines. */
export function echoScript(folder: string): string {
  const script = join(folder, "echo.py");
  writeFileSync(
    script,
    [
      "import sys, machine",
      "print('boot', machine.reset_cause())",
      "while True:",
      "    print('echo', sys.stdin.readline().strip())",
    ].join("\n"),
  );
  return script;
}

let count = 0;

export async function startBoard(
  options: Pick<VirtualBoardOptions, "kind" | "firmware"> & Partial<VirtualBoardOptions>,
): Promise<RunningVirtualBoard> {
  const folder = temporaryFolder();
  count += 1;
  const board = await startVirtualBoard({
    mac: `02000000${count.toString(16).padStart(4, "0")}`,
    stateFolder: join(folder, "state"),
    registryFolder: join(folder, "boards"),
    node: process.execPath,
    ...options,
  });
  onTestFinished(() => board.stop());
  return board;
}

/** A program's view of a tty, by the library that most of them use. */
export class Terminal {
  text = "";
  isGone = false;
  private constructor(readonly port: SerialPort) {
    port.on("data", (bytes: Buffer) => {
      this.text += bytes.toString("latin1");
    });
    port.on("close", () => {
      this.isGone = true;
    });
  }

  static async open(path: string): Promise<Terminal> {
    const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
    const terminal = new Terminal(port);
    await new Promise<void>((resolve, reject) => {
      port.open((error) => (error === null ? resolve() : reject(error)));
    });
    onTestFinished(() => terminal.close());
    return terminal;
  }

  write(text: string): void {
    this.port.write(text);
  }

  /** Waits for a text, and forgets what came up to its end. */
  async read(wanted: string | RegExp, withinMs = 10_000): Promise<string> {
    await until(
      () => (typeof wanted === "string" ? this.text.includes(wanted) : wanted.test(this.text)),
      withinMs,
      () => `${wanted} in ${JSON.stringify(this.text)}`,
    );
    const match = typeof wanted === "string" ? wanted : wanted.exec(this.text)![0];
    const end = this.text.indexOf(match) + match.length;
    const read = this.text.slice(0, end);
    this.text = this.text.slice(end);
    return read;
  }

  async close(): Promise<void> {
    if (this.port.isOpen) await new Promise((resolve) => this.port.close(resolve));
  }
}

/** Looks often; rejects with what was waited for. */
export async function until(
  isTrue: () => boolean,
  withinMs = 10_000,
  what: () => string = () => String(isTrue),
): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!isTrue()) {
    if (Date.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Does this process still run, and is no zombie? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
