import type { SuiteRecord, SweepRecord } from "../../../record/run-record.js";
import { formatMs, sweepName } from "../../outcome.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { counted } from "../../plain-text.js";
import { badge } from "../icon.js";
import { type Content, html, type Markup, named } from "../markup.js";
import { distributionSection } from "./distribution.js";
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
${distributionSection(sweeps)}
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
