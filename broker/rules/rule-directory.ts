import { type Clock, FleetrigError, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { topicMatches } from "fleetrig/protocol";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import type { RuleAction, RuleEngine } from "./engine.js";
import { parseRuleSql } from "./sql-parser.js";

/** AWS: TopicRulePayload. Actions are objects with one member, the kind of the action. */
export interface TopicRulePayload {
  readonly sql: string;
  readonly description?: string;
  readonly actions: readonly JsonObject[];
  readonly ruleDisabled?: boolean;
  readonly awsIotSqlVersion?: string;
  readonly errorAction?: JsonObject;
}

/** A rule as its operators see it. */
export interface StoredRule extends TopicRulePayload {
  readonly ruleName: string;
  readonly createdAtMs: number;
}

export interface RuleDirectoryOptions {
  readonly clock: Clock;
  readonly engine: RuleEngine;
  readonly records: RecordBook;
}

/** What AWS takes when it is not told (REF §23). */
const DEFAULT_SQL_VERSION = "2015-10-08";
const SQL_VERSIONS: ReadonlySet<string> = new Set([DEFAULT_SQL_VERSION, "2016-03-23", "beta"]);

/**
 * Rules as operators create, list, switch and delete them; the engine runs those that are enabled. Actions towards
 * services that are not here are recorded under their kind and target instead of being carried out.
 */
export class RuleDirectory {
  private readonly rules: RecordTable<StoredRule>;

  constructor(private readonly options: RuleDirectoryOptions) {
    this.rules = options.records.table<StoredRule>("rules", {
      write: (rule) => rule as unknown as JsonValue,
      read: (value) => value as unknown as StoredRule,
    });
    options.records.whenRestored(() => {
      for (const rule of this.rules.values()) this.run(rule);
    });
  }

  /** @throws FleetrigError `CLOUD_SQL_INVALID`, `CLOUD_ALREADY_EXISTS`, `CLOUD_INVALID_REQUEST`. */
  create(ruleName: string, payload: TopicRulePayload): void {
    if (this.rules.has(ruleName))
      throw cloudError("ResourceAlreadyExistsException", `Rule ${ruleName} exists already.`, {
        hint: "Replace it, or choose another name.",
      });
    this.put({ ...complete(payload), ruleName, createdAtMs: this.options.clock.wallMs() });
  }

  /** @throws FleetrigError `CLOUD_UNAUTHORIZED` for an unknown rule, and what `create` throws. */
  replace(ruleName: string, payload: TopicRulePayload): void {
    const { createdAtMs } = this.get(ruleName);
    this.put({ ...complete(payload), ruleName, createdAtMs });
  }

  /** Turns the rule on or off. */
  setDisabled(ruleName: string, ruleDisabled: boolean): void {
    this.put({ ...this.get(ruleName), ruleDisabled });
  }

  /** Deleting what does not exist succeeds. */
  delete(ruleName: string): void {
    this.options.engine.deleteRule(ruleName);
    this.rules.delete(ruleName);
  }

  has(ruleName: string): boolean {
    return this.rules.has(ruleName);
  }

  /** AWS answers an unknown rule with this error, whoever asks. */
  get(ruleName: string): StoredRule {
    const rule = this.rules.get(ruleName);
    if (rule === undefined)
      throw cloudError("UnauthorizedException", `Access to topic rule '${ruleName}' was denied.`, {
        hint: "There is no such rule; AWS does not tell the two apart.",
      });
    return rule;
  }

  /** By name; with a topic, those that would see a message on it. */
  list(filter: { readonly topic?: string; readonly ruleDisabled?: boolean } = {}): readonly StoredRule[] {
    const { topic, ruleDisabled } = filter;
    return Array.from(this.rules.values())
      .filter(
        (rule) =>
          (ruleDisabled === undefined || (rule.ruleDisabled ?? false) === ruleDisabled) &&
          (topic === undefined || topicMatches(this.topicPattern(rule), topic, "aws")),
      )
      .sort((a, b) => (a.ruleName < b.ruleName ? -1 : 1));
  }

  /** The FROM of a rule. */
  topicPattern(rule: StoredRule): string {
    return parseRuleSql(rule.sql).from;
  }

  /** The engine has compiled it before anything is kept, so that a bad rule changes nothing. */
  private put(rule: StoredRule): void {
    const before = this.rules.get(rule.ruleName);
    this.options.engine.deleteRule(rule.ruleName);
    try {
      this.run(rule);
    } catch (error) {
      if (before !== undefined) this.run(before);
      throw presentable(error);
    }
    this.rules.set(rule.ruleName, rule);
  }

  private run({ ruleName, sql, ruleDisabled = false, actions }: StoredRule): void {
    this.options.engine.createRule({ ruleName, sql, ruleDisabled, actions: actions.map(engineAction) });
  }
}

function complete(payload: TopicRulePayload): TopicRulePayload {
  const { awsIotSqlVersion = DEFAULT_SQL_VERSION, ruleDisabled = false } = payload;
  if (!SQL_VERSIONS.has(awsIotSqlVersion))
    throw cloudError("InvalidRequestException", `There is no SQL version ${awsIotSqlVersion}.`, {
      hint: `Use ${Array.from(SQL_VERSIONS).join(", ")}.`,
    });
  return { ...payload, awsIotSqlVersion, ruleDisabled };
}

function engineAction(action: JsonObject): RuleAction {
  const [kind, ...others] = Object.keys(action);
  if (kind === undefined || others.length > 0)
    throw cloudError("InvalidRequestException", "An action has exactly one member: its kind.");
  const settings = action[kind] as JsonObject;
  if (kind !== "republish") return { record: { sink: `${kind}:${targetOf(settings)}` } };
  return { republish: { topic: settings["topic"] as string, qos: settings["qos"] === 1 ? 1 : 0 } };
}

/** What an action writes to, by the first of its settings that names something. */
const TARGETS = [
  "functionArn",
  "targetArn",
  "queueUrl",
  "streamName",
  "deliveryStreamName",
  "bucketName",
  "tableName",
  "logGroupName",
  "metricName",
  "alarmName",
  "url",
  "destinationArn",
  "stateMachineName",
  "inputName",
];

const targetOf = (settings: JsonObject): string =>
  TARGETS.map((name) => settings[name]).find((value) => typeof value === "string") ?? "";

/** Errors of the engine as the API has them. */
function presentable(error: unknown): unknown {
  if (!(error instanceof FleetrigError) || error.context["awsError"] !== undefined) return error;
  const name = error.code === "RULE_SQL_SYNTAX" ? "SqlParseException" : "InvalidRequestException";
  return cloudError(name, error.sentence, {
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  });
}
