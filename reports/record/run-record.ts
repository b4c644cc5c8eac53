import { FleetrigError, EXIT } from "fleetrig/kernel";
import { z } from "zod";
import { boardRecord, skippedAction } from "./board-records.js";

/**
 * The run record: everything a report shows, as data. Every renderer works from it alone, so a report can be
 * rebuilt, compared and merged long after the run. Times are milliseconds of the run's clock unless the name
 * says otherwise. Everything outside `environment` is a function of scenario, seed and version in virtual time.
 */
export const RECORD_SCHEMA_VERSION = 1;

const verdict = z.enum(["passed", "failed", "inconclusive", "interrupted", "error"]);
const expectationVerdict = z.enum(["pass", "fail", "inconclusive", "skipped"]);
const labels = z.record(z.string(), z.string());

/** One expectation of the YAML file with what was measured. */
const expectation = z.object({
  name: z.string(),
  expr: z.string(),
  severity: z.enum(["fail", "warn"]),
  verdict: expectationVerdict,
  /** For people, with unit: `212 ms`. */
  measured: z.string(),
  limit: z.string(),
  /** For programs; null when there was no data. */
  value: z.union([z.number(), z.boolean(), z.string()]).nullable(),
  unit: z.string(),
  /** Of a time that was measured across clocks: the truth is within so much of `value`. */
  uncertaintyMs: z.number().optional(),
  samples: z.number(),
  reason: z.string().nullable(),
  /** Stage named by the expectation, for JUnit's classname. */
  stage: z.string().nullable(),
  file: z.string(),
  line: z.number(),
  column: z.number(),
});

const stage = z.object({
  name: z.string(),
  startMs: z.number(),
  endMs: z.number(),
  measured: z.boolean(),
  /** An `until` stage that ran into its timeout. */
  timedOut: z.boolean(),
});

/** A metric as measured, one row per label set. */
const metric = z.object({
  name: z.string(),
  labels,
  unit: z.string(),
  kind: z.enum(["number", "boolean", "text", "histogram"]),
  value: z.union([z.number(), z.boolean(), z.string()]).nullable(),
  /** Histograms: summary and HdrHistogram V2 (deflate, base64), so that runs can be merged and re-quantiled. */
  summary: z
    .object({
      count: z.number(),
      min: z.number(),
      mean: z.number(),
      p50: z.number(),
      p90: z.number(),
      p99: z.number(),
      p999: z.number(),
      max: z.number(),
    })
    .nullable(),
  hdr: z.string().nullable(),
  /** Of times that were measured across clocks: each may be so far off. */
  uncertaintyMs: z.number().optional(),
});

/** A curve on a regular time grid; `null` where nothing was measured. */
const series = z.object({
  name: z.string(),
  labels,
  unit: z.string(),
  startMs: z.number(),
  stepMs: z.number(),
  points: z.array(z.number().nullable()),
});

/** One disconnect action and what followed. */
const storm = z.object({
  action: z.string(),
  group: z.string(),
  policy: z.string(),
  lost: z.number(),
  downMs: z.number(),
  restoredMs: z.number(),
  attempts: series,
  peakPerSecond: z.number().nullable(),
  amplification: z.number().nullable(),
  grade: z.string().nullable(),
  /** Milliseconds after the restore until this share of the lost things was back. */
  backMs: z.object({ p50: z.number().nullable(), p95: z.number().nullable(), all: z.number().nullable() }),
});

const rollout = z.object({
  jobId: z.string(),
  targets: z.number(),
  status: z.string(),
  createdMs: z.number(),
  /** Notified things so far, as the rollout configuration alone would have it, and as it was. */
  planned: series,
  notified: series,
  /** Executions by state over time, one series per state. */
  states: z.array(series),
  abort: z
    .object({
      atMs: z.number(),
      criterion: z.number(),
      failed: z.number(),
      executed: z.number(),
      text: z.string(),
    })
    .nullable(),
  totals: z.record(z.string(), z.number()),
});

const convergence = z.object({
  update: z.string(),
  targeted: z.number(),
  converged: z.number(),
  superseded: z.number(),
  /** Share of targeted things converged, over time since the update. */
  curve: series,
});

const fault = z.object({
  atMs: z.number(),
  fault: z.string(),
  detail: z.string(),
  count: z.number(),
  /** Names of the things, at most 50. */
  things: z.array(z.string()),
});

/** What the run would have cost; the meters are among the metrics. */
const cost = z.object({
  totalUsd: z.number(),
  /** Of the price list: region and the day on which somebody looked. */
  region: z.string(),
  asOf: z.string(),
  /** Meters that have turned and have no price in the list. */
  unpriced: z.array(z.string()),
});

const trust = z.object({
  /** False when latency figures must not be judged. */
  trusted: z.boolean(),
  warnings: z.array(z.string()),
  scheduleLagP99Ms: z.number().nullable(),
  samples: z.number(),
  skippedGroups: z.array(z.object({ group: z.string(), reason: z.string() })),
  withoutData: z.array(z.string()),
});

/** What depends on the machine and the moment; the only part that differs between two virtual runs. */
const environment = z.object({
  /** Expectations on the machine itself, such as `process.rss max`; they count like any other. */
  expectations: z.array(expectation),
  startedAt: z.string(),
  wallMs: z.number(),
  node: z.string(),
  platform: z.string(),
  cpu: z.string(),
  cores: z.number(),
  gitSha: z.string().nullable(),
  rssBytesMax: z.number(),
  eventLoopUtilisation: z.number(),
  gcPauseMsMax: z.number(),
  timerResolutionMs: z.number().nullable(),
});

/** Why a run could not be judged. */
const failure = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
  /** How the command ends because of it; the environment's 3 where it is missing. */
  exitCode: z.number().optional(),
});

