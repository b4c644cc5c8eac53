import { formatValue } from "../render/record-values.js";
import { type ConsoleOptions, penOf } from "../render/console.js";
import { markdownCode, markdownTable, markdownText } from "../render/markdown-text.js";
import { counted, plainText } from "../render/plain-text.js";
import { padEnd, padStart, textWidth } from "../render/text-columns.js";
import type { Comparison, ExpectationChange, PairComparison, SweepComparison } from "./compare.js";
import { isUnchangedPair } from "./compare.js";
import type { MetricChange } from "./metric-change.js";

/** Changed figures shown per pair; the rest is counted. */
const MAX_FIGURES = 40;

/** A comparison for a terminal. Ends with a line break. */
export function renderComparison(comparison: Comparison, options: ConsoleOptions): string {
  const { paint } = penOf(options);
  const { pairs, sweeps, added, removed } = comparison;
  const lines = [
    ...pairs.flatMap((pair) => [
      `${isUnchangedPair(pair) ? paint.green("=") : paint.yellow("≠")} ${paint.bold(plainText(pair.title))}`,
      ...statements(pair).map((line) => `    ${plainText(line)}`),
      ...figureLines(pair.metrics).map((line) => `    ${plainText(line)}`),
    ]),
    ...sweeps.flatMap((sweep) => [
      paint.bold(plainText(sweep.title)),
      ...sweepStatements(sweep).map((line) => `    ${plainText(line)}`),
    ]),
    ...added.map((title) => `${paint.cyan("+")} ${plainText(title)} is new`),
    ...removed.map((title) => `${paint.cyan("-")} ${plainText(title)} is gone`),
    closing(comparison),
  ];
  return `${lines.join("\n")}\n`;
}

/** A comparison for a job summary. */
export function renderComparisonMarkdown(comparison: Comparison): string {
  const { pairs, sweeps, added, removed } = comparison;
  const lines = [
    "## Comparison with the baseline",
    "",
    closing(comparison),
    "",
    ...pairs.flatMap((pair) => [
      `### ${isUnchangedPair(pair) ? "=" : "≠"} ${markdownText(pair.title)}`,
      "",
      ...statements(pair).map((line) => `- ${markdownText(line)}`),
      "",
      ...figureTable(pair.metrics),
    ]),
    ...sweeps.flatMap((sweep) => [
      `### ${markdownText(sweep.title)}`,
      "",
      ...sweepStatements(sweep).map((line) => `- ${markdownText(line)}`),
      "",
    ]),
    ...added.map((title) => `- New: ${markdownText(title)}`),
    ...removed.map((title) => `- Gone: ${markdownText(title)}`),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

const MODES: Readonly<Record<PairComparison["mode"], string>> = {
  exact: "virtual time, compared exactly: every difference is a change of behaviour",
  tolerant: "real time, compared within tolerances",
  none: "not comparable",
};

function statements(pair: PairComparison): readonly string[] {
  const { mode, notComparable, fingerprints, metrics, expectations, verdict } = pair;
  const isSameTrace = fingerprints.before === fingerprints.after;
  const traces =
    mode !== "exact" ? [] : [isSameTrace ? "same fingerprint" : "the fingerprint is another one"];
  const figures =
    mode === "none"
      ? []
      : [metrics.length === 0 ? "no figure differs" : `${counted(metrics.length, "figure")} changed`];
  const reason = notComparable === null ? MODES[mode] : `${MODES[mode]}: ${notComparable}`;
  return [
    reason,
    ...traces,
    ...(verdict.before === verdict.after ? [] : [`verdict: ${verdict.before} → ${verdict.after}`]),
    ...expectations.map(expectationStatement),
    ...figures,
  ];
}

const sweepStatements = ({ verdict, expectations }: SweepComparison): readonly string[] => [
  verdict.before === verdict.after
    ? `verdict: ${verdict.after}, as before`
    : `verdict: ${verdict.before} → ${verdict.after}`,
  ...expectations.map(expectationStatement),
];

function expectationStatement({ kind, expr, before, after }: ExpectationChange): string {
  if (kind === "added") return `new expectation ${expr}: ${after?.verdict ?? ""}, ${after?.measured ?? ""}`;
  if (kind === "removed") return `expectation removed: ${expr}`;
  return `${expr}: ${before?.verdict ?? ""} → ${after?.verdict ?? ""} (${before?.measured ?? ""} → ${after?.measured ?? ""})`;
}

const share = ({ relative }: MetricChange): string => {
  if (relative === null) return "";
  const percent = Math.round(relative * 1000) / 10;
  return `${percent > 0 ? "+" : ""}${percent} %`;
};

const cells = (change: MetricChange): readonly [string, string, string, string] => [
  change.subject,
  formatValue(change.before, change.unit),
  formatValue(change.after, change.unit),
  share(change),
];

const hiddenNote = (changes: readonly MetricChange[]): readonly string[] =>
  changes.length <= MAX_FIGURES ? [] : [`and ${counted(changes.length - MAX_FIGURES, "more figure")}`];

function figureLines(changes: readonly MetricChange[]): readonly string[] {
  const rows = changes.slice(0, MAX_FIGURES).map(cells);
  const widthOf = (column: number): number =>
    rows.reduce((most, row) => Math.max(most, textWidth(plainText(row[column]!))), 0);
  const widths = [0, 1, 2, 3].map(widthOf);
  return [
    ...rows.map(
      ([subject, before, after, relative]) =>
        `${padEnd(plainText(subject), widths[0]!)}  ${padStart(before, widths[1]!)} → ${padStart(after, widths[2]!)}  ${padStart(relative, widths[3]!)}`,
    ),
    ...hiddenNote(changes),
  ];
}

function figureTable(changes: readonly MetricChange[]): readonly string[] {
  if (changes.length === 0) return [];
  const rows = changes
    .slice(0, MAX_FIGURES)
    .map(cells)
    .map(([subject, ...rest]) => [markdownCode(subject), ...rest.map(markdownText)]);
  return [
    ...markdownTable(["Figure", "Before", "After", "Change"], rows, [1, 2, 3]),
    ...hiddenNote(changes).map((note) => `\n${note}`),
    "",
  ];
}

function closing({ pairs, isUnchanged }: Comparison): string {
  const skipped = pairs.filter(({ mode }) => mode === "none").length;
  const told = isUnchanged ? "Nothing comparable changed" : "There are changes";
  return skipped === 0 ? `${told}.` : `${told}; ${counted(skipped, "run")} could not be compared.`;
}
