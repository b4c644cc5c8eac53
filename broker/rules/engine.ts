import {
  type Clock,
  EXIT,
  type EventSink,
  FleetrigError,
  parseJson,
  type Random,
  RULE_PROPERTY,
  TRACE_PROPERTY,
} from "fleetrig/kernel";
import { isTopicName, topicMatches, type UserProperty } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";
import type { MessageBus, ReservedTopicService, Routing } from "../message-bus.js";
import { type CompiledStatement, compileStatement } from "./compile.js";
import type { RuleContext } from "./functions.js";
import { parseRuleSql } from "./sql-parser.js";
import { compileTemplate, type RenderTemplate } from "./template.js";

/** AWS: TopicRulePayload, as far as it runs here. */
export interface TopicRule {
  readonly ruleName: string;
  readonly sql: string;
  readonly awsIotSqlVersion?: string;
  readonly ruleDisabled?: boolean;
  readonly actions: readonly RuleAction[];
}

/** What a rule does with each of its outputs. */
export type RuleAction =
  | { readonly republish: { readonly topic: string; readonly qos?: 0 | 1 } }
  /** Keeps each output for inspection; our stand-in for every sink that is not simulated. */
  | { readonly record: { readonly sink: string } };

/** What the rule engine works with; `accountId` is what `accountid()` answers. */
export interface RuleEngineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: MessageBus;
  readonly events: EventSink;
  readonly accountId?: string;
  /** Told how many actions each triggered rule carries out: both are billed. */
  readonly meter?: (actions: number) => void;
  /** Default: the message's user property. */
  readonly traceOf?: TraceOf;
}

/** The trace tag of a message; undefined when it has none. */
export type TraceOf = (message: ApplicationMessage) => string | undefined;

/** One output of a `record` action. */
export interface RecordedOutput {
  readonly sink: string;
  readonly rule: string;
  readonly topic: string;
  readonly atUs: number;
  readonly payload: string;
}

interface CompiledRule {
  readonly name: string;
  readonly statement: CompiledStatement;
  readonly actions: readonly CompiledAction[];
}

type CompiledAction = (context: RuleContext, output: string | Uint8Array) => void;

/** Rules may feed rules; deeper chains are taken for loops. */
const MAX_CHAIN = 8;
const MAX_CACHED_TOPICS = 200_000;
const MAX_ACTIONS = 10;
const MAX_RECORDED = 10_000;
const MAX_PAYLOAD_BYTES = 131_072;

/**
 * Runs every rule whose FROM matches, for every message the broker accepts. Messages that rules republish pass
 * through here again, synchronously, so the depth of the call is the length of the chain.
 */
export class RuleEngine implements ReservedTopicService {
  private readonly rules = new Map<string, CompiledRule>();
  private readonly rulesByTopic = new Map<string, readonly CompiledRule[]>();
  private readonly recordings: RecordedOutput[] = [];
  private readonly traceOf: TraceOf;
  private chain = 0;

  constructor(private readonly options: RuleEngineOptions) {
    this.traceOf = options.traceOf ?? ((message) => message.userProperty(TRACE_PROPERTY));
  }

  /** Outputs of `record` actions, oldest first; at most the newest 10,000. */
  get recorded(): readonly RecordedOutput[] {
    return this.recordings;
  }

