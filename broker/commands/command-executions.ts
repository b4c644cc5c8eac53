import { isDeepStrictEqual } from "node:util";
import { type Clock, type Random, type Timer, US_PER_MS } from "fleetrig/kernel";
import { formatReservedTopic, parseReservedTopic } from "fleetrig/protocol";
import { type Account, parseArn } from "../account.js";
import { cloudError } from "../cloud-error.js";
import type { ApplicationMessage } from "../message.js";
import type { MessageBus, ReservedTopicService, Routing } from "../message-bus.js";
import { type RecordBook, toRecord } from "../records/index.js";
import { uuidV4 } from "../uuid.js";
import type { Command, CommandExecution, ParameterValue } from "./command.js";
import { CommandAnswers } from "./command-answers.js";
import { type CommandPayload, parameterValues, payloadOf } from "./command-parameters.js";
import type { CommandResponse } from "./command-response.js";
import type { Commands } from "./commands.js";
import { ExecutionTable } from "./execution-table.js";

/** Limits of commands; the defaults are AWS's (REF §7). */
export interface CommandSettings {
  readonly defaultTimeoutS: number;
  readonly maxTimeoutS: number;
  /** Executions of one target that are CREATED or IN_PROGRESS. */
  readonly maxConcurrentPerTarget: number;
  readonly retentionDays: number;
  /** Ours: the oldest go when there are more. */
  readonly maxExecutions: number;
}

const DEFAULT_COMMAND_SETTINGS: CommandSettings = {
  defaultTimeoutS: 10,
  maxTimeoutS: 43_200,
  maxConcurrentPerTarget: 100,
  retentionDays: 180,
  maxExecutions: 100_000,
};

export interface CommandExecutionsOptions {
  readonly clock: Clock;
  readonly bus: MessageBus;
  readonly records: RecordBook;
  readonly account: Account;
  /** For execution ids. */
  readonly random: Random;
  readonly commands: Commands;
  readonly hasThing: (thingName: string) => boolean;
  readonly settings?: Partial<CommandSettings>;
}

/** AWS: StartCommandExecution. */
export interface StartCommandExecutionRequest {
  readonly targetArn: string;
  readonly commandArn: string;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly executionTimeoutSeconds?: number;
  readonly clientToken?: string;
}

/** AWS: why the service itself says TIMED_OUT. */
const NO_RESPONSE = "$NO_RESPONSE_FROM_DEVICE";
const MS_PER_DAY = 86_400_000;
const FORMATS: ReadonlyMap<string, "json" | "cbor"> = new Map([
  ["application/json", "json"],
  ["application/cbor", "cbor"],
] as const);

/**
 * Commands on their targets: a request goes out, the device says how it goes, and time runs out on those that say
 * nothing. That TIMED_OUT is not final: a device that answers late is believed.
 */
export class CommandExecutions implements ReservedTopicService {
  readonly settings: CommandSettings;
  private readonly table: ExecutionTable;
  private readonly answers: CommandAnswers;
  private readonly timers = new Map<string, Timer>();
  private isStopped = false;

  constructor(private readonly options: CommandExecutionsOptions) {
    const { records, settings, bus } = options;
    this.settings = { ...DEFAULT_COMMAND_SETTINGS, ...settings };
    const { retentionDays, maxExecutions } = this.settings;
    this.table = new ExecutionTable(records, { retentionMs: retentionDays * MS_PER_DAY, maxExecutions });
    this.answers = new CommandAnswers(bus);
    records.whenRestored(() => {
      this.table.restored();
      for (const execution of this.table.all()) this.arm(execution);
    });
  }

  /** What a device publishes about an execution: answered to it alone (class D). */
  handle(message: ApplicationMessage): Routing {
    const topic = parseReservedTopic(message.topic);
    if (topic?.service !== "commands" || message.publisher === undefined) return "broker";
    if (topic.message !== "response" || this.isStopped) return "consumed";
    const execution = this.table.find(topic.executionId);
    const isTheirs = execution?.targetKind === topic.targetKind && execution.target === topic.target;
    this.answers.answer(message, topic, (response) =>
      execution !== undefined && isTheirs ? this.apply(execution, response) : "ResourceNotFound",
    );
    return "consumed";
  }

