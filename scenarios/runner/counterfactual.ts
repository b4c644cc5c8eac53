import type { Observation } from "fleetrig/reports";
import type { Scenario } from "../scenario.js";

/** Failed executions per job of the run that might have been: same seed, no abort. */
export type Counterfactual = ReadonlyMap<string, number>;

const METRIC = "job.prevented";

/** Does anybody ask what an abort prevented? Only then is it worth a second run. */
export const needsCounterfactual = ({ expect }: Scenario): boolean =>
  expect.some(({ expectation }) => expectation.metric === METRIC);

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
