import { FleetrigError } from "fleetrig/kernel";
import { type AnyStateMachine, createActor, type EventObject, type StateNode } from "xstate";

/** An action that a transition asks for: data, not yet done. */
export interface RequestedAction {
  readonly type: string;
  readonly params: unknown;
}

/** A transition's outcome. The snapshot is shared, immutable data. */
export interface Step {
  readonly snapshot: MachineState;
  readonly actions: readonly RequestedAction[];
}

export type MachineState = ReturnType<AnyStateMachine["getInitialSnapshot"]>;
type ActorScope = Parameters<AnyStateMachine["transition"]>[2];

/**
 * One machine as a pure function. xstate's own `transition()` builds an actor system for every call, which
 * costs ten times the transition; this keeps one scope, in which nothing can happen, for all devices that
 * share the machine. Its scheduler, clock and ids are never used: they would read the host's time.
 */
export class InertScope {
  private static readonly byMachine = new WeakMap<AnyStateMachine, InertScope>();
  private readonly scope: ActorScope;
  private readonly eventTypes: ReadonlySet<string>;
  private readonly acceptsAll: boolean;
  private requested: RequestedAction[] = [];
  private lastInput: unknown;
  private lastInitial: Step | undefined;

  /** @throws {FleetrigError} MODEL_INVOKES_ACTOR */
  static of(machine: AnyStateMachine, input: unknown): InertScope {
    const known = InertScope.byMachine.get(machine);
    if (known !== undefined) return known;
    const scope = new InertScope(machine, input);
    InertScope.byMachine.set(machine, scope);
    return scope;
  }

  private constructor(
    private readonly machine: AnyStateMachine,
    input: unknown,
  ) {
    refuseInvokedActors(machine);
    const nothing = (): void => undefined;
    const self = createActor(machine, { input, logger: nothing });
    this.scope = {
      self,
      system: self.system,
      id: machine.id,
      sessionId: machine.id,
      logger: nothing,
      defer: nothing,
      emit: nothing,
      stopChild: nothing,
      actionExecutor: (action) => this.requested.push(action),
    };
    this.eventTypes = new Set(machine.events);
    this.acceptsAll = machine.events.some((type) => type.includes("*"));
  }

  /** False when the machine names this event nowhere, so that sending it can be spared. */
  accepts(type: string): boolean {
    return this.acceptsAll || this.eventTypes.has(type);
  }

  /** Runners that are given the same input object share one initial state. */
  initial(input: unknown): Step {
    if (this.lastInitial !== undefined && input === this.lastInput) return this.lastInitial;
    const requested: RequestedAction[] = [];
    this.requested = requested;
    const snapshot = this.machine.getInitialSnapshot(this.scope, input);
    this.lastInput = input;
    this.lastInitial = { snapshot, actions: requested };
    return this.lastInitial;
  }

  next(snapshot: MachineState, event: EventObject): Step {
    const requested: RequestedAction[] = [];
    this.requested = requested;
    return { snapshot: this.machine.transition(snapshot, event, this.scope), actions: requested };
  }
}

function refuseInvokedActors(machine: AnyStateMachine): void {
  const pending: StateNode[] = [machine.root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.invoke.length > 0) throw invokesActor(machine, node.path.join("."));
    pending.push(...Object.values(node.states));
  }
}

export const invokesActor = (machine: AnyStateMachine, where: string): FleetrigError =>
  new FleetrigError("MODEL_INVOKES_ACTOR", `Model machine "${machine.id}" runs an actor in "${where}".`, {
    hint: "Actors and promises resolve outside the run's clock: use `after`, `raise` with a delay, or an effect.",
    context: { machine: machine.id, state: where },
    exitCode: 2,
  });
