import { type Clock, FleetrigError, type Timer, US_PER_MS } from "fleetrig/kernel";
import type { AnyStateMachine, EventObject, StateValue } from "xstate";
import { InertScope, invokesActor, type MachineState, type RequestedAction } from "./inert-scope.js";

/** Which machine runs, and who carries out what it asks for. */
export interface MachineRunnerOptions {
  readonly machine: AnyStateMachine;
  readonly input: unknown;
  readonly clock: Clock;
  /** Carries out an action by name, after the state has changed. It may `send` to the runner again. */
  readonly effect: (type: string, params: unknown) => void;
  /** An event, and everything it caused at once, led to another state. Not called for the initial state. */
  readonly changed?: (state: string) => void;
}

/**
 * Runs an xstate machine on the run's clock.
 *
 * The machine decides, the runner keeps: its state, its delayed events (delays in milliseconds, as xstate's)
 * and the order of things. Transitions run one at a time; events sent by an effect wait for their turn.
 * Implementations given to a machine's custom actions only type them and are never called; `log` and `emit`
 * do nothing here.
 */
export class MachineRunner {
  private readonly scope: InertScope;
  private snapshot: MachineState | undefined;
  private timers: Map<string, Timer> | undefined;
  private waiting: EventObject[] | undefined;
  private isBusy = false;
  private isStopped = false;

  /** @throws {FleetrigError} MODEL_INVOKES_ACTOR */
  constructor(private readonly options: MachineRunnerOptions) {
    this.scope = InertScope.of(options.machine, options.input);
  }

  /** Enters the initial state and carries out its actions. Does nothing when started before. */
  start(): void {
    if (this.snapshot !== undefined) return;
    const { snapshot, actions } = this.scope.initial(this.options.input);
    if (snapshot.status === "error") throw this.threw(snapshot.error, "entering its initial state");
    this.isBusy = true;
    try {
      this.take(snapshot, actions);
    } finally {
      this.isBusy = false;
    }
    this.drain();
  }

  /** Ends the machine: pending delays are dropped, later events ignored. */
  stop(): void {
    this.isStopped = true;
    this.waiting = undefined;
    this.cancelAll();
  }

  /**
   * Lets the machine react to an event. Ignored before `start`, after `stop` and in a final state.
   * @throws {FleetrigError} MODEL_THREW when a guard or assignment of the machine throws.
   */
  send(event: EventObject): void {
    if (this.snapshot === undefined || this.isStopped || !this.scope.accepts(event.type)) return;
    (this.waiting ??= []).push(event);
    if (this.isBusy) return;
    const before = this.snapshot.value;
    this.drain();
    if (this.options.changed !== undefined && this.snapshot.value !== before) {
      const state = this.state;
      if (state !== dotted(before)) this.options.changed(state);
    }
  }

  /** False when the machine names this event type nowhere. */
  accepts(type: string): boolean {
    return this.scope.accepts(type);
  }

  /** Dotted path of the state, `ota.downloading`; regions of a parallel state are joined by `|`. */
  get state(): string {
    return this.snapshot === undefined ? "" : dotted(this.snapshot.value);
  }

  get context(): unknown {
    return this.snapshot?.context;
  }

  /** True when the machine is in that state or below it. */
  matches(value: StateValue): boolean {
    return this.snapshot?.matches(value) ?? false;
  }

  private drain(): void {
    this.isBusy = true;
    try {
      for (let event = this.waiting?.shift(); event !== undefined; event = this.waiting?.shift()) {
        this.step(event);
      }
    } finally {
      this.isBusy = false;
    }
  }

  private step(event: EventObject): void {
    const before = this.snapshot!;
    if (before.status !== "active") return;
    let step: ReturnType<InertScope["next"]>;
    try {
      step = this.scope.next(before, event);
    } catch (cause) {
      this.waiting = undefined;
      throw this.threw(cause, `handling ${event.type} in "${dotted(before.value)}"`);
    }
    this.take(step.snapshot, step.actions);
  }

  private take(snapshot: MachineState, actions: readonly RequestedAction[]): void {
    this.snapshot = snapshot;
    for (const action of actions) {
      if (this.isStopped) return;
      this.carryOut(action);
    }
    if (snapshot.status !== "active") this.cancelAll();
  }

  private carryOut({ type, params }: RequestedAction): void {
    if (!type.startsWith("xstate.")) return this.options.effect(type, params);
    switch (type) {
      case "xstate.raise":
        return this.raise(params as DelayedRaise);
      case "xstate.cancel":
        return this.cancel((params as { sendId: string }).sendId);
      case "xstate.spawnChild":
      case "xstate.sendTo":
        throw invokesActor(this.options.machine, this.state);
    }
  }

  /** Raises without a delay have already been handled, inside the transition. */
  private raise({ event, id, delay }: DelayedRaise): void {
    if (delay === undefined && id?.startsWith(AFTER) !== true) return;
    if (delay === undefined || Number.isNaN(delay)) {
      throw new FleetrigError("MODEL_BAD_DELAY", `The delay behind "${id ?? event.type}" is not a number.`, {
        hint: "Name the delay under `delays` of setup(), in milliseconds.",
        context: { machine: this.options.machine.id, state: this.state },
        exitCode: 2,
      });
    }
    const key = id ?? `raise.${event.type}`;
    this.cancel(key);
    if (delay === Number.POSITIVE_INFINITY) return;
    const timer = this.options.clock.after(
      Math.round(delay * US_PER_MS),
      (raised) => {
        this.timers?.delete(key);
        this.send(raised);
      },
      event,
    );
    (this.timers ??= new Map()).set(key, timer);
  }

  private cancel(key: string): void {
    this.timers?.get(key)?.cancel();
    this.timers?.delete(key);
  }

  private cancelAll(): void {
    for (const timer of this.timers?.values() ?? []) timer.cancel();
    this.timers = undefined;
  }

  private threw(cause: unknown, doing: string): FleetrigError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { id } = this.options.machine;
    return new FleetrigError("MODEL_THREW", `Model machine "${id}" threw while ${doing}: ${reason}`, {
      hint: "Guards, assignments and delays of a model must be total: they may not throw.",
      context: { machine: id },
      cause,
    });
  }
}

const AFTER = "xstate.after.";

interface DelayedRaise {
  readonly event: EventObject;
  readonly id: string | undefined;
  readonly delay: number | undefined;
}

function dotted(value: StateValue): string {
  if (typeof value === "string") return value;
  const regions = Object.entries(value).map(([name, inner]) => {
    const rest = inner === undefined ? "" : dotted(inner);
    return rest === "" ? name : `${name}.${rest}`;
  });
  return regions.join("|");
}
