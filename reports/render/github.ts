import type { ExpectationRecord, RunRecord, SuiteRecord } from "../record/run-record.js";
import { boardTroubles } from "./board-text.js";
import {
  expectationText,
  expectationsOf,
  nameOf,
  type Outcome,
  outcomeOf,
  remarkOf,
  runTitle,
  sweepTitle,
} from "./outcome.js";
import { counted, plainLines, plainText } from "./plain-text.js";

/** GitHub shows at most ten annotations of a kind per step; the rest is told in a closing notice. */
const MAX_PER_KIND = 10;

interface Annotation {
  readonly kind: "error" | "warning";
  readonly file: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly title: string;
  readonly message: string;
}

/** Workflow commands that put each missed expectation on its line of the YAML file. Empty when all passed. */
export function renderGithubAnnotations(suite: SuiteRecord): string {
  const annotations = [...suite.runs.flatMap(runAnnotations), ...sweepAnnotations(suite)];
  const ofKind = (kind: Annotation["kind"]): Annotation[] =>
    annotations.filter((annotation) => annotation.kind === kind);
  const shown = [...ofKind("error").slice(0, MAX_PER_KIND), ...ofKind("warning").slice(0, MAX_PER_KIND)];
  const lines = shown.map(command);
  const hidden = annotations.length - shown.length;
  if (hidden > 0) {
    const message = `${counted(hidden, "more annotation")} not shown: the job summary and the report list all of them.`;
    lines.push(`::notice title=fleetrig::${escapeData(message)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function runAnnotations(run: RunRecord): readonly Annotation[] {
  const common = { file: run.scenario.file, line: 1, column: undefined };
  const annotations = expectationsOf(run).flatMap((expectation) => annotate(expectation, runTitle(run)));
  const warnings = run.trust.warnings.map(
    (message): Annotation => ({ ...common, kind: "warning", title: `${runTitle(run)}: trust`, message }),
  );
  const skipped = run.trust.skippedGroups.map(
    ({ group, reason }): Annotation => ({
      ...common,
      kind: "warning",
      title: `${runTitle(run)}: group ${group} skipped`,
      message: reason,
    }),
  );
  const troubles = boardTroubles(run).map(
    (message): Annotation => ({ ...common, kind: "warning", title: `${runTitle(run)}: board`, message }),
  );
  const { failure } = run;
  if (failure === null) return [...annotations, ...troubles, ...warnings, ...skipped];
  const message = failure.hint === null ? failure.message : `${failure.message}\n${failure.hint}`;
  const broken: Annotation = {
    ...common,
    kind: "error",
    title: `${runTitle(run)}: ${failure.code}`,
    message,
  };
  return [broken, ...annotations, ...troubles, ...warnings, ...skipped];
}

const sweepAnnotations = (suite: SuiteRecord): readonly Annotation[] =>
  suite.sweeps.flatMap((sweep) =>
    sweep.expectations.flatMap((expectation) => annotate(expectation, sweepTitle(sweep))),
  );

const WORDS: Readonly<Partial<Record<Outcome, string>>> = {
  inconclusive: " is inconclusive",
  skipped: " was skipped",
};

function annotate(expectation: ExpectationRecord, run: string): readonly Annotation[] {
  const outcome = outcomeOf(expectation);
  if (outcome === "passed") return [];
  const { file, line, column, severity } = expectation;
  const remark = remarkOf(expectation);
  return [
    {
      kind: severity === "fail" && outcome !== "skipped" ? "error" : "warning",
      file,
      line,
      column,
      title: `${run}: ${nameOf(expectation)}${WORDS[outcome] ?? ""}`,
      message: [expectationText(expectation), remark].filter((part) => part !== undefined).join("\n"),
    },
  ];
}

function command({ kind, file, line, column, title, message }: Annotation): string {
  const properties = Object.entries({ file, line, col: column, title })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeProperty(plainText(String(value)))}`);
  return `::${kind} ${properties.join(",")}::${escapeData(plainLines(message))}`;
}

const escapeData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
