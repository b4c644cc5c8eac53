import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../store/data-directory.js";
import { WireClient } from "./wire-client.js";

/** Disks that really fail: a full one in a mount namespace of its own, and one whose syncs are made to fail. */
const CLI = join(process.cwd(), "dist/scenarios/cli/main.js");
const MOUNT = "mount -t tmpfs -o size=32m,mode=700 disk";
const PAYLOAD_BYTES = 32_768;
const MESSAGES_MAX = 4_000;
const WINDOW = 8;

const works = (program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: "ignore", timeout: 10_000 }).status === 0;

const lacksMounts = !works("unshare", ["-rm", "sh", "-c", `${MOUNT} /mnt`]);
const lacksStrace = !works("strace", [
  "-f",
  "-e",
  "inject=fdatasync:error=EIO:when=1+",
  "-o",
  "/dev/null",
  "true",
]);

interface Broker {
  readonly pid: number;
  readonly port: number;
  readonly health: () => Promise<{ readonly status: string; readonly store: { readonly state: string } }>;
  readonly end: () => Promise<void>;
}

/** `fleetrig broker` on `directory`; `prefix` is the program that starts it. */
async function start(directory: string, prefix: readonly string[] = []): Promise<Broker> {
  const options = ["--listen", "mqtt://127.0.0.1:0", "--http", "0", "--json", "--data", directory];
  const [program = "", ...args] = [...prefix, process.execPath, CLI, "broker", ...options];
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  const [line] = (await Promise.race([
    once(createInterface(child.stdout!), "line"),
    ended.then(() => Promise.reject(new TypeError("the broker ended before it was ready"))),
  ])) as [string];
  const ready = JSON.parse(line) as { pid: number; endpoints: string[]; http: { url: string } };
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(ready.pid, "SIGKILL");
    await ended;
  };
  onTestFinished(end);
  return {
    pid: ready.pid,
    port: Number(/:(\d+)/.exec(ready.endpoints[0]!)![1]),
    health: async () => (await fetch(`${ready.http.url}/health`)).json() as ReturnType<Broker["health"]>,
    end,
  };
}

/** Publishes retained messages until one is not acknowledged. @returns the numbers of those that were. */
const publishUntilItFails = ({ port }: Broker): Promise<ReadonlySet<number>> =>
  new Promise((resolve) => {
    const acknowledged = new Set<number>();
    let sent = 0;
    const publish = (): void => {
      if (sent === MESSAGES_MAX) return;
      sent += 1;
      const payload = Buffer.alloc(PAYLOAD_BYTES, sent);
      const topic = `kept/${sent}`;
      client.send({ type: "publish", topic, payload, qos: 1, retain: true, dup: false, packetId: sent });
    };
    const client = new WireClient({
      port,
      clientId: "publisher",
      connect: { sessionExpiryS: 0 },
      received: (packet) => {
        if (packet.type === "connack") for (let n = 0; n < WINDOW; n += 1) publish();
        if (packet.type !== "puback" || packet.reasonCode >= 0x80) return;
        acknowledged.add(packet.packetId);
        publish();
        if (acknowledged.size === MESSAGES_MAX) client.end();
      },
      closed: () => resolve(acknowledged),
    });
  });

/** Waits until all these retained messages have come, as they were published; there may be others. */
const finds = async ({ port }: Broker, numbers: ReadonlySet<number>): Promise<void> => {
  const found = new Set<number>();
  const client = new WireClient({
    port,
    clientId: "reader",
    connect: { sessionExpiryS: 0 },
    received: (packet) => {
      if (packet.type === "connack") client.subscribe([{ filter: "kept/#", qos: 0 }]);
      if (packet.type !== "publish") return;
      const number = Number(packet.topic.slice("kept/".length));
      if (Buffer.alloc(PAYLOAD_BYTES, number).equals(packet.payload)) found.add(number);
    },
    closed: () => undefined,
  });
  const missing = (): readonly number[] => [...numbers].filter((number) => !found.has(number));
  await expect.poll(missing, { timeout: 30_000 }).toEqual([]);
  client.end();
};

async function keepsItsWord(failing: Broker, restart: () => Promise<Broker>): Promise<void> {
  const acknowledged = await publishUntilItFails(failing);
  expect(acknowledged.size).toBeGreaterThan(0);
  expect(acknowledged.size).toBeLessThan(MESSAGES_MAX);
  const health = await failing.health();
  expect([health.status, health.store.state]).toEqual(["unavailable", "failed"]);
  await failing.end();
  const mended = await restart();
  await finds(mended, acknowledged);
  expect((await mended.health()).store.state).toBe("ok");
}

describe("a broker whose disk fails", () => {
  it.skipIf(lacksMounts)(
    "has everything it acknowledged once a full disk has space again (ENOSPC)",
    async () => {
      const directory = temporaryDirectory();
      // The namespace is there as long as this shell, which reads until its input ends.
      const holder = spawn("unshare", ["-rm", "sh", "-c", `${MOUNT} ${directory} && echo there && cat`]);
      onTestFinished(() => void holder.stdin.end());
      await once(holder.stdout, "data");
      const inside = ["nsenter", "-U", "--preserve-credentials", "-m", "-t", String(holder.pid)];
      await keepsItsWord(await start(directory, inside), async () => {
        const [program, ...args] = [...inside, "mount", "-o", "remount,size=256m", directory];
        expect(spawnSync(program, args).status).toBe(0);
        return start(directory, inside);
      });
    },
    120_000,
  );

  it.skipIf(lacksStrace)(
    "has everything it acknowledged before its syncs began to fail (EIO)",
    async () => {
      const directory = temporaryDirectory();
      const inject = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=5+"];
      const traced = await start(directory, ["strace", "-f", "-qq", "-o", "/dev/null", ...inject]);
      await keepsItsWord(traced, () => start(directory));
    },
    120_000,
  );
});
