import {
  FleetrigError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  type Random,
  type RandomSource,
} from "fleetrig/kernel";
import {
  jobsTopicPrefix,
  parseReservedTopic,
  type PublishPacket,
  shadowTopicPrefix,
  topicMatches,
} from "fleetrig/protocol";
import {
  type BoardControls,
  DeviceConnection,
  DeviceGroup,
  type DisconnectMode,
  type FleetMember,
  IdentityBook,
  shadowSettings,
  type StateChange,
  type TemplateScope,
} from "fleetrig/sim";
import type { BoardMemberOptions } from "../bench/bench.js";
import type { LineProfile } from "./line-profile.js";
import { linesOf, LineReader, type LineReading } from "./line-reader.js";

/** The line as its member uses it. */
interface MemberLine {
  readonly isUp: boolean;
  write(line: string): void;
}

export interface LineMemberOptions extends BoardMemberOptions {
  readonly line: MemberLine;
  readonly profile: LineProfile;
  readonly controls: BoardControls;
  /** Of the run. */
  readonly random: RandomSource;
}

type Occasion = LineProfile["write"][number]["on"];

/** Without its board a device stays away until it is called back. */
const AWAY_US = 10 * 365 * 86_400e6;
const MAX_DEPTH = 32;

/**
 * A board that speaks in lines, as a member of the fleet: the bench is the MQTT client in its stead, with the group's settings. Telemetry goes
 * out when the board says something, not on a schedule.
 */
export class LineMember implements FleetMember, TemplateScope {
  sequence = 0;
  nowMs = 0;
  private readonly reader: LineReader;
  private readonly compiled: DeviceGroup;
  private readonly connection: DeviceConnection;
  private readonly sequences = new Map<number, number>();
  private readonly values = new Map<string, JsonValue>();
  private readonly shadowName: string | undefined;
  private job: { readonly jobId: string; readonly executionNumber: number } | undefined;
  private originUs: number | undefined;
  private isStarted = false;

  /** @throws FleetrigError `BOARD_LOG_PATTERN`, and the errors of templates */
  constructor(private readonly options: LineMemberOptions) {
    const { profile, plan, group, clock, events, probe, run, dialer, random } = options;
    this.reader = new LineReader(profile);
    this.compiled = new DeviceGroup(group, { random, events, probe, run, identities: new IdentityBook() });
    this.shadowName = shadowSettings(group.settings).shadowName;
    this.connection = new DeviceConnection({
      thing: plan,
      clock,
      random: { stream: (purpose) => this.stream(purpose) },
      events,
      probe,
      run,
      dialer,
      mqtt: group.mqtt,
      will: this.compiled.willOf(this),
      login: this.compiled.loginOf(this),
      reconnect: group.reconnect,
      buffer: group.buffer,
      handlers: {
        online: () => this.online(),
        offline: (reason) => this.say("disconnected", { reason }),
        message: (packet) => this.message(packet),
      },
    });
  }

  get name(): string {
    return this.options.plan.name;
  }

  get thingName(): string {
    return this.options.plan.name;
  }

  get index(): number {
    return this.options.plan.index;
  }

  get group(): string {
    return this.options.group.group;
  }

  get ordinal(): number {
    return this.options.plan.ordinal;
  }

  get attributes(): JsonObject {
    return this.options.plan.attributes;
  }

  get isOnline(): boolean {
    return this.connection.isOnline;
  }

  get board(): BoardControls {
    return this.options.controls;
  }

  start(originUs = 0): void {
    this.originUs = originUs;
    this.begin();
  }

  stop(): void {
    this.connection.stop();
  }

  disconnect(mode: DisconnectMode, holdUs: number, action: string): void {
    this.connection.disconnect(mode, holdUs, action);
  }

  connect(): void {
    this.connection.connect();
  }

  setState(values: Readonly<Record<string, StateChange>>): void {
    const entries = Object.entries(values).map(([name, change]): [string, JsonValue] => [
      name,
      "to" in change ? change.to : change.rampTo,
    ]);
    this.say("set", Object.fromEntries(entries));
  }

  setFault(fault: string, active: boolean, detail: JsonObject): boolean {
    return this.options.faults.set(fault, active, detail);
  }

  state(signal: string): JsonValue | undefined {
    return this.values.get(signal);
  }

  identity(field: string): string {
    return this.compiled.world.identities.invent(field, this.stream(`identity/${field}`));
  }

  /** The board's firmware runs (again). */
  up(): void {
    this.begin();
  }

  /** The board is gone. */
  down(): void {
    if (this.isStarted) this.connection.reboot(AWAY_US);
  }

  /** A line of the board. */
  line(text: string): void {
    const reading = this.reader.read(text);
    if (reading === undefined || !this.isStarted) return;
    for (const [name, value] of Object.entries(reading.values)) this.values.set(name, value);
    if (reading.rule.as === "telemetry") this.publishTelemetry(reading);
    if (reading.rule.as === "reported") this.report(reading.values);
    if (reading.rule.as === "job") this.updateJob(reading);
  }

  private stream(purpose: string): Random {
    return this.options.random.stream(`thing/${this.name}/${purpose}`);
  }

