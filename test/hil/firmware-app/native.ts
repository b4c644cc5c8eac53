import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url.replace("/dist/", "/")));

const FIRMWARE = source("../../../hil/firmware/");
const CODECS = ["json", "json_writer", "number", "mqtt_read", "mqtt_write", "quantile", "backoff"].map(
  (name) => `src/app/${name}.c`,
);
const PLATFORM = ["storage", "outbox", "boot", "boot_slots", "sha256", "crc32"].map(
  (name) => `src/platform/${name}.c`,
);

/** What is built of the firmware's sources beside the program's own file. */
const PROGRAMS = { codec: CODECS, machine: ["src/app/*.c", ...PLATFORM] } as const;
const FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-g", "-O0", "-Wall", "-Wextra", "-Werror"];
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/**
 * Builds one of the programs of `machine/` with the sanitizers, once for all test files and runs: its name is the hash of what it
 * is made of. @returns its path.
 */
export function build(name: keyof typeof PROGRAMS): string {
  const main = source(`./machine/${name}.c`);
  const sources = [main, ...expand(PROGRAMS[name])];
  const hash = createHash("sha256").update([...FLAGS, ...SANITIZERS].join(" "));
  for (const path of [...sources, ...expand(["include/*.h", "src/app/*.h"])]) hash.update(readFileSync(path));
  const program = join(tmpdir(), `fleetrig-${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(program)) return program;
  const includes = ["include", "src/app", "src/platform"].map((path) => `-I${FIRMWARE}${path}`);
  const own = `${program}.${process.pid}`;
  execFileSync("gcc", [...FLAGS, ...SANITIZERS, ...includes, "-o", own, ...sources], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  renameSync(own, program);
  return program;
}

/** Paths within the firmware; `*` stands for any name. */
function expand(patterns: readonly string[]): readonly string[] {
  return patterns.flatMap((pattern) => {
    const [folder = "", ending = ""] = pattern.split("*");
    if (!pattern.includes("*")) return [FIRMWARE + pattern];
    const names = readdirSync(FIRMWARE + folder).filter((name) => name.endsWith(ending));
    return names.toSorted().map((name) => FIRMWARE + folder + name);
  });
}

/** A program that answers lines with lines, asked synchronously: virtual time can wait for it. */
export class NativeProgram {
  private readonly child: ChildProcess;
  private readonly input: number;
  private readonly output: number;
  private readonly buffer = Buffer.alloc(65_536);
  private rest = Buffer.alloc(0);
  private isClosed = false;

  constructor(program: string, args: readonly string[] = []) {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-pipe-"));
    const pipes = [join(folder, "in"), join(folder, "out")];
    execFileSync("mkfifo", pipes);
    this.child = spawn("/bin/sh", ["-c", 'exec "$0" "$@" <"$IN" >"$OUT"', program, ...args], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, IN: pipes[0], OUT: pipes[1], ASAN_OPTIONS: "detect_leaks=0" },
    });
    this.input = openSync(pipes[0]!, "w");
    this.output = openSync(pipes[1]!, "r");
    rmSync(folder, { recursive: true });
    onTestFinished(() => this.close());
  }

  write(line: string): void {
    writeSync(this.input, `${line}\n`);
  }

  /** @throws Error when the program has ended. */
  readLine(): string {
    for (;;) {
      const end = this.rest.indexOf(10);
      if (end >= 0) {
        const line = this.rest.toString("utf8", 0, end);
        this.rest = this.rest.subarray(end + 1);
        return line;
      }
      const count = readSync(this.output, this.buffer);
      if (count === 0)
        throw new Error(`The program has ended: ${this.child.exitCode ?? "no exit code yet"}.`);
      this.rest = Buffer.concat([this.rest, this.buffer.subarray(0, count)]);
    }
  }

  ask(line: string): string {
    this.write(line);
    return this.readLine();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    closeSync(this.input);
    closeSync(this.output);
    this.child.kill("SIGKILL");
  }
}
