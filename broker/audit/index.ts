export type { AccountAuditConfiguration } from "./audit-configuration.js";
export type { AuditFinding, FindingFilter } from "./audit-finding.js";
export { type AuditSchedule, nextAuditMs } from "./audit-schedule.js";
export type { AuditSuppression, SuppressionKey } from "./audit-suppressions.js";
export { type AuditTask, statisticsOf } from "./audit-task.js";
export { Audits, type AuditsOptions } from "./audits.js";
export { AUDIT_CHECKS } from "./checks.js";
export type { ScheduledAudit, ScheduledAuditRequest } from "./scheduled-audits.js";
export { hasPredictablePrimes, modulusOf } from "./weak-key.js";
