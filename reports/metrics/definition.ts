/**
 * What a metric is. A metric has a *kind* (what is kept of it), a *unit* and the *labels* it may be narrowed by.
 * - histogram: a distribution; an expectation must say which value of it it means
 * - counter: how often something happened
 * - gauge: a value sampled over the run
 * - share: so many of so many; `5%` compares the share, a plain number the count
 * - ratio: a quotient without a head count behind it
 * - boolean, label: a fact and a word
 */
export type MetricKind = "histogram" | "counter" | "gauge" | "share" | "ratio" | "boolean" | "label";

/** Unit of the stored number. Durations are µs everywhere; people see them in ms, s or min. */
export type MetricUnit =
  | "us"
  | "count"
  | "ratio"
  | "number"
  | "per-second"
  | "per-minute"
  | "bytes"
  | "thing-seconds"
  | "usd"
  | "none";

/** The part of a report in which a metric stands. */
export type MetricSection =
  | "latency"
  | "delivery"
  | "connections"
  | "reconnect"
  | "shadow"
  | "job"
  | "fleet"
  | "rules"
  | "broker"
  | "board"
  | "access"
  | "cost"
  | "trust";

/** What a metric means and how expectations may use it. */
export interface MetricDefinition {
  readonly name: string;
  readonly section: MetricSection;
  readonly kind: MetricKind;
  readonly unit: MetricUnit;
  readonly labels: readonly LabelName[];
  /** What an expectation without an aggregation means; undefined where it must name one. */
  readonly aggregation: AggregationName | undefined;
  /** One line. */
  readonly definition: string;
  /** The words a metric of kind `label` can take; undefined where any word may occur. */
  readonly words?: readonly string[];
  /** Depends on wall-clock behaviour of the generator: inconclusive when the generator was overloaded. */
  readonly isTiming: boolean;
  /**
   * Its times may begin on a board and end on the host. They are then known to ±u, the uncertainty of the board's clock, and a
   * limit that is not above u, or within u of the value, cannot be judged; see `doubtAboutClocks`.
   */
  readonly crossesClocks: boolean;
}

/** What an expectation can ask of a metric; `p` takes a percentile. */
export const AGGREGATIONS = ["p", "min", "max", "avg", "med", "count", "rate", "ratio", "value"] as const;
/** One of `AGGREGATIONS`. */
export type AggregationName = (typeof AGGREGATIONS)[number];

/** `percentile` is set for `p` only: 0 < percentile <= 100. */
export interface Aggregation {
  readonly name: AggregationName;
  readonly percentile: number | undefined;
}

/** As expectations write it: `p(99)`, `max`. */
export const formatAggregation = (aggregation: Aggregation): string =>
  aggregation.name === "p" ? `p(${aggregation.percentile})` : aggregation.name;

/** Aggregations of one run that a kind answers to. Over many runs see `SWEEP_AGGREGATIONS`. */
export const RUN_AGGREGATIONS: Readonly<Record<MetricKind, readonly AggregationName[]>> = {
  histogram: ["p", "min", "max", "avg", "med", "count", "rate"],
  counter: ["value", "count", "rate"],
  gauge: ["value", "min", "max", "avg", "count"],
  share: ["value", "ratio", "count"],
  ratio: ["value", "ratio"],
  boolean: ["value"],
  label: ["value"],
};

const ACROSS_RUNS: readonly AggregationName[] = ["p", "min", "max", "avg", "med"];

/** Over the runs of a sweep: the distribution of each run's value, and for facts the share of runs. */
export const SWEEP_AGGREGATIONS: Readonly<Record<MetricKind, readonly AggregationName[]>> = {
  histogram: ["p", "min", "max", "avg", "med", "count"],
  counter: ACROSS_RUNS,
  gauge: ACROSS_RUNS,
  share: ACROSS_RUNS,
  ratio: ACROSS_RUNS,
  boolean: ["ratio", "count"],
  label: [],
};

/** A label that some metric takes. */
export type LabelName = keyof typeof LABELS;

interface LabelDefinition {
  readonly definition: string;
  readonly example: string;
  /** Form of the value; undefined where any name is allowed. */
  readonly pattern?: RegExp;
}

/** Every label of the catalogue. Whether a named stage, group or job exists is the scenario's business. */
export const LABELS = {
  stage: { definition: "name of a stage", example: "steady" },
  group: { definition: "name of a fleet group", example: "hvac" },
  qos: { definition: "quality of service of the stream", example: "1", pattern: /^[012]$/ },
  stream: { definition: "name of a telemetry stream", example: "climate" },
  rule: { definition: "name of a rule", example: "high-temp" },
  job: { definition: "job id", example: "fw-2.4.0" },
  action: { definition: "id of a stage action; of access.denied, a policy action", example: "wave-1" },
  thing: { definition: "name of a thing", example: "rig-01" },
  kind: { definition: "kind of panic", example: "load-access-fault", pattern: /^[a-z0-9-]{1,60}$/ },
  expected: {
    definition: "whether the scenario had asked for it",
    example: "false",
    pattern: /^(?:true|false)$/,
  },
  name: {
    definition: "name of a marker of the firmware; of board.reaction, an output's change too",
    example: "sensor.ready",
    pattern: /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,63}$/,
  },
  pin: { definition: "number of a pin", example: "4", pattern: /^\d{1,3}$/ },
  level: { definition: "level of a pin", example: "high", pattern: /^(?:high|low)$/ },
  rung: {
    definition: "what brought a board back",
    example: "reopened",
    pattern: /^[a-z-]{1,40}$/,
  },
  outcome: {
    definition: "how a wait for a log line ended",
    example: "timeout",
    pattern: /^(?:came|timeout|panic|restarted|detached|cancelled)$/,
  },
  update: { definition: "id of an updateShadow action", example: "setpoint-21" },
  since: {
    definition: "where the time starts: the update, the reconnect or the loss",
    example: "reconnect",
    pattern: /^(?:reconnect|down|restore)$/,
  },
  online: {
    definition: "true: only things that were connected when the update was accepted",
    example: "true",
    pattern: /^(?:true|false)$/,
  },
  criterion: {
    definition: "index into abortConfig.criteriaList, from 0",
    example: "0",
    pattern: /^\d{1,2}$/,
  },
  version: { definition: "firmware version", example: "2.4.0" },
  window: {
    definition: "length of the sliding window",
    example: "1s",
    pattern: /^\d{1,6}(?:\.\d{1,3})?(?:ms|s|m)$/,
  },
  dup: {
    definition: "whether the duplicate carried MQTT's DUP flag",
    example: "false",
    pattern: /^(?:true|false)$/,
  },
  code: {
    definition: "numeric reason or status code",
    example: "409",
    pattern: /^(?:\d{1,3}|0x[0-9a-fA-F]{2})$/,
  },
  reason: {
    definition: "reason a connection or message was refused or dropped, or a board started",
    example: "QUEUE_FULL",
  },
  status: {
    definition: "job execution status",
    example: "FAILED",
    pattern: /^(?:QUEUED|IN_PROGRESS|SUCCEEDED|FAILED|TIMED_OUT|REJECTED|REMOVED|CANCELED)$/,
  },
  query: { definition: "name of a query of the fleet index", example: "hot" },
  bridge: { definition: "name of the thing that a board is", example: "desk" },
} as const satisfies Readonly<Record<string, LabelDefinition>>;

export const labelDefinition = (name: LabelName): LabelDefinition => LABELS[name];
