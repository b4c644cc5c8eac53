import pc from "picocolors";
import type {
  ExpectationRecord,
  RunRecord,
  StageRecord,
  SuiteRecord,
  SweepRecord,
  Verdict,
} from "../record/run-record.js";
import { accessText } from "./access-text.js";
import { boardsText, boardTroubles, skippedTexts } from "./board-text.js";
import {
  countOutcomes,
  countsText,
  expectationsOf,
  formatMs,
  hasOwnName,
  MARKS,
  labelOf,
  type Outcome,
  outcomeOf,
  remarkOf,
  runFacts,
  runTitle,
  suiteExpectations,
  sweepTitle,
} from "./outcome.js";
import { counted, plainText } from "./plain-text.js";
import { fitText, padEnd, padStart, textWidth, wrapText } from "./text-columns.js";

/** What the terminal can show. */
export interface ConsoleOptions {
  /** ANSI colours; data never brings its own. */
  readonly color: boolean;
  /** Columns of the terminal; narrower than 60 is treated as 60. */
  readonly width: number;
}

type Paint = ReturnType<typeof pc.createColors>;

/** What the console renderers pass around: colours and columns. */
export interface Pen {
  readonly paint: Paint;
  readonly width: number;
}

const MIN_WIDTH = 60;
export const penOf = ({ color, width }: ConsoleOptions): Pen => ({
  paint: pc.createColors(color),
  width: Math.max(MIN_WIDTH, Math.floor(width) || MIN_WIDTH),
});

const TINTS = {
  passed: "green",
  failed: "red",
  warning: "yellow",
  inconclusive: "magenta",
  skipped: "yellow",
  interrupted: "yellow",
  error: "red",
} as const satisfies Readonly<Record<Outcome | Verdict, keyof Paint>>;

export const paintMark = (outcome: Outcome | Verdict, { paint }: Pen): string =>
  paint[TINTS[outcome]](MARKS[outcome]);

/** The whole suite for a terminal: each run, each sweep, one summary line. Ends with a line break. */
export function renderConsole(suite: SuiteRecord, options: ConsoleOptions): string {
  const pen = penOf(options);
  const parts = [
    ...suite.runs.map((run) => renderRunConsole(run, options)),
    ...suite.sweeps.map((sweep) => sweepLines(sweep, pen).join("\n")),
    `${summaryLine(suite, pen)}\n`,
  ];
  return parts.join("\n");
}

/** One run for a terminal, for commands that print runs as they end. Ends with a line break. */
export function renderRunConsole(run: RunRecord, options: ConsoleOptions): string {
  const pen = penOf(options);
  const { paint } = pen;
  const expectations = expectationsOf(run);
  const lines = [
    `${paintMark(run.verdict, pen)} ${paint.bold(fitText(runTitle(run), pen.width - 2))}`,
    ...indented(runFacts(run), pen, paint.dim),
    ...stageLines(run.stages, pen),
    ...accessLines(run, pen),
    ...boardLines(run, pen),
    ...failureLines(run, pen),
    ...trustLines(run, pen),
    ...expectationLines(expectations, pen),
    ...replayLines(run, pen),
  ];
  return `${lines.join("\n")}\n`;
}

/** The last line of a run of the command. */
function summaryLine(suite: SuiteRecord, pen: Pen): string {
  const { paint } = pen;
  const tint = paint[TINTS[suite.verdict]];
  const sweeps = suite.sweeps.length === 0 ? "" : `, ${counted(suite.sweeps.length, "sweep")}`;
  const expectations = suiteExpectations(suite);
  return `${tint(paint.bold(`${MARKS[suite.verdict]} ${suite.verdict}`))}  ${counted(suite.runs.length, "run")}${sweeps}: ${countsText(countOutcomes(expectations))}`;
}

type Tint = (text: string) => string;
const asIs: Tint = (text) => text;

const indented = (text: string, { width }: Pen, tint: Tint = asIs, margin = "  "): readonly string[] =>
  wrapText(text, width - margin.length).map((line) => margin + tint(line));

function stageLines(stages: readonly StageRecord[], pen: Pen): readonly string[] {
  if (stages.length === 0) return [];
  const told = stages.map((stage) => {
    const span = formatMs(stage.endMs - stage.startMs).replaceAll(" ", "\u00a0");
    return `${stage.name}\u00a0${span}${stage.timedOut ? "\u00a0(timed\u00a0out)" : ""}`;
  });
  return indented(told.join(" → "), pen, (line) => pen.paint.dim(line.replaceAll("\u00a0", " ")));
}

function accessLines(run: RunRecord, pen: Pen): readonly string[] {
  const text = accessText(run);
  return text === undefined ? [] : indented(text, pen, pen.paint.dim);
}

/** More troubles than these are for the other reports. */
const MAX_TROUBLES = 8;

