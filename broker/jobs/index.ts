export { type DocumentFetcher, DocumentSources } from "./document-sources.js";
export { type JobOrder, JobOrders, type JobTemplateOrder } from "./job-orders.js";
export { JobTemplates } from "./job-templates.js";
export { MANAGED_TEMPLATES, type ManagedTemplate } from "./managed-templates.js";
export type { DeviceRequest } from "./device-operations.js";
export type {
  AssociateTargetsRequest,
  CancelJobExecutionRequest,
  CancelJobRequest,
  DeleteJobExecutionRequest,
  DescribeJobExecutionRequest,
} from "./control-requests.js";
export {
  type JobProgress,
  JobsService,
  type JobsServiceOptions,
} from "./service.js";
export type {
  AbortConfig,
  CreateJobRequest,
  EndBehavior,
  PresignedUrlConfig,
  RetryConfig,
  RolloutConfig,
  SchedulingConfig,
  TargetSelection,
  TimeoutConfig,
  UpdateJobRequest,
} from "./job-request.js";
export type {
  ExecutionList,
  JobList,
  ListJobExecutionsForJobRequest,
  ListJobExecutionsForThingRequest,
  ListJobsRequest,
} from "./job-queries.js";
export type { AbortCriterion, AbortDenominator, AbortFailureType } from "./abort.js";
export type { MaintenanceWindow } from "./maintenance-window.js";
export type { RetryCriterion } from "./retry.js";
export { type ExponentialRate, type PlannedPoint, plannedRollout, type RolloutPlan } from "./rollout.js";
export { parseUtcTime } from "./schedule.js";
export { rolloutPlan } from "./job.js";
export { DEFAULT_JOBS_SETTINGS, type JobsSettings } from "./settings.js";
export { type JobTargets, type MembershipChange, targetName } from "./targets.js";
