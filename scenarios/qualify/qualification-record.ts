import type { JsonObject } from "fleetrig/kernel";
import type { CaseEvidence } from "./evidence.js";
import type { CaseVerdict, Judgement } from "./judgement.js";
import type { CaseGroup } from "./qualification-case.js";

/** What a qualification came to, as data: every report is rendered from it alone. */
export interface QualificationRecord {
  readonly schemaVersion: 1;
  readonly tool: { readonly name: string; readonly version: string };
  readonly suite: string;
  readonly device: QualifiedDevice;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** Warnings are failures. */
  readonly isStrict: boolean;
  readonly verdict: "passed" | "failed" | "interrupted";
  readonly cases: readonly CaseRecord[];
}

/** What was tested, as far as it is known. */
export interface QualifiedDevice {
  readonly kind: "board" | "foreign";
  /** `native at /dev/pts/3`, or where it had to connect. */
  readonly name: string;
  readonly path: "bridge" | "direct";
  readonly chip?: string;
  readonly mac?: string;
  readonly firmware?: string;
}

export interface CaseRecord extends Judgement {
  readonly id: string;
  readonly group: CaseGroup;
  readonly title: string;
  readonly parameters: JsonObject;
  readonly durationMs: number;
  /** Undefined for what was not run. */
  readonly evidence?: CaseEvidence;
  readonly parts?: readonly PartRecord[];
}

/** A part of a longer case. */
export interface PartRecord extends Judgement {
  readonly name: string;
  readonly evidence: CaseEvidence;
}

const GOOD: ReadonlySet<CaseVerdict> = new Set(["pass", "not-applicable"]);

/** Whether a case counts as passed. */
export const isGood = ({ verdict }: Pick<Judgement, "verdict">, isStrict: boolean): boolean =>
  GOOD.has(verdict) || (verdict === "pass-with-warnings" && !isStrict);
