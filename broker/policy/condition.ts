import { type PolicyContext, textOf } from "./authorization.js";
import type { ConditionOperator } from "./condition-operator.js";
import { canonicalKey } from "./context-keys.js";
import type { PolicyCondition, PolicyStatement, PolicyVersion } from "./document.js";
import { operandTest, parseBoolean } from "./operand.js";
import { parsePattern, type PatternPiece, substitute, variablesOf } from "./pattern.js";

/**
 * A key under an operator. The rules are IAM's: a key without value fails, but passes a negated operator, IfExists and
 * ForAllValues; a value of the policy whose variable has no value is like nothing. Where something cannot be compared
 * at all a negated operator would pass for the wrong reason, so there it fails in Allow and passes in Deny: what
 * is unclear never grants.
 */
export class Condition {
  readonly operator: ConditionOperator;
  readonly key: string;
  /** As written. */
  readonly expected: readonly string[];
  /** Keys of the context that this depends on. */
  readonly contextKeys: readonly string[];
  readonly #variables: readonly string[];
  readonly #operands: readonly Operand[];
  readonly #isUnclearEnough: boolean;

  constructor(condition: PolicyCondition, effect: PolicyStatement["effect"], version: PolicyVersion) {
    const { operator, key, values } = condition;
    const hasWildcards = operator.operand === "like" || operator.operand === "arn";
    this.operator = operator;
    this.key = canonicalKey(key.text);
    this.expected = values.map(({ text }) => text);
    this.#operands = values.map(({ text }) =>
      compileOperand(operator, parsePattern(text, { version, hasWildcards, canonicalKey })),
    );
    this.#variables = this.#operands.flatMap(({ variables }) => variables);
    this.contextKeys = [this.key, ...this.#variables];
    this.#isUnclearEnough = operator.isNegated && effect === "Deny";
  }

  holds(context: PolicyContext): boolean {
    const actual = context.value(this.key);
    const isMissing = actual === undefined || (typeof actual !== "string" && actual.length === 0);
    const { operand, isIfExists, set, isNegated } = this.operator;
    if (operand === "null") return this.expected.some((text) => parseBoolean(text) === isMissing);
    if (isMissing) return isIfExists || set === "all" || (set === undefined && isNegated);
    if (set === undefined) {
      // A list wants a set operator (REF §10.3); without one there is nothing to compare.
      return typeof actual === "string" ? this.#passes(actual, context) : this.#isUnclearEnough;
    }
    const values = typeof actual === "string" ? [actual] : actual;
    return set === "all"
      ? values.every((value) => this.#passes(value, context))
      : values.some((value) => this.#passes(value, context));
  }

  /** Keys that this asked for and that have no value, where that may have decided. */
  missingKeys(context: PolicyContext): readonly string[] {
    const { operand, isIfExists } = this.operator;
    if (operand === "null") return [];
    const missing = this.#variables.filter((key) => textOf(context, key) === undefined);
    const isKeyMissing = !isIfExists && context.value(this.key) === undefined;
    return isKeyMissing ? [this.key, ...missing] : missing;
  }

  #passes(actual: string, context: PolicyContext): boolean {
    let isUnclear = false;
    for (const { test } of this.#operands) {
      const like = test(actual, context);
      if (like === true) return !this.operator.isNegated;
      isUnclear ||= like === undefined;
    }
    return isUnclear ? this.#isUnclearEnough : this.operator.isNegated;
  }
}

interface Operand {
  readonly variables: readonly string[];
  readonly test: (actual: string, context: PolicyContext) => boolean | undefined;
}

function compileOperand(operator: ConditionOperator, pieces: readonly PatternPiece[]): Operand {
  const variables = variablesOf(pieces);
  if (variables.length === 0) return { variables, test: operandTest(operator, pieces) };
  return {
    variables,
    test: (actual, context) => {
      const substituted = substitute(pieces, (key) => textOf(context, key));
      return substituted === undefined ? undefined : operandTest(operator, substituted)(actual);
    },
  };
}
