import { posix } from "node:path";
import {
  compareSuites,
  type ExpectationRecord,
  formatValue,
  type MetricChange,
  type PairComparison,
  parseSuiteRecord,
  type RunRecord,
} from "fleetrig/reports";
import { verdictOf } from "../runner/verdict.js";
import type { BaselineSpec, Scenario } from "../scenario.js";
import type { Host } from "./host.js";

/** Changed figures that get a row of their own; the rest is counted in one. */
const MAX_ROWS = 10;

/** The earlier run that a run is compared with. */
export interface Baseline extends Pick<BaselineSpec, "tolerance" | "position"> {
  /** Relative to the working directory. */
  readonly path: string;
}

/** The baseline of `--baseline`, or else the scenario's own. */
export function baselineOf(
  file: string,
  { report }: Scenario,
  given: string | undefined,
): Baseline | undefined {
  const { baseline } = report;
  if (given !== undefined) {
    return { path: given, tolerance: baseline?.tolerance ?? {}, position: { file, line: 1, column: 1 } };
  }
  return baseline === undefined
    ? undefined
    : { ...baseline, path: posix.join(posix.dirname(file), baseline.file) };
}

/**
 * The record with what the scenario's baseline says about it: a row for each figure that is not what it was, one
 * row when all are, and a warning when the two runs cannot be compared. In virtual time every difference counts; in
 * real time those beyond the tolerance, and times only when they got longer.
 * @throws FleetrigError `RECORD_INVALID`, `RECORD_VERSION` when the file is no report.json
 */
export function withBaseline(host: Host, record: RunRecord, baseline: Baseline): RunRecord {
  if (record.verdict === "error" || record.verdict === "interrupted") return record;
  const rows = baselineRows(host, record, baseline);
  const expectations = [...record.expectations, ...rows];
  const judged = [...expectations, ...record.environment.expectations];
  return {
    ...record,
    expectations,
    verdict: verdictOf({ failure: undefined, isInterrupted: false }, judged),
  };
}

function baselineRows(host: Host, record: RunRecord, baseline: Baseline): readonly ExpectationRecord[] {
  const row = (part: Partial<ExpectationRecord>): ExpectationRecord => rowOf(record, baseline, part);
  const { path } = baseline;
  if (host.files.kind(path) !== "file")
    return [incomparable(row, `There is no ${path}; fleetrig run --report json=${path} writes one.`)];
  const before = parseSuiteRecord(host.files.readFile(path), path);
  const { pairs } = compareSuites(
    before,
    { ...before, runs: [record], sweeps: [] },
    { tolerance: (metric) => toleranceFor(baseline, metric) },
  );
  const [pair] = pairs;
  if (pair === undefined)
    return [incomparable(row, `${path} has no run of ${record.scenario.name} with seed ${record.seed}.`)];
  if (pair.notComparable !== null) return [incomparable(row, pair.notComparable)];
  const worse = pair.metrics.filter((change) => isRegression(change, pair.mode));
  if (worse.length > 0) return changeRows(row, worse);
  return [hasOtherTrace(pair) ? row(OTHER_TRACE) : row({})];
}

type Row = (part: Partial<ExpectationRecord>) => ExpectationRecord;

const rowOf = (
  { scenario }: RunRecord,
  { path, position }: Baseline,
  part: Partial<ExpectationRecord>,
): ExpectationRecord => ({
  name: `baseline ${path}`,
  expr: `baseline ${path}`,
  severity: "fail",
  verdict: "pass",
  measured: "unchanged",
  limit: "as before",
  value: true,
  unit: "boolean",
  samples: 1,
  reason: null,
  stage: null,
  file: scenario.file,
  line: position.line,
  column: position.column,
  ...part,
});

const incomparable = (row: Row, reason: string): ExpectationRecord =>
  row({ severity: "warn", verdict: "fail", measured: "not comparable", value: null, samples: 0, reason });

const OTHER_TRACE: Partial<ExpectationRecord> = {
  verdict: "fail",
  measured: "changed",
  value: false,
  reason: "No figure differs, but the fingerprint of the trace does.",
};

const hasOtherTrace = ({ mode, fingerprints }: PairComparison): boolean =>
  mode === "exact" && fingerprints.before !== fingerprints.after;

/** The tolerance of a metric, or of its family: `latency` for `latency.e2e`. */
function toleranceFor({ tolerance }: Baseline, metric: string): number | undefined {
  const name = [metric, metric.slice(0, metric.indexOf("."))].find((key) => Object.hasOwn(tolerance, key));
  return name === undefined ? undefined : tolerance[name];
}

const isRegression = ({ unit, before, after }: MetricChange, mode: PairComparison["mode"]): boolean =>
  mode === "exact" ||
  unit !== "ms" ||
  typeof before !== "number" ||
  typeof after !== "number" ||
  after > before;

function changeRows(row: Row, changes: readonly MetricChange[]): readonly ExpectationRecord[] {
  const rows = changes.slice(0, MAX_ROWS).map(({ subject, unit, before, after }) =>
    row({
      name: `${subject} as in the baseline`,
      expr: subject,
      verdict: "fail",
      measured: formatValue(after, unit),
      limit: `was ${formatValue(before, unit)}`,
      value: after,
      unit,
      reason: null,
    }),
  );
  const hidden = changes.length - rows.length;
  if (hidden === 0) return rows;
  const text = `${hidden} more figures changed`;
  return [...rows, row({ verdict: "fail", measured: text, value: hidden, unit: "count" })];
}
