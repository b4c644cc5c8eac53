export {
  type ConvergenceRecord,
  type EnvironmentRecord,
  type ExpectationRecord,
  type FaultRecord,
  type MetricRecord,
  parseSuiteRecord,
  RECORD_SCHEMA_VERSION,
  type RolloutRecord,
  type RunRecord,
  type SeriesRecord,
  type StageRecord,
  type StormRecord,
  type SuiteRecord,
  type SweepRecord,
  type TrustRecord,
  type Verdict,
  worstVerdict,
} from "./record/run-record.js";
export {
  type Expectation,
  formatSelector,
  type Labels,
  type Limit,
  type Operator,
  OPERATORS,
} from "./expectations/expectation.js";
export {
  type ExpectationParse,
  parseExpectation,
  type ParseExpectationOptions,
  parseUntil,
} from "./expectations/parse-expectation.js";
export { didYouMean, nearestName } from "./expectations/nearest-name.js";
export { findMetric, METRICS } from "./metrics/catalogue.js";
export {
  type Aggregation,
  type AggregationName,
  formatAggregation,
  type LabelName,
  LABELS,
  type MetricDefinition,
  type MetricKind,
  type MetricSection,
  type MetricUnit,
} from "./metrics/definition.js";
