/** What operators ask of jobs that exist. */

/** AWS: AssociateTargetsWithJob. */
export interface AssociateTargetsRequest {
  readonly jobId: string;
  /** As in CreateJob. */
  readonly targets: readonly string[];
  readonly comment?: string;
}

/** AWS: CancelJob. */
export interface CancelJobRequest {
  readonly jobId: string;
  readonly reasonCode?: string;
  readonly comment?: string;
  /** Cancels executions in progress too. */
  readonly force?: boolean;
}

/** AWS: CancelJobExecution. */
export interface CancelJobExecutionRequest {
  readonly jobId: string;
  readonly thingName: string;
  readonly force?: boolean;
  readonly expectedVersion?: number;
  readonly statusDetails?: Readonly<Record<string, string>>;
}

/** AWS: DeleteJobExecution. */
export interface DeleteJobExecutionRequest {
  readonly jobId: string;
  readonly thingName: string;
  readonly executionNumber: number;
  /** Deletes an execution in progress too; its device finds out by a refusal. */
  readonly force?: boolean;
}

/** AWS: DescribeJobExecution. */
export interface DescribeJobExecutionRequest {
  readonly jobId: string;
  readonly thingName: string;
  /** Default: the current execution. */
  readonly executionNumber?: number;
}
