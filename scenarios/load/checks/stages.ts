import { BOARD_FAULTS } from "fleetrig/hil";
import { LINK_FAULTS } from "fleetrig/sim";
import { durationUs } from "../../schema/quantities.js";
import { type ActionDocument, type StageDocument, type Verb, VERBS } from "../../schema/stages.js";
import type { SourcePath } from "../source-tree.js";
import { suggestion } from "../suggest.js";
import type { Checker } from "./checker.js";
import { checkPattern } from "./bench.js";
import { checkReference, policyNames } from "./cloud.js";
import { checkShadowName, WILDCARD } from "./fleet.js";
import { checkCertificates } from "./identities.js";
import { checkJob } from "./jobs.js";
import { checkTemplate, eachText } from "./names.js";
import { checkSelection } from "./selections.js";

/** Stages and what happens in them. */
export function checkStages(checker: Checker): void {
  const { stages } = checker.document;
  checker.uniqueNames(
    stages.map((stage, index) => ({ name: stage.name, path: ["stages", index, "name"] })),
    "a stage",
  );
  checker.uniqueNames(actionIds(stages), "an action");
  const jobs = new Set<string>();
  stages.forEach((stage, index) => {
    checkLength(checker, stage, ["stages", index]);
    (stage.actions ?? []).forEach((action, at) => {
      const path = ["stages", index, "actions", at];
      checkTime(checker, { stage, action, path });
      const verbs = (Object.keys(VERBS) as Verb[]).filter((verb) => action[verb] !== undefined);
      if (verbs.length !== 1) complainAboutVerbs(checker, verbs, path);
      for (const verb of verbs) CHECKS[verb]?.({ checker, action, path: [...path, verb], jobs });
    });
  });
}

const actionIds = (stages: readonly StageDocument[]) =>
  stages.flatMap((stage, index) =>
    (stage.actions ?? []).flatMap((action, at) =>
      Object.entries(action).flatMap(([verb, written]) =>
        typeof written === "object" && "id" in written
          ? [{ name: String(written.id), path: ["stages", index, "actions", at, verb, "id"] }]
          : [],
      ),
    ),
  );

/** A stage ends after a time, or when something is true. */
function checkLength(checker: Checker, stage: StageDocument, path: SourcePath): void {
  if (stage.duration !== undefined && stage.until !== undefined)
    checker.atKey([...path, "until"], {
      code: "SCENARIO_CONTRADICTION",
      message: `The stage ${stage.name} has both a duration and a condition to end it.`,
      hint: "Write duration alone, or until with timeout.",
    });
  else if (stage.duration === undefined && stage.until === undefined)
    checker.missingIn(path, {
      code: "SCENARIO_MISSING_KEY",
      message: `The stage ${stage.name} never ends.`,
      hint: "Write duration: 1m, or until with timeout.",
    });
  else if (stage.until !== undefined && stage.timeout === undefined)
    checker.atKey([...path, "until"], {
      code: "SCENARIO_MISSING_KEY",
      message: `The stage ${stage.name} may wait for ever.`,
      hint: "Write timeout: 10m beside until.",
    });
  else if (stage.until === undefined && stage.timeout !== undefined)
    checker.atKey([...path, "timeout"], {
      code: "SCENARIO_CONTRADICTION",
      message: "timeout has no effect without until.",
      hint: "Remove timeout, or write until instead of duration.",
    });
  const key = stage.duration === undefined ? "timeout" : "duration";
  const length = stage[key];
  if (length !== undefined && durationUs(length) === 0)
    checker.atValue([...path, key], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `The stage ${stage.name} has no length.`,
      hint: "A stage lasts longer than zero.",
    });
}

interface ActionPlace {
  readonly stage: StageDocument;
  readonly action: ActionDocument;
  readonly path: SourcePath;
}

function checkTime(checker: Checker, { stage, action, path }: ActionPlace): void {
  const length = stage.duration ?? stage.timeout;
  if (length === undefined || durationUs(action.at) < durationUs(length)) return;
  checker.atValue([...path, "at"], {
    code: "SCENARIO_ACTION_TOO_LATE",
    message: `The action at ${action.at} never happens: the stage ${stage.name} is over after ${length}.`,
    hint: "Times of actions count from the start of their stage.",
  });
}

function complainAboutVerbs(checker: Checker, verbs: readonly Verb[], path: SourcePath): void {
  const [, second] = verbs;
  if (second === undefined)
    checker.missingIn(path, {
      code: "SCENARIO_MISSING_KEY",
      message: "The action does nothing.",
      hint: `Add one of ${Object.keys(VERBS).join(", ")}.`,
    });
  else
    checker.atKey([...path, second], {
      code: "SCENARIO_TWO_VERBS",
      message: `An action does one thing, and this one does ${verbs.join(" and ")}.`,
      hint: "Write one list item per action; several may have the same time.",
    });
}