  private begin(): void {
    const { line, plan } = this.options;
    if (this.originUs === undefined || !line.isUp) return;
    if (this.isStarted) this.connection.connect();
    else this.connection.start(this.originUs + plan.connectAtUs);
    this.isStarted = true;
  }

  private online(): void {
    const shadow = shadowTopicPrefix(this.name, this.shadowName);
    const jobs = jobsTopicPrefix(this.name);
    const { write, read } = this.options.profile;
    const filters = write.flatMap(({ on, topic }) =>
      on === "message" && topic !== undefined ? [topic.replaceAll("{thingName}", this.name)] : [],
    );
    const hasShadow = write.some(({ on }) => on === "delta") || read.some(({ as }) => as === "reported");
    const hasJobs = write.some(({ on }) => on === "job");
    if (hasShadow) filters.push(`${shadow}/update/delta`, `${shadow}/get/accepted`);
    if (hasJobs) filters.push(`${jobs}/notify-next`, `${jobs}/start-next/accepted`);
    if (filters.length > 0) this.connection.subscribe(filters.map((filter) => ({ filter, qos: 1 as const })));
    if (hasShadow) this.request(`${shadow}/get`, undefined);
    if (hasJobs) this.request(`${jobs}/start-next`, {});
    this.say("connected", { thingName: this.name });
  }

  private message({ topic, payload }: PublishPacket): void {
    const text = Buffer.from(payload).toString();
    const parsed = parseJson(text, MAX_DEPTH);
    const body = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
    const reserved = parseReservedTopic(topic);
    if (reserved?.service === "shadow") {
      const { state } = body;
      const delta = reserved.operation === "get" && isJsonObject(state) ? state["delta"] : state;
      if (isJsonObject(delta)) this.say("delta", delta);
    } else if (reserved?.service === "jobs") {
      this.jobMessage(body["execution"], topic.endsWith("/notify-next"));
    } else {
      this.say("message", { ...body, topic, payload: text }, topic);
    }
  }

  private jobMessage(execution: JsonValue | undefined, isNotice: boolean): void {
    if (!isJsonObject(execution)) return;
    if (isNotice) {
      if (this.job === undefined) this.request(`${jobsTopicPrefix(this.name)}/start-next`, {});
      return;
    }
    const { jobId, executionNumber, jobDocument } = execution;
    if (typeof jobId !== "string") return;
    this.job = { jobId, executionNumber: typeof executionNumber === "number" ? executionNumber : 1 };
    this.say("job", { ...(isJsonObject(jobDocument) ? jobDocument : {}), jobId });
  }

  private updateJob({ rule, values }: LineReading): void {
    const { job } = this;
    if (job === undefined || rule.status === undefined) return;
    const { jobId, executionNumber } = job;
    const statusDetails = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    );
    const prefix = jobsTopicPrefix(this.name);
    this.request(`${prefix}/${jobId}/update`, { status: rule.status, executionNumber, statusDetails });
    if (rule.status === "IN_PROGRESS") return;
    this.job = undefined;
    this.request(`${prefix}/start-next`, {});
  }

  private report(reported: JsonObject): void {
    const { events, clock } = this.options;
    const { shadowName } = this;
    events.emit({
      type: "device.config",
      atUs: clock.nowUs(),
      thing: this.name,
      shadowName,
      state: reported,
    });
    this.request(`${shadowTopicPrefix(this.name, shadowName)}/update`, { state: { reported } });
  }

  private publishTelemetry({ rule }: LineReading): void {
    const { streams } = this.compiled;
    const stream =
      rule.stream === undefined ? streams[0] : streams.find(({ plan }) => plan.name === rule.stream);
    if (stream === undefined) return;
    const { clock } = this.options;
    const sequence = this.sequences.get(stream.plan.stream) ?? 0;
    this.sequences.set(stream.plan.stream, sequence + 1);
    this.sequence = sequence;
    this.nowMs = clock.wallMs();
    const { qos, retain, stream: number } = stream.plan;
    this.connection.publish({
      topic: stream.topic.render(this),
      payload: Buffer.from(stream.payload.render(this)),
      qos,
      retain,
      trace: { stream: number, sequence, scheduledUs: clock.nowUs() },
    });
  }

  private request(topic: string, body: JsonValue | undefined): void {
    const payload = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    this.connection.publish({ topic, payload, qos: 1, retain: false });
  }

  private say(on: Occasion, values: JsonObject, topic?: string): void {
    const { profile, line } = this.options;
    for (const writing of profile.write) {
      if (writing.on !== on) continue;
      const filter = writing.topic?.replaceAll("{thingName}", this.name);
      if (topic !== undefined && filter !== undefined && !topicMatches(filter, topic, "oasis")) continue;
      for (const text of linesOf(writing.write, values)) line.write(text);
    }
  }
}

/** What cannot be done to a board of which only its lines are known. */
export const unsupportedByLines = (what: string): FleetrigError =>
  new FleetrigError("BOARD_UNSUPPORTED", `A board that speaks in lines cannot ${what}.`, {
    hint: "Put what its firmware understands into the line profile, under write.",
  });
