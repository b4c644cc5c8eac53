import { type ExecutionStatus, EXECUTION_STATUSES } from "fleetrig/kernel";
import type { RolloutRecord, SeriesRecord } from "../record/run-record.js";
import type { JobRecord } from "./job-record.js";
import type { Observation } from "./observation.js";
import { plannedCurve } from "./rollout-plan.js";
import { accumulate, countPerStep } from "./series-records.js";

/** One row per job: the rollout as planned and as it was, and what it did. */
export const rolloutRecords = ({ jobs }: Observation, nowUs: number): RolloutRecord[] =>
  jobs.jobs.map((job) => rolloutRecord(job, jobs.silentThings(job).length, nowUs));

function rolloutRecord(job: JobRecord, silent: number, nowUs: number): RolloutRecord {
  const { createdUs, targets, jobId } = job;
  const endUs = Math.max(nowUs, createdUs + 1_000_000);
  const { stepUs, counts } = countPerStep(job.notifiedUs, createdUs, endUs);
  const series = (
    name: string,
    points: readonly number[],
    labels: Record<string, string> = {},
  ): SeriesRecord => ({
    name,
    labels: { job: jobId, ...labels },
    unit: "things",
    startMs: createdUs / 1000,
    stepMs: stepUs / 1000,
    points: [...points],
  });
  const states = new Map<ExecutionStatus, readonly number[]>();
  for (const status of EXECUTION_STATUSES) {
    const curve = stateCurve(job, status, endUs);
    if (curve.some((count) => count > 0)) states.set(status, curve);
  }
  const succeeded = states.get("SUCCEEDED") ?? [];
  const planned = plannedCurve({ targets, rollout: job.rollout, stepUs, steps: counts.length, succeeded });
  return {
    jobId,
    targets,
    status: job.status,
    createdMs: createdUs / 1000,
    planned: series("job.planned", planned),
    notified: series("job.notified", accumulate(counts)),
    states: [...states].map(([status, curve]) => series("job.executions", curve, { status })),
    abort: abortRecord(job),
    totals: {
      notified: job.notified.size,
      executed: job.executed.size,
      silent,
      ...Object.fromEntries(EXECUTION_STATUSES.map((status) => [status, job.count(status)])),
    },
  };
}

/** Things in a status at the end of each step. */
function stateCurve(job: JobRecord, status: ExecutionStatus, endUs: number): number[] {
  const entered = job.changes.filter((change) => change.to === status).map((change) => change.atUs);
  const left = job.changes.filter((change) => change.from === status).map((change) => change.atUs);
  const after = accumulate(countPerStep(left, job.createdUs, endUs).counts);
  return accumulate(countPerStep(entered, job.createdUs, endUs).counts).map(
    (count, step) => count - after[step]!,
  );
}

function abortRecord({ abort, criteria }: JobRecord): RolloutRecord["abort"] {
  if (abort === undefined) return null;
  const { atUs, criterion, failed, executed } = abort;
  const threshold = criteria[criterion]?.threshold;
  const limit = threshold === undefined ? "" : `, limit ${threshold} %`;
  const text = `Criterion ${criterion}: ${failed} of ${executed} executed things failed${limit}.`;
  return { atMs: atUs / 1000, criterion, failed, executed, text };
}
