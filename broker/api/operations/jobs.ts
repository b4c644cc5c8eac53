import type {
  AssociateTargetsRequest,
  CancelJobExecutionRequest,
  CancelJobRequest,
  DeleteJobExecutionRequest,
  DescribeJobExecutionRequest,
  JobOrder,
  ListJobExecutionsForJobRequest,
  ListJobExecutionsForThingRequest,
  ListJobsRequest,
  UpdateJobRequest,
} from "../../jobs/index.js";
import type { Cloud } from "../../cloud.js";
import { operation, type OperationTable } from "../operation.js";

/** The group of this id, if it is the target of a job. */
function groupOfId(thingGroupId: string, { jobs, registry }: Cloud): string | undefined {
  return Array.from(jobs.targetGroups()).find(
    (name) =>
      registry.isKnown(`group:${name}`) && registry.describeThingGroup(name).thingGroupId === thingGroupId,
  );
}

interface JobInput {
  readonly jobId: string;
}

/** Jobs as operators see them (REF §6.1 to §6.4). */
export const jobOperations: OperationTable = {
  AssociateTargetsWithJob: operation<AssociateTargetsRequest>(
    (input, { cloud, account }) => cloud.jobs.associateTargets(input, account),
    { lacks: "namespaceId is not supported." },
  ),
  CreateJob: operation<JobOrder>(
    async (input, { cloud, account }) => {
      const { tags, ...order } = input;
      cloud.tags.assertNew(tags);
      const answer = cloud.jobs.createJob(await cloud.management.jobOrders.job(order), account);
      cloud.tags.tagNew("job", input.jobId, tags);
      return answer;
    },
    { lacks: "namespaceId and destinationPackageVersions are not supported." },
  ),
  CancelJob: operation<CancelJobRequest>((input, { cloud, account }) => cloud.jobs.cancelJob(input, account)),
  CancelJobExecution: operation<CancelJobExecutionRequest>((input, { cloud }) => {
    cloud.jobs.cancelJobExecution(input);
    return undefined;
  }),
  DeleteJob: operation<JobInput & { readonly force?: boolean }>(({ jobId, force = false }, { cloud }) => {
    cloud.jobs.deleteJob({ jobId, force });
    cloud.tags.forget("job", jobId);
    return undefined;
  }),
  DeleteJobExecution: operation<DeleteJobExecutionRequest>((input, { cloud }) => {
    cloud.jobs.deleteJobExecution(input);
    return undefined;
  }),
  DescribeJob: operation<JobInput>((input, { cloud, account }) => cloud.jobs.describeJob(input, account)),
  DescribeJobExecution: operation<DescribeJobExecutionRequest>((input, { cloud, account }) =>
    cloud.jobs.describeJobExecution(input, account),
  ),
  GetJobDocument: operation<JobInput & { readonly beforeSubstitution?: boolean }>((input, { cloud }) =>
    cloud.jobs.getJobDocument(input),
  ),
  ListJobs: operation<ListJobsRequest & { readonly thingGroupId?: string }>(
    ({ thingGroupId, ...request }, { cloud, account }) => {
      if (thingGroupId === undefined) return { ...cloud.jobs.listJobs(request, account) };
      const thingGroupName = groupOfId(thingGroupId, cloud);
      if (thingGroupName === undefined) return { jobs: [] };
      return { ...cloud.jobs.listJobs({ ...request, thingGroupName }, account) };
    },
    { lacks: "namespaceId is not supported." },
  ),
  ListJobExecutionsForJob: operation<ListJobExecutionsForJobRequest>((input, { cloud, account }) => ({
    ...cloud.jobs.listJobExecutionsForJob(input, account),
  })),
  ListJobExecutionsForThing: operation<ListJobExecutionsForThingRequest>((input, { cloud }) => ({
    ...cloud.jobs.listJobExecutionsForThing(input),
  })),
  UpdateJob: operation<UpdateJobRequest>((input, { cloud }) => {
    cloud.jobs.updateJob(input);
    return undefined;
  }),
};
