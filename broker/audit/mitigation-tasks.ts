import type { Clock } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { assertCheck, invalid } from "./audit-configuration.js";
import type { AuditFinding, AuditFindings } from "./audit-finding.js";
import { type MitigationAction, type MitigationActions, typeOf } from "./mitigation-actions.js";
import { fits, type MitigationServices, mitigate } from "./mitigation-effects.js";
import { plainCodec } from "./plain-codec.js";

/** AWS: which findings a task is about. */
export interface MitigationTarget {
  readonly auditTaskId?: string;
  readonly findingIds?: readonly string[];
  /** Only these reasons of these checks. */
  readonly auditCheckToReasonCodeFilter?: Readonly<Record<string, readonly string[]>>;
}

/** AWS: StartAuditMitigationActionsTask. */
export interface StartMitigationRequest {
  readonly taskId: string;
  readonly target: MitigationTarget;
  /** Names of actions by check. */
  readonly auditCheckToActionsMapping: Readonly<Record<string, readonly string[]>>;
  readonly clientRequestToken: string;
}

/** AWS: one action on one finding; times are wall-clock milliseconds. */
export interface MitigationExecution {
  readonly findingId: string;
  readonly checkName: string;
  readonly actionName: string;
  readonly actionId: string;
  status: "PENDING" | "COMPLETED" | "FAILED" | "SKIPPED" | "CANCELED";
  startTimeMs?: number;
  endTimeMs?: number;
  errorCode?: string;
  message?: string;
}

/** AWS: actions that are applied to findings. */
export interface MitigationTask extends StartMitigationRequest {
  readonly startTimeMs: number;
  endTimeMs?: number;
  taskStatus: "IN_PROGRESS" | "COMPLETED" | "FAILED" | "CANCELED";
  /** As they were when the task began. */
  readonly actionsDefinition: readonly MitigationAction[];
  readonly executions: readonly MitigationExecution[];
}

export interface MitigationTasksOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  readonly findings: AuditFindings;
  readonly actions: MitigationActions;
  readonly services: MitigationServices;
}

const FORGOTTEN = { status: "SKIPPED", message: "The finding is kept no longer." } as const;
const BATCH = 50;
const TURN_US = 1_000;

/** Tasks that apply actions to findings, a few per turn of the clock. */
export class MitigationTasks {
  private readonly table: RecordTable<MitigationTask>;
  private isStopped = false;

  constructor(private readonly options: MitigationTasksOptions) {
    this.table = options.records.table("mitigation-task", plainCodec<MitigationTask>());
    options.records.whenRestored(() => {
      for (const task of this.table.values()) if (task.taskStatus === "IN_PROGRESS") this.run(task);
    });
  }

  start(request: StartMitigationRequest): MitigationTask {
    const { actions, clock } = this.options;
    const isKnown = Array.from(this.table.values()).some(
      ({ taskId, clientRequestToken }) =>
        taskId === request.taskId || clientRequestToken === request.clientRequestToken,
    );
    if (isKnown) {
      throw cloudError(
        "TaskAlreadyExistsException",
        `The task ${request.taskId} or its token exists already.`,
        {
          hint: "Choose another taskId and another clientRequestToken.",
        },
      );
    }
    const mapping = this.mappingOf(request);
    const findings = this.findingsOf(request.target);
    const task: MitigationTask = {
      ...request,
      startTimeMs: clock.wallMs(),
      taskStatus: "IN_PROGRESS",
      actionsDefinition: Array.from(new Set(Array.from(mapping.values()).flat()), (name) =>
        actions.get(name),
      ),
      executions: findings.flatMap(({ checkName, findingId }) =>
        (mapping.get(checkName) ?? []).map((actionName) => ({
          findingId,
          checkName,
          actionName,
          actionId: actions.get(actionName).actionId,
          status: "PENDING" as const,
        })),
      ),
    };
    this.table.set(task.taskId, task);
    this.run(task);
    return task;
  }

  get(taskId: string): MitigationTask {
    const task = this.table.get(taskId);
    if (task !== undefined) return task;
    throw cloudError("ResourceNotFoundException", `There is no mitigation task ${taskId}.`, {
      hint: "ListAuditMitigationActionsTasks has the ids.",
    });
  }

  /** The most recent first. */
  list(filter: {
    readonly startTimeMs: number;
    readonly endTimeMs: number;
    readonly auditTaskId?: string;
    readonly findingId?: string;
    readonly taskStatus?: string;
  }): readonly MitigationTask[] {
    const { startTimeMs, endTimeMs, auditTaskId, findingId, taskStatus } = filter;
    return Array.from(this.table.values())
      .filter(
        (task) =>
          task.startTimeMs >= startTimeMs &&
          task.startTimeMs <= endTimeMs &&
          (auditTaskId === undefined || task.target.auditTaskId === auditTaskId) &&
          (taskStatus === undefined || task.taskStatus === taskStatus) &&
          (findingId === undefined || task.executions.some((each) => each.findingId === findingId)),
      )
      .sort((a, b) => b.startTimeMs - a.startTimeMs || (a.taskId < b.taskId ? -1 : 1));
  }

