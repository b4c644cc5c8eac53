import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import { type Expression, parseRuleSql } from "fleetrig/broker";

/**
 * A second opinion on whether a rule should have fired. It shares the parser with the cloud and nothing else:
 * a plain walk over the tree, written apart from the compiled evaluator, so that precision and recall are
 * not measured by the thing they measure.
 */
export interface RuleOracle {
  readonly rule: string;
  shouldFire(topic: string, payload: JsonValue): boolean;
}

/** Stands for the language's Undefined, told apart from null. */
const UNDEFINED = Symbol("Undefined");
type Known = JsonValue | typeof UNDEFINED;

/** @throws FleetrigError `RULE_SQL_SYNTAX` */
export function createRuleOracle(rule: string, sql: string): RuleOracle {
  const { from, where } = parseRuleSql(sql);
  const levels = from.split("/");
  const known = new Map<string, boolean>();
  const covers = (topic: string): boolean => {
    const answer = known.get(topic);
    if (answer !== undefined) return answer;
    if (known.size >= MAX_KNOWN_TOPICS) known.clear();
    const isCovered = filterCovers(levels, topic.split("/"));
    known.set(topic, isCovered);
    return isCovered;
  };
  return {
    rule,
    shouldFire: (topic, payload) =>
      covers(topic) && (where === undefined || walk(where, { topic, payload }) === true),
  };
}

/** Topics whose answer is remembered: a fleet publishes on the same ones again and again. */
const MAX_KNOWN_TOPICS = 200_000;

function filterCovers(filter: readonly string[], topic: readonly string[]): boolean {
  if (topic[0]?.startsWith("$") && !filter[0]?.startsWith("$")) return false;
  const [head, ...restOfFilter] = filter;
  const [level, ...restOfTopic] = topic;
  if (head === undefined) return level === undefined;
  if (level === undefined) return false;
  if (head === "#") return true;
  return (head === "+" || head === level) && filterCovers(restOfFilter, restOfTopic);
}

interface Scope {
  readonly topic: string;
  readonly payload: JsonValue;
}

function walk(node: Expression, scope: Scope): Known {
  switch (node.kind) {
    case "literal":
      return node.value;
    case "path":
      return node.segments.reduce<Known>(
        (value, key) =>
          value !== UNDEFINED && isJsonObject(value) && Object.hasOwn(value, key) ? value[key]! : UNDEFINED,
        scope.payload,
      );
    case "unary":
      return walkUnary(node.operator, walk(node.operand, scope));
    case "binary":
      return walkBinary(node.operator, walk(node.left, scope), walk(node.right, scope));
    case "case": {
      const subject = walk(node.subject, scope);
      if (subject === UNDEFINED) return UNDEFINED;
      for (const { when, result } of node.branches)
        if (same(subject, walk(when, scope))) return walk(result, scope);
      return node.otherwise === undefined ? UNDEFINED : walk(node.otherwise, scope);
    }
    case "array":
      return node.items
        .map((item) => walk(item, scope))
        .filter((item): item is JsonValue => item !== UNDEFINED);
    case "call":
      return node.name === "topic" ? walkTopic(node.args, scope) : UNDEFINED;
    case "object":
      return UNDEFINED;
  }
}

function walkTopic(args: readonly Expression[], scope: Scope): Known {
  const [level] = args;
  if (level === undefined) return scope.topic;
  const index = walk(level, scope);
  return typeof index === "number" ? (scope.topic.split("/")[index - 1] ?? UNDEFINED) : UNDEFINED;
}

function walkUnary(operator: "NOT" | "-", value: Known): Known {
  if (operator === "NOT") {
    const truth = truthOf(value);
    return truth === UNDEFINED ? UNDEFINED : !truth;
  }
  const number = numberOf(value);
  return number === UNDEFINED ? UNDEFINED : 0 - number;
}

function walkBinary(operator: string, left: Known, right: Known): Known {
  if (operator === "AND" || operator === "OR") {
    const a = truthOf(left);
    const b = truthOf(right);
    if (a === UNDEFINED || b === UNDEFINED) return UNDEFINED;
    return operator === "AND" ? a && b : a || b;
  }
  if (left === UNDEFINED || right === UNDEFINED) return UNDEFINED;
  if (operator === "=") return same(left, right);
  if (operator === "<>") return !same(left, right);
  if (operator === "IN")
    return Array.isArray(right) ? (right as JsonValue[]).some((item) => same(left, item)) : UNDEFINED;
  if (operator === "+" && (typeof left === "string" || typeof right === "string")) return joined(left, right);
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === UNDEFINED || b === UNDEFINED) return UNDEFINED;
  const result = calculate(operator, a, b);
  return typeof result === "number" && !Number.isFinite(result) ? UNDEFINED : result;
}

const joined = (left: JsonValue, right: JsonValue): Known => {
  if (left === null || right === null) return UNDEFINED;
  return [left, right].map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join("");
};

function calculate(operator: string, a: number, b: number): number | boolean {
  if (operator === ">") return a > b;
  if (operator === ">=") return a >= b;
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  if (operator === "+") return a + b;
  if (operator === "-") return a - b;
  if (operator === "*") return a * b;
  if (operator === "%") return a % b;
  const quotient = a / b;
  return Number.isInteger(a) && Number.isInteger(b) && Number.isFinite(quotient)
    ? Math.trunc(quotient)
    : quotient;
}

const truthOf = (value: Known): boolean | typeof UNDEFINED => {
  if (value === true || (typeof value === "string" && /^true$/i.test(value))) return true;
  if (value === false || (typeof value === "string" && /^false$/i.test(value))) return false;
  return UNDEFINED;
};

const numberOf = (value: Known): number | typeof UNDEFINED => {
  if (typeof value === "number") return value;
  const isNumeral =
    typeof value === "string" && value.length <= 64 && /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(value);
  return isNumeral ? Number(value) : UNDEFINED;
};

/** Equality by JSON text with sorted keys: slow, and obviously right. */
const same = (left: Known, right: Known): boolean =>
  left !== UNDEFINED && right !== UNDEFINED && sortedText(left) === sortedText(right);

const sortedText = (value: JsonValue): string =>
  JSON.stringify(value, (_key, inner: JsonValue) =>
    isJsonObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
