import { type ConsoleOptions, fitText, padEnd, wrapText } from "fleetrig/reports";
import picocolors from "picocolors";
import type { CaseVerdict } from "../judgement.js";
import type { CaseRecord, QualificationRecord } from "../qualification-record.js";
import { countsText, measured, remarksOf, VERDICT_WORDS } from "./verdict-words.js";

const VERDICT_COLUMNS = 18;
const INDENT = "  ";
const MARGIN = VERDICT_COLUMNS + INDENT.length;

type Colours = ReturnType<typeof picocolors.createColors>;
type Paint = (text: string) => string;

const paintOf = (colours: Colours): Readonly<Record<CaseVerdict, Paint>> => ({
  pass: colours.green,
  "pass-with-warnings": colours.yellow,
  fail: colours.red,
  inconclusive: colours.magenta,
  "not-applicable": colours.dim,
});

/** One case: its verdict, what it is, what was measured, and why it is none better. */
export function renderCase(record: CaseRecord, { color, width }: ConsoleOptions): string {
  const colours = picocolors.createColors(color);
  const head = `${paintOf(colours)[record.verdict](padEnd(VERDICT_WORDS[record.verdict], VERDICT_COLUMNS))}${INDENT}${fitText(record.id, width - MARGIN)}`;
  const indented = (text: string): string[] =>
    wrapText(text, Math.max(20, width - MARGIN)).map((line) => `${" ".repeat(MARGIN)}${line}`);
  const figures = record.measurements
    .map((measurement) => `${measurement.name} ${measured(measurement)}`)
    .join(", ");
  return [
    head,
    ...remarksOf(record).flatMap(indented),
    ...(figures === "" ? [] : indented(figures).map((line) => colours.dim(line))),
  ].join("\n");
}

/** What all of it came to. */
export function renderSummary(record: QualificationRecord, { color }: ConsoleOptions): string {
  const colours = picocolors.createColors(color);
  const paint = record.verdict === "passed" ? colours.green : colours.red;
  const { name, firmware } = record.device;
  const what = firmware === undefined ? name : `${name}, firmware ${firmware}`;
  return `${paint(record.verdict.toUpperCase())}  ${record.suite} of ${what}\n${countsText(record)}, in ${(record.durationMs / 1000).toFixed(1)} s`;
}
