import type { JsonObject } from "fleetrig/kernel";
import type { JobExecution } from "./job.js";

/** Executions as the device API and notifications show them (REF §6.5). Times are epoch seconds. */

export const epochSeconds = (wallMs: number): number => Math.floor(wallMs / 1000);

/** JobExecutionSummary. */
export const executionSummary = (execution: JobExecution): JsonObject => ({
  jobId: execution.job.spec.jobId,
  queuedAt: epochSeconds(execution.queuedAtMs),
  ...startedAt(execution),
  lastUpdatedAt: epochSeconds(execution.lastUpdatedAtMs),
  versionNumber: execution.versionNumber,
  executionNumber: execution.executionNumber,
});

/** JobExecution; the document is an object, as over MQTT, and left out when it is undefined. */
export const executionDescription = (
  execution: JobExecution,
  jobDocument: JsonObject | undefined,
): JsonObject => ({
  jobId: execution.job.spec.jobId,
  thingName: execution.thing,
  status: execution.status,
  statusDetails: execution.statusDetails,
  queuedAt: epochSeconds(execution.queuedAtMs),
  ...startedAt(execution),
  lastUpdatedAt: epochSeconds(execution.lastUpdatedAtMs),
  versionNumber: execution.versionNumber,
  executionNumber: execution.executionNumber,
  ...(jobDocument === undefined ? {} : { jobDocument }),
});

/** JobExecutionState, for accepted updates on request and for refused ones. */
export const executionState = (execution: JobExecution): JsonObject => ({
  status: execution.status,
  statusDetails: execution.statusDetails,
  versionNumber: execution.versionNumber,
});

const startedAt = (execution: JobExecution): JsonObject =>
  execution.startedAtMs === undefined ? {} : { startedAt: epochSeconds(execution.startedAtMs) };
