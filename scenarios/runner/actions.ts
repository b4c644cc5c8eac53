import { type Cloud, parsePolicyTarget } from "fleetrig/broker";
import { BOARD_FAULTS } from "fleetrig/hil";
import {
  type Clock,
  EXIT,
  type EventSink,
  FleetrigError,
  type JsonObject,
  type RandomSource,
} from "fleetrig/kernel";
import { compileText, type Fleet, type FleetMember, IDENTITY_FIELDS, type Selection } from "fleetrig/sim";
import type { AbsentThing } from "./fleet-plan.js";
import { type FirmwareImages, withArtifact } from "./firmware-images.js";
import { type Identities, noCertificate } from "./identities.js";
import type { Action, ActionVerb } from "../scenario.js";
import { selectPresent } from "./present-members.js";
import { type BoardVerb, isForBoards, NOT_A_BOARD, performOnBoards } from "./board-actions.js";

/** What actions act on. `cloud` is absent when the broker is somebody else's. */
export interface ActionStage {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly events: EventSink;
  readonly fleet: Fleet;
  /** Things that take no part because their boards are missing, and why. */
  readonly absent: ReadonlyMap<string, AbsentThing>;
  readonly cloud: Cloud | undefined;
  readonly identities: Identities | undefined;
  /** Firmware that boards can really start. */
  readonly images: FirmwareImages;
}

/** Verbs that mean something to virtual devices, too. */
type CommonVerb = Exclude<ActionVerb["verb"], BoardVerb>;
type VerbOf<V extends ActionVerb["verb"]> = Extract<Action, { verb: V }>;
type Performer<V extends ActionVerb["verb"]> = (action: VerbOf<V>, stage: ActionStage) => void;

/** One performer per verb of the format. */
const PERFORMERS: { readonly [V in CommonVerb]: Performer<V> } = {
  connect: (action, stage) => {
    const members = announce(action, stage, action.select, { overUs: action.overUs });
    spread(members, action.overUs, stage, (member) => member.connect());
  },
  disconnect,
  setState: (action, stage) => {
    for (const member of announce(action, stage, action.select, {})) member.setState(action.values);
  },
  updateShadow,
  createJob,
  cancelJob: (action, stage) => {
    const { jobId, force, reasonCode, comment } = action;
    started(action, stage, [], { jobId });
    cloudOf(action, stage).jobs.cancelJob({
      jobId,
      force,
      ...(reasonCode !== undefined && { reasonCode }),
      ...(comment !== undefined && { comment }),
    });
  },
  inject,
  publish,
  attachPolicy: (action, stage) => changePolicy(action, stage),
  detachPolicy: (action, stage) => changePolicy(action, stage),
  updateCertificate: (action, stage) => {
    const { newStatus } = action;
    const { identity } = cloudOf(action, stage);
    for (const { name } of announce(action, stage, action.select, { newStatus }))
      identity.certificates.update(certificateOf(name, stage), newStatus);
  },
  rotateCertificates,
  restartBroker: (action, stage) => {
    started(action, stage, [], { downForUs: action.downForUs });
    cloudOf(action, stage).restart(action.downForUs);
  },
  checkpoint: (action, stage) => started(action, stage, [], { label: action.label }),
};

/** Carries out one action of a stage, now. */
export function perform(action: Action, stage: ActionStage): void {
  if (isForBoards(action)) {
    const { verb: _verb, id: _id, atUs: _atUs, position: _position, select: selection, ...detail } = action;
    const members = announce(action, stage, selection, detail as JsonObject);
    performOnBoards(action, { members, events: stage.events, clock: stage.clock });
    return;
  }
  (PERFORMERS[action.verb] as (action: Action, stage: ActionStage) => void)(action, stage);
}

function disconnect(action: VerbOf<"disconnect">, stage: ActionStage): void {
  const { mode, holdUs, overUs, repeat, id } = action;
  const members = announce(action, stage, action.select, { mode, holdUs, overUs, repeat });
  // Between two outages of a flapping link it stays up as long as it was down.
  const periodUs = Math.max(holdUs * 2, 1);
  for (let round = 0; round < repeat; round += 1) {
    stage.clock.after(round * periodUs, () =>
      spread(members, overUs, stage, (member) => member.disconnect(mode, holdUs, id)),
    );
  }
  const endUs = (repeat - 1) * periodUs + overUs + holdUs;
  stage.clock.after(endUs, () =>
    stage.events.emit({ type: "action.ended", atUs: stage.clock.nowUs(), action: id }),
  );
}

