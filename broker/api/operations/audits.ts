import {
  type AccountAuditConfiguration,
  type AuditFinding,
  type AuditSuppression,
  type AuditTask,
  type FindingFilter,
  type ScheduledAudit,
  type ScheduledAuditRequest,
  statisticsOf,
  type SuppressionKey,
} from "../../audit/index.js";
import type { Account } from "../../account.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByPosition } from "../../list-page.js";

/** Times of the API are seconds. */
interface SuppressionInput extends SuppressionKey {
  readonly expirationDate?: number;
  readonly suppressIndefinitely?: boolean;
  readonly description?: string;
  readonly clientRequestToken?: string;
}

interface FindingsInput extends ListRequest, Omit<FindingFilter, "startTimeMs" | "endTimeMs"> {
  readonly startTime?: number;
  readonly endTime?: number;
}

interface TasksInput extends ListRequest {
  readonly startTime: number;
  readonly endTime: number;
  readonly taskType?: string;
  readonly taskStatus?: string;
}

interface NameInput {
  readonly scheduledAuditName: string;
}

const DEFAULT_PAGE = 25;
const NO_RESOURCES =
  "Checks of Cognito roles, IAM roles and intermediate authorities find no resources; keys are not compared with the list of CVE-2008-0166.";

const toFinding = (finding: AuditFinding) => ({
  findingId: finding.findingId,
  taskId: finding.taskId,
  checkName: finding.checkName,
  taskStartTime: finding.taskStartTimeMs / 1000,
  findingTime: finding.findingTimeMs / 1000,
  severity: finding.severity,
  nonCompliantResource: finding.nonCompliantResource,
  relatedResources: finding.relatedResources,
  reasonForNonCompliance: finding.reasonForNonCompliance,
  reasonForNonComplianceCode: finding.reasonForNonComplianceCode,
  isSuppressed: finding.isSuppressed,
});

const toTask = (task: AuditTask) => ({
  taskStatus: task.taskStatus,
  taskType: task.taskType,
  taskStartTime: task.taskStartTimeMs / 1000,
  taskStatistics: statisticsOf(task),
  scheduledAuditName: task.scheduledAuditName,
  auditDetails: task.auditDetails,
});

const toSuppression = ({ expirationDateMs, ...suppression }: AuditSuppression) => ({
  checkName: suppression.checkName,
  resourceIdentifier: suppression.resourceIdentifier,
  expirationDate: expirationDateMs === undefined ? undefined : expirationDateMs / 1000,
  suppressIndefinitely: suppression.suppressIndefinitely,
  description: suppression.description,
});

const fromSuppression = ({ expirationDate, ...rest }: SuppressionInput) => ({
  ...rest,
  ...(expirationDate !== undefined && { expirationDateMs: expirationDate * 1000 }),
});

const toScheduled = (audit: ScheduledAudit, account: Account) => ({
  scheduledAuditName: audit.scheduledAuditName,
  scheduledAuditArn: account.arn("scheduledaudit", audit.scheduledAuditName),
  frequency: audit.frequency,
  dayOfMonth: audit.dayOfMonth,
  dayOfWeek: audit.dayOfWeek,
});

