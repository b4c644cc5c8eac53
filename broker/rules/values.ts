import { isJsonObject, jsonEqual, type JsonValue } from "fleetrig/kernel";

/** A value of the rule language: JSON, or `undefined` for the language's own Undefined (REF §9.3). */
export type RuleValue = JsonValue | undefined;

const NUMERIC = /^-?\d+(?:\.\d+)?(?:[eE]-?\d+)?$/;
const MAX_NUMERIC_CHARS = 64;

/** Conversion to Decimal for arithmetic and ordering; Undefined when there is none. */
export function toDecimal(value: RuleValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.length > MAX_NUMERIC_CHARS || !NUMERIC.test(value)) return undefined;
  return Number(value);
}

export function toBoolean(value: RuleValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const lower = value.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

/** Conversion to String; Null becomes Undefined, containers their JSON text. */
export function toText(value: RuleValue): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

const typeName = (value: JsonValue): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value;

/** `=`: Undefined with Undefined operands, false between different types. */
export function equals(left: RuleValue, right: RuleValue): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  return typeName(left) === typeName(right) && jsonEqual(left, right);
}

/** Whole results stay whole; what JSON cannot hold (NaN, infinities) is Undefined. */
export const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

export function getPath(root: RuleValue, segments: readonly string[]): RuleValue {
  let value = root;
  for (const segment of segments) {
    if (!isJsonObject(value) || !Object.hasOwn(value, segment)) return undefined;
    value = value[segment];
  }
  return value;
}
