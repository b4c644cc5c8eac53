import type { ExpectationRecord, Measure, RunRecord } from "fleetrig/reports";
import { Histogram } from "fleetrig/reports";
import type { Scenario, SweepVariant } from "../scenario.js";

/** One run to be done: everything a worker thread needs to do it by itself. */
export interface RunJob {
  readonly file: string;
  readonly seed: number;
  readonly clock: "virtual" | "real";
  /** `main`, or a variant of the sweep. */
  readonly variant: string;
  /** For a sweep: bring back what its expectations need instead of the whole record. */
  readonly isSweep: boolean;
  /** Members of the fleet that are boards, besides those of the file: `--boards` as written. */
  readonly boards?: readonly string[];
  /** Missing hardware breaks the run, instead of being skipped. */
  readonly requiresBoards?: boolean;
  /** A report.json to compare with, instead of the scenario's own baseline. */
  readonly baseline?: string | undefined;
}

/** What came of a run job. */
export type RunJobResult =
  | { readonly kind: "record"; readonly record: RunRecord }
  | {
      readonly kind: "sweep";
      readonly seed: number;
      readonly verdict: RunRecord["verdict"];
      readonly failure: RunRecord["failure"];
      readonly failed: readonly ExpectationRecord[];
      readonly measures: readonly PortableMeasure[];
    };

export const MAIN_VARIANT = "main";

/** The scenario itself, then the variants its sweep names. */
export const variantsOf = (scenario: Scenario): SweepVariant[] => [
  { name: MAIN_VARIANT, scenario, expect: scenario.sweep?.expect ?? [] },
  ...(scenario.sweep?.variants ?? []),
];

/** A measure that survives the way between threads. */
export type PortableMeasure =
  | Exclude<Measure, { kind: "histogram" }>
  | { readonly kind: "histogram"; readonly hdr: string; readonly seconds: number };

export const toPortable = (measure: Measure): PortableMeasure =>
  measure.kind === "histogram"
    ? { kind: "histogram", hdr: measure.histogram.toHdr(), seconds: measure.seconds }
    : measure;

export const fromPortable = (measure: PortableMeasure): Measure =>
  measure.kind === "histogram"
    ? { kind: "histogram", histogram: Histogram.fromHdr(measure.hdr), seconds: measure.seconds }
    : measure;

/** The line that repeats a run. */
export function replayCommand({
  file,
  seed,
  clock,
  variant,
  boards = [],
  requiresBoards = false,
}: Pick<RunJob, "file" | "seed" | "clock" | "variant" | "boards" | "requiresBoards">): string {
  return [
    `fleetrig run ${quoted(file)} --seed ${seed} --clock ${clock}`,
    ...(variant === MAIN_VARIANT ? [] : [`--variant ${variant}`]),
    ...boards.map((flag) => `--boards ${quoted(flag)}`),
    ...(requiresBoards ? ["--require-boards"] : []),
  ].join(" ");
}

/** For a POSIX shell. */
const quoted = (text: string): string =>
  /^[\w./=,:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
