import {
  type Clock,
  type DeliveryProbe,
  type EventSink,
  isJsonObject,
  isMarkerName,
  type JsonObject,
  type JsonValue,
  parseTraceTag,
  TRACE_PROPERTY,
} from "fleetrig/kernel";
import type { Packet } from "fleetrig/protocol";
import type { DisconnectMode, MemberPlan } from "fleetrig/sim";
import type { StreamSchedule } from "./configuration.js";

/** Who the events of a board belong to, and who is told. */
export interface MemberEventsOptions {
  readonly plan: MemberPlan;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly probe: DeliveryProbe;
  readonly run: string;
  readonly schedules: ReadonlyMap<number, StreamSchedule>;
  readonly toHostUs: (boardUs: number) => number;
}

/** Sequence numbers beyond this belong to no run; ledgers keep them in 32 bits. */
const SEQUENCE_MAX = 0x7fff_ffff;
const TEXT_MAX = 256;
const PIN_MAX = 255;
/** Messages that were seen on their way and of which the board has not told yet. */
const UNTOLD_MAX = 256;

/** What is known of one stream of messages. */
interface StreamProgress extends StreamSchedule {
  /** Sequence number after the highest that was told as sent. */
  next: number;
}

type Reading = (event: JsonObject, atUs: number) => void;

/**
 * Turns what a board tells into what a virtual device in its place would have told: the same events and calls of the probe, in
 * the time of the run. A board can tell anything: what makes no sense is counted and otherwise ignored.
 */
export class MemberEvents {
  /** CONNACK received and the link not lost since, as the board has told. */
  isOnline = false;
  /** Events that made no sense. */
  strange = 0;
  private readonly streams: ReadonlyMap<number, StreamProgress>;
  /** Sent as far as the tunnel has seen, but not yet as far as the board has told. */
  private readonly untold = new Map<string, { stream: number; sequence: number; atUs: number }>();
  private originUs = 0;
  /** What an action of the scenario did to the connection, until it is open again. */
  private cause: { readonly action: string; readonly mode: DisconnectMode } | undefined;

  constructor(private readonly options: MemberEventsOptions) {
    this.streams = new Map(
      [...options.schedules].map(([stream, schedule]) => [stream, { ...schedule, next: 0 }]),
    );
  }

  /** Planned times count from here. */
  started(originUs: number): void {
    this.originUs = originUs;
  }

  /** What is lost from now on goes back to this action. */
  caused(action: string, mode: DisconnectMode): void {
    this.cause = { action, mode };
  }

  take(event: JsonObject): void {
    const { ev } = event;
    const reading = typeof ev === "string" ? this.readings.get(ev) : undefined;
    if (reading === undefined) this.strange += 1;
    else reading(event, this.timeOf(event["at"]));
  }

  /** A packet of the board's goes on to the broker. */
  passing(packet: Packet): void {
    if (packet.type !== "publish" || this.untold.size >= UNTOLD_MAX) return;
    const text = packet.userProperties?.find(([name]) => name === TRACE_PROPERTY)?.[1];
    const tag = text === undefined ? undefined : parseTraceTag(text);
    if (tag === undefined || tag.run !== this.options.run || tag.thing !== this.options.plan.ordinal) return;
    const { stream, sequence } = tag;
    if (sequence < (this.streams.get(stream)?.next ?? Number.POSITIVE_INFINITY)) return;
    this.untold.set(`${stream}/${sequence}`, { stream, sequence, atUs: this.options.clock.nowUs() });
  }

  /** The session with the board is over: what it had not told yet, it never will. */
  lineLost(): void {
    for (const { stream, sequence, atUs } of this.untold.values()) {
      this.reportSent(stream, sequence, this.dueUs(stream, atUs), atUs);
    }
    this.untold.clear();
  }

  /** The connection is gone, and the board cannot tell. */
  cut(reason: string): void {
    if (this.isOnline) this.end("lost", this.options.clock.nowUs(), { reason });
  }

  /** It left in order because the run is over. */
  left(): void {
    if (this.isOnline) this.end("closed", this.options.clock.nowUs(), {});
  }

