import { copyFileSync, existsSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FleetrigError } from "fleetrig/kernel";
import type { VirtualBoardKind } from "../bench/bench.js";
import type { BoardProgram } from "./board-process.js";

/** What each kind of virtual board is on this machine: which program, with which memory. */
export interface BoardImage {
  /** rv32 and native: the firmware; micropython: the script that becomes main.py of a new board. */
  readonly firmware: string;
  readonly mac: string;
  /** Where its flash is kept. */
  readonly stateFolder: string;
  /** The Node binary. */
  readonly node: string;
}

/** From source, compiled files are started: Node runs no TypeScript. */
const isSource = import.meta.url.endsWith(".ts");
const MICROPYTHON = isSource ? "../../dist/hil/virtual/micropython/board.js" : "./micropython/board.js";

/** One bank of the machine's flash; the file is sparse. */
const FLASH_BYTES = 32 * 1024 * 1024;

const PROGRAMS: Readonly<Record<VirtualBoardKind, (image: BoardImage) => BoardProgram>> = {
  rv32: ({ firmware, stateFolder }) => {
    const flash = join(stateFolder, "flash.img");
    if (!existsSync(flash)) {
      writeFileSync(flash, "");
      truncateSync(flash, FLASH_BYTES);
    }
    return {
      program: "qemu-system-riscv32",
      args: emulatorArguments(firmware, flash),
      environment: {},
      isEmulator: true,
    };
  },
  native: ({ firmware, mac, stateFolder }) => ({
    program: firmware,
    args: [],
    environment: { BOARD_MAC: mac, BOARD_FLASH: join(stateFolder, "flash.img") },
    isEmulator: false,
  }),
  micropython: ({ firmware, mac, stateFolder, node }) => {
    const files = join(stateFolder, "files");
    mkdirSync(files, { recursive: true });
    const main = join(files, "main.py");
    if (!existsSync(main)) copyFileSync(firmware, main);
    return {
      program: node,
      args: [fileURLToPath(new URL(MICROPYTHON, import.meta.url))],
      environment: { BOARD_MAC: mac, BOARD_FILES: files },
      isEmulator: false,
    };
  },
};

/** @throws {FleetrigError} BOARD_FIRMWARE_MISSING */
export function boardProgram(kind: VirtualBoardKind, image: BoardImage): BoardProgram {
  if (!existsSync(image.firmware))
    throw new FleetrigError("BOARD_FIRMWARE_MISSING", `There is no firmware at ${image.firmware}.`, {
      hint: "Give the path of an image that is built for this kind of board.",
    });
  mkdirSync(image.stateFolder, { recursive: true });
  return PROGRAMS[kind](image);
}

/** RV32IMC, as the ESP32-C3 has. */
const MACHINE = "-M virt -cpu rv32,a=off,f=off,d=off -m 8M -nodefaults -no-user-config -display none";
/** Halted until the machine protocol says `cont`. */
const LINES = "-S -serial stdio -chardev socket,id=qmp,fd=3 -mon chardev=qmp,mode=control";

/** The second flash bank is the board's storage; the first stays empty so that `-bios` is run. */
const emulatorArguments = (firmware: string, flash: string): readonly string[] =>
  [MACHINE, LINES]
    .flatMap((words) => words.split(" "))
    .concat("-bios", firmware, "-drive", `if=pflash,unit=1,format=raw,file=${flash.replaceAll(",", ",,")}`);
