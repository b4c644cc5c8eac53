export type {
  AuditedResource,
  FindingSeverity,
  ResourceIdentifier,
  ResourceType,
} from "./audit-check.js";
export type { AccountAuditConfiguration, CheckConfiguration } from "./audit-configuration.js";
export type { AuditFinding, FindingFilter } from "./audit-finding.js";
export type { AuditSchedule } from "./audit-schedule.js";
export type {
  AuditSuppression,
  CreateAuditSuppressionRequest,
  SuppressionKey,
} from "./audit-suppressions.js";
export {
  type AuditTask,
  type AuditTaskStatus,
  type AuditTaskType,
  type CheckDetails,
  type CheckRunStatus,
  statisticsOf,
} from "./audit-task.js";
export { Audits, type AuditsOptions } from "./audits.js";
export { AUDIT_CHECKS } from "./checks.js";
export type { LogLevel, V2LoggingOptions } from "./logging-options.js";
export type { ScheduledAudit, ScheduledAuditRequest } from "./scheduled-audits.js";
export { hasPredictablePrimes } from "./weak-key.js";
