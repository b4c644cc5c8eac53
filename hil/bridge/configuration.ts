import {
  EXIT,
  FleetrigError,
  type JsonObject,
  type JsonValue,
  type RandomSource,
  silentProbe,
  silentSink,
  TRACE_PROPERTY,
  traceTagPrefix,
} from "fleetrig/kernel";
import {
  DeviceGroup,
  type GroupPlan,
  IdentityBook,
  type LoginPlan,
  type MemberPlan,
  otaSettings,
  shadowSettings,
  telemetryPhase,
  type TemplateScope,
} from "fleetrig/sim";

/**
 * What a board is told about the member that it is: PROTOCOL.md §6. Everything that a virtual device would work out once is
 * worked out here, with the same streams of randomness; placeholders that change per message stay in place.
 */
export interface MemberRendering {
  readonly plan: MemberPlan;
  readonly group: GroupPlan;
  /** Name of the run, for trace tags. */
  readonly run: string;
  readonly path: "bridge" | "direct";
  /** For the board's own choices. */
  readonly seed: number;
  /** Of the run: the member draws what a virtual device of its name would draw. */
  readonly random: RandomSource;
}

/** A member as its board is told, and what the host keeps. */
export interface RenderedMember {
  readonly configuration: JsonObject;
  /** Name and password of the group, for the host to show. */
  readonly login: LoginPlan | undefined;
  /** Schedule of each stream, by its number in the run's table. */
  readonly schedules: ReadonlyMap<number, StreamSchedule>;
  /** Signals that can be set. */
  readonly signals: ReadonlySet<string>;
}

/** The n-th message is due at the start of the fleet plus `offsetUs + n everyUs`. */
export interface StreamSchedule {
  readonly everyUs: number;
  readonly offsetUs: number;
}

/**
 * Renders a member for its board.
 * @throws FleetrigError BOARD_PLAN_UNSUPPORTED for what no board can be told, and the errors of templates.
 */
export function renderMember(rendering: MemberRendering): RenderedMember {
  const { plan, group, run, path, seed, random } = rendering;
  if (group.claim !== undefined) {
    throw unsupported(
      plan,
      "its group provisions itself by a claim",
      "Give the group an identity of its own.",
    );
  }
  const compiled = new DeviceGroup(group, {
    random,
    events: silentSink,
    probe: silentProbe,
    run,
    identities: new IdentityBook(),
  });
  const scope = new BoardScope(plan, compiled, random);
  const schedules = new Map<number, StreamSchedule>();
  const telemetry = compiled.streams.map((stream): JsonObject => {
    const { everyUs, qos, retain, stream: number } = stream.plan;
    const phase = telemetryPhase(stream, { group: compiled, member: plan, source: scope });
    const offsetUs = Math.floor(phase * everyUs);
    schedules.set(number, { everyUs, offsetUs });
    return {
      s: number,
      tag: traceTagPrefix(run, number, plan.ordinal),
      everyUs,
      offsetUs,
      topic: scope.withPlaceholders(stream.topic.render(scope)),
      qos,
      retain,
      payload: scope.withPlaceholders(stream.payload.render(scope)),
    };
  });
  refuseWidths(rendering);
  return {
    configuration: {
      thing: plan.name,
      index: plan.index,
      path,
      model: group.model.name,
      ...(group.mqtt.protocolVersion === 5 && { traceKey: TRACE_PROPERTY }),
      seed,
      attributes: plan.attributes,
      connectAtUs: plan.connectAtUs,
      mqtt: mqttOf(compiled, scope),
      reconnect: { ...group.reconnect },
      buffer: { ...group.buffer },
      telemetry,
      signals: { ...group.model.signals, ...group.signals },
      ...settingsOf(group),
    },
    login: compiled.loginOf(scope),
    schedules,
    signals: new Set(compiled.signals.keys()),
  };
}

