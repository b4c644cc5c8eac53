import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { PortEnd, PortReceiver } from "fleetrig/hil";

const SOCAT = "/usr/bin/socat";

/** A real pty: the slave has a path like a tty, the test holds the master. */
export interface Terminal {
  readonly path: string;
  readonly received: Buffer[];
  send(bytes: Uint8Array): void;
  /** The cable is pulled. */
  tear(): Promise<void>;
}

/** @param heard Called with what the port sends, as it comes. */
export async function openTerminal(heard?: (bytes: Buffer) => void): Promise<Terminal> {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-tty-"));
  const path = join(folder, "tty");
  const socat: ChildProcessByStdio<Writable, Readable, null> = spawn(
    SOCAT,
    [`PTY,rawer,link=${path}`, "STDIO"],
    {
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  const exited = new Promise((resolve) => socat.once("exit", resolve));
  const received: Buffer[] = [];
  socat.stdout.on("data", (chunk: Buffer) =>
    heard === undefined ? void received.push(chunk) : heard(chunk),
  );
  socat.stdin.on("error", () => {});
  await until(() => existsSync(path));
  return {
    path,
    received,
    send: (bytes) => void socat.stdin.write(bytes),
    async tear() {
      socat.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Remembers what it hears. */
export class Listener implements PortReceiver {
  readonly chunks: Buffer[] = [];
  readonly times: number[] = [];
  end: PortEnd | undefined;

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  received(bytes: Uint8Array, atUs: number): void {
    this.chunks.push(Buffer.from(bytes));
    this.times.push(atUs);
  }

  closed(reason: PortEnd): void {
    this.end = reason;
  }
}

/** Real processes take their time; what is waited for decides. */
export async function until(condition: () => boolean, limitMs = 20_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > endMs)
      throw new Error(`still not so after ${limitMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
