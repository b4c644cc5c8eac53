import type { JobStatus, JsonObject } from "fleetrig/kernel";
import type { PageRequest } from "../registry/page.js";
import { cloudError } from "../cloud-error.js";
import type { TargetSelection } from "./job-request.js";
import type { JobStore } from "./job-store.js";
import { controlExecutionSummary, jobSummary } from "./job-view.js";
import type { Job } from "./job.js";
import { targetName, thingArn } from "./targets.js";

/** The list calls of the control plane. Pages are cut by position, in order of creation. */

/** AWS: ListJobs. */
export interface ListJobsRequest extends PageRequest {
  readonly status?: JobStatus;
  readonly targetSelection?: TargetSelection;
  /** Jobs that have this group as a target. */
  readonly thingGroupName?: string;
}

/** AWS: ListJobExecutionsForJob. */
export interface ListJobExecutionsForJobRequest extends PageRequest {
  readonly jobId: string;
  readonly status?: string;
}

/** AWS: ListJobExecutionsForThing. */
export interface ListJobExecutionsForThingRequest extends PageRequest {
  readonly thingName: string;
  readonly jobId?: string;
  readonly status?: string;
}

/** One page of job summaries; `nextToken` is absent on the last. */
export interface JobList {
  readonly jobs: readonly JsonObject[];
  readonly nextToken?: string;
}

/** One page of execution summaries; `nextToken` is absent on the last. */
export interface ExecutionList {
  readonly executionSummaries: readonly JsonObject[];
  readonly nextToken?: string;
}

const MAX_PAGE = 250;
const GROUP = "group:";

const matches = <T>(wanted: T | undefined, actual: T): boolean => wanted === undefined || wanted === actual;

export function listJobs(store: JobStore, request: ListJobsRequest, arnPrefix: string): JobList {
  const { status, targetSelection, thingGroupName } = request;
  const wanted = [...store.all()].filter(
    (job) =>
      matches(status, job.status) &&
      matches(targetSelection, job.spec.targetSelection) &&
      (thingGroupName === undefined || groupsOf(job).includes(thingGroupName)),
  );
  const { items, next } = page(wanted, request);
  return { jobs: items.map((job) => jobSummary(job, arnPrefix)), ...next };
}

/** Names of the groups that are targets of a job. */
export const groupsOf = (job: Job): readonly string[] =>
  job.spec.request.targets.flatMap((target) => {
    const name = targetName(target);
    return name.startsWith(GROUP) ? [name.slice(GROUP.length)] : [];
  });

/** Current executions of a job, in rollout order. */
export function listExecutionsForJob(
  store: JobStore,
  request: ListJobExecutionsForJobRequest,
  arnPrefix: string,
): ExecutionList {
  const executions = [...store.job(request.jobId).members.values()].flatMap(({ current }) =>
    current !== undefined && matches(request.status, current.status) ? [current] : [],
  );
  const { items, next } = page(executions, request);
  const executionSummaries = items.map((execution) => ({
    thingArn: thingArn(execution.thing, arnPrefix),
    jobExecutionSummary: controlExecutionSummary(execution),
  }));
  return { executionSummaries, ...next };
}

/** Current executions of a thing, oldest job first. */
export function listExecutionsForThing(
  store: JobStore,
  request: ListJobExecutionsForThingRequest,
): ExecutionList {
  const executions = store
    .membersOf(request.thingName)
    .flatMap(({ current, job }) =>
      current !== undefined &&
      matches<string>(request.status, current.status) &&
      matches(request.jobId, job.spec.jobId)
        ? [current]
        : [],
    );
  const { items, next } = page(executions, request);
  const executionSummaries = items.map((execution) => ({
    jobId: execution.job.spec.jobId,
    jobExecutionSummary: controlExecutionSummary(execution),
  }));
  return { executionSummaries, ...next };
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: { readonly nextToken?: string };
}

function page<T>(all: readonly T[], { maxResults = MAX_PAGE, nextToken = "0" }: PageRequest): Page<T> {
  if (!Number.isInteger(maxResults) || maxResults < 1 || maxResults > MAX_PAGE)
    throw cloudError("InvalidRequestException", `maxResults must be an integer from 1 to ${MAX_PAGE}.`);
  if (!/^\d{1,9}$/.test(nextToken))
    throw cloudError("InvalidRequestException", "nextToken is not from a page of this list.");
  const start = Number(nextToken);
  const end = start + maxResults;
  return {
    items: all.slice(start, end),
    next: end < all.length ? { nextToken: String(end) } : {},
  };
}
