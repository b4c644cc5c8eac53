import { EXIT, FleetrigError } from "fleetrig/kernel";

/** Limits of the shadow service; the defaults are AWS's (REF §5.7, §22). */
export interface ShadowSettings {
  /** Size of the state, metadata not counted. 1 to 131,072 bytes; AWS: 8,192, adjustable. */
  readonly maxStateBytes: number;
  /** AWS's documents disagree whether `desired` and `reported` share the limit or have one each. */
  readonly sizeLimitPer: "document" | "section";
  /** Largest request that is parsed at all, in bytes. */
  readonly maxRequestBytes: number;
  /** Levels of nesting below and including `desired` or `reported`: 1 to 60. AWS says 6 in one place, 8 in another. */
  readonly maxNesting: number;
  /** Per shadow; undefined is no limit. AWS: 20. */
  readonly maxRequestsPerSecond: number | undefined;
  /** How long a deleted shadow remembers its version, in seconds. */
  readonly versionRetentionS: number;
  /** Whether a delete counts as a version of its own; unknown of AWS. */
  readonly deleteIncrementsVersion: boolean;
  /** Shadows kept at once, remembered versions of deleted ones included. */
  readonly maxShadows: number;
}

/** AWS's limits, in the stricter reading where its documents disagree. */
export const DEFAULT_SHADOW_SETTINGS: ShadowSettings = {
  maxStateBytes: 8192,
  sizeLimitPer: "document",
  maxRequestBytes: 131_072,
  maxNesting: 6,
  maxRequestsPerSecond: undefined,
  versionRetentionS: 48 * 3600,
  deleteIncrementsVersion: false,
  maxShadows: 4_000_000,
};

const RANGES: readonly (readonly [name: keyof ShadowSettings, min: number, max: number])[] = [
  ["maxStateBytes", 1, 131_072],
  ["maxRequestBytes", 1, 268_435_455],
  ["maxNesting", 1, 60],
  ["maxRequestsPerSecond", 1, 1_000_000],
  ["versionRetentionS", 0, 31_536_000],
  ["maxShadows", 1, 100_000_000],
];

/** @throws FleetrigError `SHADOW_SETTING_RANGE` when a number is not an integer of its range. */
export function completeShadowSettings(given: Partial<ShadowSettings> = {}): ShadowSettings {
  const settings = { ...DEFAULT_SHADOW_SETTINGS, ...given };
  for (const [name, min, max] of RANGES) {
    const value = settings[name];
    if (value === undefined) continue;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) continue;
    throw new FleetrigError("SHADOW_SETTING_RANGE", `Shadow setting ${name} is ${String(value)}.`, {
      hint: `Use an integer from ${min} to ${max}.`,
      context: { name, value, min, max },
      exitCode: EXIT.usage,
    });
  }
  return settings;
}
