import type {
  EnvironmentRecord,
  ExpectationRecord,
  MetricRecord,
  RunRecord,
  SeriesRecord,
  SuiteRecord,
  SweepRecord,
} from "fleetrig/reports";
import { worstVerdict } from "fleetrig/reports";

/** Records as runs make them: small, but with everything a report shows. */

const FILE = "scenarios/library/smart-building.yaml";

export const expectation = (over: Partial<ExpectationRecord> = {}): ExpectationRecord => ({
  name: "latency.e2e{stage=steady} p(99) < 250ms",
  expr: "latency.e2e{stage=steady} p(99) < 250ms",
  severity: "fail",
  verdict: "pass",
  measured: "179.8 ms",
  limit: "< 250ms",
  value: 179.8,
  unit: "ms",
  samples: 150_000,
  reason: null,
  stage: "steady",
  file: FILE,
  line: 65,
  column: 5,
  ...over,
});

export const missed = expectation({
  verdict: "fail",
  measured: "312 ms",
  value: 312,
  reason: "latency.e2e{stage=steady} p(99) = 312 ms, expected < 250ms.",
});

export const inconclusive = expectation({
  verdict: "inconclusive",
  reason: "The generator was late: generator.schedule_lag p(99) is 81 ms, the limit is 50 ms.",
});

export const warning = expectation({
  name: "few duplicates",
  expr: "delivery.duplicates < 10",
  severity: "warn",
  verdict: "fail",
  measured: "12",
  limit: "< 10",
  value: 12,
  unit: "count",
  samples: 150_012,
  reason: "delivery.duplicates = 12, expected < 10.",
  stage: null,
  line: 66,
});

const memory = expectation({
  name: "process.rss max < 1GiB",
  expr: "process.rss max < 1GiB",
  measured: "194.2 MiB",
  limit: "< 1GiB",
  value: 203_631_820,
  unit: "B",
  stage: null,
  line: 72,
});

export const environment = (over: Partial<EnvironmentRecord> = {}): EnvironmentRecord => ({
  expectations: [memory],
  startedAt: "2026-11-21T01:07:11.883Z",
  wallMs: 5067,
  node: "v20.20.2",
  platform: "linux 6.18.44",
  cpu: "AMD EPYC",
  cores: 2,
  gitSha: "6fb4a7b6fb4a7b6fb4a7b6fb4a7b6fb4a7b6fb4a",
  rssBytesMax: 129_904_640,
  eventLoopUtilisation: 0.98,
  gcPauseMsMax: 64.92,
  timerResolutionMs: null,
  ...over,
});

/** A curve over the 330 s of the runs here. */
const series = (
  name: string,
  unit: string,
  valueAt: (second: number) => number | null,
  labels: Record<string, string> = {},
  [startMs, points]: readonly [number, number] = [0, 330],
): SeriesRecord => ({
  name,
  labels,
  unit,
  startMs,
  stepMs: 1000,
  points: Array.from({ length: points }, (_, second) => valueAt(second)),
});

const wave = (second: number): number => Math.round(20 * Math.sin(second / 5));

export const histogram = (name: string, labels: Record<string, string>, p50: number): MetricRecord => ({
  name,
  labels,
  unit: "ms",
  kind: "histogram",
  value: null,
  summary: {
    count: 150_000,
    min: p50 / 4,
    mean: p50 * 1.2,
    p50,
    p90: p50 * 2,
    p99: p50 * 4,
    p999: p50 * 7,
    max: p50 * 12,
  },
  hdr: "HISTFAAAAB",
});

export const figure = (
  name: string,
  value: number | boolean | string,
  unit = "count",
  labels: Record<string, string> = {},
): MetricRecord => ({
  name,
  labels,
  unit,
  kind: typeof value === "string" ? "text" : (typeof value as "number" | "boolean"),
  value,
  summary: null,
  hdr: null,
});