  /**
   * @throws FleetrigError `RULE_SQL_SYNTAX`, `RULE_NAME_INVALID`, `RULE_EXISTS`, `RULE_ACTIONS_INVALID`.
   */
  createRule(rule: TopicRule): void {
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(rule.ruleName)) {
      throw refusal(
        "RULE_NAME_INVALID",
        `Rule name "${rule.ruleName}" is not allowed.`,
        "Use letters, digits, _ and -.",
      );
    }
    if (this.rules.has(rule.ruleName))
      throw refusal("RULE_EXISTS", `Rule "${rule.ruleName}" exists already.`, "Choose another name.");
    if (rule.actions.length > MAX_ACTIONS) {
      throw refusal(
        "RULE_ACTIONS_INVALID",
        `Rule "${rule.ruleName}" has ${rule.actions.length} actions.`,
        "Give at most 10 actions.",
      );
    }
    const statement = compileStatement(parseRuleSql(rule.sql));
    if (rule.ruleDisabled === true) return;
    const actions = rule.actions.map((action) => this.compileAction(rule.ruleName, action));
    this.rules.set(rule.ruleName, { name: rule.ruleName, statement, actions });
    this.rulesByTopic.clear();
  }

  deleteRule(ruleName: string): boolean {
    this.rulesByTopic.clear();
    return this.rules.delete(ruleName);
  }

  /** Would a message on `topic` run a rule? */
  listensTo(topic: string): boolean {
    return this.rules.size > 0 && this.rulesFor(topic).length > 0;
  }

  handle(message: ApplicationMessage): Routing {
    if (this.rules.size === 0) return "broker";
    const matching = this.rulesFor(message.topic);
    if (matching.length > 0) this.runRules(matching, message);
    return "broker";
  }

  private rulesFor(topic: string): readonly CompiledRule[] {
    const cached = this.rulesByTopic.get(topic);
    if (cached !== undefined) return cached;
    const matching = [...this.rules.values()].filter((rule) =>
      topicMatches(rule.statement.from, topic, "aws"),
    );
    if (this.rulesByTopic.size >= MAX_CACHED_TOPICS) this.rulesByTopic.clear();
    this.rulesByTopic.set(topic, matching);
    return matching;
  }

  private runRules(rules: readonly CompiledRule[], message: ApplicationMessage): void {
    const context = this.contextOf(message);
    for (const rule of rules) {
      if (!rule.statement.matches(context)) continue;
      const trace = this.traceOf(message);
      this.options.events.emit({
        type: "rule.fired",
        atUs: this.options.clock.nowUs(),
        rule: rule.name,
        topic: message.topic,
        trace,
      });
      this.options.meter?.(rule.actions.length);
      const output = rule.statement.select(context);
      const payload = output instanceof Uint8Array ? output : JSON.stringify(output);
      for (const action of rule.actions) action(context, payload);
    }
  }

  private contextOf(message: ApplicationMessage): RuleContext {
    const json = message.payload.byteLength <= MAX_PAYLOAD_BYTES ? message.json() : parseJson("", 0);
    return {
      message,
      payload: json.ok ? json.value : undefined,
      wallMs: this.options.clock.wallMs(),
      accountId: this.options.accountId ?? "000000000000",
      random: this.options.random,
    };
  }

  private compileAction(rule: string, action: RuleAction): CompiledAction {
    if ("republish" in action) {
      // AWS: `$$` escapes the dollar of a reserved topic.
      const topic = compileTemplate(action.republish.topic.replace(/^\$\$/, "$"));
      return (context, payload) =>
        this.republish(rule, topic, { context, payload, qos: action.republish.qos ?? 0 });
    }
    return (context, payload) => this.record(rule, action.record.sink, { context, payload });
  }

  private republish(
    rule: string,
    render: RenderTemplate,
    output: { context: RuleContext; payload: string | Uint8Array; qos: 0 | 1 },
  ): void {
    const topic = render(output.context);
    // A device must not widen the topic: what it sends lands in the template as data.
    if (!isTopicName(topic)) return this.fail(rule, "republish", `"${topic}" is not a topic name`);
    if (this.chain >= MAX_CHAIN)
      return this.fail(rule, "republish", `rules republished in a chain of more than ${MAX_CHAIN}`);
    const trace = this.traceOf(output.context.message);
    const userProperties: readonly UserProperty[] =
      trace === undefined
        ? []
        : [
            [TRACE_PROPERTY, trace],
            [RULE_PROPERTY, rule],
          ];
    this.chain += 1;
    try {
      this.options.bus.publish({ topic, payload: output.payload, qos: output.qos, userProperties });
    } finally {
      this.chain -= 1;
    }
  }

  private record(
    rule: string,
    sink: string,
    output: { context: RuleContext; payload: string | Uint8Array },
  ): void {
    if (this.recordings.length >= MAX_RECORDED) this.recordings.shift();
    const payload =
      typeof output.payload === "string" ? output.payload : Buffer.from(output.payload).toString("base64");
    this.recordings.push({
      sink,
      rule,
      topic: output.context.message.topic,
      atUs: this.options.clock.nowUs(),
      payload,
    });
  }

  private fail(rule: string, action: string, message: string): void {
    this.options.events.emit({ type: "rule.error", atUs: this.options.clock.nowUs(), rule, action, message });
  }
}

const refusal = (code: string, message: string, hint: string): FleetrigError =>
  new FleetrigError(code, message, { hint, exitCode: EXIT.usage });
