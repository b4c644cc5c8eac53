import { type FleetrigError, formatDurationUs, type HostReading, US_PER_MS } from "fleetrig/kernel";
import {
  convergenceRecords,
  evaluateExpectation,
  type ExpectationRecord,
  type ExpectationResult,
  type FaultRecord,
  formatSubject,
  type Labels,
  metricRecords,
  type Observation,
  recordUnit,
  recordValue,
  rolloutRecords,
  type RunRecord,
  seriesRecords,
  type StageRecord,
  stormRecords,
  type Trust,
  type TrustRecord,
} from "fleetrig/reports";
import type { ExpectationSpec, Scenario, Stage } from "../scenario.js";
import type { Abortion } from "./abort-watch.js";
import { afterEarlyEnd } from "./early-end.js";
import { failureRecord } from "./failure.js";
import type { PlannedFleet } from "./fleet-plan.js";
import type { LogWaitEnd } from "./log-waits.js";
import type { Disturbance, Measurement } from "./measurement.js";
import { verdictOf } from "./verdict.js";

/** What a run is called and how it can be repeated. */
export interface RunIdentity {
  /** Path as the user gave it, with forward slashes. */
  readonly file: string;
  readonly sha256: string;
  readonly seed: number;
  readonly clock: "virtual" | "real";
  /** `main`, or the name of a sweep's variant. */
  readonly variant: string;
  readonly replay: string;
  readonly gitSha: string | null;
}

/** How the run ended. */
export interface RunOutcome {
  readonly durationUs: number;
  readonly isInterrupted: boolean;
  readonly failure: FleetrigError | undefined;
  /** The expectation with `abortOnFail` that ended it. */
  readonly abortion: Abortion | undefined;
}

export interface RecordParts {
  readonly scenario: Scenario;
  readonly identity: RunIdentity;
  readonly outcome: RunOutcome;
  readonly planned: PlannedFleet;
  readonly measurement: Measurement;
  readonly fingerprint: string | undefined;
  readonly host: HostReading;
}

const MAX_NAMED_THINGS = 50;

/** Puts the record of one run together: judges the expectations and collects what the reports draw. */
export function assembleRecord(parts: RecordParts): RunRecord {
  const { scenario, identity, outcome, planned, measurement, host } = parts;
  const { observation } = measurement;
  const trust = measurement.trust(identity.clock);
  const judged = scenario.expect.map((spec) => ({
    spec,
    record: afterEarlyEnd(spec, judge(spec, { observation, trust, file: identity.file }), outcome),
  }));
  const isOfHost = ({ spec }: { spec: ExpectationSpec }): boolean =>
    HOST_METRICS.has(spec.expectation.metric);
  const ofHost = judged.filter(isOfHost).map(({ record }) => record);
  const expectations = [
    ...judged.filter((one) => !isOfHost(one)).map(({ record }) => record),
    ...timedOutStages(scenario, observation, identity.file),
    ...linesThatNeverCame(scenario, measurement.logWaits.all, identity.file),
  ];
  return {
    scenario: {
      name: scenario.name,
      description: scenario.description,
      file: identity.file,
      sha256: identity.sha256,
      tags: [...scenario.tags],
    },
    variant: identity.variant,
    seed: identity.seed,
    clock: identity.clock,
    devices: planned.things.length,
    verdict: verdictOf(outcome, [...expectations, ...ofHost]),
    failure: outcome.failure === undefined ? null : failureRecord(outcome.failure),
    durationMs: ms(outcome.durationUs),
    fingerprint: parts.fingerprint ?? null,
    replay: identity.replay,
    stages: stagesOf(observation, outcome.durationUs),
    expectations,
    trust: trustRecord({ trust, observation, planned, expectations }),
    metrics: metricRecords(observation.store, labelSets(observation, planned, scenario)).filter(
      ({ name }) => !HOST_METRICS.has(name),
    ),
    series: seriesRecords(observation),
    storms: stormRecords(observation, policyIn(scenario), outcome.durationUs),
    rollouts: rolloutRecords(observation, outcome.durationUs),
    convergence: convergenceRecords(observation),
    faults: measurement.disturbances.map(faultOf),
    ...boardsOf(observation),
    ...(measurement.cost !== undefined && { cost: measurement.cost }),
    environment: {
      ...host,
      expectations: ofHost,
      gitSha: identity.gitSha,
      timerResolutionMs: identity.clock === "real" ? 1 : null,
    },
  };
}

/** Left out where there is nothing to tell: most runs have no board. */
const boardsOf = ({ boards }: Observation): Pick<RunRecord, "boards" | "skippedActions"> => ({
  ...(boards.records.length > 0 && { boards: [...boards.records] }),
  ...(boards.skippedActions.length > 0 && { skippedActions: [...boards.skippedActions] }),
});

/** Metrics of the machine: what depends on them belongs to the environment, or two equal runs would differ. */
const HOST_METRICS = new Set(["process.rss", "event_loop.utilisation"]);

const policyIn =
  ({ fleet }: Scenario) =>
  (name: string): string =>
    fleet.find(({ group }) => group === name)?.reconnect.policy ?? "";

/** The whole run, and its parts by stage and by group. */
function labelSets({ stages }: Observation, { plan }: PlannedFleet, { controlPlane }: Scenario): Labels[] {
  const measured = stages.spans.filter(({ name, measured }) => measured && name !== "");
  const groups = plan.groups.length > 1 ? plan.groups.map(({ group }) => ({ group })) : [];
  const queries = Object.keys(controlPlane.index?.queries ?? {}).map((query) => ({ query }));
  return [{}, ...measured.map(({ name }) => ({ stage: name })), ...groups, ...queries];
}