export const run = (over: Partial<RunRecord> = {}): RunRecord => ({
  scenario: {
    name: "smart-building",
    description: "5,000 sensors report every 30 s while a heat wave passes.",
    file: FILE,
    sha256: "9f2d3c".repeat(10),
    tags: ["telemetry"],
  },
  variant: "main",
  seed: 42,
  clock: "virtual",
  devices: 5000,
  verdict: "passed",
  failure: null,
  durationMs: 330_000,
  fingerprint: "510aa0c4d7ba122039ebc364bd85f8a0e1a25d947c862fd119fb2729529df02b",
  replay: `fleetrig run ${FILE} --seed 42 --clock virtual`,
  stages: [
    { name: "ramp", startMs: 0, endMs: 60_000, measured: false, timedOut: false },
    { name: "steady", startMs: 60_000, endMs: 300_000, measured: true, timedOut: false },
    { name: "drain", startMs: 300_000, endMs: 330_000, measured: true, timedOut: true },
  ],
  expectations: [
    expectation(),
    expectation({
      name: "nothing is lost",
      expr: "delivery.lost{qos=1} == 0",
      measured: "0",
      limit: "== 0",
      value: 0,
      unit: "count",
      stage: null,
      line: 62,
    }),
  ],
  trust: {
    trusted: true,
    warnings: [],
    scheduleLagP99Ms: 0,
    samples: 150_000,
    skippedGroups: [],
    withoutData: [],
  },
  metrics: [
    histogram("latency.e2e", {}, 41),
    histogram("latency.e2e", { stage: "steady" }, 40),
    figure("delivery.lost", 0),
    figure("delivery.lost", 0, "count", { stage: "steady" }),
    figure("delivery.duplicates", 12, "count", { stage: "steady" }),
    figure("delivery.ratio", 1, "ratio"),
  ],
  series: [
    series("delivery.sent", "/s", (second) => Math.min(167, second * 3) + wave(second)),
    series("delivery.received", "/s", (second) => Math.min(166, second * 3) + wave(second)),
    series("latency.e2e", "ms", () => 41, { p: "50" }),
    series("latency.e2e", "ms", (second) => (second % 50 === 7 ? null : 90 + wave(second)), { p: "95" }),
    series("latency.e2e", "ms", (second) => 160 + wave(second), { p: "99" }),
    series("connections.online", "things", (second) => Math.min(5000, second * 90)),
    series("connect.attempts", "/s", (second) => (second < 56 ? 90 : 0)),
  ],
  storms: [],
  rollouts: [],
  convergence: [],
  faults: [],
  environment: environment(),
  ...over,
});

const scenario = (name: string, file: string): RunRecord["scenario"] => ({
  ...run().scenario,
  name,
  description: `What becomes of ${name}.`,
  file,
});

/** Missed, warned about, and met expectations; two policies beside each other. */
export const stormRun = (): RunRecord =>
  run({
    scenario: scenario("disconnect-wave", "scenarios/library/disconnect-wave.yaml"),
    verdict: "failed",
    expectations: [expectation(), missed, warning],
    storms: [
      { group: "hvac", policy: "full-jitter", grade: "jittered", first: 400 },
      { group: "meters", policy: "constant", grade: "constant", first: 900 },
    ].map(({ group, policy, grade, first }) => ({
      action: "wave-1",
      group,
      policy,
      lost: 2000,
      downMs: 180_000,
      restoredMs: 210_000,
      attempts: series(
        "reconnect.attempts",
        "/s",
        (second) => Math.round(first / (1 + second / 4)),
        { group },
        [180_000, 90],
      ),
      peakPerSecond: 106,
      amplification: 6.509,
      grade,
      backMs: { p50: 12_830, p95: 47_070, all: null },
    })),
    convergence: [
      {
        update: "setpoint-21",
        targeted: 5000,
        converged: 4990,
        superseded: 2,
        curve: series(
          "shadow.converged",
          "%",
          (second) => Math.min(99.8, 60 + second),
          { update: "setpoint-21" },
          [195_000, 80],
        ),
      },
    ],
    faults: [
      {
        atMs: 180_000,
        fault: "disconnect",
        detail: "mode ungraceful, for 30s",
        count: 2000,
        things: Array.from({ length: 50 }, (_, index) => `hvac-${index}`),
      },
    ],
  });

