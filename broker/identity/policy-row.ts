import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import type { RecordCodec } from "../records/index.js";
import type { Ordered } from "./creation-order.js";
import { recordShape, shaped } from "./record-shape.js";

/** One version of a policy. */
export interface PolicyVersionRow {
  /** From 1; never given twice. */
  readonly versionId: string;
  readonly policyDocument: string;
  readonly createdAtMs: number;
}

/** An AWS IoT policy with its versions; the default version is in force. */
export interface Policy extends Ordered {
  readonly policyName: string;
  readonly versions: PolicyVersionRow[];
  defaultVersionId: string;
  lastVersion: number;
  readonly createdAtMs: number;
  modifiedAtMs: number;
}

const SHAPE = recordShape({
  policyName: "string",
  versions: "object",
  defaultVersionId: "string",
  lastVersion: "number",
  createdAtMs: "number",
  modifiedAtMs: "number",
  order: "number",
});

const VERSION_SHAPE = recordShape({
  versionId: "string",
  policyDocument: "string",
  createdAtMs: "number",
});

/** Policies as records. */
export const policyCodec: RecordCodec<Policy> = {
  write: ({ versions, ...rest }): JsonObject => ({
    ...rest,
    versions: versions.map((version) => ({ ...version })),
  }),
  read(value: JsonValue, key: string): Policy | undefined {
    const record = shaped(value, SHAPE);
    const versions = record?.["versions"];
    if (record?.["policyName"] !== key || !Array.isArray(versions)) return undefined;
    const isComplete = versions.every(
      (version) => isJsonObject(version) && shaped(version, VERSION_SHAPE) !== undefined,
    );
    return isComplete ? (record as unknown as Policy) : undefined;
  },
};
