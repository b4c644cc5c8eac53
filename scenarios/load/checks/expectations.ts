import { type Expectation, type LabelName, parseExpectation, parseUntil } from "fleetrig/reports";
import type { ExpectationDocument } from "../../schema/expectations.js";
import { verbOf } from "../normalise-stages.js";
import type { SourcePath } from "../source-tree.js";
import { suggestion } from "../suggest.js";
import type { Checker } from "./checker.js";

/** Expectations and `until` conditions: grammar, metrics, labels that name parts of the scenario, sane limits. */
export function checkExpectations(checker: Checker): void {
  const { stages, expect, sweep } = checker.document;
  const names = labelValues(checker);
  stages.forEach((stage, index) => {
    if (stage.until !== undefined)
      checkText(checker, stage.until, { path: ["stages", index, "until"], names });
  });
  checkList(checker, expect, ["expect"], names);
  checkList(checker, sweep?.expect, ["sweep", "expect"], names);
  checkList(checker, sweep?.control?.expect, ["sweep", "control", "expect"], names);
  sweep?.variants?.forEach(({ expect: expected }, index) =>
    checkList(checker, expected, ["sweep", "variants", index, "expect"], names),
  );
}

type LabelValues = Readonly<Partial<Record<LabelName, readonly string[]>>>;

/** What a label may say, for labels that name something of this scenario. */
function labelValues({ document }: Checker): LabelValues {
  const actions = document.stages.flatMap((stage) =>
    (stage.actions ?? []).map((action, index) => ({ action, implied: `${stage.name}#${index}` })),
  );
  const ids = (verbs?: readonly string[]) =>
    actions.flatMap(({ action, implied }) => {
      const verb = verbOf(action);
      if (verb === undefined || (verbs !== undefined && !verbs.includes(verb))) return [];
      const written = action[verb];
      return [
        typeof written === "object" && "id" in written && written.id !== undefined ? written.id : implied,
      ];
    });
  return {
    stage: document.stages.map((stage) => stage.name),
    group: document.fleet.map((group) => group.group),
    rule: (document.rules ?? []).map((rule) => rule.name),
    job: actions.flatMap(({ action }) => action.createJob?.jobId ?? []),
    action: ids(),
    update: ids(["updateShadow"]),
    stream: document.fleet.flatMap((group) =>
      (group.telemetry ?? []).map((item, index) => item.name ?? `telemetry-${index}`),
    ),
    query: Object.keys(document.index?.queries ?? {}),
  };
}

function checkList(
  checker: Checker,
  documents: readonly ExpectationDocument[] | undefined,
  path: SourcePath,
  names: LabelValues,
): void {
  (documents ?? []).forEach((document, index) => {
    const isText = typeof document === "string";
    checkText(checker, isText ? document : document.expr, {
      path: isText ? [...path, index] : [...path, index, "expr"],
      names,
    });
    if (!isText) checkAbort(checker, document, [...path, index]);
  });
}

/** Only what can fail a run can end it, and a sweep is judged when all its runs are over. */
function checkAbort(
  checker: Checker,
  document: Exclude<ExpectationDocument, string>,
  path: SourcePath,
): void {
  const { abortOnFail = false, delayAbortEval, severity } = document;
  if (delayAbortEval !== undefined && !abortOnFail)
    checker.atKey([...path, "delayAbortEval"], {
      code: "SCENARIO_CONTRADICTION",
      message: "delayAbortEval has no effect without abortOnFail: true.",
      hint: "Add abortOnFail: true, or remove delayAbortEval.",
    });
  if (!abortOnFail || (severity !== "warn" && path[0] !== "sweep")) return;
  checker.atKey([...path, "abortOnFail"], {
    code: "SCENARIO_CONTRADICTION",
    message:
      path[0] === "sweep"
        ? "abortOnFail has no effect in a sweep, which is judged when all runs are over."
        : "abortOnFail has no effect on an expectation that only warns.",
    hint: "Remove abortOnFail, or write it on an expectation of the run that can fail.",
  });
}

interface ExpressionContext {
  readonly path: SourcePath;
  readonly names: LabelValues;
}

function checkText(checker: Checker, text: string, { path, names }: ExpressionContext): void {
  const isUntil = path.at(-1) === "until";
  const parsed = isUntil
    ? parseUntil(text)
    : parseExpectation(text, { scope: path[0] === "sweep" ? "sweep" : "run" });
  if (!parsed.ok) {
    const { message, hint, offset, length } = parsed;
    checker.inText(path, { offset, length }, { code: "SCENARIO_EXPECTATION", message, hint });
    return;
  }
  const { expectation } = parsed;
  for (const [label, value] of Object.entries(expectation.labels)) {
    const known = knownValues(expectation.metric, label as LabelName, names);
    if (known === undefined || known.includes(value)) continue;
    checker.inText(
      path,
      { offset: Math.max(0, text.indexOf(value)), length: value.length },
      {
        code: "SCENARIO_DANGLING_REFERENCE",
        message: `The scenario has no ${label} named ${value}.`,
        hint: suggestion(value, known),
      },
    );
  }
  checkLimit(checker, text, { path, expectation });
}

/** What policies decide on over MQTT. */
const MQTT_ACTIONS = ["iot:Connect", "iot:Publish", "iot:RetainPublish", "iot:Subscribe", "iot:Receive"];

/** Of `access.denied`, the action is a policy's, not a stage's. */
const knownValues = (metric: string, label: LabelName, names: LabelValues): readonly string[] | undefined =>
  metric === "access.denied" && label === "action" ? MQTT_ACTIONS : names[label];

function checkLimit(
  checker: Checker,
  text: string,
  { path, expectation }: { readonly path: SourcePath; readonly expectation: Expectation },
): void {
  const { limit, operator, aggregation } = expectation;
  if (limit.type !== "number") return;
  const top = limit.unit === "ratio" && aggregation.name !== "count" ? 1 : Number.POSITIVE_INFINITY;
  const isImpossible = IMPOSSIBLE[operator]?.(limit.value, top) ?? false;
  const isCertain = CERTAIN[operator]?.(limit.value, top) ?? false;
  if (!isImpossible && !isCertain) return;
  const at = { offset: text.lastIndexOf(limit.text), length: limit.text.length };
  const range = top === 1 ? "lies between 0% and 100%" : "is never negative";
  checker.inText(path, at, {
    code: isImpossible ? "SCENARIO_IMPOSSIBLE_EXPECTATION" : "SCENARIO_CERTAIN_EXPECTATION",
    severity: isImpossible ? "error" : "warning",
    message: `${expectation.metric} ${operator} ${limit.text} can ${isImpossible ? "never hold" : "never fail"}.`,
    hint: `${expectation.metric} ${range}.`,
  });
}

type LimitTest = (limit: number, top: number) => boolean;

/** No value from 0 to `top` can meet the limit. */
const IMPOSSIBLE: Readonly<Record<string, LimitTest>> = {
  "<": (limit) => limit <= 0,
  "<=": (limit) => limit < 0,
  ">": (limit, top) => limit >= top,
  ">=": (limit, top) => limit > top,
  "==": (limit, top) => limit < 0 || limit > top,
};

/** Every value from 0 to `top` meets the limit. */
const CERTAIN: Readonly<Record<string, LimitTest>> = {
  "<": (limit, top) => limit > top,
  "<=": (limit, top) => limit >= top,
  ">": (limit) => limit < 0,
  ">=": (limit) => limit <= 0,
  "!=": (limit, top) => limit < 0 || limit > top,
};
