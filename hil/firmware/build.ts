/**
 * Builds the reference firmware with the system's compiler. What was built is kept in `outDir` under a hash of sources, flags and compiler.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { FleetrigError } from "fleetrig/kernel";
import { imageWithVersion, makeImage } from "./image.js";

/** `rv32`: QEMU's riscv32 machine; `native`: a process; `native-sanitized`: one that finds its own memory errors. */
export type FirmwareTarget = "rv32" | "native" | "native-sanitized";

export interface FirmwareOptions {
  readonly target: FirmwareTarget;
  /** Where builds are kept; made when missing. */
  readonly outDir: string;
  /** What the image calls itself; default 1.0.0. */
  readonly version?: string;
}

/** Paths of files. */
export interface FirmwareBuild {
  readonly target: FirmwareTarget;
  readonly version: string;
  /** With symbols, for panics. Of native targets it is the program to start: `elf --flash FILE`. */
  readonly elf: string;
  /** rv32: what QEMU starts (`-bios`); undefined for native targets. */
  readonly bootloader: string | undefined;
  /** For slots and updates; native targets' images have a version, but hold no code. */
  readonly image: string;
  /** The compiler's name and version. */
  readonly toolchain: string;
}

interface Recipe {
  readonly compiler: string;
  readonly packages: string;
  readonly flags: readonly string[];
  readonly programs: readonly Program[];
}

interface Program {
  readonly name: string;
  /** Folders (all their C and assembler files) and files under src/. */
  readonly sources: readonly string[];
  readonly flags: readonly string[];
}

const WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wconversion"];
const INCLUDES = ["-I../include", "-Iplatform", "-Iapp"];

const BARE =
  "-march=rv32imc_zicsr_zifencei -mabi=ilp32 -Os -g -ffreestanding -fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections " +
  "-nostdlib -nostartfiles -static -Wl,--gc-sections -Wl,--build-id=none -Ihal-virt -isystem hal-virt/libc -DLINK_BYTE_NS=25000u";
const HOSTED = "-O2 -g -no-pie -fno-omit-frame-pointer -DLINK_BYTE_NS=1000u";
const SANITIZED =
  "-O1 -g -no-pie -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DLINK_BYTE_NS=1000u";

const MACHINE = ["flash.c", "time.c", "uart.c", "start.S"].map((file) => `hal-virt/${file}`);

const RV32: Recipe = {
  compiler: "riscv64-unknown-elf-gcc",
  packages: "gcc-riscv64-unknown-elf",
  flags: BARE.split(" "),
  programs: [
    {
      name: "app.elf",
      sources: ["platform", "app", "hal-virt/libc", ...MACHINE, "hal-virt/hal_virt.c", "hal-virt/trap.c"],
      flags: ["-T", "hal-virt/app.ld"],
    },
    {
      name: "bootloader.elf",
      sources: [
        ...["boot_slots.c", "crc32.c", "rom.c"].map((file) => `platform/${file}`),
        "hal-virt/libc",
        ...MACHINE,
        "hal-virt/loader.c",
      ],
      flags: ["-DFLEETRIG_LOADER", "-T", "hal-virt/loader.ld"],
    },
  ],
};

const native = (flags: string): Recipe => ({
  compiler: "gcc",
  packages: "gcc libc6-dev libssl-dev",
  flags: flags.split(" "),
  programs: [{ name: "app.elf", sources: ["platform", "app", "hal-posix"], flags: [] }],
});

const RECIPES: Readonly<Record<FirmwareTarget, Recipe>> = {
  rv32: RV32,
  native: native(HOSTED),
  "native-sanitized": native(SANITIZED),
};

/** Compiled, this file is in dist/hil/firmware; the C sources stay where they are. */
const SOURCES = ["./src/", "../../../hil/firmware/src/"]
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

const run = promisify(execFile);

/**
 * @throws {FleetrigError} FIRMWARE_TOOLCHAIN_MISSING, FIRMWARE_BUILD_FAILED, FIRMWARE_IMAGE_INVALID (rejections)
 */
export async function buildFirmware({
  target,
  outDir,
  version = "1.0.0",
}: FirmwareOptions): Promise<FirmwareBuild> {
  const recipe = RECIPES[target];
  const toolchain = `${recipe.compiler} ${(await compile(recipe, ["-dumpfullversion"])).trim()}`;
  const tail = target === "rv32" ? [await runtimeLibrary(recipe)] : await networkLibraries(recipe);
  const folder = join(outDir, `${target}-${await fingerprint(recipe, [toolchain, ...tail])}`);
  if (!existsSync(folder)) await make({ target, recipe, tail, folder, outDir });
  const image = join(folder, `app-${version}.bin`);
  const plain = await readFile(join(folder, "app.bin"));
  await replaceFile(image, imageWithVersion(plain, version));
  const bootloader = target === "rv32" ? join(folder, "bootloader.elf") : undefined;
  return { target, version, elf: join(folder, "app.elf"), bootloader, image, toolchain };
}

interface Making {
  readonly target: FirmwareTarget;
  readonly recipe: Recipe;
  readonly tail: readonly string[];
  readonly folder: string;
  readonly outDir: string;
}

