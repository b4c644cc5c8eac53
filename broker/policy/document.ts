import { didYouMean, nestingDepth } from "fleetrig/kernel";
import { CONDITION_OPERATORS, type ConditionOperator, readOperator } from "./condition-operator.js";
import { malformedPolicy, type TextSpan } from "./malformed.js";
import {
  type JsonNode,
  type Member,
  type ObjectNode,
  readPolicyJson,
  type StringNode,
} from "./policy-json.js";

/** A text of the document and where it stands. */
export interface PolicyText extends TextSpan {
  readonly text: string;
}

/** Only 2012-10-17 has policy variables; in the older language, also that of a missing Version, `${` is plain text. */
export type PolicyVersion = "2012-10-17" | "2008-10-17";

/** Action or NotAction, Resource or NotResource: what a statement is about, or what it is not about. */
export interface PolicyMatch {
  readonly isNegated: boolean;
  /** At least one. */
  readonly patterns: readonly PolicyText[];
  /** The key in the document. */
  readonly at: TextSpan;
}

/** One key under one operator of `Condition`; all of them must hold. */
export interface PolicyCondition {
  readonly operator: ConditionOperator;
  readonly key: PolicyText;
  readonly values: readonly PolicyText[];
}

export interface PolicyStatement {
  /** Position in the document, from 0. */
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  readonly action: PolicyMatch;
  readonly resource: PolicyMatch;
  readonly conditions: readonly PolicyCondition[];
  readonly at: TextSpan;
}

/** A policy as written, checked. */
export interface PolicyDocument {
  readonly version: PolicyVersion;
  /** False when the document relies on the default, 2008-10-17. */
  readonly hasVersion: boolean;
  readonly statements: readonly PolicyStatement[];
}

export interface PolicyLimits {
  /** Characters of a document, whitespace not counted. AWS: 2,048. */
  readonly maxCharacters: number;
  /** UTF-16 units with whitespace. The API's own bound on `policyDocument` is 404,600. */
  readonly maxTextLength: number;
  /** Nesting of objects and arrays. A policy needs six. */
  readonly maxDepth: number;
}

export const DEFAULT_POLICY_LIMITS: PolicyLimits = {
  maxCharacters: 2048,
  maxTextLength: 404_600,
  maxDepth: 16,
};

/**
 * Reads a policy document; sizes are judged before anything is parsed (REF §10.4).
 * @throws {FleetrigError} POLICY_MALFORMED with `context.awsError` MalformedPolicyException and the place
 */
export function parsePolicyDocument(text: string, limits: Partial<PolicyLimits> = {}): PolicyDocument {
  const { maxCharacters, maxTextLength, maxDepth } = { ...DEFAULT_POLICY_LIMITS, ...limits };
  if (text.length > maxTextLength) throw malformedPolicy(`it is longer than ${maxTextLength} characters`);
  const characters = policyCharacters(text);
  if (characters > maxCharacters) {
    throw malformedPolicy(
      `it has ${characters} characters without whitespace, ${maxCharacters} are allowed`,
      {
        hint: "Use policy variables and wildcards, or attach several policies.",
      },
    );
  }
  if (nestingDepth(text) > maxDepth) throw malformedPolicy(`it is nested deeper than ${maxDepth} levels`);
  return new DocumentReader(text).document();
}

/** Length of a document as AWS counts it: without whitespace. */
export const policyCharacters = (text: string): number => text.replace(/\s+/g, "").length;

const VERSIONS: readonly PolicyVersion[] = ["2012-10-17", "2008-10-17"];
const DOCUMENT_KEYS = ["Version", "Id", "Statement"];
const STATEMENT_KEYS = [
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
] as const;

class DocumentReader {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PolicyDocument {
    const root = this.#object(readPolicyJson(this.#text), "a policy document");
    this.#knownKeys(root, DOCUMENT_KEYS, "a policy document");
    const version = root.members.get("Version");
    const id = root.members.get("Id");
    if (id !== undefined) this.#string(id.value, "Id");
    const statement = root.members.get("Statement");
    if (statement === undefined) throw this.#malformed("there is no Statement", root);
    const nodes = statement.value.kind === "array" ? statement.value.items : [statement.value];
    if (nodes.length === 0) throw this.#malformed("Statement is empty", statement.value);
    return {
      version: version === undefined ? "2008-10-17" : this.#version(version.value),
      hasVersion: version !== undefined,
      statements: nodes.map((node, index) => this.#statement(node, index)),
    };
  }

  #version(node: JsonNode): PolicyVersion {
    const { text } = this.#string(node, "Version");
    const version = VERSIONS.find((known) => known === text);
    if (version !== undefined) return version;
    throw this.#malformed(`there is no Version "${text}"`, node, `Write ${VERSIONS.join(" or ")}.`);
  }

