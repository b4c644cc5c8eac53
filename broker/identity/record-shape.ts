import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";

type MemberType = "string" | "number" | "boolean" | "object";

interface Member {
  readonly name: string;
  readonly type: MemberType;
  readonly isOptional: boolean;
}

/** What a stored record must have. */
export type RecordShape = readonly Member[];

/** @param fields Members by JSON type; a question mark for what may be absent. */
export const recordShape = (fields: Readonly<Record<string, MemberType | `${MemberType}?`>>): RecordShape =>
  Object.entries(fields).map(([name, type]) => ({
    name,
    type: type.replace("?", "") as MemberType,
    isOptional: type.endsWith("?"),
  }));

/** The record as an object, when it has the shape. */
export function shaped(value: JsonValue, shape: RecordShape): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const { name, type, isOptional } of shape) {
    const member = value[name];
    if (member === undefined ? !isOptional : member === null || typeof member !== type) return undefined;
  }
  return value;
}