export const rolloutRun = (): RunRecord => {
  const curve = (valueAt: (second: number) => number, labels: Record<string, string> = {}): SeriesRecord =>
    series("job.executions", "things", valueAt, labels, [60_000, 270]);
  return run({
    scenario: scenario("ota-rollout", "scenarios/library/ota-rollout-abort.yaml"),
    devices: 1000,
    rollouts: [
      {
        jobId: "fw-2-4-0",
        targets: 1000,
        status: "CANCELED",
        createdMs: 60_000,
        planned: curve((second) => second * 2),
        notified: curve((second) => Math.min(60, second)),
        states: [
          curve((second) => Math.min(60, second) - Math.floor(Math.min(60, second / 2)), {
            status: "IN_PROGRESS",
          }),
          curve((second) => Math.floor(Math.min(60, second / 2) * 0.7), { status: "SUCCEEDED" }),
          curve(
            (second) => Math.min(60, Math.floor(second / 2)) - Math.floor(Math.min(60, second / 2) * 0.7),
            { status: "FAILED" },
          ),
        ],
        abort: {
          atMs: 120_000,
          criterion: 0,
          failed: 4,
          executed: 10,
          text: "Criterion 0: 4 of 10 executed things failed, limit 10 %.",
        },
        totals: {
          notified: 60,
          executed: 60,
          silent: 0,
          SUCCEEDED: 42,
          FAILED: 18,
          QUEUED: 0,
          CANCELED: 940,
        },
      },
    ],
  });
};

/** Real time on a machine that was too slow, with a group of boards that was not there. */
export const untrustedRun = (): RunRecord =>
  run({
    scenario: scenario("boards", "scenarios/library/boards.yaml"),
    clock: "real",
    fingerprint: null,
    verdict: "inconclusive",
    expectations: [inconclusive],
    trust: {
      trusted: false,
      warnings: ["The generator was late: generator.schedule_lag p(99) is 81 ms, the limit is 50 ms."],
      scheduleLagP99Ms: 81,
      samples: 4000,
      skippedGroups: [{ group: "esp32", reason: "no board with role dut on /dev/ttyUSB0" }],
      withoutData: ["rules.latency p(99) < 1s"],
    },
  });

export const brokenRun = (): RunRecord =>
  run({
    scenario: scenario("no-broker", "scenarios/no-broker.yaml"),
    verdict: "error",
    expectations: [],
    environment: environment({ expectations: [] }),
    failure: {
      code: "BROKER_UNREACHABLE",
      message: "The broker at 127.0.0.1:1883 refused the connection.",
      hint: "Start it, or run with --clock virtual.",
    },
    series: [],
    metrics: [],
    stages: [],
  });

export const sweep = (over: Partial<SweepRecord> = {}): SweepRecord => {
  const seeds = Array.from({ length: 60 }, (_, index) => index + 1);
  return {
    scenario: "ota-rollout",
    file: "scenarios/library/ota-rollout-abort.yaml",
    variant: "main",
    seeds,
    verdict: "failed",
    expectations: [
      expectation({
        name: "blast radius stays small",
        expr: "job.blast_radius.notified p(95) < 6%",
        measured: "7.1 %",
        limit: "< 6%",
        value: 0.071,
        unit: "ratio",
        samples: 60,
        stage: null,
        verdict: "fail",
        line: 80,
      }),
    ],
    values: [
      {
        metric: "job.blast_radius.notified",
        unit: "ratio",
        values: seeds.map((seed) => 0.03 + ((seed * 7) % 11) / 250),
      },
      { metric: "job.abort.triggered", unit: "", values: seeds.map((seed) => seed % 9 !== 0) },
    ],
    failedSeeds: [{ seed: 9, replay: "fleetrig run scenarios/library/ota-rollout-abort.yaml --seed 9" }],
    environment: { wallMs: 61_000, jobs: 2 },
    ...over,
  };
};

export const suite = (runs: readonly RunRecord[], sweeps: readonly SweepRecord[] = []): SuiteRecord => ({
  schemaVersion: 1,
  tool: { name: "fleetrig", version: "0.1.0" },
  verdict: worstVerdict([...runs, ...sweeps].map(({ verdict }) => verdict)),
  runs: [...runs],
  sweeps: [...sweeps],
});
