import type { JsonObject } from "fleetrig/kernel";
import type { AbortCriterion } from "./abort.js";
import type { MaintenanceWindow } from "./maintenance-window.js";
import type { RetryCriterion } from "./retry.js";

/** CreateJob as AWS names it; a real request can be pasted in. Ranges: REF §6.1, enforced by `validate.ts`. */
export interface CreateJobRequest {
  readonly jobId: string;
  /** Thing or thing-group ARNs; also plain thing names and `group:<name>`. */
  readonly targets: readonly string[];
  /** JSON text as in the API, or the object itself. */
  readonly document: string | JsonObject;
  readonly description?: string;
  readonly targetSelection?: TargetSelection;
  readonly jobExecutionsRolloutConfig?: RolloutConfig;
  readonly abortConfig?: AbortConfig;
  readonly timeoutConfig?: TimeoutConfig;
  readonly jobExecutionsRetryConfig?: RetryConfig;
  readonly schedulingConfig?: SchedulingConfig;
  /** How long the URLs hold that placeholders in the document are replaced by. */
  readonly presignedUrlConfig?: PresignedUrlConfig;
  readonly tags?: readonly { readonly Key: string; readonly Value: string }[];
  /** Where the document came from, when it was not given itself. */
  readonly origin?: DocumentOrigin;
}

/** How a job came by its document: shown by DescribeJob and GetJobDocument. */
interface DocumentOrigin {
  /** URL that it was read from. */
  readonly documentSource?: string;
  readonly jobTemplateArn?: string;
  /** Values that were filled into a managed template. */
  readonly documentParameters?: Readonly<Record<string, string>>;
  /** The document before they were. */
  readonly template?: string;
}

/** Whether the targets are fixed at creation or things that join their groups later are reached, too. */
export type TargetSelection = "SNAPSHOT" | "CONTINUOUS";

/** AWS: `jobExecutionsRolloutConfig`, in things per minute from 1 to 1,000. */
export interface RolloutConfig {
  readonly maximumPerMinute?: number;
  readonly exponentialRate?: {
    readonly baseRatePerMinute: number;
    readonly incrementFactor: number;
    readonly rateIncreaseCriteria: {
      readonly numberOfNotifiedThings?: number;
      readonly numberOfSucceededThings?: number;
    };
  };
}

/** AWS: `abortConfig`; any one criterion cancels the job. */
export interface AbortConfig {
  readonly criteriaList: readonly AbortCriterion[];
}

/** AWS: `timeoutConfig`, 1 to 10,080 minutes. */
export interface TimeoutConfig {
  readonly inProgressTimeoutInMinutes?: number;
}

/** AWS: `jobExecutionsRetryConfig`. */
export interface RetryConfig {
  readonly criteriaList: readonly RetryCriterion[];
}

/** What becomes of unfinished executions at the end time. */
export type EndBehavior = "STOP_ROLLOUT" | "CANCEL" | "FORCE_CANCEL";

/** AWS: `schedulingConfig`. */
export interface SchedulingConfig {
  /** UTC, `YYYY-MM-DD HH:mm` or ISO 8601 with `T` and `Z`. */
  readonly startTime?: string;
  readonly endTime?: string;
  readonly endBehavior?: EndBehavior;
  /** Only with CONTINUOUS. Outside of them nobody new is reached; retries do not wait. */
  readonly maintenanceWindows?: readonly MaintenanceWindow[];
}

/** AWS: `presignedUrlConfig`; the role is kept and shown. */
export interface PresignedUrlConfig {
  readonly roleArn?: string;
  readonly expiresInSec?: number;
}

/** What UpdateJob may change. Retries can only be switched off. */
export type UpdateJobRequest = Pick<
  CreateJobRequest,
  | "jobId"
  | "description"
  | "jobExecutionsRolloutConfig"
  | "abortConfig"
  | "timeoutConfig"
  | "jobExecutionsRetryConfig"
  | "presignedUrlConfig"
>;