interface VerbContext {
  readonly checker: Checker;
  readonly action: ActionDocument;
  /** Of the verb's block. */
  readonly path: SourcePath;
  /** Jobs created so far. */
  readonly jobs: Set<string>;
}

/** Things are selected, or they are those of a thing group: one or the other. */
function checkTargets(
  checker: Checker,
  targets: NonNullable<ActionDocument["createJob"]>["targets"],
  path: SourcePath,
): void {
  const { thingGroup, ...select } = targets;
  checkSelection(checker, select, path);
  if (thingGroup === undefined) return;
  checkThingGroup(checker, thingGroup, [...path, "thingGroup"]);
  const [other] = Object.keys(select);
  if (other !== undefined) complainAboutBoth(checker, [...path, other]);
}

function checkThingGroup(checker: Checker, name: string | undefined, path: SourcePath): void {
  const { fleet, thingGroups = [] } = checker.document;
  const known = [...thingGroups.map((group) => group.name), ...fleet.map(({ group }) => group)];
  checkReference(checker, { name, path }, { noun: "thing group", known });
}

const complainAboutBoth = (checker: Checker, path: SourcePath): void =>
  checker.atKey(path, {
    code: "SCENARIO_CONTRADICTION",
    message: "Things are selected, or they are those of a thing group, not both.",
    hint: "Remove one of the two.",
  });

function checkAttachment(
  checker: Checker,
  attachment: ActionDocument["attachPolicy"],
  path: SourcePath,
): void {
  if (attachment === undefined) return;
  const { policyName: name, thingGroup, select } = attachment;
  checkReference(
    checker,
    { name, path: [...path, "policyName"] },
    { noun: "policy", known: policyNames(checker) },
  );
  checkThingGroup(checker, thingGroup, [...path, "thingGroup"]);
  if (thingGroup === undefined) checkHolders(checker, select, path);
  else if (select !== undefined) complainAboutBoth(checker, [...path, "select"]);
}

function checkHolders(
  checker: Checker,
  select: NonNullable<ActionDocument["connect"]>["select"],
  path: SourcePath,
): void {
  checkSelection(checker, select, [...path, "select"]);
  checkCertificates(checker, select, path);
}

