import type { SweepVariant } from "../scenario.js";
import {
  evaluateSweep,
  type ExpectationRecord,
  type SweepRecord,
  type Verdict,
  worstVerdict,
} from "fleetrig/reports";
import { expectationRecord } from "../runner/assemble-record.js";
import { verdictOfExpectations } from "../runner/verdict.js";
import { fromPortable, replayCommand, type RunJob, type RunJobResult } from "../runner/job.js";

type SweepResult = Extract<RunJobResult, { kind: "sweep" }>;

export interface SweepParts {
  readonly file: string;
  readonly clock: RunJob["clock"];
  readonly variant: SweepVariant;
  readonly results: readonly SweepResult[];
  readonly wallMs: number;
  readonly jobs: number;
}

/** Puts the runs of one variant together and judges the sweep's expectations over all seeds. */
export function assembleSweep({ file, clock, variant, results, wallMs, jobs }: SweepParts): SweepRecord {
  const bySeed = [...results].sort((a, b) => a.seed - b.seed);
  const measures = variant.expect.map((_, index) =>
    bySeed.map((result) => fromPortable(result.measures[index]!)),
  );
  const expectations = variant.expect.map((spec, index) => {
    const result = evaluateSweep(spec.expectation, measures[index]!, { allowEmpty: spec.allowEmpty });
    return expectationRecord(spec, result, file);
  });
  return {
    scenario: variant.scenario.name,
    file,
    variant: variant.name,
    seeds: bySeed.map(({ seed }) => seed),
    verdict: sweepVerdict(expectations, bySeed),
    expectations,
    values: variant.expect.map(({ expectation }, index) => ({
      metric: expectation.metric,
      unit: expectations[index]!.unit,
      values: measures[index]!.map(scalarOf),
    })),
    failedSeeds: bySeed
      .filter(({ verdict }) => verdict !== "passed")
      .map(({ seed, failure }) => ({
        seed,
        replay: replayCommand({ file, seed, clock, variant: variant.name }),
        ...(failure !== null && { failure }),
      })),
    environment: { wallMs, jobs },
  };
}

/**
 * One seed may miss a bound that holds on average, when the sweep says what has to hold over all; when it does not,
 * every seed counts. A seed that could not run spoils the sweep.
 */
function sweepVerdict(expectations: readonly ExpectationRecord[], results: readonly SweepResult[]): Verdict {
  const worst = worstVerdict(results.map(({ verdict }) => verdict));
  if (expectations.length === 0 || worst === "error" || worst === "interrupted") return worst;
  return verdictOfExpectations(expectations);
}

/** One value per seed for the distribution chart. */
function scalarOf(measure: ReturnType<typeof fromPortable>): number | boolean | string | null {
  switch (measure.kind) {
    case "none":
      return null;
    case "histogram":
      return measure.histogram.percentile(50) / 1000;
    case "share":
      return measure.total === 0 ? null : measure.count / measure.total;
    case "gauge":
      return measure.last;
    default:
      return measure.value;
  }
}
