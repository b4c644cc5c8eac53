import { FleetrigError, didYouMean } from "fleetrig/kernel";
import { findMetric, METRICS } from "../metrics/catalogue.js";
import {
  type Aggregation,
  AGGREGATIONS,
  type AggregationName,
  labelDefinition,
  type LabelName,
  type MetricDefinition,
  RUN_AGGREGATIONS,
  SWEEP_AGGREGATIONS,
} from "../metrics/definition.js";
import { type Expectation, OPERATORS, type Operator } from "./expectation.js";
import { parseLimit } from "./parse-limit.js";

/**
 * The grammar of expectations and of `until` conditions. Blanks may stand between any two parts.
 *
 *     expectation := metric [ "{" label "=" value { "," label "=" value } "}" ] [ agg ] [ op literal ]
 *     metric      := name { "." name }                    name := letter { letter | digit | "_" | "-" }
 *     value       := '"' { any but '"' } '"' | { any but blank "," "}" '"' }+
 *     agg         := "p(" number ")" | min | max | avg | med | count | rate | ratio | value
 *     op          := < | <= | > | >= | == | !=
 *     literal     := number | 12% | 250ms | 150/s | 1GiB | true | false | word
 *
 * Without `op literal` a metric that is true or false is expected to be true. A literal must have the
 * unit of its metric. Offsets count UTF-16 units from the start of the text.
 */
export type ExpectationParse =
  | { readonly ok: true; readonly expectation: Expectation }
  | {
      readonly ok: false;
      readonly offset: number;
      readonly length: number;
      readonly message: string;
      readonly hint: string;
    };

/** What the expression is about. */
export interface ParseExpectationOptions {
  /** `sweep`: the aggregation goes over the runs of a sweep, e.g. `job.abort.triggered ratio == 100%`. Default: `run`. */
  readonly scope?: "run" | "sweep";
}

const MAX_CHARS = 1000;

/** Parses and checks one line of `expect`; never throws. */
export function parseExpectation(text: string, options: ParseExpectationOptions = {}): ExpectationParse {
  const scanner = new Scanner(text);
  try {
    if (text.length > MAX_CHARS) {
      scanner.fail([0, MAX_CHARS], `The text is longer than ${MAX_CHARS} characters.`, "Shorten it.");
    }
    return { ok: true, expectation: readExpectation(scanner, options.scope ?? "run") };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, ...error.where };
    throw error;
  }
}

/** Parses an `until` condition: the same grammar, on one run. */
export const parseUntil = (text: string): ExpectationParse => parseExpectation(text, { scope: "run" });

function readExpectation(scanner: Scanner, scope: "run" | "sweep"): Expectation {
  const metric = readMetric(scanner);
  const labels = readLabels(scanner, metric);
  const aggregation = readAggregation(scanner, metric, scope);
  scanner.skipBlanks();
  const { operator, limit } = readComparison(scanner, metric, aggregation);
  return { text: scanner.text, metric: metric.name, labels, aggregation, operator, limit };
}

function readMetric(scanner: Scanner): MetricDefinition {
  scanner.skipBlanks();
  const start = scanner.offset;
  const name = scanner.take(METRIC_NAME);
  if (name === undefined) {
    scanner.fail(
      [start, 1],
      "An expectation starts with the name of a metric.",
      "For example: delivery.lost == 0",
    );
  }
  const metric = findMetric(name);
  if (metric === undefined) {
    const names = METRICS.map((one) => one.name);
    const hint = didYouMean(name, names) ?? "`fleetrig list --metrics` prints every metric.";
    scanner.fail([start, name.length], `There is no metric "${name}".`, hint);
  }
  return metric;
}

const METRIC_NAME = /[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*/y;
const LABEL_NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const LABEL_VALUE = /"[^"]*"|[^\s,}"]+/y;
const AGGREGATION = /[A-Za-z]+/y;
const PERCENTILE = /\(\s*\d{1,3}(?:\.\d{1,6})?\s*\)/y;
const LITERAL = /[^\s<>=!{}]+/y;

function readLabels(scanner: Scanner, metric: MetricDefinition): Expectation["labels"] {
  const labels = new Map<LabelName, string>();
  scanner.skipBlanks();
  if (!scanner.takeSymbol("{")) return {};
  do {
    scanner.skipBlanks();
    const start = scanner.offset;
    const name = scanner.take(LABEL_NAME);
    if (name === undefined)
      scanner.fail([start, 1], "A label was expected.", `Write {label=value}; ${labelHint(metric)}`);
    if (!(metric.labels as readonly string[]).includes(name)) {
      const hint = didYouMean(name, metric.labels) ?? labelHint(metric);
      scanner.fail([start, name.length], `${metric.name} has no label "${name}".`, hint);
    }
    if (labels.has(name as LabelName)) {
      scanner.fail([start, name.length], `The label "${name}" stands twice.`, "Keep one of them.");
    }
    labels.set(name as LabelName, readLabelValue(scanner, name as LabelName));
    scanner.skipBlanks();
  } while (scanner.takeSymbol(","));
  if (!scanner.takeSymbol("}"))
    scanner.fail([scanner.offset, 1], 'The labels are not closed with "}".', "Close them.");
  return Object.fromEntries(labels);
}

const labelHint = (metric: MetricDefinition): string =>
  metric.labels.length === 0 ? `${metric.name} has no labels.` : `it has ${metric.labels.join(", ")}.`;

