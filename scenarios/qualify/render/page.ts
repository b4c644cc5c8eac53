import { badge, type Content, documentPage, facts, html, type Markup, table } from "fleetrig/reports";
import type { CaseVerdict } from "../judgement.js";
import type { CaseRecord, QualificationRecord } from "../qualification-record.js";
import { gapPlot } from "./gap-plot.js";
import { timeline } from "./timeline.js";
import { countsText, measured, remarksOf, VERDICT_WORDS } from "./verdict-words.js";

/** How verdicts look in reports of runs. */
const LOOKS = {
  pass: "passed",
  "pass-with-warnings": "warning",
  fail: "failed",
  inconclusive: "inconclusive",
  "not-applicable": "interrupted",
} as const satisfies Readonly<Record<CaseVerdict, string>>;

const HEADLINES: Readonly<Record<QualificationRecord["verdict"], string>> = {
  passed: "The device qualifies",
  failed: "The device does not qualify",
  interrupted: "The qualification was interrupted",
};

/** One self-contained page with the evidence of every case; nothing in it is loaded, nothing runs. */
export function renderQualificationPage(record: QualificationRecord): string {
  const { verdict, suite, device, tool } = record;
  return documentPage({
    title: `${verdict}: ${suite} of ${device.name} – fleetrig`,
    kind: "qualification",
    startedAt: record.startedAt,
    body: [head(record), overview(record), record.cases.map(caseArticle)],
    footer: html`Made by ${tool.name} ${tool.version}. The same data for programs: the JSON report.`,
  });
}

const head = (record: QualificationRecord): Markup => {
  const { device, verdict } = record;
  return html`<header class="run-head ${verdict}"><p class="kicker">${badge(verdict)}</p>
<h1>${HEADLINES[verdict]}</h1>
<p class="description">${record.suite} of ${device.name}. ${countsText(record)}.</p></header>
${facts([
  ["path", device.path],
  ...(device.chip === undefined ? [] : [["chip", device.chip] as const]),
  ...(device.mac === undefined ? [] : [["MAC", device.mac] as const]),
  ...(device.firmware === undefined ? [] : [["firmware", device.firmware] as const]),
  ["took", `${(record.durationMs / 1000).toFixed(1)} s`],
  ["warnings", record.isStrict ? "count as failures" : "are allowed"],
])}`;
};

const marked = (verdict: CaseVerdict): Markup =>
  html`<span class="badge ${LOOKS[verdict]}">${VERDICT_WORDS[verdict]}</span>`;

const overview = ({ cases }: QualificationRecord): Markup =>
  html`<section><h3>Cases</h3>${table<CaseRecord>({
    caption: "Cases",
    hidesCaption: true,
    rows: cases,
    columns: [
      { title: "case", cell: ({ id }) => html`<a href="#${anchorOf(cases, id)}">${id}</a>` },
      { title: "verdict", cell: ({ verdict }) => marked(verdict) },
      { title: "why", cell: (one) => remarksOf(one)[0] ?? "" },
      { title: "s", isNumber: true, cell: ({ durationMs }) => (durationMs / 1000).toFixed(1) },
    ],
  })}</section>`;

const anchorOf = (cases: readonly CaseRecord[], id: string): string =>
  `case-${cases.findIndex((one) => one.id === id) + 1}`;

const caseArticle = (record: CaseRecord, index: number): Markup =>
  html`<section id="case-${index + 1}"><h3>${record.id} ${marked(record.verdict)}</h3>
<p class="lead">The device ${record.title}.</p>
${remarks(record)}
${record.measurements.length > 0 && facts(record.measurements.map((measurement) => [measurement.name, measured(measurement)] as const))}
${gapPlot(record.gaps ?? [])}
${record.evidence !== undefined && timeline(record.evidence)}
${(record.parts ?? []).map((part) => html`<h4>${part.name} ${marked(part.verdict)}</h4>${timeline(part.evidence)}`)}</section>`;

const remarks = (record: CaseRecord): Content => {
  const sentences = remarksOf(record);
  const isBad = record.verdict === "fail";
  return sentences.map((sentence) => html`<p class="alert${isBad && " bad"}">${sentence}</p>`);
};
