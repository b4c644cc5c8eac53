import { type JsonObject, type JsonValue, US_PER_S } from "fleetrig/kernel";
import type { Job, JobExecution } from "./job.js";
import { targetArn, thingArn } from "./targets.js";

/** Jobs and executions as the control plane shows them: botocore's names, times in epoch seconds. */

const seconds = (wallMs: number): number => wallMs / 1000;

/** JobProcessDetails. Things that the rollout has not reached are in no count: they have no execution yet. */
export function processDetails(job: Job, arnPrefix: string): JsonObject {
  const { counts } = job;
  return {
    ...(job.isRollingOut ? { processingTargets: targetArns(job, arnPrefix) } : {}),
    numberOfCanceledThings: counts.CANCELED,
    numberOfSucceededThings: counts.SUCCEEDED,
    numberOfFailedThings: counts.FAILED,
    numberOfRejectedThings: counts.REJECTED,
    numberOfQueuedThings: counts.QUEUED,
    numberOfInProgressThings: counts.IN_PROGRESS,
    numberOfRemovedThings: counts.REMOVED,
    numberOfTimedOutThings: counts.TIMED_OUT,
  };
}

/** JobSummary, as in ListJobs. */
export const jobSummary = (job: Job, arnPrefix: string): JsonObject => ({
  jobArn: `${arnPrefix}:job/${job.spec.jobId}`,
  jobId: job.spec.jobId,
  targetSelection: job.spec.targetSelection,
  status: job.status,
  createdAt: seconds(job.createdAtMs),
  lastUpdatedAt: seconds(job.lastUpdatedAtMs),
  ...defined({ completedAt: job.completedAtMs === undefined ? undefined : seconds(job.completedAtMs) }),
  isConcurrent: job.isRollingOut,
});

/** Job, as in DescribeJob. */
export function jobDescription(job: Job, arnPrefix: string): JsonObject {
  const { request } = job.spec;
  return {
    ...jobSummary(job, arnPrefix),
    targets: targetArns(job, arnPrefix),
    ...(job.forceCanceled ? { forceCanceled: true } : {}),
    jobProcessDetails: processDetails(job, arnPrefix),
    jobExecutionsRolloutConfig: rolloutConfig(job),
    ...defined({
      reasonCode: job.reasonCode,
      comment: job.comment,
      description: request.description,
      jobTemplateArn: request.origin?.jobTemplateArn,
      documentParameters: asJson(request.origin?.documentParameters),
      presignedUrlConfig: asJson(request.presignedUrlConfig),
      abortConfig: asJson(request.abortConfig),
      timeoutConfig: asJson(request.timeoutConfig),
      jobExecutionsRetryConfig: asJson(request.jobExecutionsRetryConfig),
      schedulingConfig: asJson(request.schedulingConfig),
    }),
  };
}

/** The configuration that applies, also when the request named none. */
export const rolloutConfig = (job: Job): JsonObject => ({
  maximumPerMinute: job.spec.rollout.maximumPerMinute,
  ...defined({ exponentialRate: asJson(job.spec.request.jobExecutionsRolloutConfig?.exponentialRate) }),
});

/** JobExecution of the control plane, as in DescribeJobExecution. */
export const controlExecution = (execution: JobExecution, arnPrefix: string, nowUs: number): JsonObject => ({
  jobId: execution.job.spec.jobId,
  thingArn: thingArn(execution.thing, arnPrefix),
  status: execution.status,
  ...(execution.forceCanceled ? { forceCanceled: true } : {}),
  statusDetails: { detailsMap: execution.statusDetails },
  ...executionTimes(execution),
  executionNumber: execution.executionNumber,
  versionNumber: execution.versionNumber,
  ...defined({
    approximateSecondsBeforeTimedOut:
      execution.timeout === undefined
        ? undefined
        : Math.max(0, Math.ceil((execution.timeout.dueUs - nowUs) / US_PER_S)),
  }),
});

/** JobExecutionSummary of the control plane, as in the two list calls. */
export const controlExecutionSummary = (execution: JobExecution): JsonObject => ({
  status: execution.status,
  ...executionTimes(execution),
  executionNumber: execution.executionNumber,
  retryAttempt: execution.member.earlier.length,
});

const executionTimes = (execution: JobExecution): JsonObject => ({
  queuedAt: seconds(execution.queuedAtMs),
  ...defined({
    startedAt: execution.startedAtMs === undefined ? undefined : seconds(execution.startedAtMs),
  }),
  lastUpdatedAt: seconds(execution.lastUpdatedAtMs),
});

const targetArns = (job: Job, arnPrefix: string): string[] =>
  job.spec.request.targets.map((target) => targetArn(target, arnPrefix));

/** Parts of a validated request are JSON; TypeScript cannot see that of an interface. */
const asJson = (value: object | undefined): JsonObject | undefined => value as JsonObject | undefined;

/** The members that have a value. */
function defined(values: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const present: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) present[name] = value;
  return present;
}