  cancel(taskId: string): void {
    const task = this.get(taskId);
    if (task.taskStatus !== "IN_PROGRESS")
      throw invalid(`The task ${taskId} is ${task.taskStatus}.`, "Only tasks in progress can be canceled.");
    for (const execution of task.executions)
      if (execution.status === "PENDING") execution.status = "CANCELED";
    this.end(task, "CANCELED");
  }

  stop(): void {
    this.isStopped = true;
  }

  private mappingOf({
    auditCheckToActionsMapping,
  }: StartMitigationRequest): ReadonlyMap<string, readonly string[]> {
    const mapping = new Map(Object.entries(auditCheckToActionsMapping));
    for (const [checkName, actionNames] of mapping) {
      assertCheck(checkName);
      for (const actionName of actionNames) {
        if (!this.options.actions.has(actionName))
          throw invalid(`There is no mitigation action ${actionName}.`, "Create it first.");
        const type = typeOf(this.options.actions.get(actionName));
        if (!fits(checkName, type))
          throw invalid(`${type} does nothing about ${checkName}.`, "See which actions fit which checks.");
      }
    }
    return mapping;
  }

  private findingsOf(target: MitigationTarget): readonly AuditFinding[] {
    const { auditTaskId, findingIds, auditCheckToReasonCodeFilter: reasons } = target;
    if ((auditTaskId === undefined) === (findingIds === undefined))
      throw invalid("Which findings are meant?", "Give auditTaskId or findingIds.");
    const { findings } = this.options;
    const all =
      auditTaskId === undefined
        ? (findingIds ?? []).map((id) => findings.get(id))
        : findings.list({ taskId: auditTaskId });
    const filter = reasons === undefined ? undefined : new Map(Object.entries(reasons));
    return all.filter(
      ({ checkName, reasonForNonComplianceCode }) =>
        filter === undefined || filter.get(checkName)?.includes(reasonForNonComplianceCode) === true,
    );
  }

  private run(task: MitigationTask): void {
    const timer = this.options.clock.after(TURN_US, () => {
      if (this.isStopped || task.taskStatus !== "IN_PROGRESS") return;
      const pending = task.executions.filter(({ status }) => status === "PENDING");
      for (const execution of pending.slice(0, BATCH)) this.execute(task, execution);
      if (pending.length > BATCH) return timer.again(TURN_US);
      const hasFailed = task.executions.some(({ status }) => status === "FAILED");
      this.end(task, hasFailed ? "FAILED" : "COMPLETED");
    });
  }

  private execute(task: MitigationTask, execution: MitigationExecution): void {
    const { clock, findings, services } = this.options;
    const action = task.actionsDefinition.find(({ actionId }) => actionId === execution.actionId)!;
    const finding = findings.find(execution.findingId);
    execution.startTimeMs = clock.wallMs();
    Object.assign(execution, finding === undefined ? FORGOTTEN : mitigate(finding, action, services));
    execution.endTimeMs = clock.wallMs();
  }

  private end(task: MitigationTask, status: MitigationTask["taskStatus"]): void {
    task.taskStatus = status;
    task.endTimeMs = this.options.clock.wallMs();
    this.table.changed(task.taskId);
  }
}

/** AWS: how many findings of each check; one whose actions went differently counts as the worst of them. */
export function mitigationStatistics({ executions }: MitigationTask): Readonly<Record<string, object>> {
  const findings = new Map<string, Map<string, Set<string>>>();
  for (const { checkName, findingId, status } of executions) {
    const ofCheck = findings.get(checkName) ?? new Map<string, Set<string>>();
    findings.set(checkName, ofCheck);
    ofCheck.set(findingId, (ofCheck.get(findingId) ?? new Set()).add(status));
  }
  const counted = Array.from(findings, ([checkName, ofCheck]) => {
    const worst = Array.from(ofCheck.values(), (statuses) => RANKED.find((status) => statuses.has(status)));
    const count = (status: string): number => worst.filter((each) => each === status).length;
    return [
      checkName,
      {
        totalFindingsCount: ofCheck.size,
        failedFindingsCount: count("FAILED"),
        succeededFindingsCount: count("COMPLETED"),
        skippedFindingsCount: count("SKIPPED"),
        canceledFindingsCount: count("CANCELED"),
      },
    ] as const;
  });
  return Object.fromEntries(counted);
}

const RANKED = ["FAILED", "CANCELED", "PENDING", "SKIPPED", "COMPLETED"] as const;
