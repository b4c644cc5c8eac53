import { FleetrigError, US_PER_MS } from "fleetrig/kernel";
import type { AnyStateMachine, EventObject } from "xstate";
import { InertScope, type MachineState, type RequestedAction } from "../machine/inert-scope.js";
import type { DeviceModel, DeviceSignalEvent, ModelInput } from "../model.js";
import { type Edge, edgesTaken } from "./machine-edges.js";

/**
 * Walks through a device model without a device: what may happen to it is an *input*, and time passes only where an input says so.
 * A walk forks freely, because its states are data; that is what the search for test paths lives on.
 */
export type PathInput =
  /** The machine is sent an event. What comes by MQTT can only come while the device is connected. */
  | { readonly do: "send"; readonly name: string; readonly event: DeviceSignalEvent }
  /** The device is called back, leaves in order until then, or loses its connection for a moment. */
  | { readonly do: "connect" | "leave" | "cut" }
  /** Time passes until the next delay is over, or ends just before. */
  | { readonly do: "elapse" | "fall-short" };

/** How much time inputs take, in ms. A model on a board is slower than one in virtual time. */
export interface PathTimes {
  /** After an input, before the next one. */
  gapMs(input: PathInput): number;
  /** Beyond a delay, so that it is certainly over. */
  readonly slackMs: number;
  /** How much of a delay `fall-short` lets pass. */
  shortMs(remainingMs: number): number;
  /** From a lost connection until the device tries again. */
  readonly retryMs: number;
}

/** Where a walk has come to. */
export interface WalkState {
  readonly snapshot: MachineState;
  readonly atMs: number;
  readonly link: "online" | "held" | "backoff" | "booting" | "gone";
  readonly timers: readonly WalkTimer[];
}

interface WalkTimer {
  readonly id: string;
  readonly dueMs: number;
  /** Undefined for the connection's. */
  readonly event: EventObject | undefined;
}

/** What an input leads to. */
export interface WalkStep {
  readonly state: WalkState;
  /** Time that passes with the input. */
  readonly waitMs: number;
  readonly edges: readonly Edge[];
}

const LINK = "link";
const BY_MQTT = new Set<DeviceSignalEvent["type"]>([
  "JOB",
  "JOB_AVAILABLE",
  "JOB_REJECTED",
  "DELTA",
  "MESSAGE",
]);
/** A machine that raises events for ever in one instant is broken. */
const EVENTS_MAX = 1_000;

/** One model, ready to be walked through. */
export class DeviceWalk {
  private readonly machine: AnyStateMachine;
  private readonly scope: InertScope;

  /** @throws {FleetrigError} MODEL_INVOKES_ACTOR */
  constructor(
    model: DeviceModel,
    private readonly input: ModelInput,
    private readonly times: PathTimes,
  ) {
    this.machine = model.machine;
    this.scope = InertScope.of(model.machine, input);
  }

  /** The device has been powered on and is connected. */
  start(): WalkStep {
    const { snapshot, actions } = this.scope.initial(this.input);
    const moment = new Moment(this.machine, this.scope, this.times, {
      snapshot,
      atMs: 0,
      link: "backoff",
      timers: [{ id: LINK, dueMs: 0, event: undefined }],
    });
    moment.carryOut(actions);
    return moment.pass(this.times.slackMs);
  }

  /** @returns undefined where the input makes no sense: a message to a device that is not connected, time to a device that waits for none. */
  take(state: WalkState, input: PathInput): WalkStep | undefined {
    const waitMs = this.waitMs(state, input);
    if (waitMs === undefined || !isPossible(state, input)) return undefined;
    const moment = new Moment(this.machine, this.scope, this.times, state);
    moment.happen(input);
    return moment.pass(waitMs);
  }

  private waitMs(state: WalkState, input: PathInput): number | undefined {
    if (input.do !== "elapse" && input.do !== "fall-short") return this.times.gapMs(input);
    if (state.timers.length === 0) return undefined;
    const remainingMs = Math.min(...state.timers.map(({ dueMs }) => dueMs)) - state.atMs;
    if (input.do === "elapse") return Math.max(0, remainingMs) + this.times.slackMs;
    const waitMs = this.times.shortMs(remainingMs);
    return waitMs > 0 && waitMs < remainingMs ? waitMs : undefined;
  }
}

function isPossible({ link }: WalkState, input: PathInput): boolean {
  switch (input.do) {
    case "connect":
      return link === "held";
    case "leave":
      return link === "online" || link === "backoff";
    case "cut":
      return link === "online";
    case "send":
      return link === "online" || (link !== "gone" && !BY_MQTT.has(input.event.type));
    default:
      return true;
  }
}

/** What happens from one instant on, step by step. */
class Moment {
  private snapshot: MachineState;
  private atMs: number;
  private link: WalkState["link"];
  private readonly timers: Map<string, WalkTimer>;
  private readonly edges: Edge[] = [];
  private readonly waiting: EventObject[] = [];