function readLabelValue(scanner: Scanner, name: LabelName): string {
  const { definition, example, pattern } = labelDefinition(name);
  scanner.skipBlanks();
  if (!scanner.takeSymbol("=")) {
    scanner.fail([scanner.offset, 1], `The label "${name}" has no value.`, `Write ${name}=${example}.`);
  }
  scanner.skipBlanks();
  const start = scanner.offset;
  const written = scanner.take(LABEL_VALUE);
  const value = written?.startsWith('"') === true ? written.slice(1, -1) : written;
  if (value === undefined || value === "" || (pattern !== undefined && !pattern.test(value))) {
    const length = Math.max(1, written?.length ?? 1);
    scanner.fail(
      [start, length],
      `"${value ?? ""}" is no value for the label "${name}".`,
      `It is the ${definition}, e.g. ${name}=${example}.`,
    );
  }
  return value;
}

function readAggregation(scanner: Scanner, metric: MetricDefinition, scope: "run" | "sweep"): Aggregation {
  const allowed = (scope === "run" ? RUN_AGGREGATIONS : SWEEP_AGGREGATIONS)[metric.kind];
  scanner.skipBlanks();
  const start = scanner.offset;
  const word = scanner.take(AGGREGATION);
  if (word === undefined) {
    const implied = scope === "run" ? metric.aggregation : undefined;
    if (implied !== undefined) return { name: implied, percentile: undefined };
    const subject =
      scope === "run" ? `${metric.name} is a distribution` : `a sweep has a value of ${metric.name} per run`;
    scanner.fail([start, 1], `The aggregation is missing: ${subject}.`, aggregationHint(allowed));
  }
  const name = AGGREGATIONS.find((one) => one === word);
  if (name === undefined) {
    const hint = didYouMean(word, AGGREGATIONS) ?? aggregationHint(allowed);
    scanner.fail([start, word.length], `There is no aggregation "${word}".`, hint);
  }
  if (!allowed.includes(name)) {
    scanner.fail(
      [start, word.length],
      `"${name}" does not apply to ${metric.name}, a ${metric.kind}${scope === "sweep" ? " over many runs" : ""}.`,
      aggregationHint(allowed),
    );
  }
  return { name, percentile: name === "p" ? readPercentile(scanner) : undefined };
}

function aggregationHint(allowed: readonly AggregationName[]): string {
  if (allowed.length === 0) return "This metric cannot be aggregated over runs.";
  return `Use one of ${allowed.map((name) => (name === "p" ? "p(99)" : name)).join(", ")}.`;
}

function readPercentile(scanner: Scanner): number {
  const start = scanner.offset;
  const written = scanner.take(PERCENTILE);
  const percentile = Number(written?.slice(1, -1) ?? Number.NaN);
  if (!(percentile > 0 && percentile <= 100)) {
    scanner.fail(
      [start, written?.length ?? 1],
      "p needs a percentile above 0, up to 100.",
      "For example p(99.9).",
    );
  }
  return percentile;
}

function readComparison(
  scanner: Scanner,
  metric: MetricDefinition,
  aggregation: Aggregation,
): Pick<Expectation, "operator" | "limit"> {
  const operator = scanner.takeOperator();
  if (operator === undefined) {
    const isFact = metric.kind === "boolean" && aggregation.name === "value";
    if (isFact && scanner.atEnd()) {
      return { operator: "==", limit: { type: "boolean", value: true, text: "true" } };
    }
    scanner.fail(
      [scanner.offset, 1],
      "A comparison was expected.",
      `Use one of ${OPERATORS.join(" ")} and a limit.`,
    );
  }
  const isOrdered = metric.kind !== "label" && !(metric.kind === "boolean" && aggregation.name === "value");
  if (!isOrdered && operator !== "==" && operator !== "!=") {
    const at = scanner.offset - operator.length;
    scanner.fail([at, operator.length], `${metric.name} has no order.`, "Compare it with == or !=.");
  }
  scanner.skipBlanks();
  const start = scanner.offset;
  const literal = scanner.take(LITERAL);
  if (literal === undefined) scanner.fail([start, 1], "The limit is missing.", `Write it after ${operator}.`);
  const parsed = parseLimit(literal, metric, aggregation);
  if (!parsed.ok) scanner.fail([start, literal.length], parsed.message, parsed.hint);
  scanner.skipBlanks();
  if (!scanner.atEnd()) {
    const rest = scanner.text.length - scanner.offset;
    scanner.fail(
      [scanner.offset, rest],
      "The expectation should end here.",
      "Write one expectation per line.",
    );
  }
  return { operator, limit: parsed.limit };
}

/** A refusal with its place; it never leaves `parseExpectation`. */
class Refusal extends FleetrigError {
  constructor(readonly where: { offset: number; length: number; message: string; hint: string }) {
    super("EXPECTATION_SYNTAX", where.message, { hint: where.hint });
  }
}

class Scanner {
  offset = 0;

  constructor(readonly text: string) {}

  skipBlanks(): void {
    while (this.text[this.offset] === " " || this.text[this.offset] === "\t") this.offset += 1;
  }

  atEnd(): boolean {
    this.skipBlanks();
    return this.offset >= this.text.length;
  }

  /** Takes what a sticky pattern matches here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.offset;
    const taken = pattern.exec(this.text)?.[0];
    this.offset += taken?.length ?? 0;
    return taken;
  }

  takeSymbol(symbol: string): boolean {
    if (!this.text.startsWith(symbol, this.offset)) return false;
    this.offset += symbol.length;
    return true;
  }

  takeOperator(): Operator | undefined {
    return OPERATORS.find((operator) => this.takeSymbol(operator));
  }

  fail([offset, length]: readonly [number, number], message: string, hint: string): never {
    throw new Refusal({ offset, length, message, hint });
  }
}
