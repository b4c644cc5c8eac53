import { type JsonObject, type JsonValue, type Random, type RandomSource, US_PER_S } from "fleetrig/kernel";
import {
  type ArrivalPlan,
  compileText,
  type DeviceModel,
  type FleetPlan,
  type GroupPlan,
  IDENTITY_FIELDS,
  IdentityBook,
  type MemberPlan,
  PERFECT_LINK,
  planArrival,
  type TelemetryPlan,
} from "fleetrig/sim";
import { untraceableBecause } from "../trace-field.js";
import { type BoardPresence, NO_BOARDS } from "./bench-plan.js";
import { type FirmwareImages, NO_IMAGES } from "./firmware-images.js";
import { PayloadTracer } from "./payload-tracer.js";
import type { ArrivalSpec, AttributeSpec, FleetGroup, Scenario } from "../scenario.js";

/** A telemetry stream of the run; its position in the table is its number on the wire and in the ledger. */
export interface StreamPlan {
  readonly name: string;
  readonly group: string;
  readonly qos: 0 | 1;
  /** Topic template as written. */
  readonly topic: string;
  /** Why its messages cannot be followed to the observer; undefined when they can. */
  readonly untraced: string | undefined;
}

/** The fleet of one run with every choice made: names, attributes, arrival times. */
export interface PlannedFleet {
  readonly plan: FleetPlan;
  readonly streams: readonly StreamPlan[];
  /** Knows messages that carry no trace tag. */
  readonly tracer: PayloadTracer;
  /** In ordinal order. */
  readonly things: readonly { readonly name: string; readonly group: string }[];
  /** Groups of which not everybody takes part. */
  readonly skipped: readonly { readonly group: string; readonly reason: string }[];
  /** Things that take no part, and why; in the order of the file. */
  readonly absent: ReadonlyMap<string, AbsentThing>;
}

/** A thing that takes no part because the board that it should be is missing. */
export interface AbsentThing {
  readonly group: string;
  /** As half a sentence. */
  readonly reason: string;
}

/** What the bench changes about a plan. */
export interface BenchInPlan {
  readonly roll?: BoardPresence | undefined;
  readonly images?: FirmwareImages | undefined;
}

/**
 * Plans the fleet. Same scenario and seed, same plan: nothing here depends on time or host.
 * @param models By the reference a group names.
 */
export function planFleet(
  scenario: Scenario,
  models: ReadonlyMap<string, DeviceModel>,
  random: RandomSource,
  { roll: boards = NO_BOARDS, images = NO_IMAGES }: BenchInPlan = {},
): PlannedFleet {
  const streams: StreamPlan[] = [];
  const groups: GroupPlan[] = [];
  const skipped: { group: string; reason: string }[] = [];
  const absent = new Map<string, AbsentThing>();
  const identities = new IdentityBook();
  const tracer = new PayloadTracer();
  let firstOrdinal = 0;
  for (const group of scenario.fleet) {
    const model = models.get(group.model ?? USUAL_MODEL)!;
    const everybody = planMembers(group, { random, identities });
    const present = everybody.filter(({ name }) => isPresent(group, name, boards));
    if (present.length < everybody.length) {
      const missing = everybody.filter(({ name }) => !isPresent(group, name, boards));
      const reasons = missing.map(({ name }) => boards.missing.get(name) ?? NEEDS_BOARD);
      missing.forEach(({ name }, at) => absent.set(name, { group: group.group, reason: reasons[at]! }));
      skipped.push({ group: group.group, reason: whySkipped(everybody.length, reasons) });
    }
    if (present.length === 0) continue;
    const members = present.map((member, index) => ({ ...member, ordinal: firstOrdinal + index }));
    firstOrdinal += members.length;
    const telemetry = planTelemetry(group, members, { streams, tracer });
    groups.push(planGroup(scenario, group, { model, members, telemetry, images }));
  }
  const things = groups.flatMap(({ group, members }) => members.map(({ name }) => ({ name, group })));
  return { plan: { groups }, streams: withoutAmbiguous(streams, tracer), tracer, things, skipped, absent };
}

/** What boards without a model are told to be, and what their signals are taken from. */
export const USUAL_MODEL = "builtin:temperature-sensor";

/** A member that should be a board and is none takes no part: it would prove nothing. */
const isPresent = (group: FleetGroup, thing: string, { boards, missing }: BoardPresence): boolean =>
  boards.has(thing) || (group.requires !== "hardware" && !missing.has(thing));

const NEEDS_BOARD = "it needs a real board and none is attached";

function whySkipped(total: number, reasons: readonly string[]): string {
  const because = reasons.find((reason) => reason !== NEEDS_BOARD) ?? NEEDS_BOARD;
  return reasons.length === total ? because : `${reasons.length} of ${total} things: ${because}`;
}

interface GroupParts {
  readonly model: DeviceModel;
  readonly members: readonly MemberPlan[];
  readonly telemetry: readonly TelemetryPlan[];
  readonly images: FirmwareImages;
}

