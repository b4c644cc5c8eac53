import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";

/**
 * Brokers share one core, one at a time, and the load generator has another: what is compared is what a broker
 * makes of one core. Where cores cannot be chosen, everybody runs where the system puts them.
 */
export const BROKER_CORE = 0;
export const LOAD_CORE = 1;

const CAN_PIN = existsSync("/usr/bin/taskset") && availableParallelism() > 1;
/** Runs the rest of its arguments with as many open files as the system allows without asking. */
const WITH_ALL_FILES = ["/bin/sh", "-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh"];

/** `--priority`: real-time scheduling, so that others on the machine wait meanwhile (needs root). */
const HAS_PRIORITY = process.argv.includes("--priority");
const FIRST = HAS_PRIORITY ? ["chrt", "-r", "1"] : [];

/** Starts a program on one core, with the largest number of open files. */
export function spawnPinned(core: number, command: readonly string[], options: SpawnOptions): ChildProcess {
  const pin = CAN_PIN ? ["taskset", "-c", String(core)] : [];
  const [program, ...rest] = [...FIRST, ...WITH_ALL_FILES, ...pin, ...command];
  return spawn(program!, rest, options);
}
