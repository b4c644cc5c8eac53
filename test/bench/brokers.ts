import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BROKER_CORE, spawnPinned } from "./pinned.js";

/** A broker in a process of its own. */
export interface RunningBroker {
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

/** A broker of the comparison, and why it cannot take part here. */
export interface Contestant {
  readonly name: "fleetrig" | "mosquitto" | "aedes";
  readonly missing?: string;
  start(): Promise<RunningBroker>;
}

const MOSQUITTO = "/usr/sbin/mosquitto";
const START_DEADLINE_MS = 10_000;
const RETRY_MS = 20;

/** The embedded broker; `limits` are `name=value`. */
export const startFleetrig = (limits: readonly string[] = []): Promise<RunningBroker> =>
  startNode("./serve-own.js", limits);

export const FLEETRIG: Contestant = { name: "fleetrig", start: () => startFleetrig() };

export const MOSQUITTO_PEER: Contestant = {
  name: "mosquitto",
  ...(!existsSync(MOSQUITTO) && { missing: `${MOSQUITTO} is not installed` }),
  start: startMosquitto,
};

export const AEDES_PEER: Contestant = { name: "aedes", start: () => startNode("./serve-aedes.js", []) };

/** A script that prints its port once it listens. */
async function startNode(script: string, options: readonly string[]): Promise<RunningBroker> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const profiling = process.env["BENCH_NODE_OPTIONS"]?.split(" ") ?? [];
  const child = spawnPinned(BROKER_CORE, [process.execPath, ...profiling, file, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await within(
    child,
    new Promise<number>((resolve, reject) => {
      child.stdout!.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
      child.once("exit", () => reject(new Error(`${script} ended before it listened`)));
    }),
  );
  return { port, pid: child.pid!, stop: () => child.kill() };
}

/** Without the bounds that would keep it from using its core. */
async function startMosquitto(): Promise<RunningBroker> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
  const file = join(folder, "mosquitto.conf");
  const settings = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence false",
    "max_inflight_messages 0",
    "max_queued_messages 0",
    "set_tcp_nodelay true",
    "log_type error",
  ];
  writeFileSync(file, `${settings.join("\n")}\n`);
  const child = spawnPinned(BROKER_CORE, [MOSQUITTO, "-c", file], { stdio: "ignore" });
  child.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await within(child, untilListening(port));
  return { port, pid: child.pid!, stop: () => child.kill() };
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

async function untilListening(port: number): Promise<void> {
  while (!(await isListening(port))) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

/** A broker that does not start in time is ended. */
function within<T>(child: ChildProcess, work: Promise<T>): Promise<T> {
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    deadline = setTimeout(() => {
      child.kill();
      reject(new Error("a broker did not start in time"));
    }, START_DEADLINE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(deadline));
}
