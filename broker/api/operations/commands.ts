import type { Account } from "../../account.js";
import { cloudError } from "../../cloud-error.js";
import type {
  Command,
  CommandExecution,
  CommandStatus,
  CreateCommandRequest,
  StartCommandExecutionRequest,
  UpdateCommandRequest,
} from "../../commands/index.js";
import { parseUtcTime } from "../../jobs/index.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

interface ExecutionInput {
  readonly executionId: string;
  readonly targetArn: string;
}

interface TimeFilter {
  readonly after?: string;
  readonly before?: string;
}

interface SortedListRequest extends ListRequest {
  readonly namespace?: string;
  readonly sortOrder?: "ASCENDING" | "DESCENDING";
}

interface ListExecutionsRequest extends SortedListRequest {
  readonly status?: CommandStatus;
  readonly startedTimeFilter?: TimeFilter;
  readonly completedTimeFilter?: TimeFilter;
  readonly targetArn?: string;
  readonly commandArn?: string;
}

const DEFAULT_PAGE = 25;

const seconds = (wallMs: number | undefined): number | undefined =>
  wallMs === undefined ? undefined : wallMs / 1000;

/** Orders by time, then by id; 14 digits hold every time until the year 5138. */
const timeKey = (wallMs: number, id: string): string => `${String(wallMs).padStart(14, "0")}/${id}`;

function commandView({ createdAtMs, lastUpdatedAtMs, ...command }: Command, account: Account) {
  const { deprecatedAtMs, deletionDueMs, ...shown } = command;
  return {
    ...shown,
    commandArn: account.arn("command", command.commandId),
    deprecated: deprecatedAtMs !== undefined,
    pendingDeletion: deletionDueMs !== undefined,
    createdAt: seconds(createdAtMs),
    lastUpdatedAt: seconds(lastUpdatedAtMs),
  };
}

const arnsOf = ({ commandId, targetKind, target }: CommandExecution, account: Account) => ({
  commandArn: account.arn("command", commandId),
  targetArn: account.arn(targetKind === "things" ? "thing" : "client", target),
});

/** Commands as operators keep them, and their executions (REF §7). */
export const commandOperations: OperationTable = {
  CreateCommand: operation<CreateCommandRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...request }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const { commandId } = cloud.management.commands.create(request);
      cloud.tags.tagNew("command", commandId, tags);
      return { commandId, commandArn: account.arn("command", commandId) };
    },
    { lacks: "The namespace AWS-IoT-FleetWise is not supported." },
  ),
  GetCommand: operation<{ readonly commandId: string }>(({ commandId }, { cloud, account }) =>
    commandView(cloud.management.commands.get(commandId), account),
  ),
  UpdateCommand: operation<UpdateCommandRequest>((request, { cloud }) => {
    const command = cloud.management.commands.update(request);
    const { commandId, displayName, description } = command;
    return {
      commandId,
      displayName,
      description,
      deprecated: command.deprecatedAtMs !== undefined,
      lastUpdatedAt: seconds(command.lastUpdatedAtMs),
    };
  }),
  DeleteCommand: operation<{ readonly commandId: string }>(({ commandId }, { cloud }) => ({
    statusCode: cloud.management.commands.delete(commandId) ? 204 : 202,
  })),
  ListCommands: operation<SortedListRequest & { readonly commandParameterName?: string }>(
    ({ namespace, commandParameterName, sortOrder, ...request }, { cloud, account }) => {
      const wanted = cloud.management.commands
        .all()
        .filter(
          (command) =>
            (namespace === undefined || command.namespace === namespace) &&
            (commandParameterName === undefined ||
              command.mandatoryParameters?.some(({ name }) => name === commandParameterName) === true),
        );
      const { items, nextToken } = pageByName(wanted, request, {
        nameOf: ({ createdAtMs, commandId }) => timeKey(createdAtMs, commandId),
        defaultSize: DEFAULT_PAGE,
        isDescending: sortOrder !== "ASCENDING",
      });
      const commands = items.map((command) => {
        const view = commandView(command, account);
        const { commandArn, commandId, displayName, deprecated, createdAt, lastUpdatedAt } = view;
        const { pendingDeletion } = view;
        return { commandArn, commandId, displayName, deprecated, createdAt, lastUpdatedAt, pendingDeletion };
      });
      return { commands, nextToken };
    },
  ),
  GetCommandExecution: operation<ExecutionInput & { readonly includeResult?: boolean }>(
    ({ executionId, targetArn, includeResult = false }, { cloud, account }) => {
      const { executions } = cloud.management;
      const execution = executions.get(executionId, targetArn);
      const { status, statusReason, result, parameters, executionTimeoutSeconds } = execution;
      return {
        executionId,
        ...arnsOf(execution, account),
        status,
        statusReason,
        result: includeResult ? result : undefined,
        parameters,
        executionTimeoutSeconds,
        createdAt: seconds(execution.createdAtMs),
        lastUpdatedAt: seconds(execution.lastUpdatedAtMs),
        startedAt: seconds(execution.startedAtMs),
        completedAt: seconds(execution.completedAtMs),
        timeToLive: seconds(executions.goneAtMs(execution)),
      };
    },
  ),
  ListCommandExecutions: operation<ListExecutionsRequest>((request, { cloud, account }) => {
    const { timeOf, matches } = executionFilter(request);
    const wanted = Array.from(cloud.management.executions.all()).filter((execution) =>
      matches(execution, arnsOf(execution, account)),
    );
    const { items, nextToken } = pageByName(wanted, request, {
      nameOf: (execution: CommandExecution) => timeKey(timeOf(execution) ?? 0, execution.executionId),
      defaultSize: DEFAULT_PAGE,
      isDescending: request.sortOrder !== "ASCENDING",
    });
    const commandExecutions = items.map((execution) => ({
      ...arnsOf(execution, account),
      executionId: execution.executionId,
      status: execution.status,
      createdAt: seconds(execution.createdAtMs),
      startedAt: seconds(execution.startedAtMs),
      completedAt: seconds(execution.completedAtMs),
    }));
    return { commandExecutions, nextToken };
  }),
  DeleteCommandExecution: operation<ExecutionInput>(({ executionId, targetArn }, { cloud }) => {
    cloud.management.executions.delete(executionId, targetArn);
    return undefined;
  }),
};

