import { isThingName } from "fleetrig/protocol";
import { cloudError } from "../cloud-error.js";

/** Limits of the registry; the defaults are AWS's (REF §13.1). */
export interface RegistryLimits {
  /** Attributes of a thing that has no thing type. */
  readonly maxAttributesWithoutType: number;
  readonly maxAttributesWithType: number;
  readonly maxGroupsPerThing: number;
  /** Levels of thing groups, the root group included. */
  readonly maxGroupDepth: number;
  /** Ours: AWS has no limit on things. */
  readonly maxThings: number;
  /** Ours, too: AWS's is about parents and children. */
  readonly maxGroups: number;
}

/** AWS's limits, and ours where AWS has none. */
export const DEFAULT_REGISTRY_LIMITS: RegistryLimits = {
  maxAttributesWithoutType: 3,
  maxAttributesWithType: 50,
  maxGroupsPerThing: 10,
  maxGroupDepth: 7,
  maxThings: 5_000_000,
  maxGroups: 100_000,
};

/** Attributes of a thing or a thing group, by name. */
export type Attributes = Readonly<Record<string, string>>;

const ATTRIBUTE_NAME = /^[a-zA-Z0-9_.,@/:#-]{1,128}$/;
const ATTRIBUTE_VALUE = /^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/;

/** Names of things, thing types and thing groups follow one rule. */
export function assertName(what: string, name: string): void {
  if (isThingName(name)) return;
  throw cloudError(
    "InvalidRequestException",
    `${what} name ${JSON.stringify(name.slice(0, 140))} is invalid.`,
    {
      hint: "Use 1 to 128 letters, digits, colons, underscores or hyphens.",
    },
  );
}

export function assertAttributes(attributes: Attributes, maximum: number): void {
  const names = Object.keys(attributes);
  if (names.length > maximum) {
    throw cloudError(
      "InvalidRequestException",
      `${names.length} attributes, but at most ${maximum} are allowed.`,
      {
        hint: "A thing with a thing type may have more attributes than one without.",
        context: { attributes: names.length, maximum },
      },
    );
  }
  for (const name of names) {
    if (ATTRIBUTE_NAME.test(name) && ATTRIBUTE_VALUE.test(attributes[name]!)) continue;
    throw cloudError(
      "InvalidRequestException",
      `Attribute ${JSON.stringify(name.slice(0, 140))} is invalid.`,
      {
        hint: "Values have at most 800 characters of a-z A-Z 0-9 _ . , @ / : # = [ ] -, without spaces.",
      },
    );
  }
}

/** AWS merges on request; an empty value then deletes the attribute. */
export function changeAttributes(before: Attributes, change: Attributes, isMerge: boolean): Attributes {
  if (!isMerge) return { ...change };
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ""));
}
