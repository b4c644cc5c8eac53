import { EXIT } from "fleetrig/kernel";
import type { ExpectationRecord, SuiteRecord, Verdict } from "fleetrig/reports";
import type { RunOutcome } from "./assemble-record.js";

/** The verdict of a run: what kept it from being judged comes first, then what was missed, then what is in doubt. */
export function verdictOf(
  { failure, isInterrupted }: Pick<RunOutcome, "failure" | "isInterrupted">,
  expectations: readonly ExpectationRecord[],
): Verdict {
  if (failure !== undefined) return "error";
  if (isInterrupted) return "interrupted";
  return verdictOfExpectations(expectations);
}

/** What was skipped for want of hardware counts for nothing; but where nothing else was expected, nothing was shown. */
export function verdictOfExpectations(
  expectations: readonly ExpectationRecord[],
): "passed" | "failed" | "inconclusive" {
  const serious = expectations.filter(({ severity }) => severity === "fail");
  if (serious.some(({ verdict }) => verdict === "fail")) return "failed";
  const isNothingShown =
    expectations.length > 0 && expectations.every(({ verdict }) => verdict === "skipped");
  const isInDoubt = serious.some(({ verdict }) => verdict === "inconclusive");
  return isInDoubt || isNothingShown ? "inconclusive" : "passed";
}

const EXIT_OF_VERDICT: Readonly<Record<Exclude<Verdict, "error">, number>> = {
  passed: EXIT.passed,
  failed: EXIT.failed,
  inconclusive: EXIT.inconclusive,
  interrupted: EXIT.sigint,
};

/**
 * How the command ends after a suite. Runs that could not be judged say it themselves: a broken environment (3)
 * outranks a broken scenario (2).
 */
export function exitCodeOf({ verdict, runs, sweeps }: SuiteRecord): number {
  if (verdict !== "error") return EXIT_OF_VERDICT[verdict];
  const failures = [
    ...runs.flatMap(({ failure }) => (failure === null ? [] : [failure])),
    ...sweeps.flatMap(({ failedSeeds }) => failedSeeds.flatMap(({ failure }) => failure ?? [])),
  ];
  return failures.length === 0
    ? EXIT.environment
    : Math.max(...failures.map(({ exitCode }) => exitCode ?? EXIT.environment));
}
