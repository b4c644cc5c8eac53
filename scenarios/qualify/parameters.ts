import type { JsonObject } from "fleetrig/kernel";
import { z } from "zod";
import { jsonObject } from "./json-object.js";

/**
 * What a case can be told. The names are those of Device Advisor's test definitions where it has one for the same thing; numbers
 * may be written as it writes them, in quotes.
 */
const topic = z.string().min(1).max(256);
const seconds = z.coerce.number().min(1).max(10_800);

export const parameterSchemas = {
  /** Seconds until an undecided case is over. AWS: 300 unless told otherwise, at most 10,800. */
  EXECUTION_TIMEOUT: seconds,
  /** Where the test publishes to the device. Default: what the device subscribes to first. */
  TRIGGER_TOPIC: topic,
  /** Of the message to the device, in KB: 0 to 128. */
  PAYLOAD_SIZE: z.coerce.number().min(0).max(128),
  PAYLOAD_FOR_PUBLISH_VALIDATION: z.string().max(65_536),
  TOPIC_FOR_PUBLISH_VALIDATION: topic,
  TOPIC_LIST_FOR_SUBSCRIPTION_VALIDATION_ID: z.array(topic).min(1).max(50),
  USER_PROPERTIES: z
    .array(z.strictObject({ name: z.string().max(256), value: z.string().max(1_024) }))
    .min(1)
    .max(50),
  SHADOW_NAME: z.string().regex(/^[\w:-]{1,64}$/),
  DESIRED_STATE: jsonObject,
  REPORTED_STATE: jsonObject,
  JOB_DOCUMENT: jsonObject,
  /** Attempts that must fail before one succeeds. */
  RETRIES: z.coerce.number().int().min(5).max(20),
  /** Times that the server ends the connection. AWS: 5 to 10. */
  RECONNECTION_ATTEMPTS: z.coerce.number().int().min(5).max(10),
  /** Minutes for which nothing is answered, in the long run. AWS: 30 to 120. */
  LONG_SERVER_DISCONNECT_TIME: z.coerce.number().min(1).max(120),
  /** Times that the server ends the connection in the long run. */
  BACKOFF_CONNECTION_ATTEMPTS: z.coerce.number().int().min(5).max(10),
  /** Parts of the long run beside its basic operations. */
  SCENARIOS: z
    .array(
      z.enum([
        "PUBACK_QOS_1",
        "RECEIVE_LARGE_PAYLOAD",
        "PERSISTENT_SESSION",
        "KEEP_ALIVE",
        "INTERMITTENT_CONNECTIVITY",
        "RECONNECT_BACK_OFF",
        "LONG_SERVER_DISCONNECT",
      ]),
    )
    .max(7),
} as const;

export type ParameterName = keyof typeof parameterSchemas;

/** Values of one case, all checked. */
export type CaseParameters = {
  readonly [Name in Exclude<ParameterName, "EXECUTION_TIMEOUT">]?: z.output<(typeof parameterSchemas)[Name]>;
} & { readonly EXECUTION_TIMEOUT: number };

/** For judging and scripts of cases that say nothing else. */
export const DEFAULT_PARAMETERS: CaseParameters = { EXECUTION_TIMEOUT: 300 };

/** As data, for reports. */
export const parametersAsJson = (parameters: CaseParameters): JsonObject =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined)) as JsonObject;
