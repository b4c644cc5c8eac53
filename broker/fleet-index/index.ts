export { createCloudIndexing } from "./cloud-documents.js";
export type { IndexingConfiguration, ThingIndexingConfiguration } from "./configuration.js";
export { DocumentIndex, type FieldMap } from "./document-index.js";
export type { AggregationRequest, FieldAggregations } from "./field-aggregations.js";
export type { FieldValue, Scalar } from "./field-value.js";
export { FleetIndexing, type SearchIndexRequest } from "./fleet-indexing.js";
export {
  type CreateFleetMetricRequest,
  type FleetMetric,
  type FleetMetricReading,
  FleetMetrics,
  type UpdateFleetMetricRequest,
} from "./fleet-metrics.js";
export { DEFAULT_INDEX_LIMITS, type IndexLimits, type QueryLimits } from "./limits.js";
export { parseQuery } from "./query-parser.js";
export {
  fieldTraits,
  type ThingConnectivity,
  type ThingDocument,
  type ThingGroupDocument,
} from "./thing-fields.js";
