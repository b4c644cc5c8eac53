import {
  didYouMean,
  type FleetrigError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";

/** A place in a template, such as `Resources.thing.Properties.ThingName`. */
export type TemplatePath = string;

/** What is wrong with a template, and where. `hint` says what to write instead. */
export function templateError(path: TemplatePath, sentence: string, hint?: string): FleetrigError {
  return cloudError("InvalidRequestException", `${path}: ${sentence}`, {
    ...(hint !== undefined && { hint }),
    context: { path },
  });
}

/** A template was fine, and still cannot be carried out for these parameters. */
export function evaluationError(path: TemplatePath, sentence: string): FleetrigError {
  return cloudError("InvalidRequestException", `${path}: ${sentence}`, { context: { path } });
}

export const child = (path: TemplatePath, key: string | number): TemplatePath => {
  if (typeof key === "number") return `${path}[${key}]`;
  const shown = key.length > 128 ? `${key.slice(0, 128)}…` : key;
  return path === "" ? shown : `${path}.${shown}`;
};

export function objectAt(value: JsonValue | undefined, path: TemplatePath): JsonObject {
  if (!isJsonObject(value)) throw templateError(path, "This must be an object.");
  return value;
}

export function textAt(value: JsonValue | undefined, path: TemplatePath): string {
  if (typeof value !== "string") throw templateError(path, "This must be a string.");
  return value;
}

/** Refuses keys that mean nothing, so that a slip of the pen is found. */
export function onlyKeys(value: JsonObject, path: TemplatePath, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    throw templateError(
      child(path, key),
      "There is nothing of this name here.",
      didYouMean(key, known) ?? `Possible are ${known.join(", ")}.`,
    );
  }
}
