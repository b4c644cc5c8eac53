import { readdirSync, readFileSync } from "node:fs";

/** File descriptors that sockets leave alone: for storage, certificates, logs and whatever the program opens. */
const RESERVED_DESCRIPTORS = 64;

/**
 * How many sockets a process may hold. When descriptors run out Node closes new connections without a word
 * and files can no longer be opened, so listeners stay below the limit and count what they turn away.
 */
export class SocketBudget {
  private open = 0;

  /** @param capacity Sockets at the same time, all listeners together; `Infinity` where nobody knows. */
  constructor(readonly capacity: number) {}

  get used(): number {
    return this.open;
  }

  /** @returns false when there is none left. */
  take(): boolean {
    if (this.open >= this.capacity) return false;
    this.open += 1;
    return true;
  }

  giveBack(): void {
    this.open -= 1;
  }
}

/** Soft limit of open files from Linux's `/proc/self/limits`; `Infinity` when it has none. */
export function readDescriptorLimit(limits: string): number {
  const [, soft = "unlimited"] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}

let ofProcess: SocketBudget | undefined;

/** The one budget of this process: its limit, without what was open when the first listener asked. */
export function processSocketBudget(): SocketBudget {
  ofProcess ??= new SocketBudget(measuredCapacity());
  return ofProcess;
}

function measuredCapacity(): number {
  try {
    const limit = readDescriptorLimit(readFileSync("/proc/self/limits", "utf8"));
    return Math.max(1, limit - RESERVED_DESCRIPTORS - readdirSync("/proc/self/fd").length);
  } catch {
    // Not Linux: the limit is unknown, and so is what is open.
    return Number.POSITIVE_INFINITY;
  }
}
