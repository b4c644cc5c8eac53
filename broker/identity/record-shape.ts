import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";

/** What a stored record must have, by JSON type; a question mark for what may be absent. */
export type RecordShape = Readonly<
  Record<string, "string" | "number" | "boolean" | "object" | "string?" | "number?" | "object?">
>;

/** The record as an object, when it has the shape. */
export function shaped(value: JsonValue, shape: RecordShape): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const [name, type] of Object.entries(shape)) {
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    if (member === undefined ? !type.endsWith("?") : !type.startsWith(typeof member)) return undefined;
    if (member === null) return undefined;
  }
  return value;
}
