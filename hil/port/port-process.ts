import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";
import { hostProgram } from "fleetrig/kernel";

/** The process behind a tty, seen from this side. */
export interface PortProcess {
  readonly pid: number;
  readonly pipe: Socket;
  /** Ends it, whatever it is doing; the system may need a while, nobody waits for it. */
  kill(): void;
}

/** Compiled, the host is plain JavaScript; from source it needs the loader that the tests run with. */
function hostCommand(): readonly string[] {
  const isSource = import.meta.url.endsWith(".ts");
  const file = fileURLToPath(new URL(isSource ? "./port-host.ts" : "./port-host.js", import.meta.url));
  if (!isSource) return [file];
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return ["--conditions=fleetrig:source", "--import", loader, file];
}

/** @param failed Told when it cannot be started; otherwise the end of the pipe tells. */
export function startPortProcess(failed: (reason: string) => void): PortProcess {
  const child: ChildProcess = spawn(hostProgram, hostCommand(), {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  child.on("error", (error) => failed(error.message));
  // The pipe keeps this process alive as long as the port is open; the child by itself must not.
  child.unref();
  return { pid: child.pid ?? 0, pipe: child.stdio[3] as Socket, kill: () => void child.kill("SIGKILL") };
}
