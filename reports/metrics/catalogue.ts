import { BOARDS } from "./board-rows.js";
import type { AggregationName, MetricDefinition, MetricSection } from "./definition.js";
import {
  ACCESS,
  CONNECTIONS,
  COST,
  DELIVERY,
  JOBS,
  LATENCY,
  type MetricRow,
  RECONNECT,
  REST,
  SHADOW,
} from "./metric-rows.js";

const REST_SECTIONS: Readonly<Record<string, MetricSection>> = {
  fleet: "fleet",
  rules: "rules",
  broker: "broker",
  generator: "trust",
  process: "trust",
  event_loop: "trust",
};

const WORDS: Readonly<Record<string, readonly string[]>> = {
  "reconnect.backoff_grade": ["constant", "linear", "exponential", "jittered"],
  "job.status": ["SCHEDULED", "IN_PROGRESS", "COMPLETED", "CANCELED", "DELETION_IN_PROGRESS"],
};

/** Metrics whose value is worthless when the generator itself was late. */
const TIMING = new Set([
  "latency.e2e",
  "latency.service",
  "latency.ack",
  "connect.time",
  "provisioning.time",
  "rules.latency",
  "generator.schedule_lag",
  "board.boot_time",
  "board.recovery_time",
  "board.panic_notice",
  "board.log_wait",
  "board.reaction",
  "board.sleep_time",
  "board.oversleep",
]);

/**
 * Of a board's message the schedule and the sending are stamped with the board's clock, the arrival with the host's; of a shadow update
 * the acceptance is the host's and the change of configuration the board's; an action is the host's, the marker that follows it the board's;
 * a board says when it falls asleep, and the host hears when it is back. Acknowledgements, connect times and the times in markers are
 * stamped on the board alone.
 */
const CROSSING_CLOCKS = new Set([
  "latency.e2e",
  "latency.service",
  "rules.latency",
  "shadow.convergence_time",
  "board.reaction",
  "board.sleep_time",
  "board.oversleep",
]);

/** A gauge without an aggregation means its last sample; these mean their mean. */
const DEFAULT_AGGREGATION: Readonly<Record<string, AggregationName>> = { "job.rate": "avg" };

const define = (section: MetricSection | undefined, rows: readonly MetricRow[]): MetricDefinition[] =>
  rows.map(([name, kind, unit, labels, definition]) => ({
    name,
    section: section ?? REST_SECTIONS[name.slice(0, name.indexOf("."))]!,
    kind,
    unit,
    labels,
    aggregation: kind === "histogram" ? undefined : (DEFAULT_AGGREGATION[name] ?? "value"),
    definition,
    ...(WORDS[name] === undefined ? {} : { words: WORDS[name] }),
    isTiming: TIMING.has(name),
    crossesClocks: CROSSING_CLOCKS.has(name),
  }));

/**
 * Every metric an expectation can name, as data, in the order reports print them: the grammar checks against it,
 * the reports and the reference page print it.
 */
export const METRICS: readonly MetricDefinition[] = [
  ...define("latency", LATENCY),
  ...define("delivery", DELIVERY),
  ...define("connections", CONNECTIONS),
  ...define("reconnect", RECONNECT),
  ...define("shadow", SHADOW),
  ...define("job", JOBS),
  ...define("access", ACCESS),
  ...define("cost", COST),
  ...define("board", BOARDS),
  ...define(undefined, REST),
];

const BY_NAME = new Map(METRICS.map((metric) => [metric.name, metric]));

/** The definition of a metric by its full name, such as `latency.e2e`. */
export const findMetric = (name: string): MetricDefinition | undefined => BY_NAME.get(name);
