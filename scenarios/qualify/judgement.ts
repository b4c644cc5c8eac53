import type { BackoffGrade } from "fleetrig/reports";
import type { CaseEvidence } from "./evidence.js";
import type { CaseParameters } from "./parameters.js";

/**
 * `pass-with-warnings`: AWS passes it too, and says what is wrong. `inconclusive`: the device never came to the point of the case.
 */
const CASE_VERDICTS = ["pass", "pass-with-warnings", "fail", "inconclusive", "not-applicable"] as const;
/** One of `CASE_VERDICTS`. */
export type CaseVerdict = (typeof CASE_VERDICTS)[number];

/** What a judge makes of the evidence. */
export interface Judgement {
  readonly verdict: CaseVerdict;
  /** Why it is none better, or what makes it not applicable: sentences. */
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly measurements: readonly Measurement[];
  /** Delays before attempts to connect, where the case is about them. */
  readonly gaps?: readonly GapRun[];
}

export interface Measurement {
  readonly name: string;
  readonly value: number | string;
  /** `ms`, `s`, `B`; none for counts and words. */
  readonly unit?: string;
}

/** Attempts in a row, and the shape of their delays. */
export interface GapRun {
  readonly name: string;
  readonly gapsMs: readonly number[];
  /** Longest time from a TCP connection to its CONNECT, which the gaps include. */
  readonly setupMs?: number;
  /** Undefined: too few. */
  readonly grade: BackoffGrade | undefined;
}

/** Pure; undefined while it is undecided, which it may not be once the evidence is over. */
export type Judge = (evidence: CaseEvidence, parameters: CaseParameters) => Judgement | undefined;

const NOTHING: Omit<Judgement, "verdict"> = { reasons: [], warnings: [], measurements: [] };

/** A pass, with warnings where there are any. */
export const passed = (details: Partial<Omit<Judgement, "verdict" | "reasons">> = {}): Judgement => ({
  ...NOTHING,
  ...details,
  verdict: (details.warnings ?? []).length > 0 ? "pass-with-warnings" : "pass",
});

export const failed = (reason: string, details: Partial<Judgement> = {}): Judgement => ({
  ...NOTHING,
  ...details,
  verdict: "fail",
  reasons: [reason],
});

export const inconclusive = (reason: string): Judgement => ({
  ...NOTHING,
  verdict: "inconclusive",
  reasons: [reason],
});

export const notApplicable = (reason: string): Judgement => ({
  ...NOTHING,
  verdict: "not-applicable",
  reasons: [reason],
});
