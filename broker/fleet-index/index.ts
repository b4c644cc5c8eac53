export { DocumentIndex, type FieldMap, type Watch, type WatchListener } from "./document-index.js";
export type { FieldValue, Scalar } from "./field-value.js";
export { DEFAULT_INDEX_LIMITS, type IndexLimits, type QueryLimits } from "./limits.js";
export type { Query, Range, Term, ValueTest } from "./query.js";
export { parseQuery } from "./query-parser.js";
export {
  fieldTraits,
  type IndexedShadow,
  type IndexedSources,
  type ThingConnectivity,
  type ThingDocument,
  thingFields,
  type ThingGroupDocument,
  thingGroupFields,
} from "./thing-fields.js";
