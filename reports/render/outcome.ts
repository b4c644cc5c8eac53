import { formatDurationUs } from "fleetrig/kernel";
import type {
  ExpectationRecord,
  RunRecord,
  SuiteRecord,
  SweepRecord,
  Verdict,
} from "../record/run-record.js";
import { grouped } from "../metrics/format-quantity.js";
import { counted, plainText } from "./plain-text.js";

/** What every renderer says about a run in the same words: outcomes, counts, titles and failure texts. */

/** All expectations of a run: those on the system and those on the machine it ran on. */
export const expectationsOf = (run: RunRecord): readonly ExpectationRecord[] => [
  ...run.expectations,
  ...run.environment.expectations,
];

/**
 * How an expectation ended. A `warn` expectation that was missed is a warning and fails nothing; one whose hardware is missing was
 * skipped and shows nothing.
 */
export type Outcome = "passed" | "failed" | "warning" | "inconclusive" | "skipped";

export function outcomeOf({ verdict, severity }: ExpectationRecord): Outcome {
  if (verdict === "pass") return "passed";
  if (verdict === "inconclusive" || verdict === "skipped") return verdict;
  return severity === "fail" ? "failed" : "warning";
}

export const OUTCOMES: readonly Outcome[] = ["failed", "inconclusive", "warning", "skipped", "passed"];

/** Marks differ in shape, so that colour is never the only difference. */
export const MARKS: Readonly<Record<Outcome | Verdict, string>> = {
  passed: "✓",
  failed: "✗",
  warning: "!",
  inconclusive: "?",
  skipped: "⊘",
  interrupted: "⊘",
  error: "✗",
};

export type OutcomeCounts = Readonly<Record<Outcome, number>>;

export function countOutcomes(expectations: readonly ExpectationRecord[]): OutcomeCounts {
  const counts = { passed: 0, failed: 0, warning: 0, inconclusive: 0, skipped: 0 };
  for (const expectation of expectations) counts[outcomeOf(expectation)] += 1;
  return counts;
}

/** `2 failed, 1 inconclusive, 14 passed`. */
export const countsText = (counts: OutcomeCounts): string => {
  const parts = OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) =>
    outcome === "warning" ? counted(counts.warning, "warning") : `${grouped(counts[outcome])} ${outcome}`,
  );
  return parts.length === 0 ? "no expectations" : parts.join(", ");
};

/** Every expectation of a suite, sweeps included. */
export const suiteExpectations = (suite: SuiteRecord): readonly ExpectationRecord[] => [
  ...suite.runs.flatMap(expectationsOf),
  ...suite.sweeps.flatMap((sweep) => sweep.expectations),
];

/** `smart-building`, or `smart-building [control]` for a variant. */
const withVariant = (name: string, variant: string): string =>
  plainText(variant === "main" ? name : `${name} [${variant}]`);

export const runName = (run: RunRecord): string => withVariant(run.scenario.name, run.variant);
export const runTitle = (run: RunRecord): string => `${runName(run)} seed ${run.seed}`;
export const sweepName = (sweep: SweepRecord): string => withVariant(sweep.scenario, sweep.variant);
export const sweepTitle = (sweep: SweepRecord): string =>
  `${sweepName(sweep)} over ${counted(sweep.seeds.length, "seed")}`;

/** The measured side of an expression: `latency.e2e p(99)` of `latency.e2e p(99) < 250ms`. */
const subjectOf = (expr: string): string => {
  const operator = expr.search(/[<>]|[=!]=/);
  return plainText(operator < 0 ? expr : expr.slice(0, operator)).trim();
};

/** Whether the name says anything the expression does not. */
export const hasOwnName = ({ name, expr }: ExpectationRecord): boolean => name !== "" && name !== expr;
export const nameOf = ({ name, expr }: ExpectationRecord): string => plainText(name === "" ? expr : name);
/** What stands beside a column of limits: the name, or the measured side of the expression. */
export const labelOf = (expectation: ExpectationRecord): string =>
  hasOwnName(expectation) ? nameOf(expectation) : subjectOf(expectation.expr);

/** `latency.e2e p(99) = 312 ms, expected < 250ms`. */
export function expectationText(expectation: ExpectationRecord): string {
  const { expr, measured, limit, value } = expectation;
  const got = value === null ? `: ${measured}` : ` = ${measured}`;
  return plainText(`${subjectOf(expr)}${got}, expected ${limit}`);
}

/** What the reason adds to `expectationText`, or undefined. */
export function remarkOf(expectation: ExpectationRecord): string | undefined {
  const reason = plainText(expectation.reason ?? "");
  const told = `${expectationText(expectation)}.`;
  const remark = reason.startsWith(told) ? reason.slice(told.length).trim() : reason;
  return remark === "" ? undefined : remark;
}

/** `42 s`, `3m 2s`: a time of the run for people. */
export const formatMs = (ms: number): string => formatDurationUs(Math.max(0, Math.round(ms * 1000)));

/** `5,000 devices, 3m 20s of virtual time in 4.1 s`. */
export function runFacts(run: RunRecord): string {
  const span = run.clock === "virtual" ? `${formatMs(run.durationMs)} of virtual time in ` : "";
  return `${counted(run.devices, "device")}, ${span}${formatMs(run.environment.wallMs)}`;
}
