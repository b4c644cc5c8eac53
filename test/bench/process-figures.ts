import { readFileSync } from "node:fs";

/** What the kernel says about another process. */
const TICKS_PER_S = 100;
const BYTES_PER_KIB = 1024;
/** Fields of /proc/<pid>/stat behind the name: user and system ticks. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * BYTES_PER_KIB;
}

/** CPU seconds so far, all threads together. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(words[USER_TICKS]) + Number(words[SYSTEM_TICKS])) / TICKS_PER_S;
}

/** Sockets a process may open: what it is allowed without asking, less what it needs otherwise. */
export function socketsPerProcess(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1]);
  return Number.isNaN(hard) ? Number.POSITIVE_INFINITY : hard - 200;
}

/** The largest resident memory while `work` goes on. */
export async function peakDuring<T>(
  pid: number,
  work: Promise<T>,
): Promise<{ readonly peakBytes: number; readonly result: T }> {
  let peakBytes = residentBytes(pid);
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(pid));
  }, 5);
  try {
    const result = await work;
    return { peakBytes: Math.max(peakBytes, residentBytes(pid)), result };
  } finally {
    clearInterval(timer);
  }
}
