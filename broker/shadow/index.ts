export { computeDelta, hasDelta } from "./delta.js";
export { applyUpdate, emptyDocument, metadataOf, type ShadowDocument, stateOf } from "./document.js";
export { SHADOW_ERROR, type ShadowError } from "./errors.js";
export type { ListNamedRequest, ListNamedResult } from "./list-named.js";
export { mergeSection, type ShadowSection } from "./merge.js";
export { renderMetadata } from "./metadata.js";
export { type ShadowResult, ShadowService, type ShadowServiceOptions } from "./service.js";
export { DEFAULT_SHADOW_SETTINGS, type ShadowSettings } from "./settings.js";
export type { ShadowKey } from "./shadow-store.js";
