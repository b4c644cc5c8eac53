export type { DeviceAnswer, DeviceRequest } from "./device-operations.js";
export {
  type CancelJobExecutionRequest,
  type CancelJobRequest,
  type DeleteJobExecutionRequest,
  type DescribeJobExecutionRequest,
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
export { rolloutPlan } from "./job.js";
export { DEFAULT_JOBS_SETTINGS, type JobsSettings } from "./settings.js";
export { type JobTargets, type MembershipChange, targetName } from "./targets.js";