const CHECKS: Readonly<Partial<Record<Verb, (context: VerbContext) => void>>> = {
  connect: ({ checker, action: { connect }, path }) =>
    checkSelection(checker, connect?.select, [...path, "select"]),
  disconnect: ({ checker, action: { disconnect }, path }) =>
    checkSelection(checker, disconnect?.select, [...path, "select"]),
  setState: ({ checker, action: { setState }, path }) => {
    checkSelection(checker, setState?.select, [...path, "select"]);
    if (Object.keys(setState ?? {}).every((key) => key === "id" || key === "select"))
      checker.missingIn(path, {
        code: "SCENARIO_MISSING_KEY",
        message: "setState names no state to set.",
        hint: "Write temperature: 34, or temperature: { rampTo: 34, over: 2m }.",
      });
  },
  updateShadow: ({ checker, action: { updateShadow }, path }) => {
    needsService(checker, "shadows", path);
    checkSelection(checker, updateShadow?.select, [...path, "select"]);
    if (updateShadow?.shadowName !== undefined)
      checkShadowName(checker, updateShadow.shadowName, [...path, "shadowName"]);
  },
  createJob: ({ checker, action: { createJob }, path, jobs }) => {
    if (createJob === undefined) return;
    needsService(checker, "jobs", path);
    checkTargets(checker, createJob.targets, [...path, "targets"]);
    checkJob(checker, createJob, path);
    if (jobs.has(createJob.jobId))
      checker.atValue([...path, "jobId"], {
        code: "SCENARIO_DUPLICATE_NAME",
        message: `There is already a job ${createJob.jobId}.`,
        hint: "AWS refuses a job id that was used before.",
      });
    jobs.add(createJob.jobId);
  },
  cancelJob: ({ checker, action: { cancelJob }, path, jobs }) => {
    needsService(checker, "jobs", path);
    if (cancelJob === undefined || jobs.has(cancelJob.jobId)) return;
    checker.atValue([...path, "jobId"], {
      code: "SCENARIO_DANGLING_REFERENCE",
      message: `No action before this one creates a job ${cancelJob.jobId}.`,
      hint: suggestion(cancelJob.jobId, [...jobs]),
    });
  },
  inject: ({ checker, action: { inject }, path }) => {
    if (inject === undefined) return;
    if (inject.fault.startsWith("ota.")) needsService(checker, "jobs", path);
    checkSelection(checker, inject.select, [...path, "select"]);
    checkFaultDetail(checker, inject, path);
  },
  attachPolicy: ({ checker, action: { attachPolicy }, path }) => checkAttachment(checker, attachPolicy, path),
  detachPolicy: ({ checker, action: { detachPolicy }, path }) => checkAttachment(checker, detachPolicy, path),
  updateCertificate: ({ checker, action: { updateCertificate }, path }) =>
    checkHolders(checker, updateCertificate?.select, path),
  rotateCertificates: ({ checker, action: { rotateCertificates }, path }) =>
    checkHolders(checker, rotateCertificates?.select, path),
  reset: ({ checker, action: { reset }, path }) =>
    checkSelection(checker, reset?.select, [...path, "select"]),
  powerCycle: ({ checker, action: { powerCycle }, path }) =>
    checkSelection(checker, powerCycle?.select, [...path, "select"]),
  deepSleep: ({ checker, action: { deepSleep }, path }) =>
    checkSelection(checker, deepSleep?.select, [...path, "select"]),
  crash: ({ checker, action: { crash }, path }) =>
    checkSelection(checker, crash?.select, [...path, "select"]),
  stimulate: ({ checker, action: { stimulate }, path }) => {
    checkSelection(checker, stimulate?.select, [...path, "select"]);
    if (stimulate?.gpio === undefined && stimulate?.adc === undefined)
      checker.missingIn(path, {
        code: "SCENARIO_MISSING_KEY",
        message: "stimulate names no pin and no channel.",
        hint: "Write gpio: { 4: true }, or adc: { 0: 1650 }.",
      });
  },
  awaitLog: ({ checker, action: { awaitLog }, path }) => {
    if (awaitLog === undefined) return;
    checkSelection(checker, awaitLog.select, [...path, "select"]);
    checkPattern(checker, awaitLog.pattern, [...path, "pattern"]);
  },
  publish: ({ checker, action: { publish }, path }) => {
    if (publish === undefined) return;
    checkSelection(checker, publish.select, [...path, "select"]);
    if (/[+#]/.test(publish.topic)) checker.atValue([...path, "topic"], WILDCARD);
    const { fleet } = checker.document;
    const groups = fleet.filter((group) => group.group === (publish.select?.group ?? group.group));
    const attributes =
      publish.select === undefined ? [] : groups.flatMap((group) => Object.keys(group.attributes ?? {}));
    const check = (text: string, at: SourcePath) => checkTemplate(checker, text, { attributes, path: at });
    check(publish.topic, [...path, "topic"]);
    eachText(publish.payload ?? null, [...path, "payload"], check);
  },
  restartBroker: ({ checker, path }) => {
    if (checker.document.broker?.mode !== "external") return;
    checker.atKey(path, {
      code: "SCENARIO_CONTRADICTION",
      message: "Only the embedded broker can be restarted.",
      hint: "Use disconnect to take devices of an external broker offline.",
    });
  },
};

function needsService(checker: Checker, service: "shadows" | "jobs", path: SourcePath): void {
  const { broker, services } = checker.document;
  // An external broker brings its own services.
  if (broker?.mode === "external" || services?.[service] === true) return;
  checker.atKey(path, {
    code: "SCENARIO_SERVICE_OFF",
    message: `${path.at(-1)} needs the ${service} service, which is off.`,
    hint: `Write services: { ${service}: true }.`,
  });
}

function checkFaultDetail(
  checker: Checker,
  inject: NonNullable<ActionDocument["inject"]>,
  path: SourcePath,
): void {
  const definition = LINK_FAULTS.get(inject.fault) ?? BOARD_FAULTS.get(inject.fault);
  if (definition === undefined) return;
  const detail = inject.detail ?? {};
  const known = Object.keys(definition.parameters);
  for (const key of Object.keys(detail))
    if (!known.includes(key))
      checker.atKey([...path, "detail", key], {
        code: "SCENARIO_UNKNOWN_KEY",
        message: `${inject.fault} takes no ${key}.`,
        hint: suggestion(key, known),
      });
  for (const [key, parameter] of Object.entries(definition.parameters))
    if (parameter.default === undefined && parameter.isOptional !== true && !Object.hasOwn(detail, key))
      checker.atKey([...path, "fault"], {
        code: "SCENARIO_MISSING_KEY",
        message: `${inject.fault} needs ${key}: ${parameter.description}`,
        hint: `Write detail: { ${key}: ... }; it is a ${parameter.kind}.`,
      });
}