const runRecordSchema = z.object({
  scenario: z.object({
    name: z.string(),
    description: z.string(),
    file: z.string(),
    sha256: z.string(),
    tags: z.array(z.string()),
  }),
  /** `main`, or `control` for the control run of a sweep, or `no-abort` for a counterfactual. */
  variant: z.string(),
  seed: z.number(),
  clock: z.enum(["virtual", "real"]),
  devices: z.number(),
  verdict,
  /** Why the verdict is `error`. */
  failure: failure.nullable(),
  durationMs: z.number(),
  /** sha256 of the trace; null in real time, where no reproducibility is claimed. */
  fingerprint: z.string().nullable(),
  replay: z.string(),
  stages: z.array(stage),
  expectations: z.array(expectation),
  trust,
  metrics: z.array(metric),
  series: z.array(series),
  storms: z.array(storm),
  rollouts: z.array(rollout),
  convergence: z.array(convergence),
  faults: z.array(fault),
  /** Missing where no board took part. */
  boards: z.array(boardRecord).optional(),
  /** Missing where nothing was skipped. */
  skippedActions: z.array(skippedAction).optional(),
  /** Missing where nobody meters: an external broker, or a record of an earlier version. */
  cost: cost.optional(),
  environment,
});

/** The same scenario over many seeds. */
const sweepRecordSchema = z.object({
  scenario: z.string(),
  file: z.string(),
  variant: z.string(),
  seeds: z.array(z.number()),
  verdict,
  expectations: z.array(expectation),
  /** Per metric of a sweep expectation, one value per seed, in seed order; null without data. */
  values: z.array(
    z.object({
      metric: z.string(),
      unit: z.string(),
      values: z.array(z.union([z.number(), z.boolean(), z.string()]).nullable()),
    }),
  ),
  /** Seeds that did not pass by themselves, with the replay command of each; `failure` when one could not run. */
  failedSeeds: z.array(z.object({ seed: z.number(), replay: z.string(), failure: failure.optional() })),
  environment: z.object({ wallMs: z.number(), jobs: z.number() }),
});

const suiteRecordSchema = z.object({
  schemaVersion: z.literal(RECORD_SCHEMA_VERSION),
  tool: z.object({ name: z.literal("fleetrig"), version: z.string() }),
  verdict,
  runs: z.array(runRecordSchema),
  sweeps: z.array(sweepRecordSchema),
});

/** How a run, a sweep or an expectation ended. */
export type Verdict = z.infer<typeof verdict>;
/** The error that broke a run. */
export type FailureRecord = z.infer<typeof failure>;
/** An expectation and how it ended. */
export type ExpectationRecord = z.infer<typeof expectation>;
/** A stage and when it ran. */
export type StageRecord = z.infer<typeof stage>;
/** A metric for one set of labels. */
export type MetricRecord = z.infer<typeof metric>;
/** A curve over time in equal steps. */
export type SeriesRecord = z.infer<typeof series>;
/** The reconnection storm after one outage. */
export type StormRecord = z.infer<typeof storm>;
/** A job's rollout: plan, curve and totals. */
export type RolloutRecord = z.infer<typeof rollout>;
/** How the things of one shadow update converged. */
export type ConvergenceRecord = z.infer<typeof convergence>;
/** An injected fault and whom it met. */
export type FaultRecord = z.infer<typeof fault>;
/** What a run would have cost, by which price list. */
export type CostRecord = z.infer<typeof cost>;
/** How far the figures of times can be trusted. */
export type TrustRecord = z.infer<typeof trust>;
/** Where and when a run took place: all that differs between equal virtual runs. */
export type EnvironmentRecord = z.infer<typeof environment>;
/** Everything that is kept of one run. */
export type RunRecord = z.infer<typeof runRecordSchema>;
/** What the runs of a sweep amount to. */
export type SweepRecord = z.infer<typeof sweepRecordSchema>;
/** The runs and sweeps of one command: the content of `report.json`. */
export type SuiteRecord = z.infer<typeof suiteRecordSchema>;

const RANK: Readonly<Record<Verdict, number>> = {
  passed: 0,
  inconclusive: 1,
  failed: 2,
  interrupted: 3,
  error: 4,
};

/** The verdict of a suite is the worst of its parts; inconclusive is never a pass. */
export const worstVerdict = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce<Verdict>((worst, next) => (RANK[next] > RANK[worst] ? next : worst), "passed");

/**
 * Reads a suite record from JSON text.
 * @throws FleetrigError `RECORD_INVALID` (exit 2) when it is not one, `RECORD_VERSION` when it is a newer one.
 */
export function parseSuiteRecord(text: string, file: string): SuiteRecord {
  const json = parseText(text, file);
  const version =
    typeof json === "object" && json !== null
      ? (json as Record<string, unknown>)["schemaVersion"]
      : undefined;
  if (typeof version === "number" && version > RECORD_SCHEMA_VERSION) {
    throw new FleetrigError(
      "RECORD_VERSION",
      `${file} has schema version ${version}; this fleetrig reads up to ${RECORD_SCHEMA_VERSION}.`,
      {
        hint: "Use the fleetrig version that wrote it, or a newer one.",
        exitCode: EXIT.usage,
      },
    );
  }
  const result = suiteRecordSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new FleetrigError(
    "RECORD_INVALID",
    `${file} is not a run record: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}.`,
    {
      hint: "Give the report.json that a fleetrig run wrote.",
      exitCode: EXIT.usage,
    },
  );
}

function parseText(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FleetrigError("RECORD_INVALID", `${file} is not JSON.`, {
      hint: "Give the report.json that a fleetrig run wrote.",
      exitCode: EXIT.usage,
      cause,
    });
  }
}
