import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import { isThingName } from "fleetrig/protocol";
import { cloudError } from "../cloud-error.js";

/** Attributes of a thing or a thing group, by name. Names may be anything, `__proto__` too: read own properties only. */
export type Attributes = Readonly<Record<string, string>>;

export const NO_ATTRIBUTES: Attributes = Object.freeze({});

const ATTRIBUTE_NAME = /^[a-zA-Z0-9_.,@/:#-]{1,128}$/;
const ATTRIBUTE_VALUE = /^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/;
const MAX_DESCRIPTION_CHARACTERS = 2028;

/** Names of things, thing types, thing groups and billing groups follow one rule. */
export function assertName(what: string, name: string): void {
  if (isThingName(name)) return;
  throw cloudError(
    "InvalidRequestException",
    `${what} name ${JSON.stringify(name.slice(0, 140))} is invalid.`,
    { hint: "Use 1 to 128 letters, digits, colons, underscores or hyphens." },
  );
}

export function assertDescription(description: string | undefined): void {
  if (description === undefined || description.length <= MAX_DESCRIPTION_CHARACTERS) return;
  throw cloudError("InvalidRequestException", `A description of ${description.length} characters.`, {
    hint: `Use at most ${MAX_DESCRIPTION_CHARACTERS} characters.`,
  });
}

export function assertAttributeName(name: string): void {
  if (ATTRIBUTE_NAME.test(name)) return;
  throw cloudError(
    "InvalidRequestException",
    `Attribute name ${JSON.stringify(name.slice(0, 140))} is invalid.`,
    { hint: "Use 1 to 128 characters of a-z A-Z 0-9 _ . , @ / : # -." },
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

/** @param value Undefined: any value will do. */
export const hasAttribute = (attributes: Attributes, name: string, value: string | undefined): boolean =>
  Object.hasOwn(attributes, name) && (value === undefined || attributes[name] === value);

export function isSameAttributes(a: Attributes, b: Attributes): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => hasAttribute(b, name, a[name]));
}

/** Attributes of a stored record; none where it has none or others than text. */
export function readAttributes(value: JsonValue | undefined): Attributes {
  if (value === undefined || !isJsonObject(value)) return NO_ATTRIBUTES;
  for (const name of Object.keys(value)) if (typeof value[name] !== "string") return NO_ATTRIBUTES;
  return value as Attributes;
}
