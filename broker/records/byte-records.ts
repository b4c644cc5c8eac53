import type { JsonObject, JsonValue } from "fleetrig/kernel";

/** Rows that have bytes in them, which JSON has no word for. */
const BYTES = "$bytes";

/** A row as a record: bytes become `{"$bytes": "<base64>"}`, members that are undefined are left out. */
export function toRecord(value: unknown): JsonValue {
  if (value instanceof Uint8Array) return { [BYTES]: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(toRecord);
  if (typeof value !== "object" || value === null) return value as JsonValue;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([name, item]) => [name, toRecord(item)]));
}

/** Inverse of `toRecord`. */
export function fromRecord(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(fromRecord);
  if (typeof value !== "object" || value === null) return value;
  const bytes = (value as JsonObject)[BYTES];
  if (typeof bytes === "string") return Uint8Array.from(Buffer.from(bytes, "base64"));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fromRecord(item)]));
}
