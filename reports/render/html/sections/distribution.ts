import type { SweepRecord } from "../../../record/run-record.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { formatValue } from "../../record-values.js";
import { strip } from "../chart/strip.js";
import { type Content, html, type Markup, named } from "../markup.js";
import { table } from "../table.js";

/** The values of one metric over the seeds of one variant. */
interface Spread {
  readonly variant: string;
  readonly unit: string;
  readonly seeds: number;
  readonly values: readonly (number | boolean | string)[];
}

/** Every metric once, its variants below each other on one axis. */
export function distributionSection(sweeps: readonly SweepRecord[]): Content {
  const metrics = [...new Set(sweeps.flatMap(({ values }) => values.map(({ metric }) => metric)))];
  return (
    metrics.length > 0 &&
    html`<section><h3>Distribution over seeds</h3>${metrics.map((metric) => distribution(metric, sweeps))}</section>`
  );
}

function distribution(metric: string, sweeps: readonly SweepRecord[]): Markup {
  const spreads = sweeps.flatMap((sweep) => spreadOf(sweep, metric));
  const isNumeric = spreads.every(({ values }) => values.every((value) => typeof value === "number"));
  return html`<h4><code>${metric}</code></h4>${
    isNumeric ? [dotStrip(metric, spreads), numberTable(metric, spreads)] : wordTable(metric, spreads)
  }`;
}

const spreadOf = (sweep: SweepRecord, metric: string): readonly Spread[] =>
  sweep.values
    .filter((each) => each.metric === metric)
    .map(({ unit, values }) => ({
      variant: sweep.variant,
      unit,
      seeds: sweep.seeds.length,
      values: values.filter((value) => value !== null),
    }));

const numbersOf = ({ values }: Spread): readonly number[] =>
  values.filter((value) => typeof value === "number");

const dotStrip = (metric: string, spreads: readonly Spread[]): Markup =>
  strip({
    title: `${metric} over seeds: one dot per seed`,
    axis: "one dot per seed, the line is the median",
    unit: spreads[0]?.unit ?? "",
    rows: spreads.map((spread, index) => ({
      name: spread.variant,
      values: numbersOf(spread),
      tone: index + 1,
    })),
  });

const numberTable = (metric: string, rows: readonly Spread[]): Markup => {
  const at = (share: number) => ({
    cell: (spread: Spread) => {
      const sorted = [...numbersOf(spread)].sort((a, b) => a - b);
      return formatValue(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)], spread.unit);
    },
    isNumber: true,
  });
  return table({
    caption: `${metric} over seeds`,
    hidesCaption: true,
    rows,
    columns: [
      { title: "Variant", cell: ({ variant }) => named(variant) },
      {
        title: "Seeds with data",
        cell: ({ values, seeds }) => `${grouped(values.length)} of ${grouped(seeds)}`,
        isNumber: true,
      },
      { title: "Min", ...at(0) },
      { title: "Median", ...at(0.5) },
      { title: "p95", ...at(0.95) },
      { title: "Max", ...at(1) },
    ],
  });
};

interface WordCount {
  readonly variant: string;
  readonly word: string;
  readonly count: number;
  readonly seeds: number;
}

/** Facts and words: how many seeds had which. */
const wordTable = (metric: string, spreads: readonly Spread[]): Markup =>
  table({
    caption: `${metric} over seeds`,
    hidesCaption: true,
    rows: spreads.flatMap(wordCounts),
    columns: [
      { title: "Variant", cell: ({ variant }) => named(variant) },
      { title: "Value", cell: ({ word }) => named(word) },
      {
        title: "Seeds",
        cell: ({ count, seeds }) => `${grouped(count)} of ${grouped(seeds)}`,
        isNumber: true,
      },
      { title: "Share", cell: ({ count, seeds }) => formatValue(count / seeds, "ratio"), isNumber: true },
      { title: "", cell: ({ count, seeds }) => shareBar(count / seeds) },
    ],
  });

function wordCounts({ variant, values, seeds }: Spread): readonly WordCount[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([word, count]) => ({ variant, word, count, seeds }));
}

const shareBar = (share: number): Markup =>
  html`<svg class="sharebar t1" viewBox="0 0 160 10" aria-hidden="true"><rect width="160" height="10" rx="5"/><rect class="part" width="${Math.round(Math.min(1, share) * 160)}" height="10" rx="5"/></svg>`;
