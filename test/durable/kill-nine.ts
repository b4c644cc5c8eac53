import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createBroker } from "fleetrig/broker";
import { Random } from "fleetrig/kernel";
import { ExactingSubscriber, TirelessPublisher } from "./kill-clients.js";
import { WireClient } from "./wire-client.js";

/**
 * Kills a broker in the middle of its work, again and again, and holds what its clients were promised against what
 * they get. `node dist/test/durable/kill-nine.js --kills 1000` after a build; `--seed` repeats the moments, SIGINT ends
 * it early.
 */
export interface KillOptions {
  readonly kills: number;
  readonly seed?: number;
  /** Ends earlier, with everything checked, once this says so. */
  readonly isEnough?: () => boolean;
  /** Told after each life, for whoever watches. */
  readonly progress?: (text: string) => void;
}

export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  readonly received: number;
  readonly lost: number;
  readonly phantoms: number;
  readonly sessionsLost: number;
  readonly retainedWrong: number;
  /** QoS 1 messages that came more than once, as they may. */
  readonly repeated: number;
}

const SUBSCRIBERS = 4;
const PUBLISHERS = 8;
const SETTLE_MS = 120_000;
const SELF = join(process.cwd(), "dist/test/durable/kill-nine.js");

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Resolves once the broker listens; rejects when it ends before that. */
const ready = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.stdout!.once("data", () => resolve());
    child.once("exit", (code, signal) => reject(new Error(`the broker ended: ${code ?? signal}`)));
  });

const gone = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });

class Slaughter {
  readonly publishers = new Map<string, TirelessPublisher>();
  readonly subscribers: ExactingSubscriber[] = [];
  retainedWrong = 0;
  private readonly random: Random;
  private child: ChildProcess | undefined;

  constructor(
    private readonly directory: string,
    private readonly port: number,
    seed: number,
  ) {
    this.random = Random.seeded(`kill -9 ${seed}`);
    for (let i = 0; i < PUBLISHERS; i += 1) {
      const topic = `k/${i % SUBSCRIBERS}/${i}`;
      this.publishers.set(`pub${i}`, new TirelessPublisher(`pub${i}`, topic, i < PUBLISHERS / 2 ? 1 : 2));
    }
    for (let i = 0; i < SUBSCRIBERS; i += 1)
      this.subscribers.push(new ExactingSubscriber(`sub${i}`, `k/${i}/+`, this.publishers));
  }

  async start(): Promise<void> {
    this.child = this.spawn();
    await ready(this.child);
  }

  /** Subscriptions are there before the first message. */
  async introduce(): Promise<void> {
    await this.start();
    for (const subscriber of this.subscribers) subscriber.connect(this.port);
    await sleep(500);
  }

  async live(): Promise<void> {
    await this.checkRetained();
    for (const publisher of this.publishers.values()) publisher.connect(this.port);
    // The last one is away most of the time: its queue grows over many deaths.
    this.subscribers.forEach((subscriber, i) => {
      if (this.random.chance(i === SUBSCRIBERS - 1 ? 0.1 : 0.8)) subscriber.connect(this.port);
    });
    await sleep(20 + this.random.below(300));
    await this.kill();
    // Sometimes it does not even get as far as listening.
    if (!this.random.chance(0.1)) return;
    this.child = this.spawn();
    await sleep(this.random.below(500));
    await this.kill();
  }

  /** Lets everybody finish. */
  async settle(): Promise<void> {
    await this.start();
    for (const publisher of this.publishers.values()) {
      publisher.isStopped = true;
      publisher.connect(this.port);
    }
    for (const subscriber of this.subscribers) subscriber.connect(this.port);
    const until = Date.now() + SETTLE_MS;
    while (!this.isSettled && Date.now() < until) await sleep(50);
    await sleep(200);
    for (const one of [...this.publishers.values(), ...this.subscribers]) one.lose();
    this.child!.kill("SIGTERM");
    await gone(this.child!);
  }

  get lost(): number {
    let lost = 0;
    for (const [i, subscriber] of this.subscribers.entries()) {
      lost += subscriber.gaps;
      for (const { name, topic, published } of this.publishers.values())
        if (topic.startsWith(`k/${i}/`)) lost += published - subscriber.have(name);
    }
    return lost;
  }

