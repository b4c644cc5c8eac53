import { type Distribution, isJsonObject, type JsonObject, type JsonValue, US_PER_S } from "fleetrig/kernel";
import { distributionIn } from "./quantile.js";

/** The configuration of a device as its shadow carries it: which shadow, how slowly it is taken over. */
export interface ShadowSettings {
  readonly shadowName: string | undefined;
  /** From the delta's arrival until the device runs with it. */
  readonly applyTime: Distribution;
}

const DEFAULT_APPLY_TIME: Distribution = { dist: "uniform", min: 200_000, max: 1_500_000 };

/** Reads the `shadow:` block of a group; `applyTime` may also stand beside it. */
export function shadowSettings(settings: JsonObject): ShadowSettings {
  const block = settings["shadow"];
  const shadow = isJsonObject(block) ? block : {};
  const name = shadow["name"];
  return {
    shadowName: typeof name === "string" ? name : undefined,
    applyTime: distributionIn(shadow["applyTime"] ?? settings["applyTime"], DEFAULT_APPLY_TIME),
  };
}

/**
 * Takes changes over into a configuration: objects merge, everything else is replaced (AWS: §5.2 of REF).
 * A `__proto__` key stays plain data. Depth is bounded by the shadow service's own limit.
 */
export function mergeConfiguration(config: JsonObject, changes: JsonObject): JsonObject {
  const merged = new Map<string, JsonValue>(Object.entries(config));
  for (const [key, change] of Object.entries(changes)) {
    const present = merged.get(key);
    merged.set(
      key,
      isJsonObject(present) && isJsonObject(change) ? mergeConfiguration(present, change) : change,
    );
  }
  return Object.fromEntries(merged);
}

const SHORTEST_S = 0.1;
const LONGEST_S = 7 * 86_400;

/**
 * The telemetry interval that a configuration asks for, under any of the names devices use for it:
 * `reporting_interval`, `reportingIntervalS` or `telemetry.everyS`, all in seconds.
 * @returns Microseconds, or undefined when there is none or it is not between 0.1 s and a week.
 */
export function reportingEveryUs(config: JsonObject): number | undefined {
  const telemetry = config["telemetry"];
  const seconds =
    config["reporting_interval"] ??
    config["reportingIntervalS"] ??
    (isJsonObject(telemetry) ? telemetry["everyS"] : undefined);
  if (typeof seconds !== "number" || !(seconds >= SHORTEST_S && seconds <= LONGEST_S)) return undefined;
  return Math.round(seconds * US_PER_S);
}
