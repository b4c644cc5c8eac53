import { parseBytes, parseDurationUs, parsePercent, parseRatePerSecond, didYouMean } from "fleetrig/kernel";
import type { Aggregation, MetricDefinition, MetricUnit } from "../metrics/definition.js";
import type { Limit } from "./expectation.js";

/** The literal on the right, read with the unit the left-hand side has. */
export type LimitParse =
  | { readonly ok: true; readonly limit: Limit }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const PLAIN_NUMBER = /^-?\d{1,15}(?:\.\d{1,9})?$/;
const WORD = /^[A-Za-z_][\w.-]{0,127}$/;

const plainNumber = (text: string): number | undefined =>
  PLAIN_NUMBER.test(text) ? Number(text) : undefined;
const zero = (text: string): number | undefined => (text === "0" ? 0 : undefined);

/** How a number of each unit may be written; a bare number is never a duration, a rate or a size. */
const READERS: Readonly<Record<MetricUnit, (text: string) => number | undefined>> = {
  us: (text) => parseDurationUs(text) ?? zero(text),
  count: plainNumber,
  ratio: (text) => parsePercent(text) ?? plainNumber(text),
  number: plainNumber,
  "per-second": (text) => parseRatePerSecond(text) ?? zero(text),
  "per-minute": (text) => {
    const perSecond = parseRatePerSecond(text) ?? zero(text);
    return perSecond === undefined ? undefined : Math.round(perSecond * 60 * 1e9) / 1e9;
  },
  bytes: (text) => parseBytes(text) ?? zero(text),
  "thing-seconds": plainNumber,
  usd: (text) => plainNumber(text.replace(/^\$/, "")),
  none: () => undefined,
};

const EXPECTED: Readonly<Record<MetricUnit, string>> = {
  us: "a duration with its unit, such as 250ms or 1.5s",
  count: "a plain number, such as 0 or 2000",
  ratio: "a percentage or a number from 0 to 1, such as 99.9% or 0.999",
  number: "a plain number, such as 4 or 1.5",
  "per-second": "a rate, such as 150/s",
  "per-minute": "a rate, such as 60/m",
  bytes: "a size, such as 512MiB",
  "thing-seconds": "a plain number of thing-seconds, such as 120",
  usd: "US dollars, such as 0.05 or $0.05",
  none: "a word",
};

export function parseLimit(text: string, metric: MetricDefinition, aggregation: Aggregation): LimitParse {
  if (metric.kind === "boolean" && aggregation.name === "value") return parseBoolean(text, metric);
  if (metric.kind === "label") return parseWord(text, metric);
  const unit = unitOf(text, metric, aggregation);
  const value = READERS[unit](text);
  if (value === undefined) {
    return {
      ok: false,
      message: `"${text}" does not fit ${metric.name}.`,
      hint: `Write ${metric.kind === "share" ? "a percentage or a number of things" : EXPECTED[unit]}.`,
    };
  }
  return { ok: true, limit: { type: "number", value, unit, text } };
}

/** The unit a literal is read in: it depends on what the aggregation makes of the metric. */
function unitOf(text: string, metric: MetricDefinition, aggregation: Aggregation): MetricUnit {
  if (aggregation.name === "count") return "count";
  if (aggregation.name === "rate") return "per-second";
  if (aggregation.name === "ratio") return "ratio";
  if (metric.kind === "share") return text.endsWith("%") ? "ratio" : "count";
  return metric.unit;
}

function parseBoolean(text: string, metric: MetricDefinition): LimitParse {
  if (text === "true" || text === "false") {
    return { ok: true, limit: { type: "boolean", value: text === "true", text } };
  }
  return { ok: false, message: `"${text}" does not fit ${metric.name}.`, hint: "Write true or false." };
}

function parseWord(text: string, metric: MetricDefinition): LimitParse {
  const { words } = metric;
  if (WORD.test(text) && (words === undefined || words.includes(text))) {
    return { ok: true, limit: { type: "word", value: text, text } };
  }
  const hint = words === undefined ? "Write a word." : `It is one of ${words.join(", ")}.`;
  const nearest = words === undefined ? undefined : didYouMean(text, words);
  return {
    ok: false,
    message: `"${text}" does not fit ${metric.name}.`,
    hint: nearest === undefined ? hint : `${nearest} ${hint}`,
  };
}
