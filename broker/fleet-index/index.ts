export type { Bucket, PercentPair, Statistics } from "./aggregation.js";
export { cloudDocuments, type DocumentServices, followRegistry } from "./cloud-documents.js";
export type {
  Field,
  FieldType,
  IndexingConfiguration,
  IndexingFilter,
  ThingGroupIndexingConfiguration,
  ThingIndexingConfiguration,
} from "./configuration.js";
export type { AggregationRequest, FieldAggregations } from "./field-aggregations.js";
export {
  FleetIndexing,
  type FleetIndexingOptions,
  type IndexedDocuments,
  type SearchIndexRequest,
  type SearchIndexResponse,
} from "./fleet-indexing.js";
export {
  type AggregationType,
  type CreateFleetMetricRequest,
  type FleetMetric,
  type FleetMetricDefinition,
  type FleetMetricReading,
  FleetMetrics,
  type FleetMetricsOptions,
  type UpdateFleetMetricRequest,
} from "./fleet-metrics.js";
export type { IndexName, IndexStatus, StandingListener } from "./named-index.js";
export type { ThingView } from "./thing-view.js";
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
