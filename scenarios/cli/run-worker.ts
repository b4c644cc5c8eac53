import { parentPort } from "node:worker_threads";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { createNodeHost } from "./host/node-host.js";
import type { PoolMessage, WorkerError, WorkerMessage } from "./job-pool.js";
import { doRunJob, type RunJobHooks } from "./run-job.js";

// The thread behind `--jobs`: one run at a time, each from its scenario file.
const port = parentPort!;
const host = createNodeHost([]);
let controller = new AbortController();

const post = (message: WorkerMessage): void => port.postMessage(message);

port.on("message", (message: PoolMessage) => {
  if (message.type === "abort") controller.abort();
  else void run(message);
});

async function run({ job, gitSha }: Extract<PoolMessage, { type: "run" }>): Promise<void> {
  controller = new AbortController();
  const shown: Partial<RunJobHooks> = job.isSweep
    ? {}
    : {
        progress: (progress) => post({ type: "progress", progress }),
        listening: (endpoint) => post({ type: "listening", endpoint }),
      };
  try {
    const result = await doRunJob(host, job, { gitSha, signal: controller.signal, ...shown });
    post({ type: "done", result });
  } catch (error) {
    post({ type: "failed", error: describe(error) });
  }
}

function describe(error: unknown): WorkerError {
  if (error instanceof FleetrigError) {
    const { code, sentence, hint, exitCode } = error;
    return { code, sentence, hint, exitCode };
  }
  const sentence = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "RUN_WORKER_CRASHED", sentence, hint: undefined, exitCode: EXIT.environment };
}
