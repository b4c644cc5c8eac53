import { type Clock, FleetrigError, type Random } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { uuidV4 } from "../uuid.js";
import { type Inspected, MS_PER_DAY } from "./audit-check.js";
import { type AuditConfigurations, invalid } from "./audit-configuration.js";
import type { AuditFacts } from "./audit-facts.js";
import type { AuditFindings } from "./audit-finding.js";
import type { AuditSuppressions } from "./audit-suppressions.js";
import { AUDIT_CHECKS } from "./checks.js";
import { plainCodec } from "./plain-codec.js";

/** AWS: states of an audit. */
type AuditTaskStatus = "IN_PROGRESS" | "COMPLETED" | "FAILED" | "CANCELED";

/** AWS: who started an audit. */
type AuditTaskType = "ON_DEMAND_AUDIT_TASK" | "SCHEDULED_AUDIT_TASK";

/** AWS: states of a check in an audit. */
type CheckRunStatus =
  | "IN_PROGRESS"
  | "WAITING_FOR_DATA_COLLECTION"
  | "CANCELED"
  | "COMPLETED_COMPLIANT"
  | "COMPLETED_NON_COMPLIANT"
  | "FAILED";

/** AWS: what came of a check. */
interface CheckDetails {
  checkRunStatus: CheckRunStatus;
  checkCompliant?: boolean;
  totalResourcesCount: number;
  nonCompliantResourcesCount: number;
  suppressedNonCompliantResourcesCount: number;
  errorCode?: string;
  message?: string;
}

/** An audit; times are wall-clock milliseconds. */
export interface AuditTask {
  readonly taskId: string;
  readonly taskType: AuditTaskType;
  readonly scheduledAuditName?: string;
  readonly taskStartTimeMs: number;
  /** Checks of what has happened look back to here. */
  readonly sinceMs: number;
  taskStatus: AuditTaskStatus;
  readonly auditDetails: Record<string, CheckDetails>;
  /** Of starting. */
  readonly order: number;
}

export interface AuditTasksOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly records: RecordBook;
  readonly facts: AuditFacts;
  readonly configurations: AuditConfigurations;
  readonly suppressions: AuditSuppressions;
  readonly findings: AuditFindings;
  /** Called when an audit is over, canceled or not. */
  readonly ended: (task: AuditTask) => void;
}

/** What an audit is started with. */
export interface StartAudit {
  readonly taskType: AuditTaskType;
  readonly checkNames: readonly string[];
  readonly sinceMs: number;
  readonly scheduledAuditName?: string;
}

/** AWS: audits and their findings can be asked about for this long. */
const RETENTION_MS = 90 * MS_PER_DAY;
const MAX_IN_PROGRESS = 10;
/** Resources of one turn of the clock, so that an audit of many holds nobody else up. */
const BATCH = 250;
const TURN_US = 1_000;

/** Audits that run, and those that have: each check goes through its resources, a part per turn of the clock. */
export class AuditTasks {
  private readonly table: RecordTable<AuditTask>;
  private nextOrder = 0;
  private isStopped = false;

  constructor(private readonly options: AuditTasksOptions) {
    this.table = options.records.table("audit-task", plainCodec<AuditTask>());
    options.records.whenRestored(() => this.restored());
  }

  start({ checkNames, ...rest }: StartAudit): AuditTask {
    const { clock, random } = this.options;
    const running = Array.from(this.table.values()).filter(({ taskStatus }) => taskStatus === "IN_PROGRESS");
    if (rest.taskType === "ON_DEMAND_AUDIT_TASK" && running.length >= MAX_IN_PROGRESS) {
      throw cloudError("LimitExceededException", `${running.length} audits are in progress.`, {
        hint: "Wait for one of them, or cancel it.",
      });
    }
    this.forgetOld();
    const names = Array.from(new Set(checkNames));
    const task: AuditTask = {
      ...rest,
      taskId: uuidV4(random),
      taskStartTimeMs: clock.wallMs(),
      taskStatus: "IN_PROGRESS",
      auditDetails: Object.fromEntries(names.map((name) => [name, newDetails()])),
      order: this.nextOrder,
    };
    this.nextOrder += 1;
    this.table.set(task.taskId, task);
    this.run(task, names);
    return task;
  }

  get(taskId: string): AuditTask {
    const task = this.table.get(taskId);
    if (task !== undefined) return task;
    throw cloudError("ResourceNotFoundException", `There is no audit ${taskId}.`, {
      hint: "ListAuditTasks has the ids; audits are kept for 90 days.",
    });
  }

  /** The most recent first. */
  list(filter: {
    readonly startTimeMs: number;
    readonly endTimeMs: number;
    readonly taskType?: string;
    readonly taskStatus?: string;
  }): readonly AuditTask[] {
    const { startTimeMs, endTimeMs, taskType, taskStatus } = filter;
    if (startTimeMs > endTimeMs) throw invalid("startTime is after endTime.", "Turn them around.");
    if (startTimeMs < this.options.clock.wallMs() - RETENTION_MS - MS_PER_DAY)
      throw invalid("startTime is too long ago.", "Audits are kept for 90 days.");
    return Array.from(this.table.values())
      .filter(
        (task) =>
          task.taskStartTimeMs >= startTimeMs &&
          task.taskStartTimeMs <= endTimeMs &&
          (taskType === undefined || task.taskType === taskType) &&
          (taskStatus === undefined || task.taskStatus === taskStatus),
      )
      .reverse();
  }

