import { copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FleetrigError } from "fleetrig/kernel";
import type { VirtualBoardKind } from "../bench/bench.js";
import { buildFirmware } from "../firmware/build.js";
import { isImage, writeFactoryFlash } from "../firmware/image.js";
import type { BoardProgram } from "./board-process.js";
import type { RomPlan } from "./rom/download-mode.js";

/** What each kind of virtual board is on this machine: which program, with which memory. */
export interface BoardImage {
  /**
   * rv32 and native: an image as `buildFirmware` makes it, with the programs of that build beside it, or a bare program (an ELF file
   * that QEMU starts, or an executable); micropython: the script that becomes main.py of a new board.
   */
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
const SCRIPT = `${isSource ? "../" : "../../../hil/"}firmware/micropython/main.py`;

/**
 * The reference firmware for a kind of board, built with the system's compiler where it has to be.
 * @param outDir Where builds are kept.
 * @returns what `BoardImage.firmware` takes
 * @throws {FleetrigError} FIRMWARE_TOOLCHAIN_MISSING, FIRMWARE_BUILD_FAILED (rejections)
 */
export async function referenceFirmware(kind: VirtualBoardKind, outDir: string): Promise<string> {
  if (kind === "micropython") return fileURLToPath(new URL(SCRIPT, import.meta.url));
  return (await buildFirmware({ target: kind, outDir })).image;
}

/** One bank of the machine's flash; the file is sparse. */
const FLASH_BYTES = 32 * 1024 * 1024;

const PROGRAMS: Readonly<Record<VirtualBoardKind, (image: BoardImage) => BoardProgram>> = {
  rv32: (image) => {
    const flash = flashOf(image);
    const { firmware } = image;
    return {
      program: "qemu-system-riscv32",
      args: emulatorArguments(
        flash.isOfImage ? join(dirname(firmware), "bootloader.elf") : firmware,
        flash.path,
      ),
      coldArgs: [],
      environment: {},
      control: "qmp",
      hasRom: true,
    };
  },
  native: (image) => {
    const flash = flashOf(image);
    return {
      program: flash.isOfImage ? join(dirname(image.firmware), "app.elf") : image.firmware,
      args: flash.isOfImage ? ["--flash", flash.path] : [],
      coldArgs: flash.isOfImage ? ["--power-cycle"] : [],
      environment: { BOARD_MAC: image.mac, BOARD_FLASH: flash.path },
      control: undefined,
      hasRom: true,
    };
  },
  micropython: ({ firmware, mac, stateFolder, node }) => {
    const files = join(stateFolder, "files");
    mkdirSync(files, { recursive: true });
    const main = join(files, "main.py");
    if (!existsSync(main)) copyFileSync(firmware, main);
    return {
      program: node,
      args: [fileURLToPath(new URL(MICROPYTHON, import.meta.url))],
      coldArgs: [],
      environment: { BOARD_MAC: mac, BOARD_FILES: files },
      control: "start",
      hasRom: false,
    };
  },
};

/** The file of the board's flash. A new board's has the image in its first slot, or nothing. */
function flashOf({ firmware, mac, stateFolder }: BoardImage): {
  readonly path: string;
  readonly isOfImage: boolean;
} {
  const path = join(stateFolder, "flash.img");
  const bytes = readFileSync(firmware);
  const isOfImage = isImage(bytes);
  if (!existsSync(path) && isOfImage) writeFactoryFlash(path, bytes, mac);
  else if (!existsSync(path)) {
    writeFileSync(path, "");
    truncateSync(path, FLASH_BYTES);
  }
  return { path, isOfImage };
}

/** An rv32 board is flashed as the chip that it stands for. */
export const romPlan = (stateFolder: string): RomPlan => ({
  chip: "esp32c3",
  flash: join(stateFolder, "flash.img"),
  flashBytes: FLASH_BYTES,
});

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

/**
 * The second flash bank is the board's storage; the first stays empty so that `-bios` is run.
 *
 * QEMU writes the serial output byte by byte, and on a busy machine it is held up in the middle of frames, by half a second at times. Both
 * ends then see what looks like a bad line: frames that are cut after 100 ms, frames that are sent again because their answer is late. The
 * 16550 loses and changes nothing: at a load of 10, of all bytes that came in, every frame that the firmware had counted was whole.
 */
const emulatorArguments = (firmware: string, flash: string): readonly string[] =>
  [MACHINE, LINES]
    .flatMap((words) => words.split(" "))
    .concat("-bios", firmware, "-drive", `if=pflash,unit=1,format=raw,file=${flash.replaceAll(",", ",,")}`);
