import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchCase, Figure } from "./bench-case.js";
import { fanIn } from "./mqtt-load.js";

const PEER = "/usr/sbin/mosquitto";
const ROUNDS = 3;
const MESSAGES: Readonly<Record<0 | 1, number>> = { 0: 200_000, 1: 100_000 };
const START_DEADLINE_MS = 10_000;

/** Both brokers take turns in one run: only their ratio means something on a machine that others use too. */
export const TCP_CASE: BenchCase = {
  name: "tcp-fan-in",
  description: "20 publishers to one subscriber over loopback, 64 B, beside mosquitto",
  skipped: () => (existsSync(PEER) ? undefined : `${PEER} is not installed`),
  async run() {
    const [own, peer] = await Promise.all([startOwn(), startPeer()]);
    try {
      const figures: Figure[] = [];
      for (const qos of [0, 1] as const) {
        const rates = { own: [] as number[], peer: [] as number[] };
        for (let round = 0; round < ROUNDS; round += 1) {
          rates.own.push(await fanIn(own.port, qos, MESSAGES[qos]));
          rates.peer.push(await fanIn(peer.port, qos, MESSAGES[qos]));
        }
        const [ours, theirs] = [median(rates.own), median(rates.peer)];
        figures.push(
          { name: `QoS ${qos}, fleetrig`, value: ours, unit: "1/s" },
          { name: `QoS ${qos}, mosquitto`, value: theirs, unit: "1/s" },
          { name: `QoS ${qos}, fleetrig to mosquitto`, value: ours / theirs, unit: "x" },
        );
      }
      return figures;
    } finally {
      own.stop();
      peer.stop();
    }
  },
};

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

interface RunningBroker {
  readonly port: number;
  stop(): void;
}

/** The embedded broker in a process of its own, as the peer is. */
async function startOwn(): Promise<RunningBroker> {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  const child = spawn(process.execPath, [main, "--serve"], { stdio: ["pipe", "pipe", "inherit"] });
  const port = await within(
    new Promise<number>((resolve, reject) => {
      child.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
      child.once("exit", () => reject(new Error("the embedded broker did not start")));
    }),
  );
  return { port, stop: () => child.kill() };
}

async function startPeer(): Promise<RunningBroker> {
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
  const child: ChildProcess = spawn(PEER, ["-c", file], { stdio: "ignore" });
  const stop = (): void => {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await within(untilListening(port));
  } catch (error) {
    stop();
    throw error;
  }
  return { port, stop };
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
  for (;;) {
    try {
      await fanIn(port, 0, 16);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function within<T>(work: Promise<T>): Promise<T> {
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    deadline = setTimeout(() => reject(new Error("a broker did not start in time")), START_DEADLINE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(deadline));
}
