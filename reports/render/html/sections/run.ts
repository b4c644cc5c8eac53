import type { RunRecord } from "../../../record/run-record.js";
import { countOutcomes, countsText, expectationsOf, formatMs, runTitle } from "../../outcome.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { icon } from "../icon.js";
import { type Content, html, type Markup, named } from "../markup.js";
import { boardsSection } from "./boards.js";
import { connectionsSection } from "./connections.js";
import { expectationTable } from "./expectations.js";
import { accessSection, brokerSection, deliverySection, rulesSection } from "./figures.js";
import { faultsSection } from "./faults.js";
import { latencySection } from "./latency.js";
import { measurementsSection } from "./measurements.js";
import { replayBox } from "./replay.js";
import { rolloutSection } from "./rollout.js";
import { renderSection, type Section } from "./section.js";
import { shadowSection } from "./shadow.js";
import { stormSection } from "./storm.js";
import { trafficSection } from "./traffic.js";
import { environmentFacts, trustBlock } from "./trust.js";

/** In the order in which a reader asks. */
const SECTIONS: readonly ((run: RunRecord) => Section)[] = [
  expectationsSection,
  rolloutSection,
  stormSection,
  shadowSection,
  trafficSection,
  latencySection,
  deliverySection,
  rulesSection,
  connectionsSection,
  brokerSection,
  accessSection,
  boardsSection,
  faultsSection,
  replaySection,
  measurementsSection,
  (run) => ({ id: "environment", title: "Environment", content: [environmentFacts(run)] }),
];

const isShown = ({ content }: Section): boolean => content.some((part) => part !== false && part !== "");

/** The full report of one run. */
export function runArticle(run: RunRecord, id: string): Markup {
  const sections = SECTIONS.map((section) => section(run)).filter(isShown);
  return html`<article id="${id}" aria-labelledby="${id}-title">
<header class="run-head ${run.verdict}">
<p class="kicker">${icon(run.verdict)}<span>${run.verdict}</span></p>
<h2 id="${id}-title">${named(run.scenario.name)}${run.variant !== "main" && html` <span class="muted">${named(run.variant)}</span>`}</h2>
${run.scenario.description !== "" && html`<p class="description">${named(run.scenario.description)}</p>`}
${failureBox(run)}
${keyFigures(run)}
</header>
${trustBlock(run)}
<nav class="contents" aria-label="Sections of ${runTitle(run)}">${sections.map(
    (section) => html`<a href="#${id}-${section.id}">${section.title}</a>`,
  )}</nav>
${sections.map((section) => renderSection(id, section))}
</article>`;
}

const failureBox = ({ failure }: RunRecord): Content =>
  failure !== null &&
  html`<div class="alert bad" role="note"><strong>${failure.code}</strong> ${named(failure.message)}${failure.hint !== null && html`<br>${named(failure.hint)}`}</div>`;

function keyFigures(run: RunRecord): Markup {
  const counts = countOutcomes(expectationsOf(run));
  const total = expectationsOf(run).length;
  const figures: readonly (readonly [label: string, value: string])[] = [
    ["expectations met", `${grouped(counts.passed)} of ${grouped(total)}`],
    ["devices", grouped(run.devices)],
    [run.clock === "virtual" ? "of virtual time" : "of real time", formatMs(run.durationMs)],
    ["on the wall clock", formatMs(run.environment.wallMs)],
    ["seed", String(run.seed)],
  ];
  return html`<ul class="figures" aria-label="${countsText(counts)}">${figures.map(
    ([label, value]) => html`<li><strong>${value}</strong><span>${label}</span></li>`,
  )}</ul>`;
}

function expectationsSection(run: RunRecord): Section {
  const expectations = expectationsOf(run);
  return {
    id: "expectations",
    title: "Expectations",
    lead: html`From ${named(run.scenario.file)}`,
    content:
      expectations.length === 0
        ? [html`<p class="muted">The scenario states none.</p>`]
        : [expectationTable(expectations, `Expectations of ${runTitle(run)}`)],
  };
}

function replaySection({ replay, clock }: RunRecord): Section {
  const lead =
    clock === "virtual"
      ? "Runs the same world again, message by message."
      : "Runs the same scenario again; in real time no two runs are equal.";
  return { id: "replay", title: "Replay", lead, content: replay === "" ? [] : [replayBox(replay)] };
}