function updateShadow(action: VerbOf<"updateShadow">, stage: ActionStage): void {
  const { shadowName, desired, version, id } = action;
  const members = announce(action, stage, action.select, {
    desired,
    ...(shadowName !== undefined && { shadowName }),
  });
  const { shadows } = cloudOf(action, stage);
  const payload: JsonObject = {
    state: { desired },
    clientToken: id,
    ...(version !== undefined && { version }),
  };
  for (const { name } of members) {
    shadows.update({ thing: name, payload, ...(shadowName !== undefined && { shadowName }) });
  }
}

/** AWS: a job names at most 100 targets; more things than that have to be a group. */
const MAX_TARGETS = 100;

function createJob(action: VerbOf<"createJob">, stage: ActionStage): void {
  const { jobId, request, thingGroup } = action;
  const cloud = cloudOf(action, stage);
  if (thingGroup !== undefined)
    started(action, stage, cloud.registry.membersOf(`group:${thingGroup}`), { jobId });
  const things = thingGroup === undefined ? registered(action, stage, cloud) : [];
  cloud.jobs.createJob({
    ...request,
    jobId,
    document: withArtifact(request["document"], stage.images),
    targets:
      thingGroup === undefined && things.length > 0 && things.length <= MAX_TARGETS
        ? things
        : [`group:${thingGroup ?? groupFor(action, things, cloud)}`],
  });
}

/** Devices that have not provisioned themselves are no things yet, and a job cannot name them. */
const registered = (
  action: VerbOf<"createJob">,
  stage: ActionStage,
  { registry }: Cloud,
): readonly string[] =>
  announce(action, stage, action.targets, { jobId: action.jobId })
    .map(({ name }) => name)
    .filter((name) => registry.hasThing(name));

/** The fleet's own group when all of it is meant, otherwise a group made for this job: an empty one when nobody is there. */
function groupFor(
  { jobId, targets }: VerbOf<"createJob">,
  things: readonly string[],
  { registry }: Cloud,
): string {
  const { group } = targets;
  if (
    group !== undefined &&
    things.length > 0 &&
    registry.membersOf(`group:${group}`).length === things.length
  )
    return group;
  const thingGroupName = `targets-of-${jobId.replaceAll(".", "_")}`;
  registry.createThingGroup({ thingGroupName });
  for (const thingName of things) registry.addThingToThingGroup({ thingName, thingGroupName });
  return thingGroupName;
}

function changePolicy(action: VerbOf<"attachPolicy" | "detachPolicy">, stage: ActionStage): void {
  const { policyName, thingGroup, verb } = action;
  const { identity, account } = cloudOf(action, stage);
  const change = (target: string): void => identity[verb](policyName, target);
  if (thingGroup === undefined) {
    for (const { name } of announce(action, stage, action.select, { policyName }))
      change(certificateOf(name, stage));
    return;
  }
  started(action, stage, [], { policyName, thingGroup });
  change(parsePolicyTarget(account.arn("thinggroup", thingGroup)));
}

/**
 * Each device gets a new certificate and connects again with it; sessions keep what comes meanwhile. The certificate
 * before stays active for a while, so that nobody is locked out who is slow.
 */
function rotateCertificates(action: VerbOf<"rotateCertificates">, stage: ActionStage): void {
  const { overUs, deactivateAfterUs, id } = action;
  const members = announce(action, stage, action.select, { overUs, deactivateAfterUs });
  const { identity } = cloudOf(action, stage);
  for (const { name } of members) certificateOf(name, stage);
  spread(members, overUs, stage, (member) => {
    const before = stage.identities!.rotate(member.name);
    member.disconnect("graceful", 0, id);
    member.connect();
    stage.clock.after(deactivateAfterUs, () => {
      // Somebody may have revoked it meanwhile.
      if (identity.certificates.get(before).status === "ACTIVE")
        identity.certificates.update(before, "INACTIVE");
    });
  });
}

/** @throws FleetrigError RUN_NO_CERTIFICATE */
function certificateOf(thing: string, { identities }: ActionStage): string {
  const certificateId = identities?.certificateIdOf(thing);
  if (certificateId === undefined) throw noCertificate(thing);
  return certificateId;
}