function boardLines(run: RunRecord, pen: Pen): readonly string[] {
  const { dim, red, yellow } = pen.paint;
  const text = boardsText(run);
  const troubles = boardTroubles(run);
  const hidden = troubles.length - MAX_TROUBLES;
  return [
    ...(text === undefined ? [] : indented(text, pen, dim)),
    ...troubles.slice(0, MAX_TROUBLES).flatMap((trouble) => indented(`✗ ${trouble}`, pen, red)),
    ...(hidden > 0 ? indented(`${hidden} more, see the report`, pen, dim) : []),
    ...skippedTexts(run).flatMap((skipped) => indented(`⊘ ${skipped}`, pen, yellow)),
  ];
}

function failureLines({ failure }: RunRecord, pen: Pen): readonly string[] {
  if (failure === null) return [];
  const { paint } = pen;
  return [
    ...indented(`${failure.message} [${failure.code}]`, pen, paint.red),
    ...(failure.hint === null ? [] : indented(failure.hint, pen)),
  ];
}

function trustLines({ trust }: RunRecord, pen: Pen): readonly string[] {
  const { yellow, dim } = pen.paint;
  return [
    ...trust.warnings.flatMap((warning) => indented(`! ${warning}`, pen, yellow)),
    ...trust.skippedGroups.flatMap(({ group, reason }) =>
      indented(`⊘ group ${group} skipped: ${reason}`, pen, yellow),
    ),
    ...trust.withoutData.flatMap((expr) => indented(`no data for ${expr}`, pen, dim)),
  ];
}

const GAP = 2;
const MARGIN = 4;

/** Mark, name, got and limit in columns; what a reader needs beyond that on lines of their own. */
function expectationLines(expectations: readonly ExpectationRecord[], pen: Pen): readonly string[] {
  if (expectations.length === 0) return [];
  const { paint, width } = pen;
  const columnOf = (read: (expectation: ExpectationRecord) => string, header: string, most: number): number =>
    Math.min(
      most,
      Math.max(textWidth(header), ...expectations.map((each) => textWidth(plainText(read(each))))),
    );
  const room = width - MARGIN - 2 * GAP;
  const got = columnOf((each) => each.measured, "got", Math.floor(room * 0.35));
  const limit = columnOf((each) => each.limit, "limit", Math.floor(room * 0.25));
  const name = columnOf(labelOf, "expectation", room - got - limit);
  const gap = " ".repeat(GAP);
  const header = `    ${padEnd("expectation", name)}${gap}${padStart("got", got)}${gap}limit`;
  return [
    paint.dim(header),
    ...expectations.flatMap((expectation) => {
      const outcome = outcomeOf(expectation);
      const tint = outcome === "passed" ? asIs : paint[TINTS[outcome]];
      const cells = [
        padEnd(fitText(labelOf(expectation), name), name),
        tint(padStart(fitText(expectation.measured, got), got)),
        paint.dim(fitText(expectation.limit, limit)),
      ];
      return [`  ${paintMark(outcome, pen)} ${cells.join(gap)}`, ...detailLines(expectation, name, pen)];
    }),
  ];
}

function detailLines(expectation: ExpectationRecord, nameWidth: number, pen: Pen): readonly string[] {
  if (outcomeOf(expectation) === "passed") return [];
  const { dim } = pen.paint;
  const { expr, file, line } = expectation;
  const remark = remarkOf(expectation);
  const isCut = textWidth(labelOf(expectation)) > nameWidth;
  const margin = "      ";
  return [
    ...(hasOwnName(expectation) || isCut ? indented(expr, pen, dim, margin) : []),
    ...(remark === undefined ? [] : indented(remark, pen, asIs, margin)),
    ...indented(`at ${file}:${line}`, pen, dim, margin),
  ];
}

/** A replay command is never cut or wrapped: it must survive copying. */
function replayLines(run: RunRecord, { paint }: Pen): readonly string[] {
  const isClean = run.verdict === "passed" && expectationsOf(run).every((each) => each.verdict === "pass");
  return isClean || run.replay === "" ? [] : [`  ${paint.dim("replay:")} ${plainText(run.replay)}`];
}

function sweepLines(sweep: SweepRecord, pen: Pen): readonly string[] {
  const { paint } = pen;
  const { failedSeeds } = sweep;
  const seeds = failedSeeds.map(({ seed }) => seed).join(", ");
  const [first] = failedSeeds;
  const failure = failedSeeds.find((one) => one.failure !== undefined)?.failure;
  return [
    `${paintMark(sweep.verdict, pen)} ${paint.bold(fitText(sweepTitle(sweep), pen.width - 2))}`,
    ...indented(`in ${formatMs(sweep.environment.wallMs)}`, pen, paint.dim),
    ...expectationLines(sweep.expectations, pen),
    ...(first === undefined
      ? []
      : [
          ...indented(`failed seeds: ${seeds}`, pen, paint.red),
          ...(failure === undefined ? [] : indented(`${failure.message} [${failure.code}]`, pen, paint.red)),
          `  ${paint.dim("replay of the first:")} ${plainText(first.replay)}`,
        ]),
    "",
  ];
}