  constructor(
    private readonly machine: AnyStateMachine,
    private readonly scope: InertScope,
    private readonly times: PathTimes,
    state: WalkState,
  ) {
    this.snapshot = state.snapshot;
    this.atMs = state.atMs;
    this.link = state.link;
    this.timers = new Map(state.timers.map((timer) => [timer.id, timer]));
  }

  happen(input: PathInput): void {
    if (input.do === "send") this.send(input.event);
    else if (input.do === "connect") this.dial(0);
    else if (input.do === "leave") this.leave();
    else if (input.do === "cut") this.cut();
  }

  /** Lets that much time pass. */
  pass(waitMs: number): WalkStep {
    const untilMs = this.atMs + waitMs;
    for (let next = this.nextTimer(); next !== undefined && next.dueMs <= untilMs; next = this.nextTimer()) {
      this.atMs = Math.max(this.atMs, next.dueMs);
      this.timers.delete(next.id);
      if (next.event !== undefined) {
        if (!next.id.startsWith(AFTER)) this.edges.push(`${next.event.type} after ${next.id}`);
        this.send(next.event);
      } else if (this.link === "backoff" || this.link === "booting") {
        this.link = "online";
        this.send({ type: "CONNECTED", sessionPresent: false } as EventObject);
      }
    }
    this.atMs = untilMs;
    const { snapshot, atMs, link, edges } = this;
    return { state: { snapshot, atMs, link, timers: [...this.timers.values()] }, waitMs, edges };
  }

  carryOut(actions: readonly RequestedAction[]): void {
    for (const { type, params } of actions) {
      if (type === "xstate.raise") this.raise(params as Raise);
      else if (type === "xstate.cancel") this.timers.delete((params as { sendId: string }).sendId);
      else this.effect(type, params);
    }
    if (this.snapshot.status !== "active") this.keepLinkOnly();
  }

  private send(event: EventObject): void {
    this.waiting.push(event);
    if (this.waiting.length > 1) return;
    let count = 0;
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      count += 1;
      if (count > EVENTS_MAX) throw endless(this.machine);
      if (this.snapshot.status === "active") {
        this.edges.push(...edgesTaken(this.machine, this.snapshot, next));
        const step = this.scope.next(this.snapshot, next);
        this.snapshot = step.snapshot;
        this.carryOut(step.actions);
      }
      this.waiting.shift();
    }
  }

  private raise({ event, id, delay }: Raise): void {
    if (delay === undefined || delay === Number.POSITIVE_INFINITY) return;
    const key = id ?? `raise.${event.type}`;
    this.timers.set(key, { id: key, dueMs: this.atMs + delay, event });
  }

  /** Effects that come back as events; all others are left to whoever follows the path. */
  private effect(type: string, params: unknown): void {
    switch (type) {
      case "draw":
        return this.send({
          type: "DRAWN",
          purpose: (params as { purpose: string }).purpose,
          value: 0.5,
        } as EventObject);
      case "reboot":
        if (this.link === "gone") return;
        this.lose();
        this.link = "booting";
        this.wait((params as { downUs: number }).downUs / US_PER_MS);
        return;
      case "leave":
        return this.leave();
      case "comeBack":
        if (this.link === "held") this.dial(0);
        return;
      case "goSilent":
        this.lose();
        this.link = "gone";
        this.timers.delete(LINK);
    }
  }

  private leave(): void {
    if (this.link === "booting" || this.link === "gone") return;
    this.lose();
    this.link = "held";
    this.timers.delete(LINK);
  }

  private cut(): void {
    this.lose();
    this.dial(this.times.retryMs);
  }

  private dial(delayMs: number): void {
    this.link = "backoff";
    this.wait(delayMs);
  }

  private wait(delayMs: number): void {
    this.timers.set(LINK, { id: LINK, dueMs: this.atMs + delayMs, event: undefined });
  }

  private lose(): void {
    if (this.link !== "online") return;
    this.link = "held";
    this.send({ type: "DISCONNECTED", reason: "path" } as EventObject);
  }

  private keepLinkOnly(): void {
    for (const id of this.timers.keys()) if (id !== LINK) this.timers.delete(id);
  }

  private nextTimer(): WalkTimer | undefined {
    let next: WalkTimer | undefined;
    for (const timer of this.timers.values())
      if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    return next;
  }
}

const AFTER = "xstate.after.";

interface Raise {
  readonly event: EventObject;
  readonly id: string | undefined;
  readonly delay: number | undefined;
}

const endless = (machine: AnyStateMachine): FleetrigError =>
  new FleetrigError(
    "MODEL_ENDLESS",
    `Model machine "${machine.id}" has taken ${EVENTS_MAX} events in one instant.`,
    {
      hint: "Effects that answer with an event must not be asked for by that event's own transition for ever.",
      context: { machine: machine.id },
      exitCode: 2,
    },
  );
