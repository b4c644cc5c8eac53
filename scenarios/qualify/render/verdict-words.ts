import type { CaseVerdict, Measurement } from "../judgement.js";
import type { CaseRecord, QualificationRecord } from "../qualification-record.js";

/** Verdicts as people read them. */
export const VERDICT_WORDS: Readonly<Record<CaseVerdict, string>> = {
  pass: "pass",
  "pass-with-warnings": "pass with warnings",
  fail: "fail",
  inconclusive: "inconclusive",
  "not-applicable": "not applicable",
};

/** `exponential`, `120 ms`. */
export const measured = ({ value, unit }: Measurement): string =>
  unit === undefined ? String(value) : `${value} ${unit}`;

/** `12 cases: 10 pass, 1 fail, 1 not applicable`. */
export function countsText({ cases }: Pick<QualificationRecord, "cases">): string {
  const counts = (Object.keys(VERDICT_WORDS) as CaseVerdict[])
    .map(
      (verdict) => [cases.filter((one) => one.verdict === verdict).length, VERDICT_WORDS[verdict]] as const,
    )
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`);
  return `${cases.length} case${cases.length === 1 ? "" : "s"}: ${counts.join(", ")}`;
}

export const remarksOf = ({
  reasons,
  warnings,
}: Pick<CaseRecord, "reasons" | "warnings">): readonly string[] => [...reasons, ...warnings];