  cancel(taskId: string): void {
    const task = this.get(taskId);
    if (task.taskStatus !== "IN_PROGRESS")
      throw invalid(`The audit ${taskId} is ${task.taskStatus}.`, "Only audits in progress can be canceled.");
    this.end(task, "CANCELED");
  }

  stop(): void {
    this.isStopped = true;
  }

  private run(task: AuditTask, names: readonly string[]): void {
    let waiting = names;
    let work: Iterator<Inspected> | undefined;
    const timer = this.options.clock.after(TURN_US, () => {
      const [name] = waiting;
      if (this.isStopped || task.taskStatus !== "IN_PROGRESS") return;
      if (name === undefined) return this.end(task, "COMPLETED");
      work ??= this.inspections(task, name);
      if (this.advance(task, name, work)) {
        waiting = waiting.slice(1);
        work = undefined;
        this.table.changed(task.taskId);
      }
      timer.again(TURN_US);
    });
  }

  private inspections({ sinceMs }: AuditTask, name: string): Iterator<Inspected> {
    const { clock, configurations, facts } = this.options;
    const scope = { facts, sinceMs, nowMs: clock.wallMs(), configuration: configurations.settingsOf(name) };
    return (AUDIT_CHECKS.get(name)!.inspect?.(scope) ?? [])[Symbol.iterator]();
  }

  /** @returns true when the check is over. */
  private advance(task: AuditTask, name: string, work: Iterator<Inspected>): boolean {
    const details = task.auditDetails[name]!;
    try {
      for (let count = 0; count < BATCH; count += 1) {
        const { done, value } = work.next();
        if (done === true) {
          conclude(details);
          return true;
        }
        this.note(task, name, value);
      }
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      Object.assign(details, { checkRunStatus: "FAILED", message: error.sentence });
      return true;
    }
    return false;
  }

  private note(task: AuditTask, checkName: string, { resource, reasons }: Inspected): void {
    const { clock, findings, random, suppressions } = this.options;
    const details = task.auditDetails[checkName]!;
    details.totalResourcesCount += 1;
    if (reasons.length === 0) return;
    const { resourceIdentifier } = resource;
    const isSuppressed = suppressions.isSuppressed({ checkName, resourceIdentifier });
    details.nonCompliantResourcesCount += 1;
    if (isSuppressed) details.suppressedNonCompliantResourcesCount += 1;
    for (const { reason, reasonCode, related = [], additionalInfo } of reasons) {
      findings.add({
        findingId: uuidV4(random),
        taskId: task.taskId,
        checkName,
        taskStartTimeMs: task.taskStartTimeMs,
        findingTimeMs: clock.wallMs(),
        severity: AUDIT_CHECKS.get(checkName)!.severity,
        nonCompliantResource: {
          ...resource,
          additionalInfo: { ...resource.additionalInfo, ...additionalInfo },
        },
        relatedResources: related,
        reasonForNonCompliance: reason,
        reasonForNonComplianceCode: reasonCode,
        isSuppressed,
      });
    }
  }

  private end(task: AuditTask, status: AuditTaskStatus): void {
    task.taskStatus = status;
    for (const details of Object.values(task.auditDetails)) {
      if (details.checkRunStatus === "IN_PROGRESS")
        details.checkRunStatus = status === "CANCELED" ? "CANCELED" : "FAILED";
    }
    this.table.changed(task.taskId);
    this.options.ended(task);
  }

  private forgetOld(): void {
    const beforeMs = this.options.clock.wallMs() - RETENTION_MS;
    this.options.findings.forgetBefore(beforeMs);
    for (const { taskId, taskStartTimeMs } of this.table.values())
      if (taskStartTimeMs < beforeMs) this.table.delete(taskId);
  }

  /** An audit that the end of the process has interrupted has failed. */
  private restored(): void {
    this.table.sort((a, b) => a.order - b.order);
    for (const task of this.table.values()) {
      this.nextOrder = task.order + 1;
      if (task.taskStatus === "IN_PROGRESS") this.end(task, "FAILED");
    }
  }
}

const newDetails = (): CheckDetails => ({
  checkRunStatus: "IN_PROGRESS",
  totalResourcesCount: 0,
  nonCompliantResourcesCount: 0,
  suppressedNonCompliantResourcesCount: 0,
});

/** Resources whose findings are suppressed do not make a check fail. */
function conclude(details: CheckDetails): void {
  const { nonCompliantResourcesCount, suppressedNonCompliantResourcesCount } = details;
  details.checkCompliant = nonCompliantResourcesCount === suppressedNonCompliantResourcesCount;
  details.checkRunStatus = details.checkCompliant ? "COMPLETED_COMPLIANT" : "COMPLETED_NON_COMPLIANT";
}

/** AWS: TaskStatistics. */
export function statisticsOf({ auditDetails }: AuditTask): Readonly<Record<string, number>> {
  const states = Object.values(auditDetails).map(({ checkRunStatus }) => checkRunStatus);
  const count = (status: CheckRunStatus): number => states.filter((each) => each === status).length;
  return {
    totalChecks: states.length,
    inProgressChecks: count("IN_PROGRESS"),
    waitingForDataCollectionChecks: count("WAITING_FOR_DATA_COLLECTION"),
    compliantChecks: count("COMPLETED_COMPLIANT"),
    nonCompliantChecks: count("COMPLETED_NON_COMPLIANT"),
    failedChecks: count("FAILED"),
    canceledChecks: count("CANCELED"),
  };
}
