import { type Clock, type JsonObject } from "fleetrig/kernel";
import type { JobsOperation } from "fleetrig/protocol";
import { TokenBucket } from "../engine/token-bucket.js";
import { readDescribe, readStartNext, readUpdate, type Reading, type Refusal } from "./device-requests.js";
import { executionDescription, executionState, executionSummary } from "./execution-view.js";
import { canTransition, isPending } from "./execution-machine.js";
import type { JobDocuments } from "./job-documents.js";
import type { JobEngine } from "./job-engine.js";
import type { JobStore } from "./job-store.js";
import type { JobsSettings } from "./settings.js";
import type { PendingExecutions } from "./pending.js";

export interface DeviceOperationParts {
  readonly clock: Clock;
  readonly engine: JobEngine;
  readonly pending: PendingExecutions;
  readonly store: JobStore;
  readonly documents: JobDocuments;
  readonly settings: Pick<JobsSettings, "readsPerS" | "writesPerS">;
}

/** What a device asks for, whichever way the request came. */
export interface DeviceRequest {
  readonly operation: JobsOperation;
  readonly thing: string;
  /** Only for describe and update; `$next` is possible for describe. */
  readonly jobId?: string | undefined;
  readonly body: JsonObject;
}

/** The answer's body, or why there is none. */
export type DeviceAnswer = Reading<JsonObject>;

const refused = (refusal: Refusal): DeviceAnswer => ({ ok: false, refusal });
const accepted = (value: JsonObject): DeviceAnswer => ({ ok: true, value });

/** The four requests of a device (REF §6.5), over MQTT and HTTP alike; documents are objects here. */
export class DeviceOperations {
  private readonly reads: TokenBucket | undefined;
  private readonly writes: TokenBucket | undefined;

  constructor(private readonly parts: DeviceOperationParts) {
    const { clock, settings } = parts;
    this.reads = TokenBucket.for(clock, settings.readsPerS);
    this.writes = TokenBucket.for(clock, settings.writesPerS);
  }

  /** @returns undefined when there is no such request. */
  perform({ operation, thing, jobId, body }: DeviceRequest): DeviceAnswer | undefined {
    const bucket = operation === "get-pending" || operation === "describe" ? this.reads : this.writes;
    if (bucket?.take() === false)
      return refused({ code: "RequestThrottled", message: "There are too many requests of devices." });
    switch (operation) {
      case "get-pending":
        return this.getPending(thing);
      case "start-next":
        return this.startNext(thing, body);
      case "describe":
        return this.describe(thing, jobId ?? "$next", body);
      case "update":
        return this.update(thing, jobId ?? "", body);
      default:
        return undefined;
    }
  }

  private getPending(thing: string): DeviceAnswer {
    const pending = this.parts.pending.of(thing);
    const withStatus = (status: string): JsonObject[] =>
      pending.filter((execution) => execution.status === status).map(executionSummary);
    return accepted({ inProgressJobs: withStatus("IN_PROGRESS"), queuedJobs: withStatus("QUEUED") });
  }

  /** An execution in progress comes back unchanged; otherwise the oldest queued one starts. */
  private startNext(thing: string, body: JsonObject): DeviceAnswer {
    const request = readStartNext(body);
    if (!request.ok) return request;
    const first = this.parts.pending.first(thing);
    if (first === undefined) return accepted({});
    if (first.status === "QUEUED")
      this.parts.engine.transition(first, "IN_PROGRESS", { actor: "device", ...request.value });
    return accepted({ execution: executionDescription(first, this.parts.documents.forDevice(first.job)) });
  }

  private describe(thing: string, jobId: string, body: JsonObject): DeviceAnswer {
    const request = readDescribe(body);
    if (!request.ok) return request;
    const { executionNumber, includeJobDocument } = request.value;
    const execution =
      jobId === "$next"
        ? this.parts.pending.first(thing)
        : this.parts.store.findExecution(thing, jobId, executionNumber);
    if (execution === undefined) return jobId === "$next" ? accepted({}) : refused(notFound(thing, jobId));
    if (!isPending(execution.status))
      return refused({
        code: "TerminalStateReached",
        message: `The execution of ${jobId} is ${execution.status}.`,
      });
    const document = includeJobDocument ? this.parts.documents.forDevice(execution.job) : undefined;
    return accepted({ execution: executionDescription(execution, document) });
  }

  /** The version is judged before the transition: who has an old view should first learn the new one. */
  private update(thing: string, jobId: string, body: JsonObject): DeviceAnswer {
    const reading = readUpdate(body);
    if (!reading.ok) return reading;
    const request = reading.value;
    const execution = this.parts.store.findExecution(thing, jobId, request.executionNumber);
    if (execution === undefined) return refused(notFound(thing, jobId));
    if (request.expectedVersion !== undefined && request.expectedVersion !== execution.versionNumber)
      return refused({
        code: "VersionMismatch",
        message: `Expected version ${request.expectedVersion}, the execution has version ${execution.versionNumber}.`,
        executionState: executionState(execution),
      });
    if (!canTransition("device", execution.status, request.status))
      return refused({
        code: "InvalidStateTransition",
        message: `An execution that is ${execution.status} cannot become ${request.status}.`,
        executionState: executionState(execution),
      });
    this.parts.engine.transition(execution, request.status, { actor: "device", ...request });
    return accepted({
      ...(request.includeJobExecutionState ? { executionState: executionState(execution) } : {}),
      ...(request.includeJobDocument ? { jobDocument: this.parts.documents.forDevice(execution.job) } : {}),
    });
  }
}

const notFound = (thing: string, jobId: string): Refusal => ({
  code: "ResourceNotFound",
  message: `There is no execution of ${jobId} for ${thing}.`,
});
