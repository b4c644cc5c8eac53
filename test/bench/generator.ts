import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RunningBroker } from "./brokers.js";
import { LOAD_CORE, spawnPinned } from "./pinned.js";

/** The load generator of test/bench/load: C, so that the broker and not the load is what limits. */
const SOURCES = fileURLToPath(new URL("../../../test/bench/load/", import.meta.url));
const FOLDER = fileURLToPath(new URL("../../../out/", import.meta.url));
const PROGRAM = `${FOLDER}mqttload`;
const COMPILER = "/usr/bin/cc";

export const generatorMissing = (): string | undefined =>
  existsSync(COMPILER) && process.platform === "linux"
    ? undefined
    : "the load generator needs Linux and a C compiler (cc)";

let isCompiled = false;

function compile(): void {
  if (isCompiled) return;
  const files = readdirSync(SOURCES).filter((name) => name.endsWith(".c"));
  mkdirSync(FOLDER, { recursive: true });
  execFileSync(COMPILER, ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-o", PROGRAM, ...files], {
    cwd: SOURCES,
    stdio: ["ignore", "inherit", "inherit"],
  });
  isCompiled = true;
}

/** Options of the generator by name, without the dashes: see load/options.h. */
export type LoadOptions = Readonly<Record<string, number>>;
/** The figures it prints, by name. */
export type LoadFigures = Readonly<Record<string, number>>;

/** A generator at work; what holds connections holds them until `release`. */
export interface RunningLoad {
  /** What it printed at the end. @throws when the broker lost something or a deadline passed. */
  readonly figures: Promise<LoadFigures>;
  /** Resolves with its first line of output, or at its end. */
  readonly announced: Promise<void>;
  release(): void;
}

/** Starts the C generator in one of its modes. */
export function startLoad(broker: RunningBroker, mode: string, options: LoadOptions): RunningLoad {
  compile();
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return startProgram([PROGRAM, mode, "--port", String(broker.port), "--pid", String(broker.pid), ...words]);
}

/** Starts any generator: one that prints figures as its last line, and may print another line before. */
export function startProgram(command: readonly string[]): RunningLoad {
  const child = spawnPinned(LOAD_CORE, command, { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  const announced = new Promise<void>((resolve) => {
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      resolve();
    });
    child.once("exit", () => resolve());
  });
  const figures = new Promise<LoadFigures>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const line = text.trim().split("\n").at(-1) ?? "";
      if (code === 0) resolve(JSON.parse(line) as LoadFigures);
      else reject(new Error(`${command.join(" ")}: ${line === "" ? `exit code ${code}` : line}`));
    });
  });
  return { figures, announced, release: () => child.stdin!.end() };
}

/** Runs one mode to its end. */
export const load = (broker: RunningBroker, mode: string, options: LoadOptions): Promise<LoadFigures> =>
  startLoad(broker, mode, options).figures;
