import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import type { RecordCodec } from "../records/index.js";

/** For rows that are plain data: what is undefined is left out of the record. */
export const plainCodec = <Row extends object>(): RecordCodec<Row> => ({
  write: (row) => JSON.parse(JSON.stringify(row)) as JsonValue,
  read: (value) => (isJsonObject(value) ? (value as unknown as Row) : undefined),
});
