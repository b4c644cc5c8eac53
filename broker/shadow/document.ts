import type { JsonObject } from "fleetrig/kernel";
import { mergeSection, type ShadowSection } from "./merge.js";
import { renderMetadata } from "./metadata.js";
import type { SectionUpdate } from "./validate.js";

/**
 * A shadow at one version. Immutable: an update makes a new document that shares every untouched branch, which
 * is what lets `update/documents` show the previous one for free.
 */
export interface ShadowDocument {
  readonly desired: ShadowSection | undefined;
  readonly reported: ShadowSection | undefined;
  /** Starts at 1; 0 is a shadow that was never updated. */
  readonly version: number;
  /** Epoch seconds of the last update. */
  readonly timestampS: number;
  /** The state's JSON text is not longer than this; see `measure`. */
  readonly stateBytesAtMost: number;
}

/** A shadow without any state, at a version. */
export const emptyDocument = (version: number): ShadowDocument => ({
  desired: undefined,
  reported: undefined,
  version,
  timestampS: 0,
  stateBytesAtMost: 2,
});

/** The sections of an update; absent ones stay as they are. */
export interface DocumentUpdate {
  readonly desired?: SectionUpdate;
  readonly reported?: SectionUpdate;
}

export interface SizeLimit {
  readonly maxStateBytes: number;
  readonly sizeLimitPer: "document" | "section";
}

export type Application =
  | { readonly ok: true; readonly document: ShadowDocument }
  | { readonly ok: false; readonly reason: "too-large" };

/** Applies a checked update and counts the version up. */
export function applyUpdate(
  document: ShadowDocument,
  update: DocumentUpdate,
  context: { readonly nowS: number; readonly limit: SizeLimit },
): Application {
  const next = {
    desired: updateSection(document.desired, update.desired, context.nowS),
    reported: updateSection(document.reported, update.reported, context.nowS),
    version: document.version + 1,
    timestampS: context.nowS,
    stateBytesAtMost: document.stateBytesAtMost + textBytes(update),
  };
  if (next.stateBytesAtMost <= context.limit.maxStateBytes) return { ok: true, document: next };
  const { limitedBytes, stateBytes } = measure(next, context.limit);
  if (limitedBytes > context.limit.maxStateBytes) return { ok: false, reason: "too-large" };
  return { ok: true, document: { ...next, stateBytesAtMost: stateBytes } };
}

function updateSection(
  section: ShadowSection | undefined,
  update: SectionUpdate | undefined,
  nowS: number,
): ShadowSection | undefined {
  if (update === undefined) return section;
  return update === null ? undefined : mergeSection(section, update, nowS);
}

/**
 * Exact size. Called only when the sum of what came in since the last call could exceed the limit, so that its
 * cost, proportional to the document, is spread over many updates.
 */
function measure(
  document: Pick<ShadowDocument, "desired" | "reported">,
  limit: SizeLimit,
): { readonly limitedBytes: number; readonly stateBytes: number } {
  const stateBytes = textBytes(stateOf(document));
  if (limit.sizeLimitPer === "document") return { limitedBytes: stateBytes, stateBytes };
  const sections = [document.desired, document.reported].map((section) =>
    section === undefined ? 0 : textBytes(section.state),
  );
  return { limitedBytes: Math.max(...sections), stateBytes };
}

const textBytes = (value: object): number => Buffer.byteLength(JSON.stringify(value));

/** `{desired?, reported?}` as in AWS's documents. */
export const stateOf = (document: Pick<ShadowDocument, "desired" | "reported">): JsonObject => ({
  ...(document.desired && { desired: document.desired.state }),
  ...(document.reported && { reported: document.reported.state }),
});

/** The metadata that belongs to `stateOf`. */
export const metadataOf = (document: Pick<ShadowDocument, "desired" | "reported">): JsonObject => ({
  ...(document.desired && { desired: renderMetadata(document.desired.state, document.desired.stamps) }),
  ...(document.reported && { reported: renderMetadata(document.reported.state, document.reported.stamps) }),
});