  /** @throws CLOUD_NOT_FOUND, CLOUD_VALIDATION, CLOUD_CONFLICT, CLOUD_SERVICE_QUOTA_EXCEEDED */
  start(request: StartCommandExecutionRequest): CommandExecution {
    const { parameters, clientToken, executionTimeoutSeconds = this.settings.defaultTimeoutS } = request;
    const command = this.commandOf(request.commandArn);
    const where = this.targetOf(request.targetArn);
    if (executionTimeoutSeconds > this.settings.maxTimeoutS)
      throw cloudError("ValidationException", `A command may take ${this.settings.maxTimeoutS} s at most.`);
    const asked = {
      ...where,
      commandId: command.commandId,
      executionTimeoutSeconds,
      ...(parameters !== undefined && { parameters }),
    };
    const earlier = clientToken === undefined ? undefined : this.repeated(clientToken, asked);
    if (earlier !== undefined) return earlier;
    if (command.deprecatedAtMs !== undefined || command.deletionDueMs !== undefined)
      throw cloudError("ConflictException", `Command ${command.commandId} is deprecated or being deleted.`, {
        members: { resourceId: command.commandId },
      });
    const values = parameterValues(command, parameters);
    this.assertRoom(where);
    const nowMs = this.options.clock.wallMs();
    for (const old of Array.from(this.table.expired(nowMs))) this.forget(old);
    const execution: CommandExecution = {
      ...asked,
      executionId: uuidV4(this.options.random),
      ...(clientToken !== undefined && { clientToken }),
      createdAtMs: nowMs,
      lastUpdatedAtMs: nowMs,
      status: "CREATED",
      isTerminal: false,
    };
    this.table.add(execution);
    this.arm(execution);
    this.send(execution, payloadOf(command, values));
    this.announce(execution);
    return execution;
  }

  /** @throws CLOUD_NOT_FOUND, also when it is another target's. */
  get(executionId: string, targetArn: string): CommandExecution {
    const execution = this.table.find(executionId);
    const target = parseArn(targetArn);
    if (execution?.target === target?.name && `${target?.kind}s` === execution?.targetKind) return execution;
    throw cloudError("ResourceNotFoundException", `There is no execution ${executionId} of this target.`);
  }

  /** @throws CLOUD_NOT_FOUND, CLOUD_CONFLICT for one that may still change. */
  delete(executionId: string, targetArn: string): void {
    const execution = this.get(executionId, targetArn);
    if (execution.status === "CREATED" || execution.status === "IN_PROGRESS")
      throw cloudError("ConflictException", `The execution is ${execution.status}.`, {
        members: { resourceId: executionId },
      });
    this.forget(execution);
  }

  /** Oldest first. */
  all(): Iterable<CommandExecution> {
    return this.table.all();
  }