function planGroup(scenario: Scenario, group: FleetGroup, parts: GroupParts): GroupPlan {
  return {
    group: group.group,
    model: parts.model,
    members: parts.members,
    link: (group.network === undefined ? undefined : scenario.network[group.network]) ?? PERFECT_LINK,
    mqtt: group.mqtt,
    reconnect: group.reconnect,
    telemetry: parts.telemetry,
    buffer: group.buffer,
    signals: group.signals,
    settings: settingsOf(group, parts.images),
    claim: group.identity?.claim,
  };
}

/** The `settings:` block, with the `shadow:` and `ota:` blocks where the models look for them. */
function settingsOf(group: FleetGroup, images: FirmwareImages): JsonObject {
  const blocks: Record<string, JsonValue> = { ...group.settings };
  const hashes = Object.fromEntries([...images].map(([version, { sha256 }]) => [version, sha256]));
  const ota = images.size === 0 ? group.ota : { ...group.ota, images: hashes };
  for (const [name, block] of [
    ["shadow", group.shadow],
    ["ota", ota],
  ] as const) {
    if (block !== undefined) blocks[name] = JSON.parse(JSON.stringify(block)) as JsonValue;
  }
  return blocks;
}

interface StreamTable {
  readonly streams: StreamPlan[];
  readonly tracer: PayloadTracer;
}

function planTelemetry(
  group: FleetGroup,
  members: readonly MemberPlan[],
  { streams, tracer }: StreamTable,
): TelemetryPlan[] {
  return group.telemetry.map((spec) => {
    const isTagged = group.mqtt.protocolVersion === 5;
    const untraced = isTagged ? undefined : untraceableBecause(spec, members.length);
    streams.push({ name: spec.name, group: group.group, qos: spec.qos, topic: spec.topic, untraced });
    const stream = streams.length - 1;
    if (!isTagged && untraced === undefined) tracer.add(stream, spec, members);
    const { traceField: _known, ...plan } = spec;
    return { ...plan, stream };
  });
}

const withoutAmbiguous = (streams: readonly StreamPlan[], { ambiguous }: PayloadTracer): StreamPlan[] =>
  streams.map((stream, index) =>
    ambiguous.has(index) ? { ...stream, untraced: "several things share one of its topics" } : stream,
  );

interface MemberSources {
  readonly random: RandomSource;
  readonly identities: IdentityBook;
}

/** All members that the file asks for; who is first among those that take part is not decided yet. */
function planMembers(group: FleetGroup, sources: MemberSources): Omit<MemberPlan, "ordinal">[] {
  const count = group.things?.length ?? group.count;
  const arrivals = planArrival(
    arrivalOf(group.arrival, count),
    count,
    sources.random.stream(`group/${group.group}/arrival`),
  );
  const name = nameMaker(group);
  return Array.from({ length: count }, (_, index) => {
    const attributes = planAttributes(
      group.attributes,
      index,
      (purpose) => sources.random.stream(`group/${group.group}/${index}/${purpose}`),
      sources.identities,
    );
    return {
      name: name(index, attributes),
      index,
      attributes,
      connectAtUs: arrivals[index]!,
    };
  });
}

/** Poisson arrivals at a rate are exponential gaps over the time that the group takes at that rate. */
function arrivalOf(arrival: ArrivalSpec, count: number): ArrivalPlan {
  if (arrival.kind === "spread") return arrival;
  if (arrival.distribution === "linear") return { ratePerSecond: arrival.perSecond };
  return { spreadUs: (count / arrival.perSecond) * US_PER_S, distribution: "poisson" };
}

function nameMaker(group: FleetGroup): (index: number, attributes: JsonObject) => string {
  const { things } = group;
  if (things !== undefined) return (index) => things[index]!;
  const template = compileText(group.thingName, {
    signals: [],
    attributes: Object.keys(group.attributes),
    identity: IDENTITY_FIELDS,
  });
  return (index, attributes) =>
    template.render({
      thingName: "",
      index,
      attributes,
      sequence: 0,
      nowMs: 0,
      state: () => undefined,
      identity: () => "",
    });
}

function planAttributes(
  specs: Readonly<Record<string, AttributeSpec>>,
  index: number,
  stream: (purpose: string) => Random,
  identities: IdentityBook,
): JsonObject {
  const attributes: Record<string, JsonValue> = {};
  for (const [name, spec] of Object.entries(specs)) {
    attributes[name] = planAttribute(spec, index, () => stream(`attribute/${name}`), identities);
  }
  return attributes;
}

function planAttribute(
  spec: AttributeSpec,
  index: number,
  stream: () => Random,
  identities: IdentityBook,
): JsonValue {
  switch (spec.kind) {
    case "constant":
      return spec.value;
    case "cycle":
      return spec.from + (index % (spec.to - spec.from + 1));
    case "identity":
      return identities.invent(spec.identity, stream());
    case "choice": {
      let remaining = stream().fraction();
      for (const { value, share } of spec.options) {
        remaining -= share;
        if (remaining < 0) return value;
      }
      return spec.options.at(-1)!.value;
    }
  }
}
