import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { BrokerStatistics } from "fleetrig/broker";

/** Memory in bytes after a collection, and what the broker says of itself. */
export interface BrokerReport {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly sockets: number;
  readonly statistics: BrokerStatistics;
}

interface Answer {
  readonly port?: number;
  readonly report?: BrokerReport;
}

const SCRIPT = fileURLToPath(new URL("./serve-soak.js", import.meta.url));

const STOP_MS = 10_000;

/** The broker's process as its tester sees it; one question at a time. */
export class SoakProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(): Promise<SoakProcess> {
    const child = fork(SCRIPT, { execArgv: ["--expose-gc"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const { port } = await answerOf(child);
    return new SoakProcess(child, port!);
  }

  async report(): Promise<BrokerReport> {
    this.child.send("report");
    return (await answerOf(this.child)).report!;
  }

  /** @returns whether the broker's `stop` left nothing that kept its process. */
  async stop(): Promise<boolean> {
    const ended = once(this.child, "exit").then(() => true);
    this.child.send("stop");
    return Promise.race([ended, sleep(STOP_MS).then(() => false)]);
  }

  kill(): void {
    this.child.kill();
  }
}

async function answerOf(child: ChildProcess): Promise<Answer> {
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    const [answer] = (await Promise.race([
      once(child, "message", { signal }),
      once(child, "exit", { signal }).then(() => {
        throw new Error("the broker's process ended");
      }),
    ])) as [Answer];
    return answer;
  } finally {
    waiting.abort();
  }
}
