import { type Clock, isJsonObject, type JsonObject } from "fleetrig/kernel";
import type { ApplicationMessage } from "../message.js";
import type { MessageBus, Routing } from "../message-bus.js";
import { type JobsOperation, type JobsTopic, parseReservedTopic } from "fleetrig/protocol";
import {
  readClientToken,
  readDescribe,
  readStartNext,
  readUpdate,
  type Reading,
  type Refusal,
} from "./device-requests.js";
import { epochSeconds, executionDescription, executionState, executionSummary } from "./execution-view.js";
import { canTransition, isPending } from "./execution-machine.js";
import type { JobEngine } from "./job-engine.js";
import type { JobStore } from "./job-store.js";
import type { PendingExecutions } from "./pending.js";

export interface DeviceApiParts {
  readonly clock: Clock;
  readonly bus: MessageBus;
  readonly engine: JobEngine;
  readonly pending: PendingExecutions;
  readonly store: JobStore;
}

type Answer = Reading<JsonObject>;
type Operation = (topic: JobsTopic, body: JsonObject) => Answer;

const refused = (refusal: Refusal): Answer => ({ ok: false, refusal });
const accepted = (value: JsonObject): Answer => ({ ok: true, value });

/**
 * The four requests of a device over MQTT (REF §6.5). Requests are seen by nobody else; answers go straight to the
 * client that asked (class D). An empty payload means `{}`, which field devices send for the reading requests.
 */
export class JobsDeviceApi {
  constructor(private readonly parts: DeviceApiParts) {}

  /** Answers a request. Anything else that a client publishes below a thing's `jobs/` goes nowhere. */
  handle(message: ApplicationMessage): Routing {
    const topic = parseReservedTopic(message.topic);
    if (topic?.service !== "jobs") return this.handleUnknown(message);
    const operation = this.operations[topic.operation];
    if (topic.message !== "request" || operation === undefined)
      return message.publisher === undefined ? "broker" : "consumed";
    this.respond(message, (body) => operation(topic, body));
    return "consumed";
  }

  private handleUnknown(message: ApplicationMessage): Routing {
    if (!/^\$aws\/things\/[^/]+\/jobs(\/|$)/.test(message.topic)) return "broker";
    if (!/\/(accepted|rejected)$/.test(message.topic))
      this.answer(
        message,
        refused({ code: "InvalidTopic", message: "This topic names no request." }),
        undefined,
      );
    return "consumed";
  }

  private respond(message: ApplicationMessage, operation: (body: JsonObject) => Answer): void {
    const body = readBody(message);
    if (!body.ok) return this.answer(message, body, undefined);
    const token = readClientToken(body.value);
    if (!token.ok) return this.answer(message, token, undefined);
    this.answer(message, operation(body.value), token.value);
  }

  private answer(message: ApplicationMessage, answer: Answer, clientToken: string | undefined): void {
    if (message.publisher === undefined) return;
    const body = {
      ...(answer.ok ? answer.value : answer.refusal),
      timestamp: epochSeconds(this.parts.clock.wallMs()),
      ...(clientToken === undefined ? {} : { clientToken }),
    };
    this.parts.bus.sendDirect(message.publisher, {
      topic: `${message.topic}/${answer.ok ? "accepted" : "rejected"}`,
      payload: JSON.stringify(body),
      qos: message.qos === 0 ? 0 : 1,
    });
  }

  private readonly operations: Readonly<Partial<Record<JobsOperation, Operation>>> = {
    "get-pending": (topic) => this.getPending(topic.thing),
    "start-next": (topic, body) => this.startNext(topic.thing, body),
    describe: (topic, body) => this.describe(topic.thing, topic.jobId ?? "$next", body),
    update: (topic, body) => this.update(topic.thing, topic.jobId ?? "", body),
  };

  private getPending(thing: string): Answer {
    const pending = this.parts.pending.of(thing);
    const withStatus = (status: string): JsonObject[] =>
      pending.filter((execution) => execution.status === status).map(executionSummary);
    return accepted({ inProgressJobs: withStatus("IN_PROGRESS"), queuedJobs: withStatus("QUEUED") });
  }

  /** An execution in progress comes back unchanged; otherwise the oldest queued one starts. */
  private startNext(thing: string, body: JsonObject): Answer {
    const request = readStartNext(body);
    if (!request.ok) return request;
    const first = this.parts.pending.first(thing);
    if (first === undefined) return accepted({});
    if (first.status === "QUEUED")
      this.parts.engine.transition(first, "IN_PROGRESS", { actor: "device", ...request.value });
    return accepted({ execution: executionDescription(first, true) });
  }

  private describe(thing: string, jobId: string, body: JsonObject): Answer {
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
    return accepted({ execution: executionDescription(execution, includeJobDocument) });
  }

  /** The version is judged before the transition: who has an old view should first learn the new one. */
  private update(thing: string, jobId: string, body: JsonObject): Answer {
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
      ...(request.includeJobDocument ? { jobDocument: execution.job.spec.document } : {}),
    });
  }
}

const notFound = (thing: string, jobId: string): Refusal => ({
  code: "ResourceNotFound",
  message: `There is no execution of ${jobId} for ${thing}.`,
});

/** The payload as an object; everything else is refused as a whole. */
function readBody(message: ApplicationMessage): Answer {
  if (message.payload.byteLength === 0) return accepted({});
  const parsed = message.json();
  if (!parsed.ok) return refused({ code: "InvalidJson", message: "The payload is not JSON." });
  if (!isJsonObject(parsed.value))
    return refused({ code: "InvalidRequest", message: "The payload must be a JSON object." });
  return accepted(parsed.value);
}