  #statement(node: JsonNode, index: number): PolicyStatement {
    const statement = this.#object(node, "a statement");
    this.#knownKeys(statement, STATEMENT_KEYS, "a statement");
    const sid = statement.members.get("Sid");
    const condition = statement.members.get("Condition");
    const action = this.#match(statement, "Action", "NotAction");
    const resource = this.#match(statement, "Resource", "NotResource");
    for (const pattern of action.patterns) this.#checkAction(pattern);
    for (const pattern of resource.patterns) this.#checkResource(pattern);
    return {
      index,
      sid: sid === undefined ? undefined : this.#string(sid.value, "Sid").text,
      effect: this.#effect(statement),
      action,
      resource,
      conditions: condition === undefined ? [] : this.#conditions(condition.value),
      at: { start: node.start, end: node.end },
    };
  }

  #effect(statement: ObjectNode): "Allow" | "Deny" {
    const member = statement.members.get("Effect");
    if (member === undefined) throw this.#malformed("a statement has no Effect", statement);
    const { text } = this.#string(member.value, "Effect");
    if (text === "Allow" || text === "Deny") return text;
    throw this.#malformed(`there is no Effect "${text}"`, member.value, "Write Allow or Deny.");
  }

  #match(statement: ObjectNode, name: string, negated: string): PolicyMatch {
    const plain = statement.members.get(name);
    const not = statement.members.get(negated);
    if (plain !== undefined && not !== undefined) {
      throw this.#malformed(`a statement has both ${name} and ${negated}`, not.key);
    }
    const member = plain ?? not;
    if (member === undefined)
      throw this.#malformed(`a statement has neither ${name} nor ${negated}`, statement);
    const patterns = this.#strings(member);
    if (patterns.length === 0) throw this.#malformed(`${member.key.text} is empty`, member.value);
    const { start, end } = member.key;
    return { isNegated: not !== undefined, patterns, at: { start, end } };
  }

  #strings(member: Member): readonly PolicyText[] {
    const nodes = member.value.kind === "array" ? member.value.items : [member.value];
    return nodes.map((node) => located(this.#string(node, member.key.text)));
  }

  #checkAction(pattern: PolicyText): void {
    if (pattern.text === "*" || /^[a-z0-9-]+:./i.test(pattern.text)) return;
    const hint = "Actions are written service:name, such as iot:Publish.";
    throw this.#malformed(`"${pattern.text}" is no action`, pattern, hint);
  }

  #checkResource(pattern: PolicyText): void {
    if (pattern.text === "*" || pattern.text.startsWith("arn:")) return;
    const hint = "Write * or an ARN such as arn:aws:iot:us-east-1:123456789012:topic/a/b.";
    throw this.#malformed(`"${pattern.text}" is no resource`, pattern, hint);
  }

  #conditions(node: JsonNode): readonly PolicyCondition[] {
    const operators = [...this.#object(node, "Condition").members.values()];
    return operators.flatMap(({ key, value }) => {
      const operator = readOperator(key.text);
      if (operator === undefined) {
        const hint = didYouMean(key.text, CONDITION_OPERATORS);
        throw this.#malformed(`there is no condition operator "${key.text}"`, key, hint);
      }
      return [...this.#object(value, key.text).members.values()].map((member) => ({
        operator,
        key: located(member.key),
        values: this.#conditionValues(member),
      }));
    });
  }

  /** Numbers and booleans stand for their texts, as in IAM. */
  #conditionValues({ key, value }: Member): readonly PolicyText[] {
    const nodes = value.kind === "array" ? value.items : [value];
    return nodes.map((node) => {
      if (node.kind === "object" || node.kind === "array" || node.kind === "null") {
        throw this.#malformed(`a value of the condition on "${key.text}" is ${named(node.kind)}`, node);
      }
      return located(node);
    });
  }

  #object(node: JsonNode, what: string): ObjectNode {
    if (node.kind === "object") return node;
    throw this.#malformed(`${what} must be an object, not ${named(node.kind)}`, node);
  }

  #string(node: JsonNode, what: string): StringNode {
    if (node.kind !== "string") {
      throw this.#malformed(`${what} must be a string, not ${named(node.kind)}`, node);
    }
    return node;
  }

  #knownKeys(node: ObjectNode, known: readonly string[], what: string): void {
    for (const { key } of node.members.values()) {
      if (known.includes(key.text)) continue;
      const hint = /^(?:Not)?Principal$/.test(key.text)
        ? "AWS IoT policies are attached to principals and name none."
        : didYouMean(key.text, known);
      throw this.#malformed(`${what} has no "${key.text}"`, key, hint);
    }
  }

  #malformed(reason: string, at: TextSpan, hint?: string) {
    return malformedPolicy(reason, { text: this.#text, at, hint });
  }
}

const located = ({ text, start, end }: PolicyText): PolicyText => ({ text, start, end });

const named = (kind: JsonNode["kind"]): string =>
  kind === "null" ? "null" : `${kind === "object" || kind === "array" ? "an" : "a"} ${kind}`;