  private readonly readings: ReadonlyMap<string, Reading> = new Map<string, Reading>([
    ["connection", (event, atUs) => this.connection(event, atUs)],
    ["sent", (event, atUs) => this.sent(event, atUs)],
    ["acked", (event, atUs) => this.acked(event, atUs)],
    ["resent", (event, atUs) => this.resent(event, atUs)],
    ["discarded", (event) => this.discarded(event)],
    [
      "config",
      ({ shadow, state }, atUs) => {
        const shadowName = textOf(shadow);
        if (isJsonObject(state)) this.emit({ type: "device.config", atUs, shadowName, state });
        else this.strange += 1;
      },
    ],
    [
      "firmware",
      ({ version }, atUs) =>
        this.withText(version, (text) => this.emit({ type: "device.firmware", atUs, version: text })),
    ],
    [
      "mode",
      ({ mode }, atUs) => this.withText(mode, (text) => this.emit({ type: "device.mode", atUs, mode: text })),
    ],
    ["rebooting", (_event, atUs) => this.emit({ type: "device.rebooted", atUs })],
    ["sleeping", (event, atUs) => this.sleeping(event, atUs)],
    ["gpio", (event, atUs) => this.gpio(event, atUs)],
    ["marker", (event, atUs) => this.marker(event, atUs)],
  ]);

  private sleeping({ us }: JsonObject, atUs: number): void {
    const forUs = countOf(us);
    if (forUs === undefined) this.strange += 1;
    else this.emit({ type: "board.sleeping", atUs, forUs });
  }

  private gpio({ pin, level }: JsonObject, atUs: number): void {
    const number = countOf(pin);
    if (number === undefined || number > PIN_MAX || typeof level !== "boolean") this.strange += 1;
    else this.emit({ type: "board.gpio", atUs, pin: number, isHigh: level });
  }

  private marker({ name, value, us }: JsonObject, atUs: number): void {
    if (typeof name !== "string" || !isMarkerName(name)) {
      this.strange += 1;
      return;
    }
    const number = typeof value === "number" ? value : undefined;
    this.emit({ type: "board.marker", atUs, name, value: number, tookUs: countOf(us) });
  }

  private connection(event: JsonObject, atUs: number): void {
    const { kind, attempt, sessionPresent, resumeExpected, connectUs } = event;
    const reason = textOf(event["reason"]) ?? "unknown";
    switch (kind) {
      case "attempt":
        return this.emit({ type: "connection.attempt", atUs, attempt: countOf(attempt) ?? 0 });
      case "open":
        this.isOnline = true;
        this.cause = undefined;
        return this.emit({
          type: "connection.open",
          atUs,
          sessionPresent: sessionPresent === true,
          resumeExpected: resumeExpected === true,
          connectUs: countOf(connectUs) ?? 0,
        });
      case "refused":
        return this.emit({ type: "connection.refused", atUs, reason });
      case "lost":
        // Told already, when the line to the board went.
        if (!this.isOnline) return;
        return this.end("lost", atUs, {
          reason: this.cause?.mode ?? reason,
          action: textOf(event["action"]),
        });
      case "closed":
        if (!this.isOnline) return;
        return this.end("closed", atUs, { action: textOf(event["action"]) });
      default:
        this.strange += 1;
    }
  }

  private end(
    kind: "lost" | "closed",
    atUs: number,
    of: { reason?: string; action?: string | undefined },
  ): void {
    this.isOnline = false;
    const action = of.action ?? this.cause?.action;
    const attribution = action === undefined ? {} : { action };
    if (kind === "closed") this.emit({ type: "connection.closed", atUs, ...attribution });
    else this.emit({ type: "connection.lost", atUs, reason: of.reason ?? "unknown", ...attribution });
  }

  private sent({ s, q, due }: JsonObject, atUs: number): void {
    const message = this.messageOf(s, q);
    if (message === undefined || this.isTold(message)) return;
    const [stream, sequence] = message;
    const dueUs = typeof due === "number" ? this.options.toHostUs(due) : this.dueUs(stream, atUs);
    this.reportSent(stream, sequence, Math.min(Math.round(dueUs), atUs), atUs);
  }

  private acked({ s, q, code }: JsonObject, atUs: number): void {
    const message = this.messageOf(s, q);
    if (message === undefined) return;
    this.assumeSent(message, atUs);
    this.options.probe.acked(message[0], this.options.plan.ordinal, message[1], atUs, countOf(code) ?? 0);
  }

  private resent({ s, q }: JsonObject, atUs: number): void {
    const message = this.messageOf(s, q);
    if (message === undefined) return;
    this.assumeSent(message, atUs);
    this.options.probe.retransmitted(message[0], this.options.plan.ordinal, message[1]);
  }

