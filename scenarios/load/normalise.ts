import { invariant } from "fleetrig/kernel";
import { parseExpectation } from "fleetrig/reports";
import type { LinkProfile } from "fleetrig/sim";
import type { RuleDocument, ScenarioDocument, SweepDocument } from "../schema/document.js";
import type { ExpectationDocument } from "../schema/expectations.js";
import { bitsPerSecond, durationUs, fraction, ratePerSecond } from "../schema/quantities.js";
import { USUAL_FORMATS } from "../report-formats.js";
import type { BrokerSpec, ExpectationSpec, ReportSpec, RuleSpec, Scenario } from "../scenario.js";
import { normaliseBench, normaliseBridge } from "./normalise-bench.js";
import { normaliseControlPlane } from "./normalise-cloud.js";
import { normaliseDistribution } from "./normalise-distribution.js";
import { normaliseGroup } from "./normalise-fleet.js";
import { normaliseStage } from "./normalise-stages.js";
import type { SourceMap, SourcePath } from "./source-tree.js";

/** Most seeds of one sweep. */
export const MAX_SWEEP_SEEDS = 10_000;

/** Fills in defaults and turns quantities into numbers. The document has passed every check. */
export function normalise(document: ScenarioDocument, sourceMap: SourceMap): Scenario {
  return {
    version: 1,
    name: document.name,
    description: document.description ?? "",
    tags: document.tags ?? [],
    seed: document.seed ?? 1,
    clock: document.clock ?? "virtual",
    broker: normaliseBroker(document.broker),
    services: { shadows: false, jobs: false, rules: false, ...withoutUndefined(document.services ?? {}) },
    controlPlane: normaliseControlPlane(document),
    network: Object.fromEntries(
      Object.entries(document.network ?? {}).map(([name, profile]) => [
        name,
        {
          name,
          latency: normaliseDistribution(profile.latency ?? "0ms"),
          loss: fraction(profile.loss ?? "0%"),
          bitsPerSecond: profile.bandwidth === undefined ? 0 : bitsPerSecond(profile.bandwidth),
        } satisfies LinkProfile,
      ]),
    ),
    fleet: document.fleet.map(normaliseGroup),
    bench: normaliseBench(document.bench),
    bridges: (document.bridges ?? []).map(normaliseBridge),
    rules: (document.rules ?? []).map(normaliseRule),
    stages: document.stages.map((stage, index) => normaliseStage(stage, ["stages", index], sourceMap)),
    expect: normaliseExpectations(document.expect, ["expect"], sourceMap),
    sweep: undefined,
    report: normaliseReport(document.report, sourceMap),
  };
}

/** Seeds of a checked sweep. */
export function sweepSeeds(seeds: SweepDocument["seeds"]): readonly number[] {
  if (typeof seeds !== "string") return seeds;
  const [from, to] = seeds.split("..").map(Number) as [number, number];
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

export function normaliseExpectations(
  documents: readonly ExpectationDocument[] | undefined,
  path: SourcePath,
  sourceMap: SourceMap,
): ExpectationSpec[] {
  const scope = path[0] === "sweep" ? "sweep" : "run";
  return (documents ?? []).map((document, index) => {
    const at = [...path, index];
    const long = typeof document === "string" ? { expr: document } : document;
    const parsed = parseExpectation(long.expr, { scope });
    invariant(parsed.ok, "a checked expectation parses");
    return {
      text: long.expr,
      expectation: parsed.expectation,
      name: long.name ?? long.expr,
      severity: long.severity ?? "fail",
      abortOnFail: long.abortOnFail ?? false,
      delayAbortEvalUs: durationUs(long.delayAbortEval ?? "0s"),
      allowEmpty: long.allowEmpty ?? false,
      position: sourceMap.locate(typeof document === "string" ? at : [...at, "expr"]),
    };
  });
}

function normaliseBroker(document: ScenarioDocument["broker"]): BrokerSpec {
  const limits = document?.limits;
  return {
    mode: document?.mode ?? "embedded",
    url: document?.url,
    listen: document?.listen,
    profile: document?.profile ?? "aws",
    limits: {
      connectRatePerSecond: limits?.connectRate === undefined ? undefined : ratePerSecond(limits.connectRate),
      overload: limits?.overload ?? "refuse",
      maxQueuedPerSession: limits?.maxQueuedPerSession,
      maxInflight: limits?.maxInflight,
    },
  };
}

const normaliseRule = (document: RuleDocument): RuleSpec => ({
  name: document.name,
  sql: document.sql,
  description: document.description,
  awsIotSqlVersion: document.awsIotSqlVersion ?? "2016-03-23",
  ruleDisabled: document.ruleDisabled ?? false,
  actions: document.actions,
  errorAction: document.errorAction,
});

const normaliseReport = (document: ScenarioDocument["report"], sourceMap: SourceMap): ReportSpec => ({
  formats: document?.formats ?? USUAL_FORMATS,
  baseline:
    document?.baseline === undefined
      ? undefined
      : {
          file: document.baseline.file,
          tolerance: Object.fromEntries(
            Object.entries(document.baseline.tolerance ?? {}).map(([metric, text]) => [
              metric,
              fraction(text),
            ]),
          ),
          position: sourceMap.locate(["report", "baseline", "file"]),
        },
});

/** A block without the keys that were not written. */
const withoutUndefined = <Block extends object>(
  document: Block,
): { [Key in keyof Block]?: Exclude<Block[Key], undefined> } =>
  Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Block]?: Exclude<Block[Key], undefined>;
  };
