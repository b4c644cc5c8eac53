import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { collapseStamps, expandStamps, type Stamps } from "./metadata.js";
import { setOwn } from "./own-property.js";

/** One half of a shadow, `desired` or `reported`. Immutable; never contains null. */
export interface ShadowSection {
  readonly state: JsonObject;
  readonly stamps: Stamps;
}

const EMPTY: ShadowSection = { state: {}, stamps: {} };

/**
 * Merges a request into a section (REF §5.2): objects key by key, null deletes, everything else replaces. Only
 * leaves named in the request are stamped. Untouched branches are shared with the old section, so the cost is that
 * of the request and of the objects on the way to its keys.
 * @param request Checked: no null inside an array, bounded nesting.
 * @returns undefined when nothing is left: a section exists only while it has keys.
 */
export function mergeSection(
  section: ShadowSection | undefined,
  request: JsonObject,
  nowS: number,
): ShadowSection | undefined {
  const merged = mergeObject(section ?? EMPTY, request, nowS);
  return Object.keys(merged.state).length === 0 ? undefined : merged;
}

function mergeObject(section: ShadowSection, request: JsonObject, nowS: number): ShadowSection {
  const keys = Object.keys(request);
  if (keys.length === 0) return section;
  const state: Record<string, JsonValue> = { ...section.state };
  const stamps = expandStamps(section.stamps, section.state);
  for (const key of keys) {
    const value = request[key]!;
    if (value === null) {
      delete state[key];
      delete stamps[key];
      continue;
    }
    const before = Object.hasOwn(state, key) ? state[key] : undefined;
    if (isJsonObject(value) && isJsonObject(before)) {
      const merged = mergeObject({ state: before, stamps: stamps[key]! }, value, nowS);
      setOwn<JsonValue>(state, key, merged.state);
      setOwn(stamps, key, merged.stamps);
    } else {
      setOwn(state, key, withoutNulls(value));
      setOwn<Stamps>(stamps, key, nowS);
    }
  }
  return { state, stamps: collapseStamps(stamps, nowS) };
}

/** A value that is new to the document: there is nothing its nulls could delete. */
function withoutNulls(value: JsonValue): JsonValue {
  if (!isJsonObject(value) || !hasNullMember(value)) return value;
  const kept: Record<string, JsonValue> = {};
  for (const key of Object.keys(value)) {
    const member = value[key]!;
    if (member !== null) setOwn(kept, key, withoutNulls(member));
  }
  return kept;
}

const hasNullMember = (value: JsonObject): boolean =>
  Object.values(value).some((member) => member === null || (isJsonObject(member) && hasNullMember(member)));