  private discarded({ s, q, due }: JsonObject): void {
    const message = this.messageOf(s, q);
    if (message === undefined) return;
    const [stream, sequence] = message;
    const nowUs = this.options.clock.nowUs();
    const dueUs = typeof due === "number" ? this.options.toHostUs(due) : this.dueUs(stream, nowUs);
    this.options.probe.discarded(stream, this.options.plan.ordinal, sequence, Math.round(dueUs));
  }

  /** The event that told of the first sending went down with a session. */
  private assumeSent(message: readonly [stream: number, sequence: number], atUs: number): void {
    if (this.isTold(message)) return;
    const [stream, sequence] = message;
    const sentUs = this.untold.get(`${stream}/${sequence}`)?.atUs ?? atUs;
    this.reportSent(stream, sequence, this.dueUs(stream, sentUs), sentUs);
  }

  private isTold([stream, sequence]: readonly [stream: number, sequence: number]): boolean {
    return sequence < this.streams.get(stream)!.next;
  }

  private reportSent(stream: number, sequence: number, dueUs: number, atUs: number): void {
    const progress = this.streams.get(stream)!;
    progress.next = Math.max(progress.next, sequence + 1);
    this.untold.delete(`${stream}/${sequence}`);
    this.options.probe.sent(stream, this.options.plan.ordinal, sequence, dueUs, atUs);
  }

  /** The nearest planned instant: what the schedule most likely had in mind for a message that was sent then. */
  private dueUs(stream: number, sentUs: number): number {
    const { everyUs, offsetUs } = this.streams.get(stream)!;
    const firstUs = this.originUs + offsetUs;
    const ticks = Math.max(0, Math.floor((sentUs - firstUs) / everyUs));
    return Math.min(sentUs, firstUs + ticks * everyUs);
  }

  private messageOf(
    s: JsonValue | undefined,
    q: JsonValue | undefined,
  ): readonly [stream: number, sequence: number] | undefined {
    const stream = countOf(s);
    const sequence = countOf(q);
    if (
      stream !== undefined &&
      sequence !== undefined &&
      sequence <= SEQUENCE_MAX &&
      this.streams.has(stream)
    ) {
      return [stream, sequence];
    }
    this.strange += 1;
    return undefined;
  }

  private withText(value: JsonValue | undefined, use: (text: string) => void): void {
    const text = textOf(value);
    if (text === undefined) this.strange += 1;
    else use(text);
  }

  /** Nothing that is heard of has yet to happen, whatever the fit says. */
  private timeOf(at: JsonValue | undefined): number {
    const nowUs = this.options.clock.nowUs();
    if (typeof at !== "number") return nowUs;
    return Math.max(0, Math.min(nowUs, Math.round(this.options.toHostUs(at))));
  }

  private emit(fact: MemberFact): void {
    this.options.events.emit({ ...fact, thing: this.options.plan.name });
  }
}

/** An event before it is signed. */
type MemberFact =
  | { readonly type: "connection.attempt"; readonly atUs: number; readonly attempt: number }
  | {
      readonly type: "connection.open";
      readonly atUs: number;
      readonly sessionPresent: boolean;
      readonly resumeExpected: boolean;
      readonly connectUs: number;
    }
  | { readonly type: "connection.refused"; readonly atUs: number; readonly reason: string }
  | {
      readonly type: "connection.lost";
      readonly atUs: number;
      readonly reason: string;
      readonly action?: string;
    }
  | { readonly type: "connection.closed"; readonly atUs: number; readonly action?: string }
  | {
      readonly type: "device.config";
      readonly atUs: number;
      readonly shadowName: string | undefined;
      readonly state: JsonObject;
    }
  | { readonly type: "device.firmware"; readonly atUs: number; readonly version: string }
  | { readonly type: "device.mode"; readonly atUs: number; readonly mode: string }
  | { readonly type: "device.rebooted"; readonly atUs: number }
  | { readonly type: "board.sleeping"; readonly atUs: number; readonly forUs: number }
  | {
      readonly type: "board.gpio";
      readonly atUs: number;
      readonly pin: number;
      readonly isHigh: boolean;
    }
  | {
      readonly type: "board.marker";
      readonly atUs: number;
      readonly name: string;
      readonly value: number | undefined;
      readonly tookUs: number | undefined;
    };

const countOf = (value: JsonValue | undefined): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;

const textOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === "string" && value.length <= TEXT_MAX ? value : undefined;
