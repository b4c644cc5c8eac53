import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { setOwn } from "./own-property.js";

/**
 * When each leaf of a section was last written. A number covers everything below it: arrays are written whole,
 * and most devices write a whole section at once, so one number often stands for a hundred leaves. The timestamp
 * objects of AWS's metadata exist only in messages.
 * Where it is an object, it has exactly the keys of the state it belongs to.
 */
export type Stamps = number | StampTree;
export interface StampTree {
  readonly [key: string]: Stamps;
}

/** The stamps as a new object with one entry per key of `state`. */
export function expandStamps(stamps: Stamps, state: JsonObject): Record<string, Stamps> {
  if (typeof stamps !== "number") return { ...stamps };
  const tree: Record<string, Stamps> = {};
  for (const key of Object.keys(state)) setOwn<Stamps>(tree, key, stamps);
  return tree;
}

/** The one number that says the same as `tree`, if there is one. */
export function collapseStamps(tree: StampTree, nowS: number): Stamps {
  for (const key of Object.keys(tree)) if (tree[key] !== nowS) return tree;
  return nowS;
}

/**
 * AWS's metadata for `state`, or for any part of the state the stamps belong to (REF §5.3): a timestamp object per
 * leaf and per array element. Nulls of a request have none.
 */
export function renderMetadata(state: JsonObject, stamps: Stamps): JsonObject {
  const metadata: Record<string, JsonValue> = {};
  for (const key of Object.keys(state)) {
    const value = state[key]!;
    if (value !== null)
      setOwn(metadata, key, renderValue(value, typeof stamps === "number" ? stamps : stamps[key]!));
  }
  return metadata;
}

function renderValue(value: JsonValue, stamps: Stamps): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => renderValue(item, stamps));
  return isJsonObject(value) ? renderMetadata(value, stamps) : { timestamp: stamps as number };
}