function inject(action: VerbOf<"inject">, stage: ActionStage): void {
  const { fault, probability, forUs, detail, id } = action;
  const drawn = select(action.select, action, stage).filter(({ name }) =>
    stage.random.stream(`fault/${id}/${name}`).chance(probability),
  );
  const affected = drawn.filter((member) => member.setFault(fault, true, detail));
  const things = affected.map(({ name }) => name);
  started(action, stage, things, { fault });
  stage.events.emit({ type: "fault.injected", atUs: stage.clock.nowUs(), fault, things, detail });
  const unaffected = drawn.filter((member) => !affected.includes(member));
  if (BOARD_FAULTS.has(fault)) {
    const names = unaffected.filter(({ board }) => board === undefined).map(({ name }) => name);
    if (names.length > 0)
      stage.events.emit({
        type: "action.skipped",
        atUs: stage.clock.nowUs(),
        action: id,
        things: names,
        reason: NOT_A_BOARD,
      });
  } else if (unaffected.length > 0) {
    throw new FleetrigError(
      "SCENARIO_FAULT_UNSUPPORTED",
      `${unaffected.length} of ${drawn.length} devices cannot have the fault ${fault}.`,
      {
        hint: "Select only devices whose model or link knows it; `fleetrig list --faults` names them.",
        exitCode: EXIT.usage,
      },
    );
  }
  if (forUs === undefined) return;
  stage.clock.after(forUs, () => {
    for (const member of affected) member.setFault(fault, false, {});
  });
}

function publish(action: VerbOf<"publish">, stage: ActionStage): void {
  const { broker } = cloudOf(action, stage);
  const { qos, retain } = action;
  const payload = typeof action.payload === "string" ? action.payload : JSON.stringify(action.payload);
  if (action.select === undefined) {
    started(action, stage, [], { topic: action.topic });
    broker.publish({ topic: action.topic, payload, qos, retain });
    return;
  }
  for (const { name, attributes } of announce(action, stage, action.select, { topic: action.topic })) {
    const scope = {
      thingName: name,
      index: 0,
      attributes,
      sequence: 0,
      nowMs: stage.clock.wallMs(),
      state: () => undefined,
      identity: () => "",
    };
    const vocabulary = { signals: [], attributes: Object.keys(attributes), identity: IDENTITY_FIELDS };
    broker.publish({ topic: compileText(action.topic, vocabulary).render(scope), payload, qos, retain });
  }
}

/** Selects and says so: the picked names belong into the report. */
function announce(
  action: Action,
  stage: ActionStage,
  selection: Selection,
  detail: JsonObject,
): readonly FleetMember[] {
  const members = select(selection, action, stage);
  started(
    action,
    stage,
    members.map(({ name }) => name),
    detail,
  );
  return members;
}

function select(selection: Selection, action: Action, stage: ActionStage): readonly FleetMember[] {
  const { members, skipped } = selectPresent(selection, action.id, stage);
  for (const one of skipped)
    stage.events.emit({ type: "action.skipped", atUs: stage.clock.nowUs(), action: action.id, ...one });
  return members;
}

function started(
  action: Action,
  { events, clock }: ActionStage,
  things: readonly string[],
  detail: JsonObject,
): void {
  events.emit({
    type: "action.started",
    atUs: clock.nowUs(),
    action: action.id,
    verb: action.verb,
    things,
    detail,
  });
}

/** Calls `act` for each member, evenly spread over `overUs`. */
function spread(
  members: readonly FleetMember[],
  overUs: number,
  { clock }: ActionStage,
  act: (member: FleetMember) => void,
): void {
  if (overUs === 0) {
    for (const member of members) act(member);
    return;
  }
  members.forEach((member, index) => clock.after(Math.floor((overUs * index) / members.length), act, member));
}

function cloudOf(action: Action, { cloud }: ActionStage): Cloud {
  if (cloud !== undefined) return cloud;
  throw new FleetrigError(
    "SCENARIO_NEEDS_CLOUD",
    `The action ${action.verb} needs the embedded cloud, but the broker is external.`,
    {
      hint: "Set broker.mode: embedded, or take the action out.",
      exitCode: EXIT.usage,
    },
  );
}
