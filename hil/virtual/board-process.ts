import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import type { Duplex, Readable, Writable } from "node:stream";
import { FleetrigError } from "fleetrig/kernel";
import { QmpClient } from "./qmp.js";
import type { Reaper } from "./reaper.js";
import type { SparePrograms } from "./spare-programs.js";
import { highestPairDescriptor } from "./virtual-tty.js";

/** How to run a board: a process whose standard input and output are the board's serial line. */
export interface BoardProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside them when the power comes, instead of EN being pulled. */
  readonly coldArgs: readonly string[];
  /** Beside the keeper's own. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * What is at descriptor 3. `qmp`: QEMU's machine protocol, and the processor is halted. `start`: the program is loaded and waits for one line
   * of JSON with its environment; it may have been made long before.
   */
  readonly control: "qmp" | "start" | undefined;
  /** It writes what the chip's ROM says at a start; for others that is said in their place. */
  readonly hasRom: boolean;
}

/** Environment variable with the ROM's name of the reason of a start, for programs that are no emulators. */
const RESET_REASON = "FLEETRIG_RESET_REASON";

/** What a running board tells its keeper. */
interface BoardProcessHandlers {
  line(bytes: Buffer): void;
  /** The board has restarted by itself, without a new process. */
  restarted(): void;
  /** The process has ended without having been told to. @param how Exit code or signal. */
  ended(how: string): void;
  log(text: string): void;
}

export interface BoardStart {
  readonly reason: string;
  /** The power was away. */
  readonly isCold: boolean;
}

/** One life of a board, from power on to power off. */
export class BoardProcess {
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly input: Writable;
  private readonly qmp: QmpClient | undefined;
  private isFrozen = false;
  private isWanted = true;
  private readonly gone: Promise<void>;

  private constructor(child: ChildProcess, program: BoardProgram, handlers: BoardProcessHandlers) {
    const [input, output, errors, control] = child.stdio as unknown as [Writable, Readable, Readable, Duplex];
    this.child = child;
    this.pid = child.pid!;
    this.input = input;
    input.on("error", () => undefined);
    output.on("data", (bytes: Buffer) => handlers.line(bytes));
    errors.setEncoding("utf8").on("data", (text: string) => handlers.log(text.trimEnd()));
    if (program.control === "qmp") {
      this.qmp = new QmpClient(control, (event, data) => {
        if (event === "RESET" && data["guest"] === true) handlers.restarted();
      });
    }
    this.gone = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        if (this.isWanted) handlers.ended(signal ?? `${code}`);
        resolve();
      });
    });
  }

  /**
   * Starts the board.
   * @param reason The ROM's name of why.
   * @throws {FleetrigError} BOARD_PROGRAM_MISSING, BOARD_EMULATOR_FAILED
   */
  static async start(
    program: BoardProgram,
    { reason, isCold }: BoardStart,
    options: BoardProcessOptions,
  ): Promise<BoardProcess> {
    const environment = { ...program.environment, [RESET_REASON]: reason };
    if (program.control === "start") {
      const child = await options.spares.take(program);
      const control = child.stdio[3] as Writable;
      control.on("error", () => undefined);
      control.write(`${JSON.stringify(environment)}\n`);
      return new BoardProcess(child, program, options.handlers);
    }
    const child = await launch(program, isCold ? program.coldArgs : [], {
      reaper: options.reaper,
      environment: { ...options.environment, ...environment },
    });
    const board = new BoardProcess(child, program, options.handlers);
    await board.qmp?.execute("qmp_capabilities");
    await board.qmp?.execute("cont");
    return board;
  }

  /** Bytes for the board's serial input. A frozen one hears nothing: its buffer is small. */
  write(bytes: Uint8Array): void {
    if (!this.isFrozen) this.input.write(bytes);
  }

  /** Pulls EN. @returns false when only a new process can do it. */
  async reset(): Promise<boolean> {
    await this.qmp?.execute("system_reset");
    return this.qmp !== undefined;
  }

  /** Stops the processor, or lets it go on. */
  async freeze(on: boolean): Promise<void> {
    if (on === this.isFrozen) return;
    this.isFrozen = on;
    if (this.qmp === undefined) this.child.kill(on ? "SIGSTOP" : "SIGCONT");
    else await this.qmp.execute(on ? "stop" : "cont");
  }

  /** Cuts the power. */
  async kill(): Promise<void> {
    this.isWanted = false;
    this.child.kill("SIGKILL");
    await this.gone;
  }
}

let nothingFd: number | undefined;
const nothing = (): number => (nothingFd ??= openSync("/dev/null", "r"));
const FIRST_UNUSED = 4;
/** So that no board has the tty of another one, or its own, open. */
const closedDescriptors = (): readonly number[] =>
  Array.from({ length: Math.max(0, highestPairDescriptor() + 1 - FIRST_UNUSED) }, nothing);

export interface LaunchOptions {
  readonly reaper: Reaper;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface BoardProcessOptions extends LaunchOptions {
  readonly handlers: BoardProcessHandlers;
  readonly spares: SparePrograms;
}

/** @throws {FleetrigError} BOARD_PROGRAM_MISSING (rejection) */
export async function launch(
  { program, args, control }: BoardProgram,
  moreArgs: readonly string[],
  { reaper, environment }: LaunchOptions,
): Promise<ChildProcess> {
  const child = spawn(program, [...args, ...moreArgs], {
    stdio: ["pipe", "pipe", "pipe", control === undefined ? nothing() : "pipe", ...closedDescriptors()],
    env: environment,
  });
  const { pid } = child;
  if (pid !== undefined) {
    // At once: nothing may come between a birth and the reaper's knowing of it.
    reaper.born(pid);
    child.once("exit", () => reaper.ended(pid));
  }
  await new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => reject(missing(program, cause)));
  });
  return child;
}

const missing = (program: string, cause: unknown): FleetrigError =>
  new FleetrigError("BOARD_PROGRAM_MISSING", `The virtual board's program "${program}" cannot be started.`, {
    hint: "Virtual boards of kind rv32 need qemu-system-riscv32 (Debian: qemu-system-misc).",
    cause,
  });
