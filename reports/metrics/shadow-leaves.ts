import { isJsonObject, jsonEqual, type JsonObject, type JsonValue } from "fleetrig/kernel";

/** A leaf of a shadow state: where it is and what it says. Arrays are leaves, as AWS merges them whole. */
export interface Leaf {
  readonly path: readonly string[];
  readonly value: JsonValue;
}

/** Deeper states are compared as a whole from here on; the shadow service refuses them anyway. */
const MAX_DEPTH = 32;

export function leavesOf(state: JsonObject): readonly Leaf[] {
  const leaves: Leaf[] = [];
  collect(state, [], leaves);
  return leaves;
}

function collect(state: JsonObject, path: readonly string[], leaves: Leaf[]): void {
  for (const key of Object.keys(state)) {
    const value = state[key]!;
    const here = [...path, key];
    if (isJsonObject(value) && Object.keys(value).length > 0 && here.length < MAX_DEPTH)
      collect(value, here, leaves);
    else leaves.push({ path: here, value });
  }
}

/** Whether a state says what the leaf says; null asks for the key to be absent. */
export function stateHas(state: JsonObject, { path, value }: Leaf): boolean {
  const found = valueAt(state, path);
  return value === null ? found === undefined || found === null : jsonEqual(found, value);
}

function valueAt(state: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = state;
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Whether two updates write the same key, or one writes above the other. */
export const overlaps = (a: readonly Leaf[], b: readonly Leaf[]): boolean =>
  a.some((left) => b.some((right) => isPrefix(left.path, right.path) || isPrefix(right.path, left.path)));

const isPrefix = (short: readonly string[], long: readonly string[]): boolean =>
  short.length <= long.length && short.every((key, i) => key === long[i]);
