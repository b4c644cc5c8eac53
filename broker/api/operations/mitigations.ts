import {
  type MitigationAction,
  type MitigationActionRequest,
  mitigationStatistics,
  type StartMitigationRequest,
  typeOf,
} from "../../audit/index.js";
import type { Account } from "../../account.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByPosition } from "../../list-page.js";

interface ActionInput {
  readonly actionName: string;
}

interface TaskInput {
  readonly taskId: string;
}

interface TasksInput extends ListRequest {
  readonly startTime: number;
  readonly endTime: number;
  readonly auditTaskId?: string;
  readonly findingId?: string;
  readonly taskStatus?: string;
}

interface ExecutionsInput extends ListRequest, TaskInput {
  readonly findingId: string;
  readonly actionStatus?: string;
}

const DEFAULT_PAGE = 25;
const NO_SNS = "Publishing to Amazon SNS fails, as there is none.";

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);

const namesOf = ({ actionName, actionId }: MitigationAction, account: Account) => ({
  actionArn: account.arn("mitigationaction", actionName),
  actionId,
});

const actionOperations: OperationTable = {
  CreateMitigationAction: operation<MitigationActionRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...request }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const action = cloud.audits.mitigations.create(request);
      cloud.tags.tagNew("mitigationaction", action.actionName, tags);
      return namesOf(action, account);
    },
    { lacks: NO_SNS },
  ),
  UpdateMitigationAction: operation<Partial<MitigationActionRequest> & ActionInput>(
    (input, { cloud, account }) => namesOf(cloud.audits.mitigations.update(input), account),
  ),
  DeleteMitigationAction: operation<ActionInput>(({ actionName }, { cloud }) => {
    cloud.audits.mitigations.delete(actionName);
    cloud.tags.forget("mitigationaction", actionName);
    return {};
  }),
  DescribeMitigationAction: operation<ActionInput>(({ actionName }, { cloud, account }) => {
    const action = cloud.audits.mitigations.get(actionName);
    return {
      actionName,
      actionType: typeOf(action),
      ...namesOf(action, account),
      roleArn: action.roleArn,
      actionParams: action.actionParams,
      creationDate: seconds(action.creationDateMs),
      lastModifiedDate: seconds(action.lastModifiedDateMs),
    };
  }),
  ListMitigationActions: operation<ListRequest & { readonly actionType?: string }>(
    ({ actionType, ...page }, { cloud, account }) => {
      const { items, nextToken } = pageByPosition(
        cloud.audits.mitigations.list(actionType),
        page,
        DEFAULT_PAGE,
      );
      const actionIdentifiers = items.map(({ actionName, creationDateMs }) => ({
        actionName,
        actionArn: account.arn("mitigationaction", actionName),
        creationDate: seconds(creationDateMs),
      }));
      return { actionIdentifiers, nextToken };
    },
  ),
};

const taskOperations: OperationTable = {
  StartAuditMitigationActionsTask: operation<StartMitigationRequest>(
    (input, { cloud }) => ({ taskId: cloud.audits.mitigationTasks.start(input).taskId }),
    { lacks: NO_SNS },
  ),
  CancelAuditMitigationActionsTask: operation<TaskInput>(({ taskId }, { cloud }) => {
    cloud.audits.mitigationTasks.cancel(taskId);
    return {};
  }),
  DescribeAuditMitigationActionsTask: operation<TaskInput>(({ taskId }, { cloud }) => {
    const task = cloud.audits.mitigationTasks.get(taskId);
    return {
      taskStatus: task.taskStatus,
      startTime: seconds(task.startTimeMs),
      endTime: seconds(task.endTimeMs),
      taskStatistics: mitigationStatistics(task),
      target: task.target,
      auditCheckToActionsMapping: task.auditCheckToActionsMapping,
      actionsDefinition: task.actionsDefinition.map(({ actionName, actionId, roleArn, actionParams }) => ({
        name: actionName,
        id: actionId,
        roleArn,
        actionParams,
      })),
    };
  }),
  ListAuditMitigationActionsTasks: operation<TasksInput>(
    ({ startTime, endTime, maxResults, nextToken: token, ...filter }, { cloud }) => {
      const tasks = cloud.audits.mitigationTasks.list({
        ...filter,
        startTimeMs: startTime * 1000,
        endTimeMs: endTime * 1000,
      });
      const { items, nextToken } = pageByPosition(tasks, pageOf(maxResults, token), DEFAULT_PAGE);
      return {
        tasks: items.map(({ taskId, startTimeMs, taskStatus }) => ({
          taskId,
          startTime: seconds(startTimeMs),
          taskStatus,
        })),
        nextToken,
      };
    },
  ),
  ListAuditMitigationActionsExecutions: operation<ExecutionsInput>(
    ({ taskId, findingId, actionStatus, ...page }, { cloud }) => {
      const executions = cloud.audits.mitigationTasks
        .get(taskId)
        .executions.filter(
          (each) =>
            each.findingId === findingId && (actionStatus === undefined || each.status === actionStatus),
        );
      const { items, nextToken } = pageByPosition(executions, page, DEFAULT_PAGE);
      const actionsExecutions = items.map((execution) => ({
        taskId,
        findingId,
        actionName: execution.actionName,
        actionId: execution.actionId,
        status: execution.status,
        startTime: seconds(execution.startTimeMs),
        endTime: seconds(execution.endTimeMs),
        errorCode: execution.errorCode,
        message: execution.message,
      }));
      return { actionsExecutions, nextToken };
    },
  ),
};

const pageOf = (maxResults: number | undefined, nextToken: string | undefined): ListRequest => ({
  ...(maxResults !== undefined && { maxResults }),
  ...(nextToken !== undefined && { nextToken }),
});

/** What is done about the findings of audits. */
export const mitigationOperations: OperationTable = { ...actionOperations, ...taskOperations };
