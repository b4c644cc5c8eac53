import { createHash } from "node:crypto";
import type { RunRecord, SuiteRecord, Verdict } from "../../record/run-record.js";
import { countOutcomes, countsText, suiteExpectations } from "../outcome.js";
import { counted } from "../plain-text.js";
import { icon } from "./icon.js";
import { type Content, html, type Markup, trustedMarkup } from "./markup.js";
import { SCRIPT } from "./script.js";
import { overviewTable } from "./sections/overview.js";
import { runArticle } from "./sections/run.js";
import { sweepArticle, sweepGroups } from "./sections/sweep.js";
import { STYLE } from "./style.js";

/** Beyond this only runs that did not pass get a section of their own; the table still lists all. */
const MAX_ARTICLES = 40;

/** Nothing may be loaded, and only the one script of this page may run. */
const POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${createHash("sha256").update(SCRIPT).digest("base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** One self-contained page that needs no network and no script. Byte-identical for equal records. */
export function renderHtml(suite: SuiteRecord): string {
  const detailed = detailedRuns(suite);
  const anchors = new Map(detailed.map((run, index) => [run, `run-${index + 1}`]));
  const groups = sweepGroups(suite);
  const isSingle = suite.runs.length === 1 && groups.length === 0;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trustedMarkup(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${titleOf(suite)}</title>
<link rel="icon" href="data:,">
<style>${trustedMarkup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#report">Skip to the report</a>
${masthead(suite)}
<main id="report">
${isSingle ? html`<h1 class="unseen">${titleOf(suite)}</h1>` : suiteHeader(suite)}
${!isSingle && suite.runs.length > 0 && overviewTable(suite, (run) => anchors.get(run))}
${groups.map((sweeps, index) => sweepArticle(sweeps, `sweep-${index + 1}`))}
${detailed.map((run) => runArticle(run, anchors.get(run)!))}
</main>
<footer><p>Made by ${suite.tool.name} ${suite.tool.version}. The same data for programs: report.json.</p></footer>
<script>${trustedMarkup(SCRIPT)}</script>
</body>
</html>
`.text;
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

const masthead = ({ runs }: SuiteRecord): Markup =>
  html`<header class="masthead"><p class="brand"><span class="mark" aria-hidden="true"></span>fleetrig <span class="muted">report</span></p>
<p class="when">${runs[0]?.environment.startedAt.slice(0, 16).replace("T", " ")}</p>
<button type="button" id="theme" hidden>Theme</button></header>`;

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
