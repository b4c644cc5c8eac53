import { FleetrigError } from "fleetrig/kernel";
import { type AnyStateMachine, transition } from "xstate";

/** What one event does in one state. */
export interface Transition<State extends string, Effect extends string> {
  readonly target: State;
  /** Exit, transition and entry actions by name, in xstate's order. */
  readonly effects: readonly Effect[];
}

/** By state, then by event; absent where the event is ignored. */
export type TransitionTable<State extends string, Event extends string, Effect extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, Transition<State, Effect>>>>>
>;

/**
 * Works out a machine once, by asking xstate about every state and event, because asking it again for every
 * device costs microseconds where a look-up costs nanoseconds. Only flat machines without context, guards and
 * delays can be tabulated. The caller vouches for the names.
 * @throws FleetrigError MACHINE_NOT_TABULAR
 */
export function tabulate<State extends string, Event extends string, Effect extends string>(
  machine: AnyStateMachine,
  eventTypes: readonly Event[],
): TransitionTable<State, Event, Effect> {
  const table: Record<string, Record<string, Transition<State, Effect>>> = {};
  for (const state of Object.keys(machine.states)) {
    const row: Record<string, Transition<State, Effect>> = {};
    const snapshot = machine.resolveState({ value: state, context: {} });
    for (const type of eventTypes) {
      const [next, actions] = transition(machine, snapshot, { type });
      const effects = actions.map((action) => action.type as Effect);
      if (typeof next.value !== "string" || effects.some((effect) => effect.startsWith("xstate."))) {
        throw new FleetrigError(
          "MACHINE_NOT_TABULAR",
          `Machine ${machine.id} cannot become a table: see ${state} on ${type}.`,
          { hint: "Only flat machines without delays and spawned actors can be tabulated." },
        );
      }
      if (next.value !== state || effects.length > 0) row[type] = { target: next.value as State, effects };
    }
    table[state] = row;
  }
  return table as TransitionTable<State, Event, Effect>;
}
