import type { AbortDenominator } from "./abort.js";

/** Choices that AWS leaves open or that an account configures. */
export interface JobsSettings {
  /** What abort percentages are taken of (AWS's documents disagree). Default `executed`. */
  readonly abortDenominator: AbortDenominator;
  /** Publish `$aws/events/job/…`; off until enabled, as in an AWS account. */
  readonly jobEvents: boolean;
  /** Publish `$aws/events/jobExecution/…`; off until enabled. */
  readonly jobExecutionEvents: boolean;
  /** Jobs that may roll out or wait for their start at the same time. AWS: 500. */
  readonly maxConcurrentJobs: number;
  /** Requests of all devices together that only read. 0 means no limit, which is the default; AWS: 200. */
  readonly readsPerS: number;
  /** Requests of all devices together that change executions. 0 means no limit; AWS: 200. */
  readonly writesPerS: number;
  /** First four parts of ARNs, up to and including the account. */
  readonly arnPrefix: string;
}

/** The settings of a new AWS account. */
export const DEFAULT_JOBS_SETTINGS: JobsSettings = {
  abortDenominator: "executed",
  jobEvents: false,
  jobExecutionEvents: false,
  maxConcurrentJobs: 500,
  readsPerS: 0,
  writesPerS: 0,
  arnPrefix: "arn:aws:iot:us-east-1:000000000000",
};
