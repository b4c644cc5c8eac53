import { readFileSync } from "node:fs";
import { hostWallMs } from "./real-time.js";

/** A process of this machine, so that it is not confused with a later one of the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own terms; empty where the system does not tell. */
  readonly started: string;
  /** The run of the operating system it belongs to; empty where the system does not tell. */
  readonly boot: string;
}

const contentOf = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** From field 3 of /proc/<pid>/stat on; the name in field 2 may itself contain spaces and brackets. */
const fieldsOf = (pid: number): readonly string[] => {
  const stat = contentOf(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};

const startOf = (pid: number): string => fieldsOf(pid)[19] ?? "";

const bootId = (): string => contentOf("/proc/sys/kernel/random/boot_id").trim();

/** This process. */
export const hostProcess = (): ProcessIdentity => ({
  pid: process.pid,
  started: startOf(process.pid),
  boot: bootId(),
});

/** The program that runs this process, to start another one of its kind. */
export const hostProgram = process.execPath;

/** Ends this process at once, whatever its threads are waiting for. Files and sockets of others are not tidied. */
export const endHostProcess = (): void => void process.kill(process.pid, "SIGKILL");

/** Does exactly this process still run here? Where the system does not tell processes apart, its number decides. */
export function isRunning({ pid, started, boot }: ProcessIdentity): boolean {
  if (boot !== bootId()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const [state] = fieldsOf(pid);
  // A zombie has ended; only its parent has not asked how.
  return state !== "Z" && startOf(pid) === started;
}

/** Wall-clock time of this host as text, for files that people read. */
export const hostWallText = (): string => new Date(hostWallMs()).toISOString();
