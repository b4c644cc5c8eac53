import { type Clock, isJsonObject, parseJson, type Timer, US_PER_MS } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { fromRecord, type RecordBook, type RecordTable, toRecord } from "../records/index.js";
import type { Command, CreateCommandRequest, UpdateCommandRequest } from "./command.js";
import { assertValue } from "./command-parameters.js";

export interface CommandsOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  /** Called when a command is gone for good. */
  readonly onGone?: (commandId: string) => void;
}

const MAX_PAYLOAD_BYTES = 32_768;
const MAX_TEMPLATE_DEPTH = 64;
/** AWS: a command is kept as long as an execution of it may take. */
const DELETION_DELAY_MS = 12 * 3_600_000;

/** The commands of the account, which are written down. */
export class Commands {
  private readonly table: RecordTable<Command>;
  private readonly deletions = new Map<string, Timer>();

  constructor(private readonly options: CommandsOptions) {
    this.table = options.records.table<Command>("commands", {
      write: toRecord,
      read: (value) =>
        isJsonObject(value) && typeof value["createdAtMs"] === "number"
          ? (fromRecord(value) as Command)
          : undefined,
    });
    options.records.whenRestored(() => {
      for (const command of this.table.values()) this.armDeletion(command);
    });
  }

  /** @throws CLOUD_VALIDATION, CLOUD_CONFLICT when there is one of this id. */
  create(request: CreateCommandRequest): Command {
    assertCommand(request);
    const { commandId } = request;
    if (this.table.has(commandId))
      throw cloudError("ConflictException", `Command ${commandId} exists already.`, {
        members: { resourceId: commandId },
      });
    const nowMs = this.options.clock.wallMs();
    const command: Command = { namespace: "AWS-IoT", ...request, createdAtMs: nowMs, lastUpdatedAtMs: nowMs };
    this.table.set(commandId, command);
    return command;
  }

  find(commandId: string): Command | undefined {
    return this.table.get(commandId);
  }

  /** @throws CLOUD_NOT_FOUND */
  get(commandId: string): Command {
    const command = this.find(commandId);
    if (command === undefined)
      throw cloudError("ResourceNotFoundException", `There is no command ${commandId}.`);
    return command;
  }

  /** @throws CLOUD_NOT_FOUND, CLOUD_CONFLICT while it is being deleted. */
  update({ commandId, deprecated, ...changes }: UpdateCommandRequest): Command {
    const { deprecatedAtMs, ...before } = this.get(commandId);
    if (before.deletionDueMs !== undefined)
      throw cloudError("ConflictException", `Command ${commandId} is being deleted.`);
    const nowMs = this.options.clock.wallMs();
    const isDeprecated = deprecated ?? deprecatedAtMs !== undefined;
    const command: Command = {
      ...before,
      ...changes,
      lastUpdatedAtMs: nowMs,
      ...(isDeprecated && { deprecatedAtMs: deprecatedAtMs ?? nowMs }),
    };
    this.table.set(commandId, command);
    return command;
  }

  /**
   * Deletes at once what has been deprecated for twelve hours; anything else goes in twelve hours.
   * @returns whether it is gone. Deleting what does not exist succeeds.
   */
  delete(commandId: string): boolean {
    const command = this.find(commandId);
    if (command === undefined) return true;
    const nowMs = this.options.clock.wallMs();
    if (command.deprecatedAtMs !== undefined && nowMs - command.deprecatedAtMs >= DELETION_DELAY_MS) {
      this.remove(commandId);
      return true;
    }
    if (command.deletionDueMs === undefined) {
      const pending = { ...command, deletionDueMs: nowMs + DELETION_DELAY_MS, lastUpdatedAtMs: nowMs };
      this.table.set(commandId, pending);
      this.armDeletion(pending);
    }
    return false;
  }

  /** By creation, then by id. */
  all(): readonly Command[] {
    return [...this.table.values()].sort(
      (a, b) => a.createdAtMs - b.createdAtMs || (a.commandId < b.commandId ? -1 : 1),
    );
  }

  stop(): void {
    for (const timer of this.deletions.values()) timer.cancel();
    this.deletions.clear();
  }

  private armDeletion({ commandId, deletionDueMs }: Command): void {
    if (deletionDueMs === undefined) return;
    const { clock } = this.options;
    const delayUs = (deletionDueMs - clock.wallMs()) * US_PER_MS;
    this.deletions.set(
      commandId,
      clock.after(delayUs, () => this.remove(commandId)),
    );
  }

  private remove(commandId: string): void {
    this.deletions.get(commandId)?.cancel();
    this.deletions.delete(commandId);
    this.table.delete(commandId);
    this.options.onGone?.(commandId);
  }
}

const invalid = (sentence: string, hint?: string): Error =>
  cloudError("ValidationException", sentence, hint === undefined ? {} : { hint });

function assertCommand(request: CreateCommandRequest): void {
  const { namespace, payload, payloadTemplate, preprocessor, mandatoryParameters = [], roleArn } = request;
  if (namespace === "AWS-IoT-FleetWise")
    throw invalid("Commands of AWS IoT FleetWise are not supported.", "Leave namespace out.");
  if (roleArn !== undefined) throw invalid("roleArn is for commands of AWS IoT FleetWise only.");
  if ((payload?.content === undefined) === (payloadTemplate === undefined))
    throw invalid("A command has either a payload with content or a payloadTemplate.");
  if ((payload?.content?.byteLength ?? 0) > MAX_PAYLOAD_BYTES)
    throw invalid(`The payload has more than ${MAX_PAYLOAD_BYTES} bytes.`);
  if ((payloadTemplate === undefined) !== (preprocessor?.awsJsonSubstitution === undefined))
    throw invalid("payloadTemplate and preprocessor.awsJsonSubstitution come together.");
  if (payloadTemplate !== undefined && !parseJson(payloadTemplate, MAX_TEMPLATE_DEPTH).ok)
    throw invalid("payloadTemplate is not JSON.");
  const names = new Set(mandatoryParameters.map(({ name }) => name));
  if (names.size !== mandatoryParameters.length) throw invalid("Two parameters have the same name.");
  for (const parameter of mandatoryParameters) {
    const { value, defaultValue } = parameter;
    if (value !== undefined) assertValue(parameter, value);
    if (defaultValue !== undefined) assertValue(parameter, defaultValue);
  }
}
