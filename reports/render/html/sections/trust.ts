import type { RunRecord } from "../../../record/run-record.js";
import { formatMs } from "../../outcome.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { icon } from "../icon.js";
import { type Content, html, type Markup, named } from "../markup.js";
import { facts } from "../table.js";
import { formatValue, NOTHING } from "../../record-values.js";

/** Whether the figures below mean anything, and what they rest on. Stands above all of them. */
export function trustBlock(run: RunRecord): Markup {
  const { trust, clock, seed, scenario, environment, fingerprint } = run;
  const utilisation = formatValue(environment.eventLoopUtilisation, "ratio");
  const notes: readonly Content[] = [
    ...trust.warnings.map(named),
    ...trust.skippedGroups.map(
      ({ group, reason }) => html`Group ${named(group)} was skipped: ${named(reason)}`,
    ),
    ...trust.withoutData.map((expr) => html`No data for <code>${expr}</code>`),
  ];
  return html`<div class="trust ${trust.trusted ? "good" : "doubt"}">
<p class="statement">${icon(trust.trusted ? "passed" : "inconclusive")}<span>${statement(run)}</span></p>
${notes.length > 0 && html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${facts([
  ["Seed", seed],
  ["Clock", clock],
  ["Samples", grouped(trust.samples)],
  ["Schedule lag p99", formatValue(trust.scheduleLagP99Ms, "ms")],
  ["Event loop busy", clock === "virtual" ? `${utilisation} (harmless)` : utilisation],
  ["Longest GC pause", formatValue(environment.gcPauseMsMax, "ms")],
  ["Peak memory", formatValue(environment.rssBytesMax, "B")],
  ["Timer resolution", formatValue(environment.timerResolutionMs, "ms")],
  ["Scenario", hash(scenario.sha256)],
  ["Git", environment.gitSha === null ? NOTHING : hash(environment.gitSha)],
  ["Fingerprint", fingerprint === null ? "none in real time" : hash(fingerprint)],
])}
</div>`;
}

const hash = (text: string): Markup => html`<code title="${text}">${text.slice(0, 12)}</code>`;

function statement({ trust, clock }: RunRecord): Content {
  if (!trust.trusted) return "Latency figures of this run must not be judged.";
  return clock === "virtual"
    ? "Measured in virtual time: no figure depends on the speed of this machine, and the same seed gives the same figures."
    : "Measured in real time; the generator kept up, so its figures can be judged.";
}

/** The machine and the moment. */
export const environmentFacts = ({ environment }: RunRecord): Markup =>
  facts([
    ["Started", environment.startedAt],
    ["Took", formatMs(environment.wallMs)],
    ["Node", environment.node],
    ["Platform", environment.platform],
    ["CPU", `${environment.cpu}, ${environment.cores} cores`],
    ["Commit", environment.gitSha ?? NOTHING],
  ]);
