import { type DeliveryProbe, type EventSink, EXIT, FleetrigError, type RandomSource } from "fleetrig/kernel";
import type { Will } from "fleetrig/protocol";
import { IDENTITY_FIELDS, type IdentityBook } from "../identity/identity.js";
import type { DeviceModel, ModelInput } from "../model.js";
import type { GroupPlan, LoginPlan, MemberPlan, TelemetryPlan } from "../plan.js";
import { type CompiledSignal, compileSignal } from "../signals/signal.js";
import {
  compilePayload,
  compileText,
  type Template,
  type TemplateScope,
  type Vocabulary,
} from "../templates/template.js";

/** What all devices of a run share. */
export interface DeviceWorld {
  readonly random: RandomSource;
  readonly events: EventSink;
  readonly probe: DeliveryProbe;
  /** Name of the run, for trace tags. */
  readonly run: string;
  readonly identities: IdentityBook;
}

/** One telemetry stream of a group, compiled. */
export interface CompiledStream {
  readonly plan: TelemetryPlan;
  readonly topic: Template;
  readonly payload: Template;
}

/** A group's plan, compiled once for all of its devices. */
export class DeviceGroup {
  readonly model: DeviceModel;
  /** Signals by name, each with its place in a device's list. */
  readonly signals: ReadonlyMap<string, { readonly slot: number; readonly compiled: CompiledSignal }>;
  readonly streams: readonly CompiledStream[];
  private readonly sharedInput: ModelInput;
  private readonly login: { readonly username: Template; readonly password: Template } | undefined;
  private readonly parameters: readonly (readonly [name: string, value: Template])[];
  private readonly will: { readonly topic: Template; readonly payload: Template } | undefined;

  /** @throws {FleetrigError} TEMPLATE_UNKNOWN_PLACEHOLDER, SIGNAL_EMPTY_REPLAY, MODEL_UNKNOWN_SIGNAL */
  constructor(
    readonly plan: GroupPlan,
    readonly world: DeviceWorld,
  ) {
    this.model = plan.model;
    const specs = Object.entries({ ...plan.model.signals, ...plan.signals });
    this.signals = new Map(
      specs.map(([name, spec], slot) => [name, { slot, compiled: compileSignal(name, spec) }]),
    );
    this.checkThresholds();
    this.sharedInput = { thingName: "", attributes: {}, settings: plan.settings };
    const vocabulary = this.vocabulary();
    this.streams = plan.telemetry.map((telemetry) => ({
      plan: telemetry,
      topic: compileText(telemetry.topic, vocabulary),
      payload: compilePayload(telemetry.payload, vocabulary),
    }));
    this.parameters = Object.entries(plan.claim?.parameters ?? {}).map(([name, value]) => [
      name,
      compileText(value, vocabulary),
    ]);
    const { will, login } = plan.mqtt;
    this.login = login && {
      username: compileText(login.username, vocabulary),
      password: compileText(login.password, vocabulary),
    };
    this.will = will && {
      topic: compileText(will.topic, vocabulary),
      payload: compileText(will.payload, vocabulary),
    };
  }

  inputOf({ name, attributes }: MemberPlan): ModelInput {
    if (this.model.isAnonymous === true) return this.sharedInput;
    return { thingName: name, attributes, settings: this.plan.settings };
  }

  willOf(scope: TemplateScope): Will | undefined {
    const { will } = this.plan.mqtt;
    if (will === undefined || this.will === undefined) return undefined;
    return {
      topic: this.will.topic.render(scope),
      payload: Buffer.from(this.will.payload.render(scope)),
      qos: will.qos,
      retain: will.retain,
      ...(will.delayS > 0 ? { delayS: will.delayS } : {}),
    };
  }

  loginOf(scope: TemplateScope): LoginPlan | undefined {
    if (this.login === undefined) return undefined;
    const { username, password } = this.login;
    return { username: username.render(scope), password: password.render(scope) };
  }

  /** What a device tells about itself when it is provisioned. */
  parametersOf(scope: TemplateScope): Readonly<Record<string, string>> {
    return Object.fromEntries(this.parameters.map(([name, value]) => [name, value.render(scope)]));
  }

  private checkThresholds(): void {
    for (const { signal } of this.model.thresholds ?? []) {
      if (this.signals.has(signal)) continue;
      throw new FleetrigError(
        "MODEL_UNKNOWN_SIGNAL",
        `Model ${this.model.name} has a threshold on "${signal}", which is no signal of it.`,
        { hint: `Signals: ${[...this.signals.keys()].join(", ") || "none"}.`, exitCode: EXIT.usage },
      );
    }
  }

  private vocabulary(): Vocabulary {
    const attributes = new Set<string>();
    for (const member of this.plan.members) {
      for (const name of Object.keys(member.attributes)) attributes.add(name);
    }
    return { signals: [...this.signals.keys()], attributes: [...attributes], identity: IDENTITY_FIELDS };
  }
}
