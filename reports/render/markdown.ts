import type { ExpectationRecord, RunRecord, SuiteRecord, SweepRecord } from "../record/run-record.js";
import { boardNotes, boardTables } from "./markdown-boards.js";
import { markdownBlock, markdownCode, markdownTable, markdownText } from "./markdown-text.js";
import {
  countOutcomes,
  countsText,
  expectationsOf,
  hasOwnName,
  MARKS,
  outcomeOf,
  OUTCOMES,
  remarkOf,
  runFacts,
  runName,
  runTitle,
  suiteExpectations,
  sweepTitle,
} from "./outcome.js";
import { counted } from "./plain-text.js";

/** GitHub refuses a job summary above 1,024 KiB. */
const MARKDOWN_MAX_BYTES = 1024 * 1024;
/** Room for the note and for closing what was open. */
const RESERVE_BYTES = 512;
const NOTE =
  "> The summary is longer than GitHub shows (1 MiB); the rest is in the HTML report and in report.json.";

/** A job summary: the verdict, a table of the runs, then what did not pass, then everything else folded. */
export function renderMarkdown(suite: SuiteRecord): string {
  const open = suite.runs.filter((run) => run.verdict !== "passed");
  const passed = suite.runs.filter((run) => run.verdict === "passed");
  return fit([
    `## ${MARKS[suite.verdict]} fleetrig: ${suite.verdict}`,
    "",
    `${counted(suite.runs.length, "run")}, ${countsText(countOutcomes(suiteExpectations(suite)))}.`,
    "",
    ...(suite.runs.length > 1 ? overview(suite) : []),
    ...open.flatMap((run) => [
      `### ${MARKS[run.verdict]} ${markdownText(runTitle(run))}`,
      "",
      ...runBody(run),
    ]),
    ...suite.sweeps.flatMap(sweepBody),
    ...passed.flatMap((run) => folded(run, suite.runs.length === 1)),
  ]);
}

const overview = ({ runs }: SuiteRecord): readonly string[] => [
  ...markdownTable(
    ["", "Scenario", "Seed", "Clock", "Devices", "Expectations"],
    runs.map((run) => [
      MARKS[run.verdict],
      markdownText(runName(run)),
      String(run.seed),
      run.clock,
      String(run.devices),
      countsText(countOutcomes(expectationsOf(run))),
    ]),
    [2, 4],
  ),
  "",
];

const folded = (run: RunRecord, isOnly: boolean): readonly string[] => {
  const title = `${MARKS[run.verdict]} ${markdownText(runTitle(run))}`;
  return isOnly
    ? [`### ${title}`, "", ...runBody(run)]
    : [`<details><summary>${title}</summary>`, "", ...runBody(run), "</details>", ""];
};

function runBody(run: RunRecord): readonly string[] {
  const { trust, failure } = run;
  const expectations = expectationsOf(run);
  const broken =
    failure === null
      ? []
      : [
          `> **${markdownText(failure.code)}** ${markdownText(failure.message)} ${markdownText(failure.hint ?? "")}`,
          "",
        ];
  const notes = [
    ...trust.warnings.map((warning) => `- ⚠ ${markdownText(warning)}`),
    ...trust.skippedGroups.map(
      ({ group, reason }) => `- ⊘ Group ${markdownText(group)} skipped: ${markdownText(reason)}`,
    ),
    ...boardNotes(run),
    ...trust.withoutData.map((expr) => `- No data for ${markdownCode(expr)}`),
  ];
  const replay = run.replay === "" ? [] : ["Replay", "", markdownBlock(run.replay), ""];
  return [
    `${runFacts(run)}, clock ${run.clock}, fingerprint ${markdownCode(run.fingerprint?.slice(0, 16) ?? "none")}.`,
    "",
    ...broken,
    ...(notes.length === 0 ? [] : [...notes, ""]),
    ...expectationTable(expectations),
    ...remarks(expectations),
    ...boardTables(run),
    ...replay,
  ];
}

function sweepBody(sweep: SweepRecord): readonly string[] {
  const { failedSeeds } = sweep;
  const seeds = failedSeeds.map(({ seed }) => seed).join(", ");
  const [first] = failedSeeds;
  return [
    `### ${MARKS[sweep.verdict]} Sweep: ${markdownText(sweepTitle(sweep))}`,
    "",
    ...expectationTable(sweep.expectations),
    ...remarks(sweep.expectations),
    ...(first === undefined
      ? []
      : [
          `Seeds with failed expectations: ${seeds}. Replay of the first:`,
          "",
          markdownBlock(first.replay),
          "",
        ]),
  ];
}

/** Worst first, in the order of the file within an outcome. */
function expectationTable(expectations: readonly ExpectationRecord[]): readonly string[] {
  if (expectations.length === 0) return [];
  const sorted = OUTCOMES.flatMap((outcome) => expectations.filter((each) => outcomeOf(each) === outcome));
  return [
    ...markdownTable(
      ["", "Expectation", "Got", "Limit", "Line"],
      sorted.map((expectation) => [
        `${MARKS[outcomeOf(expectation)]} ${outcomeOf(expectation)}`,
        subjectCell(expectation),
        markdownText(expectation.measured),
        markdownText(expectation.limit),
        String(expectation.line),
      ]),
      [2, 4],
    ),
    "",
  ];
}

const subjectCell = (expectation: ExpectationRecord): string =>
  hasOwnName(expectation)
    ? `${markdownText(expectation.name)}<br>${markdownCode(expectation.expr)}`
    : markdownCode(expectation.expr);

const remarks = (expectations: readonly ExpectationRecord[]): readonly string[] => {
  const told = expectations.flatMap((expectation) => {
    const remark = remarkOf(expectation);
    return remark === undefined ? [] : [`- ${markdownCode(expectation.expr)}: ${markdownText(remark)}`];
  });
  return told.length === 0 ? [] : [...told, ""];
};

/** Lines as far as they fit, then a note. Code blocks are whole lines here, so only a fold can be open at a cut. */
function fit(lines: readonly string[]): string {
  const budget = MARKDOWN_MAX_BYTES - RESERVE_BYTES;
  let bytes = 0;
  const kept: string[] = [];
  let isFolded = false;
  for (const block of lines) {
    const size = Buffer.byteLength(block) + 1;
    if (bytes + size > budget) {
      return [...kept, ...(isFolded ? ["", "</details>"] : []), "", NOTE, ""].join("\n");
    }
    bytes += size;
    kept.push(block);
    if (block.startsWith("<details>")) isFolded = true;
    if (block === "</details>") isFolded = false;
  }
  return kept.join("\n");
}
