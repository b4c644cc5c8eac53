import type { ShadowKey } from "./shadow-store.js";

/**
 * What the shadow service answers when it refuses a request: the code is the HTTP status, the texts are AWS's own,
 * typing slip included, because firmware compares them (REF §5.7).
 */
export interface ShadowError {
  readonly code: number;
  readonly message: string;
}

/** AWS: the error codes and messages of the shadow service. */
export const SHADOW_ERROR = {
  invalidJson: { code: 400, message: "Invalid JSON" },
  missingState: { code: 400, message: "Missing required node: state" },
  stateNotObject: { code: 400, message: "State node must be an object" },
  desiredNotObject: { code: 400, message: "Desired node must be an object" },
  reportedNotObject: { code: 400, message: "Reported node must be an object" },
  invalidVersion: { code: 400, message: "Invalid version" },
  invalidClientToken: { code: 400, message: "Invalid clientToken" },
  invalidNode: { code: 400, message: "State contains an invalid node" },
  invalidThingName: { code: 400, message: "Invalid thing name" },
  invalidShadowName: { code: 400, message: "Invalid shadow name" },
  invalidPageSize: { code: 400, message: "Invalid pageSize" },
  invalidNextToken: { code: 400, message: "Invalid nextToken" },
  thingNotFound: { code: 404, message: "Thing not found" },
  versionConflict: { code: 409, message: "Version conflict" },
  tooLarge: { code: 413, message: "The payload exceeds the maximum size allowed" },
  notUtf8: { code: 415, message: "Unsupported documented encoding; supported encoding is UTF-8" },
  tooManyRequests: { code: 429, message: "Too many requests" },
} as const satisfies Record<string, ShadowError>;

/** Longest part of an attacker's key that is repeated in a message. */
const QUOTED_LENGTH = 64;

export const invalidNodeNamed = (key: string): ShadowError => ({
  code: 400,
  message: `${SHADOW_ERROR.invalidNode.message}: '${key.slice(0, QUOTED_LENGTH)}'`,
});

export const tooDeep = (maxNesting: number): ShadowError => ({
  code: 400,
  message: `JSON contains too many levels of nesting; maximum is ${maxNesting}`,
});

/** AWS names a named shadow `thing~shadow` here. */
export const noSuchShadow = ({ thing, shadowName }: ShadowKey): ShadowError => ({
  code: 404,
  message: `No shadow exists with name: '${shadowName === undefined ? thing : `${thing}~${shadowName}`}'`,
});
