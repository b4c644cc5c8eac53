import { formatDurationUs, US_PER_MS } from "fleetrig/kernel";
import { progressLine, type RunRecord } from "fleetrig/reports";
import type { RunJob, RunJobResult } from "../runner/job.js";
import type { RunProgress } from "../runner/run-scenario.js";
import { type Host, writeLine } from "./host.js";

/** Time between two redraws of the status line on a terminal. */
const REDRAW_EVERY_US = 100_000;
/** Finished seeds of a sweep between two lines where there is no terminal. */
const SWEEP_LINES_EVERY = 50;

/**
 * Shows runs while they go on: on a terminal one status line that is redrawn, elsewhere one line per stage.
 * Goes to stderr, so that stdout holds results only.
 */
export class RunDisplay {
  private drawnUs = Number.NEGATIVE_INFINITY;
  private done = 0;
  private lastStage = "";
  private hasStatus = false;

  constructor(
    private readonly host: Host,
    private readonly options: { readonly total: number; readonly quiet: boolean },
  ) {}

  progress(progress: RunProgress): void {
    if (this.options.quiet || progress.stage === "") return;
    if (this.host.stderr.isTTY) this.redraw(progress);
    else this.announceStage(progress);
  }

  listening({ host, port }: { readonly host: string; readonly port: number }): void {
    if (this.options.quiet) return;
    this.clear();
    writeLine(this.host.stderr, `  broker listens on mqtt://${host}:${port}`);
  }

  finished(job: RunJob, result: RunJobResult): void {
    this.done += 1;
    this.lastStage = "";
    if (this.options.quiet) return;
    const { total } = this.options;
    if (job.isSweep && (this.done % SWEEP_LINES_EVERY === 0 || this.done === total)) {
      this.clear();
      writeLine(this.host.stderr, `  ${this.done} of ${total} runs done`);
    }
    if (result.kind !== "record") return;
    this.clear();
    const { scenario, seed, verdict } = result.record;
    writeLine(this.host.stderr, `  ${scenario.name} seed ${seed}: ${verdict} ${spanOf(result.record)}`);
  }

  stop(): void {
    this.clear();
  }

  private redraw(progress: RunProgress): void {
    if (progress.wallUs - this.drawnUs < REDRAW_EVERY_US && progress.wallUs > this.drawnUs) return;
    this.drawnUs = progress.wallUs;
    this.hasStatus = true;
    this.host.stderr.write(`\r\u001b[2K${this.line(progress)}`);
  }

  private announceStage(progress: RunProgress): void {
    const stage = `${progress.scenario}/${progress.seed}/${progress.stage}`;
    if (stage === this.lastStage) return;
    this.lastStage = stage;
    const { scenario, seed, stage: name, online, devices } = progress;
    writeLine(this.host.stderr, `  ${scenario} seed ${seed}: ${name}, ${online} of ${devices} online`);
  }

  private line({ scenario, seed, stage, runUs, endUs, online, devices }: RunProgress): string {
    const { isTTY, columns } = this.host.stderr;
    const at = { atMs: runUs / 1000, endMs: endUs === undefined ? null : endUs / 1000 };
    return progressLine(
      { title: `${scenario} seed ${seed}`, stage, online, devices, ...at },
      { color: isTTY && (this.host.env["NO_COLOR"] ?? "") === "", width: columns - 1 },
    );
  }

  private clear(): void {
    if (this.hasStatus) this.host.stderr.write("\r\u001b[2K");
    this.hasStatus = false;
  }
}

/** `after 5m of virtual time in 124 ms`. */
function spanOf({ clock, durationMs, environment }: RunRecord): string {
  const wall = formatDurationUs(environment.wallMs * US_PER_MS);
  return clock === "real"
    ? `after ${wall}`
    : `after ${formatDurationUs(durationMs * US_PER_MS)} of virtual time in ${wall}`;
}
