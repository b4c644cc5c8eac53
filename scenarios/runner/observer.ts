import {
  type Clock,
  type DeliveryProbe,
  parseJson,
  parseTraceTag,
  type RandomSource,
  RULE_PROPERTY,
  silentProbe,
  silentSink,
  TRACE_PROPERTY,
  type TraceTag,
} from "fleetrig/kernel";
import type { Dialer, PublishPacket } from "fleetrig/protocol";
import { DeviceConnection, type MqttPlan } from "fleetrig/sim";
import type { RuleSpec } from "../scenario.js";
import type { PlannedFleet, StreamPlan } from "./fleet-plan.js";

/**
 * The observer is the harness's own MQTT client: it stands for the application behind the broker, subscribes to
 * every telemetry stream and every topic that rules republish to, and tells the ledger what arrived. It
 * connects like anybody else, so the same measurement works against a broker that is not ours.
 */
const OBSERVER_CLIENT_ID = "fleetrig-observer";

/** AWS: at most 8 filters per SUBSCRIBE. */
const FILTERS_PER_SUBSCRIBE = 8;

/** A reconnect every second: the observer must be there; its absence would count as loss. */
const RECONNECT = {
  policy: "constant",
  baseUs: 1_000_000,
  capUs: 1_000_000,
  resetAfterUs: 1_000_000,
} as const;

export const OBSERVER_MQTT: MqttPlan = {
  protocolVersion: 5,
  keepAliveS: 1200,
  cleanStart: false,
  sessionExpiryS: 86_400,
  receiveMaximum: 65_535,
  will: undefined,
};

export interface ObserverOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dialer: Dialer;
  readonly probe: DeliveryProbe;
  readonly run: string;
  readonly filters: readonly string[];
  readonly planned: Pick<PlannedFleet, "streams" | "things" | "tracer">;
}

export class Observer {
  private readonly connection: DeviceConnection;
  private awaited: number;
  private foreign = 0;
  private readyListener: () => void = () => undefined;

  constructor(private readonly options: ObserverOptions) {
    const { clock, random, dialer, run, filters } = options;
    this.awaited = filters.length;
    this.connection = new DeviceConnection({
      thing: { name: `${OBSERVER_CLIENT_ID}-${run}`, ordinal: 0 },
      clock,
      random: { stream: (purpose) => random.stream(`observer/${purpose}`) },
      events: silentSink,
      // The observer publishes nothing of its own.
      probe: silentProbe,
      run,
      dialer,
      mqtt: OBSERVER_MQTT,
      reconnect: RECONNECT,
      buffer: { capacity: 0, overflow: "drop-newest" },
      handlers: {
        online: () => this.announceWhenReady(),
        offline: () => undefined,
        message: (packet) => this.received(packet),
        subscribed: () => this.granted(),
      },
    });
  }

  /** Messages that carried no tag of this run. */
  get foreignMessages(): number {
    return this.foreign;
  }

  get isOnline(): boolean {
    return this.connection.isOnline;
  }

  /** True when every subscription was granted. */
  get isReady(): boolean {
    return this.awaited <= 0 && this.connection.isOnline;
  }

  /** @param ready Called once, when every subscription was granted. */
  start(ready: () => void): void {
    const { filters } = this.options;
    this.readyListener = ready;
    this.connection.start(this.options.clock.nowUs());
    for (let i = 0; i < filters.length; i += FILTERS_PER_SUBSCRIBE) {
      this.connection.subscribe(
        filters.slice(i, i + FILTERS_PER_SUBSCRIBE).map((filter) => ({ filter, qos: 1 })),
      );
    }
  }

  stop(): void {
    this.connection.stop();
  }

  private granted(): void {
    this.awaited -= 1;
    this.announceWhenReady();
  }

  private announceWhenReady(): void {
    if (!this.isReady) return;
    const ready = this.readyListener;
    this.readyListener = () => undefined;
    ready();
  }

  /** A retained message was sent some time before: by this run's device or another's. */
  private derivedTag({ retain, topic, payload }: PublishPacket): string | undefined {
    const { planned, run } = this.options;
    if (retain) return undefined;
    return planned.tracer.tagOf(run, topic, () => parseJson(Buffer.from(payload).toString(), MAX_JSON_DEPTH));
  }

  /** Anybody may write a tag: only one of this run's streams and things is believed. */
  private isOurs({ run, stream, thing }: TraceTag): boolean {
    const { streams, things } = this.options.planned;
    return run === this.options.run && streams[stream]?.group === (things[thing]?.group ?? "");
  }

  private received(packet: PublishPacket): void {
    const tag = parseTraceTag(userProperty(packet, TRACE_PROPERTY) ?? this.derivedTag(packet) ?? "");
    if (tag === undefined || !this.isOurs(tag)) {
      this.foreign += 1;
      return;
    }
    const { probe, clock } = this.options;
    const rule = userProperty(packet, RULE_PROPERTY);
    if (rule === undefined) probe.received(tag.stream, tag.thing, tag.sequence, clock.nowUs(), packet.dup);
    else probe.ruleOutput(rule, tag.stream, tag.thing, tag.sequence, clock.nowUs());
  }
}

/** Nesting that is looked into for a sequence number. */
const MAX_JSON_DEPTH = 64;

const userProperty = (packet: PublishPacket, name: string): string | undefined => {
  for (const [key, value] of packet.userProperties ?? []) if (key === name) return value;
  return undefined;
};

/** What the observer must subscribe to, to see every stream and every rule's output once. */
export function observedFilters(streams: readonly StreamPlan[], rules: readonly RuleSpec[]): string[] {
  const filters = new Set(streams.map(({ topic }) => filterOf(topic, /\{[^}]*\}/)));
  for (const action of rules.flatMap((rule) => rule.actions)) {
    const topic = (action["republish"] as { topic?: unknown } | undefined)?.topic;
    // `$$aws/...` goes to the reserved topics: the services answer there, nobody needs to listen.
    if (typeof topic === "string" && !topic.startsWith("$$")) filters.add(filterOf(topic, /\$\{[^}]*\}/));
  }
  return [...filters];
}

/** `building/{site}/x` observed as `building/+/x`: a level with a placeholder in it can be anything. */
const filterOf = (template: string, placeholder: RegExp): string =>
  splitLevels(template)
    .map((level) => (placeholder.test(level) ? "+" : level))
    .join("/");

/** Splits at slashes outside braces: `${topic(1)}/x` and `{a/b}` keep their insides. */
function splitLevels(template: string): string[] {
  const levels = [""];
  let depth = 0;
  for (const char of template) {
    if (char === "{") depth += 1;
    if (char === "}") depth -= 1;
    if (char === "/" && depth === 0) levels.push("");
    else levels[levels.length - 1] += char;
  }
  return levels;
}