/** In a folder beside it, so that a build that was cut short is never taken for one. */
async function make({ target, recipe, tail, folder, outDir }: Making): Promise<void> {
  await mkdir(outDir, { recursive: true });
  const draft = await mkdtemp(join(outDir, "building-"));
  try {
    for (const program of recipe.programs) {
      const sources = await sourceFiles(program);
      const flags = [...WARNINGS, ...INCLUDES, ...recipe.flags, ...program.flags];
      await compile(recipe, [...flags, "-o", join(draft, program.name), ...sources, ...tail]);
    }
    const elf = await readFile(join(draft, "app.elf"));
    const contents = target === "rv32" ? loadedBytes(elf).subarray(128) : placeholder(elf);
    const entry = target === "rv32" ? elf.readUInt32LE(24) : 0;
    await writeFile(join(draft, "app.bin"), makeImage({ contents, entry, version: "1.0.0", elf }));
    await rename(draft, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error; // somebody else built the same
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Several processes may want the same file at once. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const folder = await mkdtemp(`${path}-`);
  const draft = join(folder, "draft");
  await writeFile(draft, bytes);
  await rename(draft, path);
  await rm(folder, { recursive: true, force: true });
}

/** The segments of a 32-bit ELF file as they lie in memory, from the first one's address on. */
function loadedBytes(elf: Buffer): Buffer {
  const table = elf.readUInt32LE(28);
  const pieces: { address: number; bytes: Buffer }[] = [];
  for (let n = 0; n < elf.readUInt16LE(44); n++) {
    const at = table + n * elf.readUInt16LE(42);
    const [type, offset, , address, fileBytes] = [0, 4, 8, 12, 16].map((field) =>
      elf.readUInt32LE(at + field),
    );
    if (type === 1 && fileBytes !== 0)
      pieces.push({ address: address ?? 0, bytes: elf.subarray(offset, (offset ?? 0) + (fileBytes ?? 0)) });
  }
  const begin = Math.min(...pieces.map((piece) => piece.address));
  const end = Math.max(...pieces.map((piece) => piece.address + piece.bytes.length));
  const memory = Buffer.alloc(end - begin);
  for (const { address, bytes } of pieces) bytes.copy(memory, address - begin);
  return memory;
}

/** As long as a small image, so that downloads and power cuts have something to work on. */
const placeholder = (elf: Buffer): Buffer =>
  Buffer.alloc(32 * 1024, `no code, made beside ${createHash("sha256").update(elf).digest("hex")} `);

async function sourceFiles(program: Program): Promise<string[]> {
  const files: string[] = [];
  for (const source of program.sources) {
    if (/\.[cS]$/.test(source)) files.push(source);
    else
      for (const file of await readdir(join(sourceFolder(), source)))
        if (file.endsWith(".c")) files.push(`${source}/${file}`);
  }
  return files.sort();
}

async function fingerprint(recipe: Recipe, words: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([recipe, WARNINGS, words]));
  for (const folder of [".", "../include"]) {
    const files = await readdir(join(sourceFolder(), folder), { recursive: true });
    for (const file of files.filter((name) => /\.(c|h|S|ld)$/.test(name)).sort())
      hash.update(`\0${file}\0`).update(await readFile(join(sourceFolder(), folder, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Divisions of 64-bit numbers and floating point. With the extensions' names of the sources, some compilers find the 64-bit one. */
const runtimeLibrary = async (recipe: Recipe): Promise<string> =>
  (await compile(recipe, ["-march=rv32im", "-mabi=ilp32", "-print-libgcc-file-name"])).trim();

/** Without OpenSSL's headers the firmware has plain TCP only. */
async function networkLibraries(recipe: Recipe): Promise<readonly string[]> {
  try {
    await compile(recipe, ["-fsyntax-only", "-include", "openssl/ssl.h", "-x", "c", "/dev/null"]);
    return ["-lssl", "-lcrypto"];
  } catch (error) {
    if (error instanceof FleetrigError && error.code === "FIRMWARE_BUILD_FAILED") return [];
    throw error;
  }
}

async function compile({ compiler, packages }: Recipe, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(compiler, args, {
      cwd: sourceFolder(),
      maxBuffer: 1024 * 1024,
      encoding: "utf8",
    });
    return stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT")
      throw new FleetrigError(
        "FIRMWARE_TOOLCHAIN_MISSING",
        `There is no ${compiler} to build the firmware with.`,
        {
          hint: `apt-get install -y ${packages}`,
        },
      );
    const first = (stderr ?? "").split("\n").find((line) => line.includes("error")) ?? String(error);
    throw new FleetrigError(
      "FIRMWARE_BUILD_FAILED",
      `${compiler} could not build the firmware: ${first}`,
      {},
    );
  }
}

function sourceFolder(): string {
  if (SOURCES === undefined)
    throw new FleetrigError("FIRMWARE_BUILD_FAILED", "The firmware's sources are not in this installation.", {
      hint: "They are in hil/firmware/src of the package.",
    });
  return SOURCES;
}
