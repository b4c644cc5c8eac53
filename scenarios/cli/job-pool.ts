import { Worker } from "node:worker_threads";
import { type ExitCode, FleetrigError } from "fleetrig/kernel";
import type { RunJob, RunJobResult } from "../runner/job.js";
import type { RunProgress } from "../runner/run-scenario.js";
import type { Host } from "./host.js";
import { doRunJob, type RunJobHooks } from "./run-job.js";

/** What a worker tells its pool. */
export type WorkerMessage =
  | { readonly type: "progress"; readonly progress: RunProgress }
  | { readonly type: "listening"; readonly endpoint: { readonly host: string; readonly port: number } }
  | { readonly type: "done"; readonly result: RunJobResult }
  | { readonly type: "failed"; readonly error: WorkerError };

export interface WorkerError {
  readonly code: string;
  /** Without the code. */
  readonly sentence: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
}

/** What a pool tells its worker. */
export type PoolMessage =
  | { readonly type: "run"; readonly job: RunJob; readonly gitSha: string | null }
  | { readonly type: "abort" };

export interface PoolOptions {
  readonly host: Host;
  readonly hooks: RunJobHooks;
  /** Runs at the same time. One means: in this thread. */
  readonly threads: number;
  readonly finished: (job: RunJob, result: RunJobResult) => void;
}

/**
 * Does all jobs; the results are at the indices of their jobs, with holes where a signal came first. Each thread has globals of its own, so virtual runs do
 * not get into each other's way.
 * @throws FleetrigError the first failure; the jobs under way are ended first
 */
export async function doAll(
  jobs: readonly RunJob[],
  options: PoolOptions,
): Promise<(RunJobResult | undefined)[]> {
  const results: (RunJobResult | undefined)[] = jobs.map(() => undefined);
  const threads = Math.min(options.threads, jobs.length);
  let next = 0;
  const takeTurns = async (perform: (job: RunJob) => Promise<RunJobResult>): Promise<void> => {
    while (next < jobs.length && options.hooks.signal?.aborted !== true) {
      const index = next++;
      const result = await perform(jobs[index]!);
      results[index] = result;
      options.finished(jobs[index]!, result);
    }
  };
  if (threads <= 1) await takeTurns((job) => doRunJob(options.host, job, options.hooks));
  else {
    const runners = Array.from({ length: threads }, () => new JobThread(options));
    try {
      await Promise.all(runners.map((runner) => takeTurns((job) => runner.perform(job))));
    } finally {
      await Promise.all(runners.map((runner) => runner.stop()));
    }
  }
  return results;
}

/** One worker thread, doing one job at a time. */
class JobThread {
  private readonly worker = new Worker(new URL("./run-worker.js", import.meta.url));
  private readonly onAbort = (): void => this.post({ type: "abort" });

  constructor(private readonly options: PoolOptions) {
    options.hooks.signal?.addEventListener("abort", this.onAbort);
  }

  perform(job: RunJob): Promise<RunJobResult> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        for (const event of ["message", "error", "exit"]) this.worker.removeAllListeners(event);
        act();
      };
      this.worker.on("error", (error) => settle(() => reject(crashed(job, reasonOf(error), error))));
      this.worker.on("exit", (code) => settle(() => reject(crashed(job, `it left with code ${code}`))));
      this.worker.on("message", (message: WorkerMessage) => {
        if (message.type === "progress") this.options.hooks.progress?.(message.progress);
        else if (message.type === "listening") this.options.hooks.listening?.(message.endpoint);
        else if (message.type === "done") settle(() => resolve(message.result));
        else settle(() => reject(fromWorker(message.error)));
      });
      this.post({ type: "run", job, gitSha: this.options.hooks.gitSha });
    });
  }

  async stop(): Promise<void> {
    this.options.hooks.signal?.removeEventListener("abort", this.onAbort);
    await this.worker.terminate();
  }

  private post(message: PoolMessage): void {
    this.worker.postMessage(message);
  }
}

const crashed = ({ file, seed }: RunJob, reason: string, cause?: unknown): FleetrigError =>
  new FleetrigError("RUN_WORKER_CRASHED", `The thread of ${file} seed ${seed} crashed: ${reason}.`, {
    hint: "Run the scenario with --jobs 1 to see where.",
    cause,
  });

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** The error as it was thrown in the worker. */
const fromWorker = ({ code, sentence, hint, exitCode }: WorkerError): FleetrigError =>
  new FleetrigError(code, sentence, { ...(hint !== undefined && { hint }), exitCode });
