import { isJsonObject, type JsonObject, type JsonParse, type JsonValue } from "fleetrig/kernel";
import { invalidNodeNamed, SHADOW_ERROR, type ShadowError, tooDeep } from "./errors.js";

const MAX_CLIENT_TOKEN_BYTES = 64;

/** What an update asks of one section: keys to merge, or null to remove all of it. */
export type SectionUpdate = JsonObject | null;

/** A checked request; gets and deletes only have a token. `state: null` has become null for both sections. */
export interface ShadowRequest {
  readonly desired?: SectionUpdate;
  readonly reported?: SectionUpdate;
  /** The version that the client believes current. */
  readonly version?: number;
  readonly clientToken: string | undefined;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ShadowError; readonly clientToken: string | undefined };

/** The token if it can be echoed: also refusals carry it. */
const echoableToken = (payload: JsonObject): string | undefined => {
  const token = Object.hasOwn(payload, "clientToken") ? payload["clientToken"] : undefined;
  return typeof token === "string" && Buffer.byteLength(token) <= MAX_CLIENT_TOKEN_BYTES ? token : undefined;
};

/** Checks the payload of an update in AWS's order: form first, then content (REF §5.7). */
export function checkUpdate(parse: JsonParse, maxNesting: number): Checked<ShadowRequest> {
  if (!parse.ok) {
    const error = parse.reason === "depth" ? tooDeep(maxNesting) : SHADOW_ERROR.invalidJson;
    return { ok: false, error, clientToken: undefined };
  }
  if (!isJsonObject(parse.value)) {
    return { ok: false, error: SHADOW_ERROR.invalidJson, clientToken: undefined };
  }
  const payload = parse.value;
  const clientToken = echoableToken(payload);
  const error = envelopeError(payload, clientToken) ?? stateError(payload["state"]!, maxNesting);
  if (error !== undefined) return { ok: false, error, clientToken };
  return { ok: true, value: toShadowRequest(payload, clientToken) };
}

function envelopeError(payload: JsonObject, clientToken: string | undefined): ShadowError | undefined {
  if (!Object.hasOwn(payload, "state")) return SHADOW_ERROR.missingState;
  if (Object.hasOwn(payload, "clientToken") && clientToken === undefined) {
    return SHADOW_ERROR.invalidClientToken;
  }
  if (Object.hasOwn(payload, "version") && !isVersion(payload["version"])) return SHADOW_ERROR.invalidVersion;
  return undefined;
}

const isVersion = (value: JsonValue | undefined): boolean =>
  Number.isSafeInteger(value) && Number(value) >= 0;

function stateError(state: JsonValue, maxNesting: number): ShadowError | undefined {
  if (state === null) return undefined;
  if (!isJsonObject(state)) return SHADOW_ERROR.stateNotObject;
  for (const key of Object.keys(state)) {
    if (key !== "desired" && key !== "reported") return invalidNodeNamed(key);
    const section = state[key];
    if (section === null) continue;
    if (!isJsonObject(section)) {
      return key === "desired" ? SHADOW_ERROR.desiredNotObject : SHADOW_ERROR.reportedNotObject;
    }
    const fault = findFault(section, maxNesting, false);
    if (fault === "depth") return tooDeep(maxNesting);
    if (fault === "null") return SHADOW_ERROR.invalidNode;
  }
  return undefined;
}

/**
 * Too deep, or a null inside an array? Null means "delete" and nothing can be deleted from an array, which is a
 * value (REF §5.2). Never recurses further than `levels`.
 */
function findFault(
  value: JsonObject | readonly JsonValue[],
  levels: number,
  isInArray: boolean,
): "depth" | "null" | undefined {
  if (levels === 0) return "depth";
  const isArray = Array.isArray(value);
  const items = isArray ? (value as readonly JsonValue[]) : Object.values(value as JsonObject);
  for (const item of items) {
    if (item === null) {
      if (isArray || isInArray) return "null";
    } else if (typeof item === "object") {
      const fault = findFault(item, levels - 1, isArray || isInArray);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

function toShadowRequest(payload: JsonObject, clientToken: string | undefined): ShadowRequest {
  const state = payload["state"] as JsonObject | null;
  const version = Object.hasOwn(payload, "version") ? { version: payload["version"] as number } : {};
  if (state === null) return { desired: null, reported: null, ...version, clientToken };
  return {
    ...(Object.hasOwn(state, "desired") ? { desired: state["desired"] as SectionUpdate } : {}),
    ...(Object.hasOwn(state, "reported") ? { reported: state["reported"] as SectionUpdate } : {}),
    ...version,
    clientToken,
  };
}

/** Checks the payload of a get: an object that may carry a client token. */
export function checkGet(parse: JsonParse): Checked<ShadowRequest> {
  if (!parse.ok || !isJsonObject(parse.value)) {
    return { ok: false, error: SHADOW_ERROR.invalidJson, clientToken: undefined };
  }
  const clientToken = echoableToken(parse.value);
  if (clientToken === undefined && Object.hasOwn(parse.value, "clientToken")) {
    return { ok: false, error: SHADOW_ERROR.invalidClientToken, clientToken };
  }
  return { ok: true, value: { clientToken } };
}

/** A delete ignores its payload, but echoes a token when there is one. */
export const checkDelete = (parse: JsonParse): Checked<ShadowRequest> => ({
  ok: true,
  value: { clientToken: parse.ok && isJsonObject(parse.value) ? echoableToken(parse.value) : undefined },
});
