import { createHash } from "node:crypto";
import { posix } from "node:path";
import { EXIT, FleetrigError, invariant } from "fleetrig/kernel";
import type { RunRecord } from "fleetrig/reports";
import type { LoadResult } from "../load/load-scenario.js";
import type { RunIdentity } from "../runner/assemble-record.js";
import { asFailure, failedRecord, failureRecord } from "../runner/failure.js";
import { inSweep } from "../runner/counterfactual.js";
import {
  replayCommand,
  type RunJob,
  type PortableMeasure,
  type RunJobResult,
  toPortable,
  variantsOf,
} from "../runner/job.js";
import { runAndMeasure, type RunOptions, type RunProgress } from "../runner/run-scenario.js";
import type { ExpectationSpec } from "../scenario.js";
import { type Baseline, baselineOf, withBaseline } from "./baseline.js";
import { parseBoardFlag } from "./board-flags.js";
import type { Host } from "./host.js";
import { openHostBench } from "./run-bench.js";
import { loadFile } from "./load-files.js";

export interface RunJobHooks {
  readonly signal?: AbortSignal;
  readonly progress?: (progress: RunProgress) => void;
  readonly listening?: (endpoint: { readonly host: string; readonly port: number }) => void;
  readonly gitSha: string | null;
}

/**
 * Does one run: reads its scenario, picks the variant, runs it.
 * @throws FleetrigError `RUN_SCENARIO_INVALID` (exit 2)
 */
export async function doRunJob(host: Host, job: RunJob, hooks: RunJobHooks): Promise<RunJobResult> {
  const loaded = loadFile(host, job.file, { seedOverride: job.seed, clockOverride: job.clock });
  if (!loaded.ok) {
    throw new FleetrigError("RUN_SCENARIO_INVALID", `${job.file} is not valid.`, {
      hint: `Run fleetrig validate ${job.file}.`,
      exitCode: EXIT.usage,
    });
  }
  const variant = variantsOf(loaded.scenario).find(({ name }) => name === job.variant);
  invariant(variant !== undefined, "run jobs name variants that their scenario has");
  const { gitSha, ...callbacks } = hooks;
  const chosen = job.isSweep ? inSweep(variant.scenario, variant.expect) : variant.scenario;
  const scenario = { ...chosen, bridges: [...(job.boards ?? []).map(parseBoardFlag), ...chosen.bridges] };
  const identity: RunIdentity = {
    file: job.file,
    sha256: sha256Of(loaded),
    seed: job.seed,
    clock: job.clock,
    variant: job.variant,
    replay: replayCommand(job),
    gitSha,
  };
  const folder = posix.resolve(host.cwd, posix.dirname(job.file));
  const { record, measures } = await runOrFail(
    {
      scenario,
      identity,
      folder,
      openBench: (context) => openHostBench(host, context),
      ...(job.requiresBoards === true && { requiresBoards: true }),
      ...(job.isSweep && { alsoAsked: variant.expect }),
      ...callbacks,
    },
    variant.expect,
  );
  if (!job.isSweep)
    return { kind: "record", record: compared(host, record, baselineOf(job.file, scenario, job.baseline)) };
  const { verdict, failure } = record;
  return { kind: "sweep", seed: job.seed, verdict, failure, failed: failuresOf(record), measures };
}

/** A baseline that cannot be read is the run's failure: nobody can say whether it passed. */
function compared(host: Host, record: RunRecord, baseline: Baseline | undefined): RunRecord {
  if (baseline === undefined) return record;
  try {
    return withBaseline(host, record, baseline);
  } catch (error) {
    return { ...record, verdict: "error", failure: failureRecord(asFailure(error)) };
  }
}

interface Measured {
  readonly record: RunRecord;
  /** Of the sweep's expectations. */
  readonly measures: readonly PortableMeasure[];
}

/** A run that cannot even begin has a record too, so that the other runs of the suite are reported with it. */
async function runOrFail(options: RunOptions, sweepExpect: readonly ExpectationSpec[]): Promise<Measured> {
  try {
    const { record, reading } = await runAndMeasure(options, ({ observation: { store } }) =>
      sweepExpect.map(({ expectation: { metric, labels } }) => toPortable(store.measure(metric, labels))),
    );
    return { record, measures: reading };
  } catch (error) {
    const { scenario, identity } = options;
    return {
      record: failedRecord({ scenario, identity, failure: asFailure(error) }),
      measures: sweepExpect.map(() => ({ kind: "none", reason: "the run could not begin" })),
    };
  }
}

const failuresOf = (record: RunRecord): RunRecord["expectations"] =>
  record.expectations.filter(
    ({ verdict, severity }) => verdict !== "pass" && verdict !== "skipped" && severity === "fail",
  );

/** Of the scenario and everything it extends. */
function sha256Of({ sources }: LoadResult): string {
  const hash = createHash("sha256");
  for (const { text } of sources) hash.update(text).update("\0");
  return hash.digest("hex");
}
