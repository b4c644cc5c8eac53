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

export type TargetSelection = "SNAPSHOT" | "CONTINUOUS";

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

export interface AbortConfig {
  readonly criteriaList: readonly AbortCriterion[];
}

export interface TimeoutConfig {
  readonly inProgressTimeoutInMinutes?: number;
}

export interface RetryConfig {
  readonly criteriaList: readonly RetryCriterion[];
}

export type EndBehavior = "STOP_ROLLOUT" | "CANCEL" | "FORCE_CANCEL";

export interface SchedulingConfig {
  /** UTC, `YYYY-MM-DD HH:mm` or ISO 8601 with `T` and `Z`. */
  readonly startTime?: string;
  readonly endTime?: string;
  readonly endBehavior?: EndBehavior;
  /** Only with CONTINUOUS. Outside of them nobody new is reached; retries do not wait. */
  readonly maintenanceWindows?: readonly MaintenanceWindow[];
}

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
