import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { DEVICE_STATUSES } from "./execution-machine.js";
import { NO_STEP_TIMER } from "./timers.js";

/** Reading what devices ask for (REF §6.5): every member is checked before anything is done. */

/** AWS: why a device's request was refused. */
type DeviceErrorCode =
  | "InvalidTopic"
  | "InvalidJson"
  | "InvalidRequest"
  | "InvalidStateTransition"
  | "ResourceNotFound"
  | "VersionMismatch"
  | "RequestThrottled"
  | "TerminalStateReached";

export interface Refusal {
  readonly code: DeviceErrorCode;
  readonly message: string;
  /** The execution as it is, when the device seems to have an old view of it. */
  readonly executionState?: JsonObject;
}

export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

type StatusDetails = Readonly<Record<string, string>>;

export type DeviceStatus = "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "REJECTED";

export interface DescribeRequest {
  readonly executionNumber: number | undefined;
  readonly includeJobDocument: boolean;
}

export interface StartNextRequest {
  readonly statusDetails: StatusDetails | undefined;
  readonly stepTimeoutInMinutes: number | undefined;
}

export interface UpdateRequest extends StartNextRequest {
  readonly status: DeviceStatus;
  readonly expectedVersion: number | undefined;
  readonly executionNumber: number | undefined;
  readonly includeJobExecutionState: boolean;
  readonly includeJobDocument: boolean;
}

const MAX_DETAILS = 10;
const MAX_STEP_MINUTES = 10_080;
const MAX_TOKEN_CHARS = 64;
const DETAIL_KEY = /^[a-zA-Z0-9:_-]{1,128}$/;
const DETAIL_VALUE = /^[^\p{C}]{1,1024}$/u;

const refuse = (message: string): Reading<never> => ({
  ok: false,
  refusal: { code: "InvalidRequest", message },
});

/** The first problem among the readings, or all their values. */
function all<T extends Record<string, Reading<unknown>>>(
  readings: T,
): Reading<{ [K in keyof T]: T[K] extends Reading<infer V> ? V : never }> {
  const values: Record<string, unknown> = {};
  for (const [name, reading] of Object.entries(readings)) {
    if (!reading.ok) return reading;
    values[name] = reading.value;
  }
  return { ok: true, value: values as { [K in keyof T]: T[K] extends Reading<infer V> ? V : never } };
}

/** `clientToken`, which every request may carry and every answer echoes. */
export function readClientToken(body: JsonObject): Reading<string | undefined> {
  const token = member(body, "clientToken");
  if (token === undefined || (typeof token === "string" && token.length <= MAX_TOKEN_CHARS))
    return { ok: true, value: token };
  return refuse(`clientToken must be text of at most ${MAX_TOKEN_CHARS} characters.`);
}

export const readDescribe = (body: JsonObject): Reading<DescribeRequest> =>
  all({
    executionNumber: readInteger(body, "executionNumber"),
    includeJobDocument: readFlag(body, "includeJobDocument", true),
  });

export const readStartNext = (body: JsonObject): Reading<StartNextRequest> =>
  all({ statusDetails: readStatusDetails(body), stepTimeoutInMinutes: readStepTimeout(body) });

export const readUpdate = (body: JsonObject): Reading<UpdateRequest> =>
  all({
    status: readStatus(body),
    statusDetails: readStatusDetails(body),
    expectedVersion: readInteger(body, "expectedVersion"),
    executionNumber: readInteger(body, "executionNumber"),
    includeJobExecutionState: readFlag(body, "includeJobExecutionState", false),
    includeJobDocument: readFlag(body, "includeJobDocument", false),
    stepTimeoutInMinutes: readStepTimeout(body),
  });

/** Own members only: a device chooses the keys. */
const member = (body: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(body, name) ? body[name] : undefined;

function readStatus(body: JsonObject): Reading<DeviceStatus> {
  const status = member(body, "status");
  return typeof status === "string" && DEVICE_STATUSES.has(status)
    ? { ok: true, value: status as DeviceStatus }
    : refuse(`status must be one of ${[...DEVICE_STATUSES].join(", ")}.`);
}

/** Devices in the field send numbers as text too (`"expectedVersion": "1"`). */
function readInteger(body: JsonObject, name: string): Reading<number | undefined> {
  const value = member(body, name);
  if (value === undefined) return { ok: true, value: undefined };
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0
    ? { ok: true, value: number as number }
    : refuse(`${name} must be a whole number.`);
}

function readFlag(body: JsonObject, name: string, byDefault: boolean): Reading<boolean> {
  const value = member(body, name) ?? byDefault;
  return typeof value === "boolean" ? { ok: true, value } : refuse(`${name} must be true or false.`);
}

function readStepTimeout(body: JsonObject): Reading<number | undefined> {
  const value = member(body, "stepTimeoutInMinutes");
  if (value === undefined) return { ok: true, value: undefined };
  const isInRange =
    typeof value === "number" &&
    Number.isInteger(value) &&
    (value === NO_STEP_TIMER || (value >= 1 && value <= MAX_STEP_MINUTES));
  return isInRange
    ? { ok: true, value }
    : refuse(`stepTimeoutInMinutes must be ${NO_STEP_TIMER} or from 1 to ${MAX_STEP_MINUTES}.`);
}

/** @returns the details as they were sent; parsed JSON, so `__proto__` is an ordinary key. */
function readStatusDetails(body: JsonObject): Reading<StatusDetails | undefined> {
  const details = member(body, "statusDetails");
  if (details === undefined || details === null) return { ok: true, value: undefined };
  if (!isJsonObject(details)) return refuse("statusDetails must be an object of texts.");
  const entries = Object.entries(details);
  if (entries.length > MAX_DETAILS) return refuse(`statusDetails must have at most ${MAX_DETAILS} members.`);
  for (const [key, value] of entries) {
    if (!DETAIL_KEY.test(key)) return refuse("statusDetails keys are 1 to 128 characters of a-zA-Z0-9:_-.");
    if (typeof value !== "string" || !DETAIL_VALUE.test(value))
      return refuse(`statusDetails.${key} must be text of 1 to 1024 printable characters.`);
  }
  return { ok: true, value: details as StatusDetails };
}