/** Audits of Device Defender (REF §14): configuration, tasks and findings. */
const taskOperations: OperationTable = {
  DescribeAccountAuditConfiguration: operation((_, { cloud }) => ({
    ...cloud.audits.configurations.describe(),
  })),
  UpdateAccountAuditConfiguration: operation<AccountAuditConfiguration>(
    (input, { cloud }) => {
      cloud.audits.configure(input);
      return {};
    },
    { lacks: "Nothing is sent to the notification targets; roleArn is optional." },
  ),
  DeleteAccountAuditConfiguration: operation<{ readonly deleteScheduledAudits?: boolean }>(
    ({ deleteScheduledAudits }, { cloud }) => {
      cloud.audits.resetConfiguration(deleteScheduledAudits);
      return {};
    },
  ),
  StartOnDemandAuditTask: operation<{ readonly targetCheckNames: readonly string[] }>(
    ({ targetCheckNames }, { cloud }) => ({ taskId: cloud.audits.startOnDemand(targetCheckNames).taskId }),
    { lacks: NO_RESOURCES },
  ),
  DescribeAuditTask: operation<{ readonly taskId: string }>(({ taskId }, { cloud }) =>
    toTask(cloud.audits.tasks.get(taskId)),
  ),
  ListAuditTasks: operation<TasksInput>(
    ({ startTime, endTime, taskType, taskStatus, ...page }, { cloud }) => {
      const tasks = cloud.audits.tasks.list({
        startTimeMs: startTime * 1000,
        endTimeMs: endTime * 1000,
        ...(taskType !== undefined && { taskType }),
        ...(taskStatus !== undefined && { taskStatus }),
      });
      const { items, nextToken } = pageByPosition(tasks, page, DEFAULT_PAGE);
      return {
        tasks: items.map(({ taskId, taskStatus: status, taskType: type }) => ({
          taskId,
          taskStatus: status,
          taskType: type,
        })),
        nextToken,
      };
    },
  ),
  CancelAuditTask: operation<{ readonly taskId: string }>(({ taskId }, { cloud }) => {
    cloud.audits.tasks.cancel(taskId);
    return {};
  }),
  ListAuditFindings: operation<FindingsInput>(
    ({ startTime, endTime, maxResults, nextToken: token, ...filter }, { cloud }) => {
      const findings = cloud.audits.findings.list({
        ...filter,
        ...(startTime !== undefined && { startTimeMs: startTime * 1000 }),
        ...(endTime !== undefined && { endTimeMs: endTime * 1000 }),
      });
      const page = {
        ...(maxResults !== undefined && { maxResults }),
        ...(token !== undefined && { nextToken: token }),
      };
      const { items, nextToken } = pageByPosition(findings, page, DEFAULT_PAGE);
      return { findings: items.map(toFinding), nextToken };
    },
  ),
  DescribeAuditFinding: operation<{ readonly findingId: string }>(({ findingId }, { cloud }) => ({
    finding: toFinding(cloud.audits.findings.get(findingId)),
  })),
  ListRelatedResourcesForAuditFinding: operation<ListRequest & { readonly findingId: string }>(
    ({ findingId, ...page }, { cloud }) => {
      const { relatedResources } = cloud.audits.findings.get(findingId);
      const { items, nextToken } = pageByPosition(relatedResources, page, DEFAULT_PAGE);
      return { relatedResources: items, nextToken };
    },
  ),
};

const scheduleOperations: OperationTable = {
  CreateScheduledAudit: operation<ScheduledAuditRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...request }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const audit = cloud.audits.scheduled.create(request);
      cloud.tags.tagNew("scheduledaudit", audit.scheduledAuditName, tags);
      return { scheduledAuditArn: account.arn("scheduledaudit", audit.scheduledAuditName) };
    },
    { lacks: NO_RESOURCES },
  ),
  UpdateScheduledAudit: operation<Partial<ScheduledAuditRequest> & NameInput>((input, { cloud, account }) => {
    const { scheduledAuditName } = cloud.audits.scheduled.update(input);
    return { scheduledAuditArn: account.arn("scheduledaudit", scheduledAuditName) };
  }),
  DeleteScheduledAudit: operation<NameInput>(({ scheduledAuditName }, { cloud }) => {
    cloud.audits.scheduled.delete(scheduledAuditName);
    cloud.tags.forget("scheduledaudit", scheduledAuditName);
    return {};
  }),
  DescribeScheduledAudit: operation<NameInput>(({ scheduledAuditName }, { cloud, account }) => {
    const audit = cloud.audits.scheduled.get(scheduledAuditName);
    return { ...toScheduled(audit, account), targetCheckNames: audit.targetCheckNames };
  }),
  ListScheduledAudits: operation<ListRequest>((page, { cloud, account }) => {
    const { items, nextToken } = pageByPosition(cloud.audits.scheduled.list(), page, DEFAULT_PAGE);
    return { scheduledAudits: items.map((audit) => toScheduled(audit, account)), nextToken };
  }),
};

const suppressionOperations: OperationTable = {
  CreateAuditSuppression: operation<SuppressionInput>((input, { cloud }) => {
    cloud.audits.suppressions.create(fromSuppression(input));
    return {};
  }),
  UpdateAuditSuppression: operation<SuppressionInput>((input, { cloud }) => {
    cloud.audits.suppressions.update(fromSuppression(input));
    return {};
  }),
  DeleteAuditSuppression: operation<SuppressionKey>((input, { cloud }) => {
    cloud.audits.suppressions.delete(input);
    return {};
  }),
  DescribeAuditSuppression: operation<SuppressionKey>((input, { cloud }) =>
    toSuppression(cloud.audits.suppressions.get(input)),
  ),
  ListAuditSuppressions: operation<
    ListRequest & Partial<SuppressionKey> & { readonly ascendingOrder?: boolean }
  >(({ ascendingOrder = true, maxResults, nextToken: token, ...filter }, { cloud }) => {
    const ascending = cloud.audits.suppressions.list(filter);
    const page = {
      ...(maxResults !== undefined && { maxResults }),
      ...(token !== undefined && { nextToken: token }),
    };
    const { items, nextToken } = pageByPosition(
      ascendingOrder ? ascending : ascending.toReversed(),
      page,
      DEFAULT_PAGE,
    );
    return { suppressions: items.map(toSuppression), nextToken };
  }),
};

/** Everything about audits. */
export const auditOperations: OperationTable = {
  ...taskOperations,
  ...scheduleOperations,
  ...suppressionOperations,
};
