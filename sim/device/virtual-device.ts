import { type Clock, type JsonObject, type JsonValue, type Random } from "fleetrig/kernel";
import type { Dialer, PublishPacket } from "fleetrig/protocol";
import { DeviceConnection, type DeviceConnectionHandlers } from "../connection/device-connection.js";
import { Enrolment, type EnrolmentHandlers } from "../credentials/enrolment.js";
import type { Wallet } from "../credentials/wallet.js";
import type { FaultSwitch } from "../links/link-fault.js";
import { MachineRunner, type MachineRunnerOptions } from "../machine/machine-runner.js";
import type { DisconnectMode, FleetMember, StateChange } from "../member.js";
import type { DeviceModel, DeviceSignalEvent, ModelInput } from "../model.js";
import type { MemberPlan } from "../plan.js";
import type { TemplateScope } from "../templates/template.js";
import type { DeviceGroup } from "./device-group.js";
import { DeviceSignals } from "./device-signals.js";
import { carryOut, type EffectTarget } from "./effects.js";
import { eventOf } from "./inbound.js";
import { Telemetry } from "./telemetry.js";
import type { TelemetryOwner, TelemetryStream } from "./telemetry-stream.js";

/** A device that left by itself stays away until it is called back, or for ten years. */
const AWAY_US = 10 * 365 * 86_400e6;

/** A device's way out, and the faults that can be switched on it. */
export interface DeviceLink {
  readonly dialer: Dialer;
  readonly faults?: FaultSwitch;
  /** Whose credentials the dialer shows. A device whose group has a claim needs one. */
  readonly wallet?: Wallet | undefined;
}

/** Who the device is and how it reaches the world. */
export interface VirtualDeviceOptions {
  readonly member: MemberPlan;
  readonly group: DeviceGroup;
  /** The device's lane. */
  readonly clock: Clock;
  readonly link: DeviceLink;
}

/**
 * A simulated device: a connection, a machine that decides, and telemetry on a fixed schedule.
 *
 * It is the scope of its own templates and the target of its machine's effects, because at a hundred thousand
 * devices every object and closure per device counts.
 */
