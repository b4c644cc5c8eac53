import { didYouMean } from "fleetrig/kernel";
import type { ConditionOperator } from "../condition-operator.js";
import { attributeOf, canonicalKey, CONTEXT_KEYS, LIST_KEYS } from "../context-keys.js";
import type { PolicyCondition, PolicyText } from "../document.js";
import { isOperand } from "../operand.js";
import { variablesOf } from "../pattern.js";
import { piecesOf } from "./arn.js";
import { type LintRule, perStatement, type Remark } from "./finding.js";

type StatementRemark = Omit<Remark, "statement">;

const isKnown = (key: string): boolean => CONTEXT_KEYS.includes(key) || attributeOf(key) !== undefined;

/** A key that is spelt nearly so, or that ends in the same word. */
function meantKey(key: string): string | undefined {
  const word = lastWord(key);
  const same = CONTEXT_KEYS.find((candidate) => lastWord(candidate) === word);
  return didYouMean(key, CONTEXT_KEYS) ?? (same === undefined ? undefined : `Did you mean "${same}"?`);
}

const lastWord = (key: string): string => (/[^.:]*$/.exec(key)?.[0] ?? "").toLowerCase();

/** `${...}` that stands for nothing, or for nothing in this place. */
export const variables = perStatement(function* ({ resource, conditions, effect }, { document }) {
  for (const pattern of resource.patterns) {
    yield* textRemarks(pattern, document.version === "2012-10-17");
    if (effect === "Deny" && !resource.isNegated) yield* inDeny(pattern);
  }
  for (const { values } of conditions) {
    for (const value of values) yield* textRemarks(value, document.version === "2012-10-17");
  }
});

function* textRemarks(at: PolicyText, hasVariables: boolean): Iterable<StatementRemark> {
  const { text } = at;
  if (!text.includes("${")) return;
  const say = (code: string, message: string, fix: string): StatementRemark => ({
    code,
    severity: "error",
    at,
    message,
    fix,
  });
  if (!hasVariables) {
    yield say(
      "variables-need-version",
      `Without Version 2012-10-17, \${ in ${text} is plain text.`,
      'Write "Version": "2012-10-17".',
    );
    return;
  }
  if (/\$\{[^}]*$/.test(text))
    yield say("unfinished-variable", `A variable in ${text} has no closing brace.`, "Write ${name}.");
  if (text.includes("$${")) {
    yield say(
      "doubled-dollar",
      `$\${ in ${text} is a dollar sign and a variable.`,
      "Only Terraform's templates need the second dollar sign; a policy has one.",
    );
  }
  for (const key of variablesOf(piecesOf(text, "2012-10-17"))) {
    if (LIST_KEYS.includes(key)) {
      yield say(
        "list-as-variable",
        `\${${key}} has several values, so it stands for none.`,
        "Use it as a key of a condition with ForAnyValue: or ForAllValues:.",
      );
    } else if (!isKnown(key)) {
      yield say(
        "unknown-variable",
        `There is no variable \${${key}}, so this never matches.`,
        meantKey(key) ?? "Use one such as ${iot:ClientId} or ${iot:Connection.Thing.ThingName}.",
      );
    }
  }
}

/** Variables that every client has. */
const ALWAYS = ["iot:ClientId", "aws:SourceIp"];

function* inDeny(at: PolicyText): Iterable<StatementRemark> {
  const key = variablesOf(piecesOf(at.text, "2012-10-17")).find(
    (name) => isKnown(name) && !ALWAYS.includes(name),
  );
  if (key === undefined) return;
  yield {
    code: "variable-in-deny",
    severity: "warning",
    at,
    message: `Where \${${key}} has no value this Deny denies nothing.`,
    fix: "Deny with wildcards, or use NotResource: that denies when the variable has no value.",
  };
}

/** Conditions that cannot hold, or hold for other reasons than meant. */
export const conditions = perStatement(function* ({ conditions, effect }) {
  for (const condition of conditions) yield* conditionRemarks(condition, effect);
});

function* conditionRemarks(
  { operator, key, values }: PolicyCondition,
  effect: string,
): Iterable<StatementRemark> {
  const name = canonicalKey(key.text);
  if (!isKnown(name) && !/^aws:/i.test(name)) {
    yield {
      code: "unknown-condition-key",
      severity: "error",
      at: key,
      message: `There is no condition key ${key.text}, so it never has a value.`,
      fix: meantKey(key.text) ?? "Use one such as iot:Connection.Thing.IsAttached or aws:SourceIp.",
    };
  }
  if (LIST_KEYS.includes(name) && operator.set === undefined && operator.operand !== "null") {
    yield {
      code: "list-needs-set-operator",
      severity: "error",
      at: key,
      message: `${key.text} has several values, which ${operator.name} cannot compare.`,
      fix: `Write ForAnyValue:${operator.name} or ForAllValues:${operator.name}.`,
    };
  }
  if (effect === "Allow" && operator.set === "all" && !operator.isIfExists) {
    yield {
      code: "for-all-of-none",
      severity: "info",
      at: key,
      message: `${operator.name} also holds where ${key.text} has no value at all.`,
      fix: `Add "Null": {"${key.text}": "false"} if it must have one.`,
    };
  }
  yield* operandRemarks(operator, values);
}

function* operandRemarks(
  operator: ConditionOperator,
  values: readonly PolicyText[],
): Iterable<StatementRemark> {
  for (const value of values) {
    if (value.text.includes("${") || isOperand(operator.operand, value.text)) continue;
    yield {
      code: "unreadable-value",
      severity: "error",
      at: value,
      message: `${operator.name} cannot compare anything with ${JSON.stringify(value.text)}.`,
      fix: OPERAND_FORMS[operator.operand] ?? "Write a value of that kind.",
    };
  }
}

const OPERAND_FORMS: Readonly<Partial<Record<ConditionOperator["operand"], string>>> = {
  number: "Write a number such as 42 or 1.5.",
  date: "Write a date such as 2026-01-31T12:00:00Z, or seconds since 1970.",
  bool: "Write true or false.",
  null: "Write true or false.",
  ip: "Write an address or a range such as 192.0.2.0/24.",
  arn: "Write an ARN with six parts.",
};

/** The older language is nobody's intention, and Sids tell statements apart. */
export const documentShape: LintRule = function* ({ document, text }): Iterable<Remark> {
  if (!document.hasVersion) {
    const start = Math.max(0, text.indexOf("{"));
    yield {
      code: "no-version",
      severity: "warning",
      at: { start, end: start + 1 },
      message: "Without Version a policy is in the language of 2008, which has no variables.",
      fix: 'Write "Version": "2012-10-17".',
    };
  }
  const seen = new Set<string>();
  for (const statement of document.statements) {
    const { sid, at } = statement;
    if (sid === undefined) continue;
    if (seen.has(sid)) {
      yield {
        code: "sid-used-twice",
        severity: "warning",
        statement,
        at,
        message: `There are two statements with the Sid ${JSON.stringify(sid)}.`,
        fix: "Give every statement a Sid of its own, or none.",
      };
    }
    seen.add(sid);
  }
};
