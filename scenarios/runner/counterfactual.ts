import type { Observation } from "fleetrig/reports";
import type { ExpectationSpec, Scenario } from "../scenario.js";

/** Failed executions per job of the run that might have been: same seed, no abort. */
export type Counterfactual = ReadonlyMap<string, number>;

const METRIC = "job.prevented";

/** Does anybody ask what an abort prevented? Only then is it worth a second run. */
export const needsCounterfactual = (expect: readonly ExpectationSpec[]): boolean =>
  expect.some(({ expectation }) => expectation.metric === METRIC);

/**
 * The scenario as one run of a sweep: without its own expectations on what an abort prevented, unless the sweep
 * asks for that too. A second run per seed is too much otherwise.
 */
export const inSweep = (scenario: Scenario, sweepExpect: readonly ExpectationSpec[]): Scenario =>
  needsCounterfactual(sweepExpect)
    ? scenario
    : { ...scenario, expect: scenario.expect.filter(({ expectation }) => expectation.metric !== METRIC) };

/** The same scenario with nothing that aborts a job, and nothing to judge. */
export const withoutAborts = (scenario: Scenario): Scenario => ({
  ...scenario,
  expect: [],
  stages: scenario.stages.map((stage) => ({
    ...stage,
    actions: stage.actions.map((action) => {
      if (action.verb !== "createJob") return action;
      const { abortConfig: _, ...request } = action.request;
      return { ...action, request };
    }),
  })),
});

export const failuresByJob = ({ jobs }: Observation): Counterfactual =>
  new Map(jobs.jobs.map((job) => [job.jobId, job.failed]));

/** Failures that did not happen because each job was aborted: `job.prevented`. */
export function samplePrevented(observation: Observation, counterfactual: Counterfactual): void {
  for (const job of observation.jobs.jobs) {
    const failed = counterfactual.get(job.jobId);
    if (failed !== undefined) observation.sample(METRIC, failed - job.failed, { job: job.jobId });
  }
}
