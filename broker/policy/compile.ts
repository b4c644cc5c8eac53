import type { PolicyContext, StatementName } from "./authorization.js";
import { ActionMatch } from "./action-match.js";
import { Condition } from "./condition.js";
import type { PolicyDocument, PolicyStatement, PolicyVersion } from "./document.js";
import { ResourceMatch } from "./resource-match.js";

export interface CompileOptions {
  /**
   * Lets a client identifier with `+` or `#` stand for itself in an Allow on topic filters, as AWS does. Default false:
   * a client named `+` gets nothing from `topicfilter/a/${iot:ClientId}`.
   */
  readonly allowsMqttWildcardsInVariables?: boolean;
}

/** Statements of a policy that are about an action. */
export interface ActionStatements {
  readonly allows: readonly CompiledStatement[];
  readonly denies: readonly CompiledStatement[];
  /** Keys of the context that the answer depends on; with none, it depends on action and resource alone. */
  readonly contextKeys: readonly string[];
}

/** A policy ready to be asked. It has no state besides what it remembers of its own text. */
export class CompiledPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
  readonly statements: readonly CompiledStatement[];
  /** Keys of the context that any of its statements depends on, in AWS's spelling. */
  readonly contextKeys: readonly string[];
  readonly #byAction = new Map<string, ActionStatements>();

  constructor(document: PolicyDocument, name: string, options: CompileOptions) {
    this.name = name;
    this.document = document;
    this.statements = document.statements.map(
      (statement) =>
        new CompiledStatement(statement, { ...options, policyName: name, version: document.version }),
    );
    this.contextKeys = keysOf(this.statements);
  }

  /** The statements about an action. Answers for the few actions that there are are remembered. */
  statementsFor(action: string): ActionStatements {
    const known = this.#byAction.get(action);
    if (known !== undefined) return known;
    const about = this.statements.filter((statement) => statement.isAbout(action));
    const statements = {
      allows: about.filter(({ effect }) => effect === "Allow"),
      denies: about.filter(({ effect }) => effect === "Deny"),
      contextKeys: keysOf(about),
    };
    if (this.#byAction.size < MAX_REMEMBERED_ACTIONS) this.#byAction.set(action, statements);
    return statements;
  }
}

const MAX_REMEMBERED_ACTIONS = 64;

const keysOf = (statements: readonly CompiledStatement[]): readonly string[] => [
  ...new Set(statements.flatMap(({ contextKeys }) => contextKeys)),
];

/** Makes a document ready to be asked; `name` is what decisions call it. */
export const compilePolicy = (
  document: PolicyDocument,
  name: string,
  options: CompileOptions = {},
): CompiledPolicy => new CompiledPolicy(document, name, options);

interface StatementOptions extends CompileOptions {
  readonly policyName: string;
  readonly version: PolicyVersion;
}

/** One statement: it applies when action, resource and every condition do. */
export class CompiledStatement {
  readonly name: StatementName;
  readonly effect: "Allow" | "Deny";
  readonly resource: ResourceMatch;
  readonly action: ActionMatch;
  readonly conditions: readonly Condition[];
  readonly contextKeys: readonly string[];

  constructor(statement: PolicyStatement, options: StatementOptions) {
    const { version, policyName, allowsMqttWildcardsInVariables = false } = options;
    this.name = { policyName, index: statement.index, sid: statement.sid };
    this.effect = statement.effect;
    this.action = new ActionMatch(statement.action);
    this.resource = new ResourceMatch(statement, { version, allowsMqttWildcardsInVariables });
    this.conditions = statement.conditions.map(
      (condition) => new Condition(condition, statement.effect, version),
    );
    this.contextKeys = [
      ...this.resource.variables,
      ...this.conditions.flatMap(({ contextKeys }) => contextKeys),
    ];
  }

  isAbout(action: string): boolean {
    return this.action.applies(action);
  }

  /** For an action that it is about. */
  applies(resource: string, context: PolicyContext): boolean {
    if (!this.resource.applies(resource, context)) return false;
    for (const condition of this.conditions) if (!condition.holds(context)) return false;
    return true;
  }
}
