import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { hostProgram } from "fleetrig/kernel";
import { ANSWER, encodeHostFrame, HostFrameReader } from "./host-frames.js";

/** Whoever has the port of a process. */
export interface PortProcessUser {
  heard(kind: number, number: number, payload: Buffer): void;
  /** It has ended, or could not be started. */
  ended(reason?: string): void;
}

/** The process behind a tty, seen from this side. It can serve one port after the other. */
export class PortProcess {
  user: PortProcessUser | undefined;
  /** It has started, and takes commands. */
  isReady = false;
  isOver = false;
  private readonly child: ChildProcess;
  private readonly pipe: Socket;
  /** Answers to commands of an earlier user are no answers to those of the present one. */
  private nextNumber = 1;

  constructor() {
    this.child = spawn(hostProgram, [HOST], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
    this.pipe = this.child.stdio[3] as Socket;
    const reader = new HostFrameReader((kind, number, payload) => {
      if (kind === ANSWER.ready) this.isReady = true;
      this.user?.heard(kind, number, payload);
    });
    this.child.on("error", (error) => this.over(error.message));
    // The pipe keeps this process alive as long as the port is open; the child by itself must not.
    this.child.unref();
    this.pipe.on("data", (chunk: Buffer) => reader.push(chunk));
    this.pipe.on("error", () => {});
    this.pipe.on("close", () => this.over());
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** @returns the number that its answer will have */
  command(kind: number, payload?: Uint8Array): number {
    const number = this.nextNumber++;
    this.send(kind, number, payload);
    return number;
  }

  send(kind: number, number: number, payload?: Uint8Array): void {
    this.pipe.write(encodeHostFrame(kind, number, payload));
  }

  /** Nobody uses it at the moment, so nobody should wait for it. */
  rest(): void {
    this.user = undefined;
    this.pipe.unref();
  }

  serve(user: PortProcessUser): void {
    this.user = user;
    this.pipe.ref();
  }

  /** It ends when it has tidied up. */
  dismiss(): void {
    this.user = undefined;
    this.pipe.destroy();
  }

  /** Ends it, whatever it is doing; the system may need a while, nobody waits for it. */
  kill(): void {
    this.child.kill("SIGKILL");
    this.dismiss();
  }

  private over(reason?: string): void {
    this.isOver = true;
    this.user?.ended(reason);
  }
}

/** Always the compiled program: from source it would need a loader, which costs half a second for every port. */
const HOST = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts") ? "../../dist/hil/port/port-host.js" : "./port-host.js",
    import.meta.url,
  ),
);