/** Part of the data plane, but for operators: devices do not command each other. */
export const commandDataOperations: OperationTable = {
  StartCommandExecution: operation<StartCommandExecutionRequest>((request, { cloud }) => {
    const { executionId } = cloud.management.executions.start(request);
    return { executionId };
  }),
};

function executionFilter(request: ListExecutionsRequest) {
  const { status, targetArn, commandArn, startedTimeFilter, completedTimeFilter } = request;
  if (startedTimeFilter !== undefined && completedTimeFilter !== undefined)
    throw cloudError(
      "ValidationException",
      "Only one of startedTimeFilter and completedTimeFilter is possible.",
    );
  if (targetArn !== undefined && commandArn !== undefined)
    throw cloudError("ValidationException", "Only one of targetArn and commandArn is possible.");
  const afterMs = timeIn(startedTimeFilter?.after ?? completedTimeFilter?.after);
  const beforeMs = timeIn(startedTimeFilter?.before ?? completedTimeFilter?.before);
  // An execution that no device has begun counts from its creation.
  const timeOf = ({ createdAtMs, startedAtMs, completedAtMs }: CommandExecution): number | undefined =>
    completedTimeFilter === undefined ? (startedAtMs ?? createdAtMs) : completedAtMs;
  const resource = (arn: string | undefined): string | undefined => arn?.slice(arn.lastIndexOf(":"));
  const matches = (execution: CommandExecution, arns: ReturnType<typeof arnsOf>): boolean => {
    const at = timeOf(execution);
    return (
      (status === undefined || execution.status === status) &&
      (targetArn === undefined || resource(arns.targetArn) === resource(targetArn)) &&
      (commandArn === undefined || resource(arns.commandArn) === resource(commandArn)) &&
      at !== undefined &&
      at > (afterMs ?? -1) &&
      at < (beforeMs ?? Number.POSITIVE_INFINITY)
    );
  };
  return { timeOf, matches };
}

function timeIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const wallMs = parseUtcTime(text);
  if (wallMs === undefined)
    throw cloudError("ValidationException", "Times of filters are written as 2026-11-21T07:00.");
  return wallMs;
}
