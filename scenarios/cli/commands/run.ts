import { didYouMean, EXIT, FleetrigError } from "fleetrig/kernel";
import {
  parseSuiteRecord,
  RECORD_SCHEMA_VERSION,
  renderConsole,
  type RunRecord,
  type SuiteRecord,
  type SweepRecord,
  worstVerdict,
} from "fleetrig/reports";
import { MAIN_VARIANT, type RunJob, type RunJobResult, variantsOf } from "../../runner/job.js";
import { exitCodeOf } from "../../runner/verdict.js";
import type { Scenario, SweepVariant } from "../../scenario.js";
import { parseBoardFlag, requireGroups } from "../board-flags.js";
import { gitSha } from "../git-sha.js";
import { consoleOptions, type Host } from "../host.js";
import { doAll } from "../job-pool.js";
import { loadFiles, refuseUsage } from "../load-files.js";
import { folderTargets, parseReportTarget, writeReports } from "../report-targets.js";
import { RunDisplay } from "../run-display.js";
import { assembleSweep } from "../sweep.js";
import { VERSION } from "../version.js";

export interface RunCommandOptions {
  readonly seed?: number;
  readonly clock?: "virtual" | "real";
  /** Runs each scenario's sweep: every seed, every variant. */
  readonly sweep?: boolean;
  /** Seeds of the sweep instead of the scenario's own. */
  readonly seeds?: readonly number[];
  readonly variant?: string;
  readonly tags?: readonly string[];
  readonly jobs?: number;
  /** `kind=path`, as often as wanted. */
  readonly report?: readonly string[];
  readonly reportDir?: string;
  /** A report.json to compare with, instead of the scenarios' own baselines. */
  readonly baseline?: string;
  readonly quiet?: boolean;
  /** `group=which`, as often as wanted: see `parseBoardFlag`. */
  readonly boards?: readonly string[];
  /** Missing hardware breaks a run, instead of being skipped. */
  readonly requireBoards?: boolean;
}

/** A scenario that was asked for. */
interface Chosen {
  readonly file: string;
  readonly scenario: Scenario;
}

/**
 * `fleetrig run <files, folders, globs>`: runs scenarios, judges them and writes reports.
 * @returns the exit code of the worst verdict; 130 or 143 when a signal ended it, with partial reports written
 */
export async function runCommand(
  host: Host,
  patterns: readonly string[],
  options: RunCommandOptions,
): Promise<number> {
  if (patterns.length === 0)
    return refuseUsage(host, "run needs a scenario.", "Write fleetrig run scenarios/library.");
  if (options.baseline !== undefined)
    parseSuiteRecord(host.files.readFile(options.baseline), options.baseline);
  for (const flag of options.boards ?? []) parseBoardFlag(flag);
  const clock = options.clock ?? (options.boards === undefined ? undefined : "real");
  const single = (options.report ?? []).map(parseReportTarget);
  const { ok, loaded } = loadFiles(host, patterns, {
    seedOverride: options.seed,
    clockOverride: clock,
  });
  if (!ok) return EXIT.usage;
  const chosen = loaded
    .flatMap(({ path, result }): Chosen[] => (result.ok ? [{ file: path, scenario: result.scenario }] : []))
    .filter(({ scenario }) => (options.tags ?? []).every((tag) => scenario.tags.includes(tag)));
  if (chosen.length === 0)
    return refuseUsage(host, "No scenario has these tags.", "fleetrig list shows the tags.");
  for (const { file, scenario } of chosen) {
    requireVariant(file, scenario, options.variant);
    requireGroups(file, scenario, options.boards ?? []);
  }
  const formats = chosen.flatMap(({ scenario }) => scenario.report.formats);
  const folder = options.reportDir === undefined ? [] : folderTargets(options.reportDir, formats);
  const interruption = new Interruption(host);
  try {
    const suite = await runSuite(host, chosen, {
      ...options,
      ...(clock !== undefined && { clock }),
      signal: interruption.signal,
    });
    host.stdout.write(renderConsole(suite, consoleOptions(host)));
    writeReports(host, suite, [...single, ...folder]);
    return interruption.exitCode ?? exitCodeOf(suite);
  } finally {
    interruption.stop();
  }
}

/** @throws FleetrigError `RUN_VARIANT_UNKNOWN` (exit 2) */
function requireVariant(file: string, scenario: Scenario, variant: string = MAIN_VARIANT): void {
  const names = variantsOf(scenario).map(({ name }) => name);
  if (names.includes(variant)) return;
  throw new FleetrigError("RUN_VARIANT_UNKNOWN", `${file} has no variant "${variant}".`, {
    hint: didYouMean(variant, names) ?? `It has: ${names.join(", ")}.`,
    exitCode: EXIT.usage,
  });
}

