import { FleetrigError, HostProbe } from "fleetrig/kernel";
import type { FailureRecord, RunRecord } from "fleetrig/reports";
import type { Scenario } from "../scenario.js";
import type { RunIdentity } from "./assemble-record.js";

/** Whatever was thrown, as an error with a code. */
export const asFailure = (error: unknown): FleetrigError =>
  error instanceof FleetrigError
    ? error
    : new FleetrigError(
        "RUN_CRASHED",
        `The run crashed: ${error instanceof Error ? error.message : String(error)}.`,
        {
          hint: "If the scenario uses a model of yours, look there first; otherwise please report it with the replay command.",
          cause: error,
        },
      );

/** What a report says about a failure. */
export const failureRecord = ({ code, sentence, hint, exitCode }: FleetrigError): FailureRecord => ({
  code,
  message: sentence,
  hint: hint ?? null,
  exitCode,
});

export interface FailedRun {
  readonly scenario: Scenario;
  readonly identity: RunIdentity;
  readonly failure: FleetrigError;
}

/** The record of a run that could not begin: its model does not load, its port is taken. */
export function failedRecord({ scenario, identity, failure }: FailedRun): RunRecord {
  const { name, description, tags, fleet, expect } = scenario;
  return {
    scenario: { name, description, file: identity.file, sha256: identity.sha256, tags: [...tags] },
    variant: identity.variant,
    seed: identity.seed,
    clock: identity.clock,
    devices: fleet.reduce((sum, group) => sum + group.count, 0),
    verdict: "error",
    failure: failureRecord(failure),
    durationMs: 0,
    fingerprint: null,
    replay: identity.replay,
    stages: [],
    expectations: [],
    trust: {
      trusted: false,
      warnings: [],
      scheduleLagP99Ms: null,
      samples: 0,
      skippedGroups: [],
      withoutData: expect.map(({ text }) => text),
    },
    metrics: [],
    series: [],
    storms: [],
    rollouts: [],
    convergence: [],
    faults: [],
    environment: {
      ...new HostProbe().stop(),
      expectations: [],
      gitSha: identity.gitSha,
      timerResolutionMs: null,
    },
  };
}