export class VirtualDevice
  implements
    FleetMember,
    DeviceConnectionHandlers,
    EffectTarget,
    EnrolmentHandlers,
    MachineRunnerOptions,
    TelemetryOwner,
    TemplateScope
{
  /** Of the message that is being rendered. */
  sequence = 0;
  nowMs = 0;
  private readonly connection: DeviceConnection;
  /** While it has no certificate of its own and its group has a claim. */
  private enrolment: Enrolment | undefined;
  private originUs = 0;
  private readonly runner: MachineRunner;
  private readonly telemetry: Telemetry;
  readonly clock: Clock;
  private readonly plan: MemberPlan;
  private readonly shared: DeviceGroup;
  private readonly faults: FaultSwitch | undefined;
  private readonly signals: DeviceSignals;
  private streams: Map<string, Random> | undefined;
  private particulars: Map<string, string> | undefined;

  constructor({ member, group, clock, link }: VirtualDeviceOptions) {
    this.plan = member;
    this.shared = group;
    this.clock = clock;
    this.faults = link.faults;
    this.signals = new DeviceSignals(group, this);
    const { world, plan } = group;
    this.connection = new DeviceConnection({
      thing: member,
      clock,
      random: this,
      events: world.events,
      probe: world.probe,
      run: world.run,
      dialer: link.dialer,
      mqtt: plan.mqtt,
      will: group.willOf(this),
      login: group.loginOf(this),
      reconnect: plan.reconnect,
      buffer: plan.buffer,
      handlers: this,
    });
    this.enrolment = this.createEnrolment(link);
    this.runner = new MachineRunner(this);
    this.telemetry = new Telemetry(group, member, this);
  }

  get name(): string {
    return this.plan.name;
  }

  get group(): string {
    return this.shared.plan.group;
  }

  get ordinal(): number {
    return this.plan.ordinal;
  }

  get attributes(): JsonObject {
    return this.plan.attributes;
  }

  get isOnline(): boolean {
    return this.connection.isOnline;
  }

  /** Dotted state of the model's machine. */
  get mode(): string {
    return this.runner.state;
  }

  start(originUs = 0): void {
    const connectAtUs = originUs + this.plan.connectAtUs;
    this.originUs = originUs;
    if (this.enrolment === undefined) this.live(connectAtUs);
    else this.enrolment.start(connectAtUs);
    this.runner.start();
  }

  stop(): void {
    this.telemetry.stop();
    this.runner.stop();
    this.enrolment?.stop();
    this.connection.stop();
  }

  disconnect(mode: DisconnectMode, holdUs: number, action: string): void {
    (this.enrolment ?? this.connection).disconnect(mode, holdUs, action);
  }

  connect(): void {
    (this.enrolment ?? this.connection).connect();
  }

  enrolled(tookUs: number): void {
    this.enrolment = undefined;
    this.emit({ type: "device.provisioned", tookUs });
    this.live(this.clock.nowUs());
  }

  notEnrolled(reason: string): void {
    this.emit({ type: "device.unprovisioned", reason });
  }

  /** @throws {FleetrigError} DEVICE_UNKNOWN_STATE, DEVICE_NOT_A_NUMBER */
  setState(values: Readonly<Record<string, StateChange>>): void {
    const rest: [string, JsonValue][] = [];
    for (const [name, change] of Object.entries(values)) {
      const isForMachine = !this.signals.has(name) && "to" in change && this.runner.accepts("SET");
      if (isForMachine) rest.push([name, change.to]);
      else this.signals.move(name, change, this.clock.nowUs());
    }
    if (rest.length > 0) this.send({ type: "SET", values: Object.fromEntries(rest) });
  }

  setFault(fault: string, active: boolean, detail: JsonObject): boolean {
    if (this.faults?.set(fault, active, detail) === true) return true;
    if (!this.runner.accepts("FAULT")) return false;
    const { faults } = this.shared.model;
    if (faults !== undefined && !faults.includes(fault)) return false;
    this.send({ type: "FAULT", fault, active, detail });
    return true;
  }

  online(sessionPresent: boolean): void {
    this.send({ type: "CONNECTED", sessionPresent });
  }

  offline(reason: string): void {
    this.send({ type: "DISCONNECTED", reason });
  }

  message(packet: PublishPacket): void {
    const event = eventOf(this.name, packet, (type) => this.runner.accepts(type));
    if (event !== undefined) this.send(event);
  }

  tick(stream: TelemetryStream, scheduledUs: number): void {
    const { stateName } = this.connection;
    if (stateName === "booting" || stateName === "stopped") return;
    const { plan, topic, payload } = stream.compiled;
    const sequence = stream.sequence++;
    this.sequence = sequence;
    this.nowMs = this.clock.wallMs();
    this.connection.publish({
      topic: topic.isFixed ? (stream.topic ??= topic.render(this)) : topic.render(this),
      payload: Buffer.from(payload.render(this)),
      qos: plan.qos,
      retain: plan.retain,
      trace: { stream: plan.stream, sequence, scheduledUs },
    });
    this.signals.watch(this.clock.nowUs(), this);
  }

  get machine(): DeviceModel["machine"] {
    return this.shared.model.machine;
  }

  get input(): ModelInput {
    return this.shared.inputOf(this.plan);
  }

  effect(type: string, params: unknown): void {
    carryOut(this, type, params);
  }

  changed(mode: string): void {
    this.emit({ type: "device.mode", mode });
  }

  /** The device's random stream of that purpose, from its beginning. */
  stream(purpose: string): Random {
    return this.shared.world.random.stream(`thing/${this.name}/${purpose}`);
  }

  get thingName(): string {
    return this.plan.name;
  }

  get index(): number {
    return this.plan.index;
  }

  state(signal: string): number {
    return this.signals.sample(signal, this.clock.nowUs());
  }

  identity(field: string): string {
    this.particulars ??= new Map();
    return remembered(this.particulars, field, () =>
      this.shared.world.identities.invent(field, this.stream(`identity/${field}`)),
    );
  }

  subscribe(filters: readonly string[]): void {
    this.connection.subscribe(
      filters.map((filter) => ({ filter: filter.replaceAll("{thingName}", this.name), qos: 1 as const })),
    );
  }

  publishText({ text, ...message }: { topic: string; text: string; qos: 0 | 1; retain: boolean }): void {
    this.connection.publish({ ...message, payload: Buffer.from(text) });
  }

  configureTelemetry(wanted: { enabled?: boolean; everyUs?: number; slowdown?: number }): void {
    this.telemetry.configure(wanted);
  }

  applyConfig(shadowName: string | undefined, config: JsonObject): void {
    this.emit({ type: "device.config", shadowName, state: config });
  }

  setFirmware(version: string): void {
    this.emit({ type: "device.firmware", version });
  }

  reboot(downUs: number): void {
    this.emit({ type: "device.rebooted" });
    this.connection.reboot(downUs);
  }

  leave(): void {
    this.connection.disconnect("graceful", AWAY_US, "leave");
  }

  comeBack(): void {
    if (this.connection.stateName === "held") this.connection.connect();
  }

  goSilent(): void {
    this.telemetry.stop();
    this.connection.goSilent();
  }

  draw(purpose: string): void {
    this.streams ??= new Map();
    const stream = remembered(this.streams, purpose, () => this.stream(purpose));
    this.send({ type: "DRAWN", purpose, value: stream.fraction() });
  }

  send(event: DeviceSignalEvent): void {
    this.runner.send(event);
  }

  /** The usual life: connects, and sends what its schedule wants from then on. */
  private live(connectAtUs: number): void {
    this.connection.start(connectAtUs);
    this.telemetry.start(this.originUs, connectAtUs);
  }

  private createEnrolment({ wallet, dialer }: DeviceLink): Enrolment | undefined {
    const { plan, world } = this.shared;
    if (plan.claim === undefined || wallet === undefined || wallet.own !== undefined) return undefined;
    return new Enrolment({
      thing: this.plan,
      clock: this.clock,
      random: this,
      run: world.run,
      dialer,
      mqtt: plan.mqtt,
      reconnect: plan.reconnect,
      wallet,
      templateName: plan.claim.templateName,
      parameters: this.shared.parametersOf(this),
      handlers: this,
    });
  }

  private emit(event: DeviceFact): void {
    this.shared.world.events.emit({ ...event, atUs: this.clock.nowUs(), thing: this.name });
  }
}

/** A device event before it is dated and signed. */
type DeviceFact =
  | { readonly type: "device.config"; readonly shadowName: string | undefined; readonly state: JsonObject }
  | { readonly type: "device.firmware"; readonly version: string }
  | { readonly type: "device.rebooted" }
  | { readonly type: "device.provisioned"; readonly tookUs: number }
  | { readonly type: "device.unprovisioned"; readonly reason: string }
  | { readonly type: "device.mode"; readonly mode: string };

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
  }
  return value;
}
