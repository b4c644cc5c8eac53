import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { hostProgram } from "fleetrig/kernel";

/** The process behind a tty, seen from this side. */
export interface PortProcess {
  readonly pid: number;
  readonly pipe: Socket;
  /** Ends it, whatever it is doing; the system may need a while, nobody waits for it. */
  kill(): void;
}

/** Always the compiled program: from source it would need a loader, which costs half a second for every port. */
const HOST = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts") ? "../../dist/hil/port/port-host.js" : "./port-host.js",
    import.meta.url,
  ),
);

/** @param failed Told when it cannot be started; otherwise the end of the pipe tells. */
export function startPortProcess(failed: (reason: string) => void): PortProcess {
  const child: ChildProcess = spawn(hostProgram, [HOST], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  child.on("error", (error) => failed(error.message));
  // The pipe keeps this process alive as long as the port is open; the child by itself must not.
  child.unref();
  return { pid: child.pid ?? 0, pipe: child.stdio[3] as Socket, kill: () => void child.kill("SIGKILL") };
}
