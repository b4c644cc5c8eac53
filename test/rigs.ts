import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Programs of others that tests drive. Where one is missing its tests are skipped, visibly; CI insists on all of them. */
export const isRequired = process.env["FLEETRIG_REQUIRE_RIGS"] === "1";

/** Is one of these files missing, on a machine where that is allowed? */
export const lacksFiles = (...paths: readonly string[]): boolean =>
  !isRequired && !paths.every((path) => existsSync(path));

const lacksPrograms = (...names: readonly string[]): boolean =>
  lacksFiles(...names.map((name) => `/usr/bin/${name}`));

export const lacksCompiler = lacksPrograms("gcc");
export const lacksSocat = lacksPrograms("socat");
/** QEMU's RISC-V, and the compiler for what runs on it. */
export const lacksEmulator = lacksPrograms("qemu-system-riscv32", "riscv64-unknown-elf-gcc");

/** Where tests build the reference firmware: once for all files, and kept between runs. */
export const FIRMWARE_BUILDS = join(tmpdir(), "fleetrig-firmware-builds");
