import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import type { JobsOperation } from "fleetrig/protocol";
import type { Cloud } from "../../cloud.js";
import { type CloudErrorName, cloudError } from "../../cloud-error.js";
import type { DeviceRequest } from "../../jobs/index.js";
import {
  type ApiCall,
  operation,
  type OperationOutput,
  type OperationTable,
  type RequiredAccess,
} from "../operation.js";

interface ThingInput {
  readonly thingName: string;
}

interface JobInput extends ThingInput {
  readonly jobId: string;
}

/** The device's words for what went wrong, as HTTP clients know them (REF §6.5). */
const ERROR_NAMES: ReadonlyMap<string, CloudErrorName> = new Map([
  ["InvalidStateTransition", "InvalidStateTransitionException"],
  ["ResourceNotFound", "ResourceNotFoundException"],
  ["RequestThrottled", "ThrottlingException"],
  ["TerminalStateReached", "TerminalStateException"],
  ["VersionMismatch", "VersionConflictException"],
] as const);

const onThing =
  (action: string) =>
  ({ thingName }: ThingInput): RequiredAccess => ({
    action: `iotjobsdata:${action}`,
    resource: `thing/${thingName}`,
  });

/** The jobs of a device over HTTP: the same requests as over MQTT, with the job document as text. */
export const jobsDataOperations: OperationTable = {
  GetPendingJobExecutions: operation<ThingInput>((input, call) => ask("get-pending", input, call), {
    access: onThing("GetPendingJobExecutions"),
  }),
  StartNextPendingJobExecution: operation<ThingInput>((input, call) => ask("start-next", input, call), {
    access: onThing("StartNextPendingJobExecution"),
  }),
  DescribeJobExecution: operation<JobInput>((input, call) => ask("describe", input, call), {
    access: onThing("DescribeJobExecution"),
  }),
  UpdateJobExecution: operation<JobInput>((input, call) => ask("update", input, call), {
    access: onThing("UpdateJobExecution"),
  }),
};

function ask(
  operationName: JobsOperation,
  input: ThingInput & Partial<JobInput>,
  { cloud }: ApiCall,
): OperationOutput {
  const { thingName, jobId, ...body } = input;
  const request: DeviceRequest = {
    operation: operationName,
    thing: thingName,
    jobId,
    body,
  };
  const answer = cloud.jobs.deviceRequest(request)!;
  if (!answer.ok) {
    const { code, message, executionState } = answer.refusal;
    throw cloudError(ERROR_NAMES.get(code) ?? "InvalidRequestException", message, {
      ...(executionState !== undefined && { members: { executionState } }),
    });
  }
  return withTextDocuments(withTimeLeft(answer.value, thingName, cloud));
}

/** Only HTTP tells how long an execution may still take. */
function withTimeLeft(body: JsonObject, thingName: string, { jobs }: Cloud): JsonObject {
  const { execution } = body;
  if (!isJsonObject(execution)) return body;
  const { jobId, executionNumber } = execution as { jobId: string; executionNumber: number };
  const { execution: known } = jobs.describeJobExecution({ jobId, thingName, executionNumber });
  const left = isJsonObject(known) ? known["approximateSecondsBeforeTimedOut"] : undefined;
  return left === undefined
    ? body
    : { ...body, execution: { ...execution, approximateSecondsBeforeTimedOut: left } };
}

/** HTTP has the document as text, at the top or inside the execution. */
function withTextDocuments(body: JsonObject): JsonObject {
  const result: Record<string, JsonValue> = { ...body };
  if (body["jobDocument"] !== undefined) result["jobDocument"] = JSON.stringify(body["jobDocument"]);
  if (isJsonObject(body["execution"])) result["execution"] = withTextDocuments(body["execution"]);
  return result;
}
