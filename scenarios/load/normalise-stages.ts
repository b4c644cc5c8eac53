import { invariant, type JsonObject } from "fleetrig/kernel";
import { parseUntil } from "fleetrig/reports";
import type { Selection, StateChange } from "fleetrig/sim";
import { durationUs, fraction } from "../schema/quantities.js";
import type { SelectionDocument } from "../schema/selection.js";
import { type ActionDocument, type StageDocument, type Verb, VERBS } from "../schema/stages.js";
import type { Action, ActionVerb, ConditionSpec, Stage } from "../scenario.js";
import type { SourceMap, SourcePath } from "./source-tree.js";

export function normaliseStage(document: StageDocument, path: SourcePath, sourceMap: SourceMap): Stage {
  const actions = (document.actions ?? []).map((action, index): Action => {
    const verb = verbOf(action);
    invariant(verb !== undefined, "a checked action has one verb");
    const written = action[verb];
    const id = typeof written === "object" && "id" in written ? written.id : undefined;
    return {
      id: typeof id === "string" ? id : `${document.name}#${index}`,
      atUs: durationUs(action.at),
      position: sourceMap.locate([...path, "actions", index]),
      ...NORMALISERS[verb](action as never),
    };
  });
  return {
    name: document.name,
    durationUs: durationUs(document.duration ?? document.timeout ?? "0s"),
    until: document.until === undefined ? undefined : normaliseUntil(document.until, path, sourceMap),
    measure: document.measure ?? true,
    actions: actions.sort((a, b) => a.atUs - b.atUs),
  };
}

function normaliseUntil(text: string, path: SourcePath, sourceMap: SourceMap): ConditionSpec {
  const parsed = parseUntil(text);
  invariant(parsed.ok, "a checked condition parses");
  return { text, condition: parsed.expectation, position: sourceMap.locate([...path, "until"]) };
}

/** The verb of an action that has one. */
export const verbOf = (action: ActionDocument): Verb | undefined =>
  (Object.keys(VERBS) as Verb[]).find((verb) => action[verb] !== undefined);

const normaliseSelection = (document: SelectionDocument | undefined): Selection => ({
  group: document?.group,
  where: document?.where ?? {},
  things: document?.things,
  count: document?.count,
  share: document?.percent === undefined ? undefined : fraction(document.percent),
});

type Written<V extends Verb> = Readonly<Required<Pick<ActionDocument, V>>> & {
  readonly [Key in V]: NonNullable<ActionDocument[Key]>;
};

const NORMALISERS: { readonly [V in Verb]: (action: Written<V>) => ActionVerb } = {
  connect: ({ connect }) => ({
    verb: "connect",
    select: normaliseSelection(connect.select),
    overUs: durationUs(connect.over ?? "0s"),
  }),
  disconnect: ({ disconnect }) => ({
    verb: "disconnect",
    select: normaliseSelection(disconnect.select),
    mode: disconnect.mode ?? "ungraceful",
    overUs: durationUs(disconnect.over ?? "0s"),
    holdUs: durationUs(disconnect.hold ?? "0s"),
    repeat: disconnect.repeat ?? 1,
  }),
  setState: ({ setState: { id: _id, select, ...values } }) => ({
    verb: "setState",
    select: normaliseSelection(select),
    values: Object.fromEntries(Object.entries(values).map(([key, change]) => [key, normaliseChange(change)])),
  }),
  updateShadow: ({ updateShadow }) => ({
    verb: "updateShadow",
    select: normaliseSelection(updateShadow.select),
    shadowName: updateShadow.shadowName,
    desired: updateShadow.desired,
    version: updateShadow.version,
  }),
  createJob: ({ createJob: { jobId, targets, ...request } }) => ({
    verb: "createJob",
    jobId,
    thingGroup: targets.thingGroup,
    targets: normaliseSelection(targets),
    request: request as JsonObject,
  }),
  cancelJob: ({ cancelJob }) => ({
    verb: "cancelJob",
    jobId: cancelJob.jobId,
    force: cancelJob.force ?? false,
    reasonCode: cancelJob.reasonCode,
    comment: cancelJob.comment,
  }),
  inject: ({ inject }) => ({
    verb: "inject",
    fault: inject.fault,
    select: normaliseSelection(inject.select),
    probability: fraction(inject.probability ?? "100%"),
    forUs: inject.for === undefined ? undefined : durationUs(inject.for),
    detail: inject.detail ?? {},
  }),
  publish: ({ publish }) => ({
    verb: "publish",
    select: publish.select === undefined ? undefined : normaliseSelection(publish.select),
    topic: publish.topic,
    payload: publish.payload ?? "",
    qos: publish.qos ?? 0,
    retain: publish.retain ?? false,
  }),
  attachPolicy: ({ attachPolicy }) => ({ verb: "attachPolicy", ...normaliseAttachment(attachPolicy) }),
  detachPolicy: ({ detachPolicy }) => ({ verb: "detachPolicy", ...normaliseAttachment(detachPolicy) }),
  updateCertificate: ({ updateCertificate }) => ({
    verb: "updateCertificate",
    select: normaliseSelection(updateCertificate.select),
    newStatus: updateCertificate.newStatus,
  }),
  rotateCertificates: ({ rotateCertificates }) => ({
    verb: "rotateCertificates",
    select: normaliseSelection(rotateCertificates.select),
    overUs: durationUs(rotateCertificates.over ?? "0s"),
    deactivateAfterUs: durationUs(rotateCertificates.deactivateAfter ?? "1m"),
  }),
  reset: ({ reset }) => ({ verb: "reset", select: normaliseSelection(reset.select) }),
  powerCycle: ({ powerCycle }) => ({
    verb: "powerCycle",
    select: normaliseSelection(powerCycle.select),
    offUs: durationUs(powerCycle.off ?? "1s"),
  }),
  deepSleep: ({ deepSleep }) => ({
    verb: "deepSleep",
    select: normaliseSelection(deepSleep.select),
    forUs: durationUs(deepSleep.for),
  }),
  stimulate: ({ stimulate: { select, gpio = {}, adc = {} } }) => ({
    verb: "stimulate",
    select: normaliseSelection(select),
    stimulus: { gpio, adcMillivolts: adc },
  }),
  crash: ({ crash }) => ({ verb: "crash", select: normaliseSelection(crash.select), kind: crash.kind }),
  awaitLog: ({ awaitLog }) => ({
    verb: "awaitLog",
    select: normaliseSelection(awaitLog.select),
    pattern: awaitLog.pattern,
    withinUs: durationUs(awaitLog.within ?? "10s"),
    survivesRestart: awaitLog.survivesRestart ?? false,
  }),
  restartBroker: ({ restartBroker }) => ({
    verb: "restartBroker",
    downForUs: durationUs(restartBroker.downFor ?? "0s"),
  }),
  checkpoint: ({ checkpoint }) => ({ verb: "checkpoint", label: checkpoint }),
};

const normaliseAttachment = (document: NonNullable<ActionDocument["attachPolicy"]>) => ({
  policyName: document.policyName,
  thingGroup: document.thingGroup,
  select: normaliseSelection(document.select),
});

type StateDocument =
  | string
  | number
  | boolean
  | { readonly rampTo: number; readonly over: string }
  | { readonly to: string | number | boolean };

function normaliseChange(change: StateDocument): StateChange {
  if (typeof change !== "object") return { to: change };
  if ("to" in change) return { to: change.to };
  return { rampTo: change.rampTo, overUs: durationUs(change.over) };
}
