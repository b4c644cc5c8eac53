import type { ExpectationRecord, RunRecord, SuiteRecord, SweepRecord } from "../record/run-record.js";
import { boardFacts, boardTroubles, skippedTexts } from "./board-text.js";
import {
  expectationText,
  expectationsOf,
  nameOf,
  outcomeOf,
  remarkOf,
  runName,
  runTitle,
  sweepName,
  sweepTitle,
} from "./outcome.js";
import { plainText } from "./plain-text.js";
import { type Attributes, element } from "./xml.js";

/**
 * JUnit XML as GitLab and Jenkins read it: one test suite per run and per sweep, one test case per expectation.
 * An inconclusive expectation is an `error` and not a `failure`; one whose hardware is missing is `skipped`; missed `warn` expectations pass and are told in
 * `system-out`.
 */
export function renderJunit(suite: SuiteRecord): string {
  const severalSeeds = repeated(suite.runs.map(runName));
  const suites = [
    ...suite.runs.map((run) => runSuite(run, severalSeeds.has(runName(run)))),
    ...suite.sweeps.map(sweepSuite),
  ];
  const total = (count: (suite: TestSuite) => number): number =>
    suites.reduce((sum, next) => sum + count(next), 0);
  const attributes = {
    name: `${suite.tool.name} ${suite.tool.version}`,
    tests: total((next) => next.cases.length),
    failures: total((next) => countOf(next, "failure")),
    errors: total((next) => countOf(next, "error")),
    skipped: total((next) => countOf(next, "skipped")),
    time: seconds(total((next) => next.wallMs)),
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", attributes, suites.map(suiteElement))}\n`;
}

type CaseState = "passed" | "failure" | "error" | "skipped";

interface TestCase {
  readonly name: string;
  readonly classname: string;
  readonly file: string;
  readonly line: number | undefined;
  readonly state: CaseState;
  readonly type: string;
  readonly message: string;
  readonly details: string;
}

interface TestSuite {
  readonly name: string;
  readonly wallMs: number;
  readonly timestamp: string | undefined;
  readonly properties: readonly (readonly [name: string, value: string])[];
  readonly cases: readonly TestCase[];
  readonly out: readonly string[];
}

const countOf = ({ cases }: TestSuite, state: CaseState): number =>
  cases.filter((testCase) => testCase.state === state).length;
const seconds = (ms: number): string => (ms / 1000).toFixed(3);

function runSuite(run: RunRecord, isOneOfSeveralSeeds: boolean): TestSuite {
  const { scenario, environment } = run;
  // GitLab tells test cases apart by class and name alone, so the seed is part of the name where needed.
  const mark = isOneOfSeveralSeeds ? ` (seed ${run.seed})` : "";
  const expectations = expectationsOf(run);
  const common = { classname: `${runName(run)}.run`, file: scenario.file, line: undefined };
  const skipped = run.trust.skippedGroups.map(({ group, reason }): TestCase => {
    const name = `group ${group}${mark}`;
    return { ...common, name, state: "skipped", type: "skipped", message: plainText(reason), details: "" };
  });
  return {
    name: runTitle(run),
    wallMs: environment.wallMs,
    timestamp: timestampOf(environment.startedAt),
    properties: runProperties(run),
    cases: [
      ...outcomeOfRun(run, mark),
      ...expectations.map((expectation) => expectationCase(expectation, runName(run), mark)),
      ...skipped,
    ],
    out: [
      ...run.trust.warnings,
      ...boardTroubles(run),
      ...skippedTexts(run),
      ...warningLines(expectations),
      `Replay: ${run.replay}`,
    ],
  };
}

/** A run that broke off, or that promised nothing, is a test case of its own: an empty suite would look green. */
function outcomeOfRun(run: RunRecord, mark: string): readonly TestCase[] {
  const { failure } = run;
  const isBroken = failure !== null || run.verdict === "error" || run.verdict === "interrupted";
  if (!isBroken && expectationsOf(run).length > 0) return [];
  return [
    {
      name: `run completes${mark}`,
      classname: `${runName(run)}.run`,
      file: run.scenario.file,
      line: undefined,
      state: isBroken ? "error" : "passed",
      type: failure?.code ?? run.verdict,
      message: failure?.message ?? `The run ended as ${run.verdict}.`,
      details: failure?.hint ?? "",
    },
  ];
}

const STATES = {
  passed: "passed",
  warning: "passed",
  failed: "failure",
  inconclusive: "error",
  skipped: "skipped",
} as const;

function expectationCase(expectation: ExpectationRecord, scenario: string, mark: string): TestCase {
  const { stage, file, line, expr, samples } = expectation;
  const outcome = outcomeOf(expectation);
  const remark = remarkOf(expectation);
  const told = [expr, expectationText(expectation), `${samples} samples`, remark, `${file}:${line}`];
  return {
    name: `${nameOf(expectation)}${mark}`,
    classname: `${scenario}.${plainText(stage ?? "run")}`,
    file,
    line,
    state: STATES[outcome],
    type: outcome === "failed" ? "expectation" : outcome,
    message:
      outcome === "inconclusive" || outcome === "skipped"
        ? (remark ?? outcome)
        : expectationText(expectation),
    details: told.filter((part) => part !== undefined).join("\n"),
  };
}

const warningLines = (expectations: readonly ExpectationRecord[]): readonly string[] =>
  expectations
    .filter((expectation) => outcomeOf(expectation) === "warning")
    .map((expectation) => `Warning: ${nameOf(expectation)}: ${expectationText(expectation)}`);

function runProperties(run: RunRecord): TestSuite["properties"] {
  const { scenario, environment } = run;
  return [
    ["seed", String(run.seed)],
    ["variant", run.variant],
    ["clock", run.clock],
    ["devices", String(run.devices)],
    ["verdict", run.verdict],
    ["scenario.file", scenario.file],
    ["scenario.sha256", scenario.sha256],
    ["git.sha", environment.gitSha ?? "unknown"],
    ["fingerprint", run.fingerprint ?? "none"],
    [run.clock === "virtual" ? "virtual.seconds" : "run.seconds", seconds(run.durationMs)],
    ["node", environment.node],
    ["platform", environment.platform],
    ["cpu", environment.cpu],
    ...(run.boards ?? []).map((board) => [`board.${plainText(board.thing)}`, boardFacts(board)] as const),
  ];
}

function sweepSuite(sweep: SweepRecord): TestSuite {
  return {
    name: sweepTitle(sweep),
    wallMs: sweep.environment.wallMs,
    timestamp: undefined,
    properties: [
      ["seeds", String(sweep.seeds.length)],
      ["variant", sweep.variant],
      ["verdict", sweep.verdict],
      ["scenario.file", sweep.file],
    ],
    cases: sweep.expectations.map((expectation) =>
      expectationCase(expectation, sweepName(sweep), " (sweep)"),
    ),
    out: [
      ...warningLines(sweep.expectations),
      ...sweep.failedSeeds.map(({ seed, replay }) => `Replay seed ${seed}: ${replay}`),
    ],
  };
}

function suiteElement(suite: TestSuite): string {
  const { cases, properties } = suite;
  const attributes = {
    name: suite.name,
    tests: cases.length,
    failures: countOf(suite, "failure"),
    errors: countOf(suite, "error"),
    skipped: countOf(suite, "skipped"),
    time: seconds(suite.wallMs),
    timestamp: suite.timestamp,
  };
  // Readers that add up test cases must arrive at the wall time of the run.
  const time = seconds(suite.wallMs / Math.max(1, cases.length));
  return element("testsuite", attributes, [
    element(
      "properties",
      {},
      properties.map(([name, value]) => element("property", { name, value })),
    ),
    ...cases.map((testCase) => caseElement(testCase, time)),
    element("system-out", {}, suite.out.map(plainText).join("\n")),
  ]);
}

function caseElement(testCase: TestCase, time: string): string {
  const { name, classname, file, line, state, type, message, details } = testCase;
  const attributes: Attributes = { name, classname, file, line, time };
  if (state === "passed") return element("testcase", attributes);
  const result =
    state === "skipped" ? element(state, { message }) : element(state, { message, type }, details);
  return element("testcase", attributes, [result]);
}

/** ISO 8601 to the second, as the readers' schema wants it; a record from elsewhere may hold anything. */
const timestampOf = (startedAt: string): string | undefined =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.exec(startedAt)?.[0];

function repeated(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(names.filter((name) => seen.size === seen.add(name).size));
}
