import type { RunRecord, SuiteRecord, Verdict } from "../../record/run-record.js";
import { countOutcomes, countsText, suiteExpectations } from "../outcome.js";
import { counted } from "../plain-text.js";
import { documentPage } from "./document-page.js";
import { icon } from "./icon.js";
import { type Content, html } from "./markup.js";
import { overviewTable } from "./sections/overview.js";
import { runArticle } from "./sections/run.js";
import { sweepArticle, sweepGroups } from "./sections/sweep.js";

/** Beyond this only runs that did not pass get a section of their own; the table still lists all. */
const MAX_ARTICLES = 40;

/** One self-contained page that needs no network and no script. Byte-identical for equal records. */
export function renderHtml(suite: SuiteRecord): string {
  const detailed = detailedRuns(suite);
  const anchors = new Map(detailed.map((run, index) => [run, `run-${index + 1}`]));
  const groups = sweepGroups(suite);
  const isSingle = suite.runs.length === 1 && groups.length === 0;
  return documentPage({
    title: titleOf(suite),
    kind: "report",
    startedAt: suite.runs[0]?.environment.startedAt,
    body: html`${isSingle ? html`<h1 class="unseen">${titleOf(suite)}</h1>` : suiteHeader(suite)}
${!isSingle && suite.runs.length > 0 && overviewTable(suite, (run) => anchors.get(run))}
${groups.map((sweeps, index) => sweepArticle(sweeps, `sweep-${index + 1}`))}
${detailed.map((run) => runArticle(run, anchors.get(run)!))}`,
    footer: `Made by ${suite.tool.name} ${suite.tool.version}. The same data for programs: report.json.`,
  });
}

function detailedRuns({ runs }: SuiteRecord): readonly RunRecord[] {
  if (runs.length <= MAX_ARTICLES) return runs;
  const open = runs.filter(({ verdict }) => verdict !== "passed");
  const passed = runs.filter(({ verdict }) => verdict === "passed");
  const kept = new Set([...open, ...passed].slice(0, MAX_ARTICLES));
  return runs.filter((run) => kept.has(run));
}

const titleOf = ({ verdict, runs, sweeps }: SuiteRecord): string => {
  const [first] = runs;
  const what =
    runs.length === 1 && sweeps.length === 0
      ? first!.scenario.name
      : [counted(runs.length, "run"), ...(sweeps.length === 0 ? [] : [counted(sweeps.length, "sweep")])].join(
          ", ",
        );
  return `${verdict}: ${what} – fleetrig`;
};

const HEADLINES: Readonly<Record<Verdict, string>> = {
  passed: "All expectations are met",
  failed: "Expectations were missed",
  inconclusive: "Some measurements cannot be judged",
  interrupted: "The runs were interrupted",
  error: "Not every run could be carried out",
};

const suiteHeader = (suite: SuiteRecord): Content =>
  html`<header class="run-head ${suite.verdict}"><p class="kicker">${icon(suite.verdict)}<span>${suite.verdict}</span></p>
<h1>${HEADLINES[suite.verdict]}</h1>
<p class="description">${counted(suite.runs.length, "run")}${suite.sweeps.length > 0 && `, ${counted(suite.sweeps.length, "sweep")}`}: ${countsText(countOutcomes(suiteExpectations(suite)))}.</p></header>`;
