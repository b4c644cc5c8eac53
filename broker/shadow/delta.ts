import { isJsonObject, jsonEqual, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { setOwn } from "./own-property.js";

/**
 * What is desired and not reported (REF §5.4): objects member by member, everything else whole, arrays by order.
 * Keys that are only reported never appear.
 * @returns undefined when there is no difference.
 */
export function computeDelta(desired: JsonObject, reported: JsonObject | undefined): JsonObject | undefined {
  if (desired === reported) return undefined;
  let delta: Record<string, JsonValue> | undefined;
  for (const key of Object.keys(desired)) {
    const difference = differenceAt(desired, reported, key);
    if (difference === undefined) continue;
    delta ??= {};
    setOwn(delta, key, difference);
  }
  return delta;
}

/** Is there a difference at all? Stops at the first one. */
export function hasDelta(desired: JsonObject | undefined, reported: JsonObject | undefined): boolean {
  if (desired === undefined || desired === reported) return false;
  return Object.keys(desired).some((key) => {
    const wanted = desired[key]!;
    const actual = memberOf(reported, key);
    return isJsonObject(wanted) && isJsonObject(actual)
      ? hasDelta(wanted, actual)
      : !jsonEqual(wanted, actual);
  });
}

function differenceAt(
  desired: JsonObject,
  reported: JsonObject | undefined,
  key: string,
): JsonValue | undefined {
  const wanted = desired[key]!;
  const actual = memberOf(reported, key);
  if (isJsonObject(wanted) && isJsonObject(actual)) return computeDelta(wanted, actual);
  return jsonEqual(wanted, actual) ? undefined : wanted;
}

const memberOf = (object: JsonObject | undefined, key: string): JsonValue | undefined =>
  object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
