import type { SuiteRecord, SweepRecord } from "../../../record/run-record.js";
import { formatMs, sweepName } from "../../outcome.js";
import { counted, grouped } from "../../plain-text.js";
import { strip } from "../chart/strip.js";
import { badge } from "../icon.js";
import { type Content, html, type Markup, named } from "../markup.js";
import { table } from "../table.js";
import { formatValue, NOTHING } from "../../record-values.js";
import { replayBox } from "./replay.js";
import { expectationTable } from "./expectations.js";

const MAX_REPLAYS = 5;

/** Sweeps of one scenario stand together, so that its variants can be compared. */
export const sweepGroups = ({ sweeps }: SuiteRecord): readonly (readonly SweepRecord[])[] =>
  [...new Set(sweeps.map(({ scenario }) => scenario))].map((scenario) =>
    sweeps.filter((sweep) => sweep.scenario === scenario),
  );

export function sweepArticle(sweeps: readonly SweepRecord[], id: string): Markup {
  const [first] = sweeps;
  return html`<article id="${id}" aria-labelledby="${id}-title"><header class="run-head">
<p class="kicker">Sweep over ${counted(first!.seeds.length, "seed")}</p>
<h2 id="${id}-title">${named(first!.scenario)}</h2></header>
${sweeps.map(sweepPart)}
${distributions(sweeps)}
</article>`;
}

const sweepPart = (sweep: SweepRecord): Markup =>
  html`<section><h3>${named(sweepName(sweep))} ${badge(sweep.verdict)}</h3>
<p class="lead">${counted(sweep.seeds.length, "seed")} in ${formatMs(sweep.environment.wallMs)}, ${counted(sweep.environment.jobs, "worker")}.</p>
${sweep.expectations.length > 0 && expectationTable(sweep.expectations, `Expectations over the seeds of ${sweepName(sweep)}`)}
${failedSeeds(sweep)}</section>`;

function failedSeeds({ failedSeeds: failed }: SweepRecord): Content {
  if (failed.length === 0) return false;
  const rest = failed.length - MAX_REPLAYS;
  return html`<h4>${counted(failed.length, "failed seed")}</h4>
${failed.slice(0, MAX_REPLAYS).map(({ replay }) => replayBox(replay))}
${
  rest > 0 &&
  html`<p class="muted">And ${grouped(rest)} more: ${failed
    .slice(MAX_REPLAYS)
    .map(({ seed }) => seed)
    .slice(0, 100)
    .join(", ")}</p>`
}`;
}

interface Spread {
  readonly name: string;
  readonly metric: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly seeds: number;
}

/** Every metric once, its variants below each other on one axis. */
function distributions(sweeps: readonly SweepRecord[]): Content {
  const metrics = [...new Set(sweeps.flatMap(({ values }) => values.map(({ metric }) => metric)))];
  if (metrics.length === 0) return false;
  return html`<section><h3>Distribution over seeds</h3>${metrics.map((metric) => {
    const spreads = sweeps.flatMap((sweep) => spreadOf(sweep, metric));
    const [first] = spreads;
    return html`<h4><code>${metric}</code></h4>
${strip(
  `${metric}: one dot per seed, the line is the median`,
  first!.unit,
  spreads.map(({ name, values }, index) => ({ name, values, tone: index + 1 })),
)}
${spreadTable(metric, spreads)}`;
  })}</section>`;
}

const spreadOf = (sweep: SweepRecord, metric: string): readonly Spread[] =>
  sweep.values
    .filter((each) => each.metric === metric)
    .map(({ unit, values }) => ({
      name: sweep.variant,
      metric,
      unit,
      seeds: sweep.seeds.length,
      values: values.flatMap((value) => (value === null || typeof value === "string" ? [] : [Number(value)])),
    }));

const spreadTable = (metric: string, rows: readonly Spread[]): Markup => {
  const at = (share: number) => ({
    cell: ({ values, unit }: Spread) => {
      const sorted = [...values].sort((a, b) => a - b);
      return formatValue(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null, unit) || NOTHING;
    },
    isNumber: true,
  });
  return table({
    caption: `${metric} over seeds`,
    rows,
    columns: [
      { title: "Variant", cell: ({ name }) => named(name) },
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
