import type { JsonObject } from "fleetrig/kernel";
import { computeDelta } from "./delta.js";
import { metadataOf, type ShadowDocument, stateOf } from "./document.js";
import type { ShadowError } from "./errors.js";
import { renderMetadata } from "./metadata.js";
import type { SectionUpdate, ShadowRequest } from "./validate.js";

/** Bodies of the messages of REF §5.6. `clientToken` is there only when the request had one. */
const tokenOf = (clientToken: string | undefined): JsonObject =>
  clientToken === undefined ? {} : { clientToken };

/** `update/accepted`: only the sections, and in them only the keys, that the request named. */
export const updateAcceptedBody = (request: ShadowRequest, document: ShadowDocument): JsonObject => ({
  state: {
    ...(request.desired !== undefined && { desired: request.desired }),
    ...(request.reported !== undefined && { reported: request.reported }),
  },
  metadata: {
    ...(request.desired && { desired: requestMetadata(request.desired, document) }),
    ...(request.reported && { reported: requestMetadata(request.reported, document) }),
  },
  version: document.version,
  timestamp: document.timestampS,
  ...tokenOf(request.clientToken),
});

const requestMetadata = (section: Exclude<SectionUpdate, null>, document: ShadowDocument): JsonObject =>
  renderMetadata(section, document.timestampS);

/** `update/delta`, for a document that has one. The metadata is that of the desired leaves. */
export function deltaBody(document: ShadowDocument, clientToken: string | undefined): JsonObject {
  const { state, metadata } = deltaOf(document) ?? { state: {}, metadata: {} };
  return {
    version: document.version,
    timestamp: document.timestampS,
    state,
    metadata,
    ...tokenOf(clientToken),
  };
}

function deltaOf({
  desired,
  reported,
}: ShadowDocument): { state: JsonObject; metadata: JsonObject } | undefined {
  if (desired === undefined) return undefined;
  const state = computeDelta(desired.state, reported?.state);
  return state && { state, metadata: renderMetadata(state, desired.stamps) };
}

/** `update/documents`: both versions, without deltas. */
export const documentsBody = (
  previous: ShadowDocument,
  current: ShadowDocument,
  clientToken: string | undefined,
): JsonObject => ({
  previous: versionBody(previous),
  current: versionBody(current),
  timestamp: current.timestampS,
  ...tokenOf(clientToken),
});

const versionBody = (document: ShadowDocument): JsonObject => ({
  state: stateOf(document),
  metadata: metadataOf(document),
  version: document.version,
});

/** `get/accepted`: the whole document, with the delta when there is one. */
export function getAcceptedBody(
  document: ShadowDocument,
  timestampS: number,
  clientToken: string | undefined,
): JsonObject {
  const delta = deltaOf(document);
  return {
    state: { ...stateOf(document), ...(delta && { delta: delta.state }) },
    metadata: { ...metadataOf(document), ...(delta && { delta: delta.metadata }) },
    version: document.version,
    timestamp: timestampS,
    ...tokenOf(clientToken),
  };
}

export const deleteAcceptedBody = (
  version: number,
  timestampS: number,
  clientToken: string | undefined,
): JsonObject => ({ version, timestamp: timestampS, ...tokenOf(clientToken) });

export const rejectedBody = (
  error: ShadowError,
  timestampS: number,
  clientToken: string | undefined,
): JsonObject => ({
  code: error.code,
  message: error.message,
  timestamp: timestampS,
  ...tokenOf(clientToken),
});
