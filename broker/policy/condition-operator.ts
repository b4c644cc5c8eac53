/**
 * Names of condition operators. A name is `[ForAnyValue:|ForAllValues:]Base[IfExists]`; the set operator says how a
 * key with several values is judged.
 */

/** How the values of an operator's keys are compared. */
export type OperandKind =
  | "string"
  | "stringIgnoreCase"
  | "like"
  | "number"
  | "date"
  | "bool"
  | "ip"
  | "arn"
  | "null";

interface BaseOperator {
  readonly operand: OperandKind;
  /** True when the key must be like none of the values. */
  readonly isNegated: boolean;
  /** For ordered operands: the signs of (key - value) that match. */
  readonly signs?: readonly (-1 | 0 | 1)[];
}

export interface ConditionOperator extends BaseOperator {
  /** As written. */
  readonly name: string;
  readonly set: "any" | "all" | undefined;
  /** A key without value passes. */
  readonly isIfExists: boolean;
}

const is = (operand: OperandKind): BaseOperator => ({ operand, isNegated: false });
const isNot = (operand: OperandKind): BaseOperator => ({ operand, isNegated: true });

function ordered(operand: "number" | "date", name: string): [string, BaseOperator][] {
  const base = (
    suffix: string,
    signs: readonly (-1 | 0 | 1)[],
    isNegated = false,
  ): [string, BaseOperator] => [`${name}${suffix}`, { operand, isNegated, signs }];
  return [
    base("Equals", [0]),
    base("NotEquals", [0], true),
    base("LessThan", [-1]),
    base("LessThanEquals", [-1, 0]),
    base("GreaterThan", [1]),
    base("GreaterThanEquals", [0, 1]),
  ];
}

const BASES: ReadonlyMap<string, BaseOperator> = new Map([
  ["StringEquals", is("string")],
  ["StringNotEquals", isNot("string")],
  ["StringEqualsIgnoreCase", is("stringIgnoreCase")],
  ["StringNotEqualsIgnoreCase", isNot("stringIgnoreCase")],
  ["StringLike", is("like")],
  ["StringNotLike", isNot("like")],
  ...ordered("number", "Numeric"),
  ...ordered("date", "Date"),
  ["Bool", is("bool")],
  ["IpAddress", is("ip")],
  ["NotIpAddress", isNot("ip")],
  // IAM: ArnEquals and ArnLike do the same.
  ["ArnEquals", is("arn")],
  ["ArnLike", is("arn")],
  ["ArnNotEquals", isNot("arn")],
  ["ArnNotLike", isNot("arn")],
  ["Null", is("null")],
]);

/** Names without set operator and IfExists. */
export const CONDITION_OPERATORS: readonly string[] = [...BASES.keys()];

const SETS = { ForAnyValue: "any", ForAllValues: "all" } as const;

/** The operator of a name, or undefined. Null itself asks whether a key exists, so it has no IfExists. */
export function readOperator(name: string): ConditionOperator | undefined {
  const parts = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  const base = BASES.get(parts?.[2] ?? "");
  if (parts === null || base === undefined) return undefined;
  const isIfExists = parts[3] !== undefined;
  if (base.operand === "null" && (isIfExists || parts[1] !== undefined)) return undefined;
  const set = parts[1] === undefined ? undefined : SETS[parts[1] as keyof typeof SETS];
  return { ...base, name, set, isIfExists };
}
