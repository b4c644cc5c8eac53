import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacksFiles } from "../../rigs.js";

export interface Toolchain {
  readonly name: string;
  /** Before `gcc` and `addr2line`. */
  readonly prefix: string;
  readonly flags: readonly string[];
}

export const TOOLCHAINS: readonly Toolchain[] = [
  { name: "this machine", prefix: "/usr/bin/", flags: ["-no-pie", "-nostartfiles"] },
  {
    name: "riscv32",
    prefix: "/usr/bin/riscv64-unknown-elf-",
    flags: ["-march=rv32imc", "-mabi=ilp32", "-nostartfiles", "-Wl,-Ttext=0x80000000"],
  },
];

export const lacks = ({ prefix }: Toolchain): boolean => lacksFiles(`${prefix}gcc`, `${prefix}addr2line`);

const HEADER = `static inline int clamp(int value, int most)
{
  if (value > most)
    return most;
  return value;
}
`;

const SENSOR = `#include "clamp.h"
volatile int bus;
int sensor_read(int channel)
{
  int sum = 0;
  for (int i = 0; i < channel; i++) {
    sum += bus;
    sum = clamp(sum, 1000);
  }
  return sum;
}
__attribute__((noinline)) int sensor_fail(int channel)
{
  return *(volatile int *)(long)(channel * 16);
}
`;

const MAIN = `#include "clamp.h"
int sensor_read(int channel);
int sensor_fail(int channel);
volatile int result;
__attribute__((noinline)) int measure(int round)
{
  int value = sensor_read(round % 8);

  if (value < 0)
    value = sensor_fail(round);
  return clamp(value, 77);
}
void _start(void)
{
  for (int round = 0;; round++)
    result = measure(round);
}
`;

export interface Build {
  readonly bytes: Uint8Array;
  /** `function`, `file:line` of each address as the toolchain's own addr2line has it. */
  locate(addresses: readonly number[]): { readonly function: string; readonly source: string }[];
  remove(): void;
}

/** Compiles and links a small program of two files and a header with an inline function. */
export function build(toolchain: Toolchain, ...flags: readonly string[]): Build {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-elf-"));
  for (const [name, text] of [
    ["clamp.h", HEADER],
    ["sensor.c", SENSOR],
    ["main.c", MAIN],
  ] as const) {
    writeFileSync(join(folder, name), text);
  }
  const options = {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"],
  } as const;
  execFileSync(
    `${toolchain.prefix}gcc`,
    ["-ffreestanding", "-nostdlib", ...flags, ...toolchain.flags, "-o", "app.elf", "main.c", "sensor.c"],
    options,
  );
  return {
    bytes: new Uint8Array(readFileSync(join(folder, "app.elf"))),
    locate(addresses) {
      const asked = addresses.map((address) => `0x${address.toString(16)}`);
      const lines = execFileSync(
        `${toolchain.prefix}addr2line`,
        ["-f", "-s", "-e", "app.elf", ...asked],
        options,
      )
        .trim()
        .split("\n");
      return addresses.map((_, i) => ({
        function: lines[2 * i]!,
        source: lines[2 * i + 1]!.replace(/ \(discriminator \d+\)$/, ""),
      }));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
