import type { JsonObject } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { shaped } from "./record-shape.js";

/** AWS: levels of logs. */
export type LogLevel = "DEBUG" | "INFO" | "ERROR" | "WARN" | "DISABLED";

/** AWS: what a level of its own can be given to. */
export interface LogTarget {
  readonly targetType: "DEFAULT" | "THING_GROUP" | "CLIENT_ID" | "SOURCE_IP" | "PRINCIPAL_ID";
  readonly targetName?: string | undefined;
}

/** AWS: SetV2LoggingOptions. */
export interface LoggingOptionsV2 {
  readonly roleArn?: string | undefined;
  readonly defaultLogLevel?: LogLevel | undefined;
  readonly disableAllLogs?: boolean | undefined;
  readonly eventConfigurations?: readonly JsonObject[] | undefined;
}

/** AWS: SetLoggingOptions, the older form. */
export interface LoggingOptions {
  readonly roleArn: string;
  readonly logLevel?: LogLevel | undefined;
}

const ONE = "options";
/** Bound of ours; AWS has one, and does not tell it. */
const MAX_LEVELS = 1000;

const keyOf = ({ targetType, targetName = "" }: LogTarget): string => `${targetType}/${targetName}`;

/**
 * What the account wants logged. It is kept and told again; the logs of this cloud are switched at the command line.
 */
export class LoggingOptionsBook {
  private readonly v1: RecordTable<JsonObject>;
  private readonly v2: RecordTable<JsonObject>;
  private readonly levels: RecordTable<JsonObject>;

  constructor(records: RecordBook) {
    const objects = (name: string): RecordTable<JsonObject> =>
      records.table<JsonObject>(name, { write: (row) => row, read: (value) => shaped(value, []) });
    this.v1 = objects("logging-options");
    this.v2 = objects("logging-options-v2");
    this.levels = objects("logging-levels");
  }

  /** Whether the account has any logs at all. */
  get isEnabled(): boolean {
    const v2 = this.v2.get(ONE);
    if (v2 === undefined) return this.get()["logLevel"] !== "DISABLED";
    return v2["disableAllLogs"] !== true && v2["defaultLogLevel"] !== "DISABLED";
  }

  get(): JsonObject {
    return this.v1.get(ONE) ?? { logLevel: "DISABLED" };
  }

  set({ roleArn, logLevel = "ERROR" }: LoggingOptions): void {
    this.v1.set(ONE, { roleArn, logLevel });
  }

  /** @throws FleetrigError CLOUD_NOT_CONFIGURED */
  getV2(): JsonObject {
    const options = this.v2.get(ONE);
    if (options !== undefined) return options;
    throw cloudError("NotConfiguredException", "Logging is not configured.", {
      hint: "aws iot set-v2-logging-options",
    });
  }

  /** What is not named stays as it is. */
  setV2({ roleArn, defaultLogLevel, disableAllLogs, eventConfigurations }: LoggingOptionsV2): void {
    this.v2.set(ONE, {
      ...this.v2.get(ONE),
      ...(roleArn !== undefined && { roleArn }),
      ...(defaultLogLevel !== undefined && { defaultLogLevel }),
      ...(disableAllLogs !== undefined && { disableAllLogs }),
      ...(eventConfigurations !== undefined && { eventConfigurations }),
    });
  }

  /** @throws FleetrigError CLOUD_NOT_CONFIGURED, CLOUD_INVALID_REQUEST, CLOUD_LIMIT_EXCEEDED */
  setLevel(target: LogTarget, logLevel: LogLevel): void {
    this.getV2();
    const isDefault = target.targetType === "DEFAULT";
    if (isDefault !== (target.targetName === undefined))
      throw cloudError(
        "InvalidRequestException",
        `A target of type ${target.targetType} ${isDefault ? "has no name" : "needs a name"}.`,
      );
    if (this.levels.size >= MAX_LEVELS && !this.levels.has(keyOf(target)))
      throw cloudError("LimitExceededException", `There are ${MAX_LEVELS} log levels.`);
    const { targetType, targetName } = target;
    const logTarget = { targetType, ...(targetName !== undefined && { targetName }) };
    this.levels.set(keyOf(target), { logTarget, logLevel });
  }

  deleteLevel(target: LogTarget): void {
    this.levels.delete(keyOf(target));
  }

  /** In order of their targets. @throws FleetrigError CLOUD_NOT_CONFIGURED */
  listLevels(targetType?: LogTarget["targetType"]): readonly (readonly [string, JsonObject])[] {
    this.getV2();
    return Array.from(this.levels.entries())
      .filter(([key]) => targetType === undefined || key.startsWith(`${targetType}/`))
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