function mqttOf(compiled: DeviceGroup, scope: BoardScope): JsonObject {
  const { protocolVersion, keepAliveS, cleanStart, sessionExpiryS, receiveMaximum, publishRetryUs } =
    compiled.plan.mqtt;
  const will = compiled.willOf(scope);
  return {
    version: protocolVersion,
    keepAliveS,
    cleanStart,
    sessionExpiryS,
    receiveMaximum,
    ...(publishRetryUs !== undefined && { publishRetryUs }),
    ...(will !== undefined && {
      will: {
        topic: scope.withPlaceholders(will.topic),
        payload: scope.withPlaceholders(Buffer.from(will.payload).toString()),
        qos: will.qos,
        retain: will.retain,
        delayS: will.delayS ?? 0,
      },
    }),
  };
}

/** The blocks of the built-in models, with their defaults; a sensor without a `shadow:` block follows no shadow. */
function settingsOf({ model, settings }: GroupPlan): JsonObject {
  const follows = model.name === "shadow-device" || settings["shadow"] !== undefined;
  const blocks: Record<string, JsonValue> = {};
  if (follows) {
    const { shadowName, applyTime } = shadowSettings(settings);
    blocks["shadow"] = { ...(shadowName !== undefined && { name: shadowName }), applyTime: { ...applyTime } };
  }
  if (model.name === "ota-device") {
    const { executionTime, blockBytes } = otaSettings(settings);
    blocks["ota"] = { executionTime: { ...executionTime }, blockBytes };
  }
  return blocks;
}

/** Numbers that no template writes by chance: below 2^53, and far beyond any time, sequence or measurement. */
const MARK_BASE = 8_715_293_604_170_000;
const SEQUENCE_MARK = MARK_BASE + 1;
const NOW_MARK = MARK_BASE + 2;
const FIRST_SIGNAL_MARK = MARK_BASE + 16;

/**
 * Renders templates with marks where a message's own values belong, as numbers, so that each is written as a number would be
 * at its place; then puts the board's placeholders where the marks are.
 */
class BoardScope implements TemplateScope {
  readonly sequence = SEQUENCE_MARK;
  readonly nowMs = NOW_MARK;
  private readonly marks: ReadonlyMap<string, string>;

  constructor(
    private readonly plan: MemberPlan,
    private readonly compiled: DeviceGroup,
    private readonly random: RandomSource,
  ) {
    const signals = [...compiled.signals].map(
      ([name, { slot }]) => [`${FIRST_SIGNAL_MARK + slot}`, `{state.${name}}`] as const,
    );
    this.marks = new Map([[`${SEQUENCE_MARK}`, "{seq}"], [`${NOW_MARK}`, "{now}"], ...signals]);
  }

  get thingName(): string {
    return this.plan.name;
  }

  get index(): number {
    return this.plan.index;
  }

  get attributes(): JsonObject {
    return this.plan.attributes;
  }

  state(signal: string): JsonValue | undefined {
    const known = this.compiled.signals.get(signal);
    return known === undefined ? undefined : FIRST_SIGNAL_MARK + known.slot;
  }

  identity(field: string): string {
    return this.compiled.world.identities.invent(field, this.stream(`identity/${field}`));
  }

  stream(purpose: string): ReturnType<RandomSource["stream"]> {
    return this.random.stream(`thing/${this.plan.name}/${purpose}`);
  }

  withPlaceholders(text: string): string {
    return text.replace(/87152936041\d{5}/g, (mark) => this.marks.get(mark) ?? mark);
  }
}

const PADDED = /\{(?:seq|now|state\.[\w.-]+):0\d/;

/** A board writes numbers as they are. */
function refuseWidths({ plan, group }: MemberRendering): void {
  for (const { name, topic, payload } of group.telemetry) {
    if (!PADDED.test(topic) && !PADDED.test(JSON.stringify(payload))) continue;
    throw unsupported(
      plan,
      `stream ${name} pads a number that changes`,
      "Write {seq} without a width, or leave the group virtual.",
    );
  }
}

const unsupported = (plan: MemberPlan, why: string, hint: string): FleetrigError =>
  new FleetrigError("BOARD_PLAN_UNSUPPORTED", `${plan.name} cannot be a board: ${why}.`, {
    hint,
    context: { thing: plan.name },
    exitCode: EXIT.usage,
  });
