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
const ALL_FILES = 'ulimit -n "$(ulimit -Hn)"; exec "$@"';
/**
 * `--priority`: on a machine that others use too, they wait meanwhile (needs root). A group of its own, because
 * Linux weighs sessions first; not real-time scheduling, under which the helper threads of Node starve its main thread.
 */
const HAS_PRIORITY = process.argv.includes("--priority");
const FIRST = "echo -20 > /proc/self/autogroup; ";

/** Starts a program on one core, with the largest number of open files. */
export function spawnPinned(core: number, command: readonly string[], options: SpawnOptions): ChildProcess {
  const pin = CAN_PIN ? ["taskset", "-c", String(core)] : [];
  const script = HAS_PRIORITY ? FIRST + ALL_FILES : ALL_FILES;
  return spawn("/bin/sh", ["-c", script, "sh", ...pin, ...command], { ...options, detached: HAS_PRIORITY });
}