/** Ctrl-C and termination: the first asks the runs to end, and is remembered for the exit code. */
class Interruption {
  exitCode: number | undefined;
  private readonly controller = new AbortController();
  readonly stop: () => void;

  constructor(host: Host) {
    this.stop = host.onSignal((signal) => {
      this.exitCode = signal === "SIGINT" ? EXIT.sigint : EXIT.sigterm;
      this.controller.abort();
    });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }
}

type SuiteOptions = RunCommandOptions & { readonly signal: AbortSignal };

async function runSuite(host: Host, chosen: readonly Chosen[], options: SuiteOptions): Promise<SuiteRecord> {
  const jobs = chosen.flatMap((one) =>
    isSweep(one, options) ? sweepJobs(one, options) : [singleJob(one, options)],
  );
  const display = new RunDisplay(host, { total: jobs.length, quiet: options.quiet === true });
  const startedUs = host.nowUs();
  const threads = options.jobs ?? 1;
  const results = await doAll(jobs, {
    host,
    threads,
    hooks: {
      signal: options.signal,
      gitSha: gitSha(host),
      progress: (progress) => display.progress(progress),
      listening: (endpoint) => display.listening(endpoint),
    },
    finished: (job, result) => display.finished(job, result),
  });
  display.stop();
  const wallMs = Math.round((host.nowUs() - startedUs) / 1000);
  const runs = results.flatMap((result): RunRecord[] => (result?.kind === "record" ? [result.record] : []));
  const sweeps = chosen
    .filter((one) => isSweep(one, options))
    .flatMap((one) => sweepRecords(one, { jobs, results, wallMs, threads, clock: clockOf(one, options) }));
  const verdicts = [...runs, ...sweeps].map(({ verdict }) => verdict);
  if (options.signal.aborted) verdicts.push("interrupted");
  return {
    schemaVersion: RECORD_SCHEMA_VERSION,
    tool: { name: "fleetrig", version: VERSION },
    verdict: worstVerdict(verdicts),
    runs,
    sweeps,
  };
}

const isSweep = ({ scenario }: Chosen, { sweep, seeds }: RunCommandOptions): boolean =>
  seeds !== undefined || (sweep === true && scenario.sweep !== undefined);

const clockOf = ({ scenario }: Chosen, { clock }: RunCommandOptions): RunJob["clock"] =>
  clock ?? scenario.clock;

const boardsOf = ({
  boards,
  requireBoards = false,
}: RunCommandOptions): Pick<RunJob, "boards" | "requiresBoards"> => ({
  ...(boards !== undefined && { boards }),
  ...(requireBoards && { requiresBoards: true }),
});

const singleJob = (one: Chosen, options: RunCommandOptions): RunJob => ({
  file: one.file,
  seed: one.scenario.seed,
  clock: clockOf(one, options),
  variant: options.variant ?? MAIN_VARIANT,
  isSweep: false,
  ...boardsOf(options),
  baseline: options.baseline,
});

function sweepJobs(one: Chosen, options: RunCommandOptions): RunJob[] {
  const seeds = options.seeds ?? one.scenario.sweep?.seeds ?? [];
  const variants = variantsOf(one.scenario).filter(
    ({ name }) => options.variant === undefined || name === options.variant,
  );
  return variants.flatMap(({ name }) =>
    seeds.map(
      (seed): RunJob => ({
        file: one.file,
        seed,
        clock: clockOf(one, options),
        variant: name,
        isSweep: true,
        ...boardsOf(options),
      }),
    ),
  );
}

interface SweepContext {
  readonly jobs: readonly RunJob[];
  readonly results: readonly (RunJobResult | undefined)[];
  readonly wallMs: number;
  readonly threads: number;
  readonly clock: RunJob["clock"];
}

function sweepRecords(one: Chosen, context: SweepContext): SweepRecord[] {
  return variantsOf(one.scenario).flatMap((variant: SweepVariant) => {
    const results = context.results.flatMap((result, index) => {
      const job = context.jobs[index];
      const isOurs = job?.file === one.file && job.variant === variant.name;
      return isOurs && result?.kind === "sweep" ? [result] : [];
    });
    if (results.length === 0) return [];
    return [
      assembleSweep({
        file: one.file,
        clock: context.clock,
        variant,
        results,
        wallMs: context.wallMs,
        jobs: context.threads,
      }),
    ];
  });
}