const ms = (us: number): number => us / US_PER_MS;

export interface JudgeContext {
  readonly observation: Observation;
  readonly trust: Trust;
  readonly file: string;
}

/** Judges one expectation of the scenario on what was measured. */
export function judge(spec: ExpectationSpec, { observation, trust, file }: JudgeContext): ExpectationRecord {
  const { expectation, allowEmpty } = spec;
  return expectationRecord(
    spec,
    evaluateExpectation(expectation, observation.store, trust, { allowEmpty }),
    file,
  );
}

/** What an expectation of the file says in the record; times in ms, as everywhere in it. */
export const expectationRecord = (
  { name, text, severity, expectation, position }: ExpectationSpec,
  { uncertaintyUs, ...result }: ExpectationResult,
  file: string,
): ExpectationRecord => ({
  name,
  expr: text,
  severity,
  ...result,
  unit: recordUnit(result.unit),
  value: result.value === null ? null : recordValue(result.value, result.unit),
  ...(uncertaintyUs !== undefined && { uncertaintyMs: ms(uncertaintyUs) }),
  stage: expectation.labels.stage ?? null,
  file,
  line: position.line,
  column: position.column,
});

/** `until` is a promise of the scenario: a stage that ran into its timeout did not keep it. */
function timedOutStages(
  scenario: Scenario,
  { stages, store }: Observation,
  file: string,
): ExpectationRecord[] {
  return stages.spans
    .filter(({ timedOut }) => timedOut)
    .map(({ name }) => {
      const stage = scenario.stages.find((candidate) => candidate.name === name) as Stage & {
        until: NonNullable<Stage["until"]>;
      };
      const { condition } = stage.until;
      const timeout = `${formatSubject(condition)} did not get there before the stage's timeout.`;
      return {
        name: `stage ${name} reaches ${stage.until.text}`,
        expr: stage.until.text,
        severity: "fail",
        verdict: "fail",
        measured: `not within ${formatDurationUs(stage.durationUs)}`,
        limit: stage.until.text,
        value: false,
        unit: "boolean",
        samples: 1,
        reason: [timeout, store.absenceRemark(condition) ?? []].flat().join(" "),
        stage: name,
        file,
        line: stage.until.position.line,
        column: stage.until.position.column,
      } as const;
    });
}

/** A log line that an action waits for is a promise of the scenario, too. One failed expectation per action. */
function linesThatNeverCame(
  { stages }: Scenario,
  waits: readonly LogWaitEnd[],
  file: string,
): ExpectationRecord[] {
  const actions = stages.flatMap((stage) => stage.actions.map((action) => ({ stage, action })));
  return actions.flatMap(({ stage, action }) => {
    const failed = waits.filter(({ action: id, failure }) => id === action.id && failure !== undefined);
    const [first] = failed;
    if (first === undefined || action.verb !== "awaitLog") return [];
    const others = failed.length > 1 ? `, and ${failed.length - 1} other boards` : "";
    return {
      name: `log line /${action.pattern}/ comes`,
      expr: action.pattern,
      severity: "fail",
      verdict: "fail",
      measured: `${first.thing}: ${first.failure}${others}`,
      limit: `within ${formatDurationUs(action.withinUs)}`,
      value: false,
      unit: "boolean",
      samples: failed.length,
      reason: `The line had not come when the wait ended (${first.failure}).`,
      stage: stage.name,
      file,
      line: action.position.line,
      column: action.position.column,
    } as const;
  });
}

interface TrustParts {
  readonly trust: Trust;
  readonly observation: Observation;
  readonly planned: PlannedFleet;
  readonly expectations: readonly ExpectationRecord[];
}

function trustRecord({ trust, observation, planned, expectations }: TrustParts): TrustRecord {
  const lag = observation.store.query("generator.schedule_lag", {}, { name: "p", percentile: 99 });
  return {
    trusted: trust.doubts.length === 0,
    warnings: [...trust.doubts],
    scheduleLagP99Ms: lag.kind === "value" ? ms(Number(lag.value)) : null,
    samples: observation.ledger.cells.reduce((sum, cell) => sum + cell.received, 0),
    skippedGroups: [...planned.skipped],
    withoutData: expectations
      .filter(({ value, verdict }) => value === null && verdict !== "skipped")
      .map(({ expr }) => expr),
  };
}

function stagesOf({ stages }: Observation, durationUs: number): StageRecord[] {
  return stages.spans.slice(1).map(({ name, startUs, endUs, measured, timedOut }) => ({
    name,
    startMs: ms(startUs),
    endMs: ms(endUs ?? durationUs),
    measured,
    timedOut,
  }));
}

function faultOf(event: Disturbance): FaultRecord {
  return {
    atMs: ms(event.atUs),
    fault: event.type === "fault.injected" ? event.fault : event.verb,
    detail: describe(event),
    count: event.things.length,
    things: event.things.slice(0, MAX_NAMED_THINGS),
  };
}

/** `hold 30 s, mode ungraceful`: the detail of an action or fault in words. */
const describe = ({ detail }: Disturbance): string =>
  Object.entries(detail)
    .map(([name, value]) => {
      if (name.endsWith("Us") && typeof value === "number")
        return `${name.slice(0, -2)} ${formatDurationUs(value)}`;
      return `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`;
    })
    .join(", ");
