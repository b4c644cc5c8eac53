export type { BoardRecord, SkippedActionRecord } from "./record/board-records.js";
export {
  type ConvergenceRecord,
  type CostRecord,
  type EnvironmentRecord,
  type ExpectationRecord,
  type FailureRecord,
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
export { formatQuantity } from "./metrics/format-quantity.js";
export {
  type Measure,
  type MetricSource,
  type MetricSources,
  type MetricValue,
  type NoData,
} from "./metrics/measure.js";
export { MetricStore } from "./metrics/metric-store.js";
export {
  conditionHolds,
  evaluateExpectation,
  type EvaluateOptions,
  type ExpectationResult,
  type ExpectationVerdict,
  formatLimit,
  formatSubject,
} from "./expectations/evaluate.js";
export { evaluateSweep } from "./expectations/evaluate-sweep.js";
export { assessTrust, FULL_TRUST, type Trust, type TrustInputs } from "./expectations/trust.js";
export { deliveryMetrics } from "./ledger/delivery-metrics.js";
export { Histogram } from "./ledger/histogram.js";
export {
  createLedger,
  type Ledger,
  type LedgerOptions,
  type StreamInfo,
  type ThingInfo,
} from "./ledger/ledger.js";
export { type StageSpan, StageTimeline } from "./ledger/stage-timeline.js";
export { convergenceRecords } from "./metrics/convergence-records.js";
export { type BackoffGrade, gradeBackoff, gradeGroup } from "./metrics/backoff-grade.js";
export { type CloudReader, METER_METRICS, type MeterMetric } from "./metrics/cloud-reading.js";
export { metricRecords, recordUnit, recordValue } from "./metrics/metric-records.js";
export {
  createObservation,
  type Observation,
  type ObservationOptions,
  SAMPLED_GAUGES,
  type SampledGauge,
} from "./metrics/observation.js";
export { rolloutRecords } from "./metrics/rollout-records.js";
export { seriesRecords } from "./metrics/series-records.js";
export { stormRecords } from "./metrics/storm-records.js";
export { expectationsOf } from "./render/outcome.js";
export { type ComparableSuite, renderJson, withoutEnvironment } from "./render/json.js";
export { formatValue } from "./render/record-values.js";
export { renderJunit } from "./render/junit.js";
export { renderHtml } from "./render/html/page.js";
export { renderMarkdown } from "./render/markdown.js";
export { renderGithubAnnotations } from "./render/github.js";
export { type ConsoleOptions, renderConsole, renderRunConsole } from "./render/console.js";
export {
  type EndedStage,
  type Progress,
  progressLine,
  stageLine,
  sweepProgressLine,
} from "./render/progress.js";
export { type Renderer, RENDERER_NAMES, type RendererName, RENDERERS } from "./render/renderers.js";
export {
  type Change,
  compareSuites,
  type Comparison,
  type ExpectationChange,
  type PairComparison,
  type SweepComparison,
} from "./compare/compare.js";
export { type CompareOptions, type MetricChange, toleranceOf } from "./compare/metric-change.js";
export { renderComparison, renderComparisonMarkdown } from "./compare/render-comparison.js";
export { type DocumentPage, documentPage } from "./render/html/document-page.js";
export { badge } from "./render/html/icon.js";
export { type Content, html, type Markup } from "./render/html/markup.js";
export { type Column, facts, table, type TableOptions } from "./render/html/table.js";
export { niceTicks } from "./render/html/chart/scale.js";
export { plainText } from "./render/plain-text.js";
export { fitText, padEnd, wrapText } from "./render/text-columns.js";
export { type Attributes, element } from "./render/xml.js";
