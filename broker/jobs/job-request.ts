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
  /** Kept and shown; placeholders in documents are left alone. */
  readonly presignedUrlConfig?: PresignedUrlConfig;
  readonly tags?: readonly { readonly Key: string; readonly Value: string }[];
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

/** AWS: `presignedUrlConfig`; kept and shown, never acted on. */
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