  private get isSettled(): boolean {
    return this.lost === 0 && [...this.publishers.values()].every(({ isIdle }) => isIdle);
  }

  private spawn(): ChildProcess {
    const child = spawn(process.execPath, [SELF, "--serve", this.directory, String(this.port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    return child;
  }

  private async kill(): Promise<void> {
    this.child!.kill("SIGKILL");
    await gone(this.child!);
    for (const one of [...this.publishers.values(), ...this.subscribers]) one.lose();
  }

  /** What is retained is no older than the last that was acknowledged, and no newer than the last that was sent. */
  private async checkRetained(): Promise<void> {
    const found = new Map<string, number>();
    const client = new WireClient({
      port: this.port,
      clientId: "checker",
      connect: { cleanStart: true, sessionExpiryS: 0 },
      received: (packet) => {
        if (packet.type === "connack") client.subscribe([{ filter: "k/#", qos: 0 }]);
        if (packet.type !== "publish" || !packet.retain) return;
        const [name = "", digits] = Buffer.from(packet.payload).toString().split(":");
        found.set(name, Number(digits));
      },
      closed: () => undefined,
    });
    const isComplete = (): boolean =>
      [...this.publishers.values()].every(
        ({ name, retainedAcknowledged }) => retainedAcknowledged < 0 || found.has(name),
      );
    for (let waited = 0; waited < 400 && !isComplete(); waited += 1) await sleep(5);
    client.end();
    for (const { name, retainedAcknowledged, retainedSent } of this.publishers.values()) {
      const sequence = found.get(name) ?? -1;
      if (sequence < retainedAcknowledged || sequence > retainedSent) this.retainedWrong += 1;
    }
  }
}

/** Kills a broker `kills` times, then lets everybody finish and counts. */
export async function killNine({ kills, seed = 1, isEnough, progress }: KillOptions): Promise<KillReport> {
  const directory = mkdtempSync(join(tmpdir(), "fleetrig-kill-"));
  const slaughter = new Slaughter(directory, await freePort(), seed);
  const { publishers, subscribers } = slaughter;
  const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
  const acknowledged = (): number => sum([...publishers.values()].map((one) => one.acknowledged));
  try {
    await slaughter.introduce();
    let done = 0;
    for (let n = 1; n <= kills; n += 1) {
      if (isEnough?.() === true) break;
      done = n;
      if (n > 1) await slaughter.start();
      await slaughter.live();
      if (n % 20 === 0) progress?.(`${n} kills, ${acknowledged()} acknowledged`);
    }
    await slaughter.settle();
    return {
      kills: done,
      acknowledged: acknowledged(),
      received: sum(subscribers.map((one) => one.received)),
      lost: slaughter.lost,
      phantoms: sum(subscribers.map((one) => one.phantoms)),
      sessionsLost: sum(subscribers.map((one) => one.sessionsLost)),
      retainedWrong: slaughter.retainedWrong,
      repeated: sum(subscribers.map((one) => one.duplicates)),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function serve(dataDir: string, port: string): Promise<void> {
  const limits = {
    queuedMessagesPerSession: 5_000_000,
    queuedBytesPerSession: 2 ** 33,
    queuedBytes: 2 ** 33,
    receiveMaximum: 1_000,
  };
  const broker = await createBroker({ dataDir, limits, listen: [`mqtt://127.0.0.1:${port}`] });
  process.stdout.write("ready\n");
  process.once("SIGTERM", () => void broker.stop());
}

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};

const serveAt = process.argv.indexOf("--serve");
if (process.argv[1] === SELF && serveAt > 0) {
  await serve(process.argv[serveAt + 1]!, process.argv[serveAt + 2]!);
} else if (process.argv[1] === SELF) {
  let isEnough = false;
  process.once("SIGINT", () => {
    isEnough = true;
  });
  const report = await killNine({
    kills: Number(option("--kills") ?? 100),
    isEnough: () => isEnough,
    seed: Number(option("--seed") ?? 1),
    progress: (text) => console.log(text),
  });
  console.log(JSON.stringify(report));
}