  /** When the record of an execution goes, in milliseconds since 1970. */
  goneAtMs({ createdAtMs }: CommandExecution): number {
    return createdAtMs + this.settings.retentionDays * MS_PER_DAY;
  }

  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }

  /** What a device says, unless it has said how it ended before. */
  private apply(execution: CommandExecution, response: CommandResponse): "TerminalStateReached" | undefined {
    if (execution.isTerminal) return "TerminalStateReached";
    const nowMs = this.options.clock.wallMs();
    const { status, statusReason, result } = response;
    execution.status = status;
    execution.isTerminal = status !== "IN_PROGRESS";
    execution.startedAtMs ??= nowMs;
    if (execution.isTerminal) execution.completedAtMs = nowMs;
    if (statusReason !== undefined) execution.statusReason = statusReason;
    else delete execution.statusReason;
    if (result !== undefined) execution.result = result;
    this.changed(execution);
    if (execution.isTerminal) this.disarm(execution);
    return undefined;
  }

  private changed(execution: CommandExecution): void {
    execution.lastUpdatedAtMs = this.options.clock.wallMs();
    this.table.changed(execution);
    this.announce(execution);
  }

  /** The timer runs from the creation on, whatever the device says in between. */
  private arm(execution: CommandExecution): void {
    if (execution.isTerminal || execution.status === "TIMED_OUT") return;
    const { clock } = this.options;
    const dueMs = execution.createdAtMs + execution.executionTimeoutSeconds * 1000;
    const timer = clock.after((dueMs - clock.wallMs()) * US_PER_MS, this.onTimeout, execution);
    this.timers.set(execution.executionId, timer);
  }

  private disarm({ executionId }: CommandExecution): void {
    this.timers.get(executionId)?.cancel();
    this.timers.delete(executionId);
  }

  private readonly onTimeout = (execution: CommandExecution): void => {
    this.timers.delete(execution.executionId);
    execution.status = "TIMED_OUT";
    execution.statusReason = { reasonCode: NO_RESPONSE };
    this.changed(execution);
  };

  private forget(execution: CommandExecution): void {
    this.disarm(execution);
    this.table.remove(execution);
  }

  private commandOf(commandArn: string): Command {
    const arn = parseArn(commandArn);
    if (arn?.kind !== "command")
      throw cloudError("ValidationException", "commandArn is not the ARN of a command.");
    return this.options.commands.get(arn.name);
  }

  private targetOf(targetArn: string): Pick<CommandExecution, "target" | "targetKind"> {
    const arn = parseArn(targetArn);
    if (arn?.kind !== "thing" && arn?.kind !== "client")
      throw cloudError("ValidationException", "targetArn is not the ARN of a thing or a client.");
    if (arn.kind === "thing" && !this.options.hasThing(arn.name))
      throw cloudError("ResourceNotFoundException", `There is no thing ${arn.name}.`);
    return { target: arn.name, targetKind: arn.kind === "thing" ? "things" : "clients" };
  }

  /** AWS: one token stands for one execution. */
  private repeated(clientToken: string, asked: Partial<CommandExecution>): CommandExecution | undefined {
    for (const execution of this.table.of(asked.targetKind!, asked.target!)) {
      if (execution.clientToken !== clientToken) continue;
      const { commandId, executionTimeoutSeconds, parameters } = execution;
      const isSame =
        commandId === asked.commandId &&
        executionTimeoutSeconds === asked.executionTimeoutSeconds &&
        isDeepStrictEqual(toRecord(parameters ?? {}), toRecord(asked.parameters ?? {}));
      if (isSame) return execution;
      throw cloudError("ConflictException", "The client token was used for another execution.");
    }
    return undefined;
  }

  private assertRoom({ targetKind, target }: Pick<CommandExecution, "target" | "targetKind">): void {
    const { maxConcurrentPerTarget } = this.settings;
    let open = 0;
    for (const { status } of this.table.of(targetKind, target))
      if (status === "CREATED" || status === "IN_PROGRESS") open += 1;
    if (open >= maxConcurrentPerTarget)
      throw cloudError("ServiceQuotaExceededException", `${target} has ${open} executions under way.`);
  }

  /**
   * The request to the target. Whoever subscribes to it gets it through the broker, sessions that are away included, as
   * long as the execution has time; a client that has not subscribed gets it directly.
   */
  private send(execution: CommandExecution, { content, contentType }: CommandPayload): void {
    const { targetKind, target, executionId, executionTimeoutSeconds } = execution;
    const format = FORMATS.get(contentType ?? "");
    const message = {
      topic: formatReservedTopic({
        service: "commands",
        targetKind,
        target,
        executionId,
        message: "request",
        format,
      }),
      payload: content,
      qos: 1,
      messageExpiryS: executionTimeoutSeconds,
      ...(contentType !== undefined && { contentType }),
      ...(format === "json" && { payloadFormat: 1 as const }),
    } as const;
    const { bus } = this.options;
    if (bus.hasSubscribers?.(message.topic) === false) bus.sendDirect(target, message);
    else bus.publish(message);
  }

  /** `$aws/events/commandExecution/<command>/<status>`; AWS has no configuration that switches it off. */
  private announce(execution: CommandExecution): void {
    const { bus, clock, account } = this.options;
    const { commandId, executionId, status, statusReason, targetKind, target } = execution;
    const topic = `$aws/events/commandExecution/${commandId}/${status}`;
    if (bus.hasSubscribers?.(topic) === false) return;
    const event = {
      executionId,
      status,
      ...(statusReason !== undefined && { statusReason }),
      eventType: "COMMAND_EXECUTION",
      commandArn: account.arn("command", commandId),
      targetArn: account.arn(targetKind === "things" ? "thing" : "client", target),
      timestamp: clock.wallMs(),
    };
    bus.publish({ topic, payload: JSON.stringify(event), qos: 1 });
  }
}
