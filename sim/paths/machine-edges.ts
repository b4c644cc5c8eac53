import type { AnyStateMachine, EventObject, StateNode } from "xstate";
import type { MachineState } from "../machine/inert-scope.js";

/**
 * A transition by name: `downloading --after block#2`. Those of one state for one event are numbered in the order in which their
 * guards are asked. A delayed event of an action is an edge, too: `JOB_AVAILABLE after ask-again`.
 */
export type Edge = string;

type Transition = StateNode["transitions"] extends Map<string, (infer T)[]> ? T : never;

const names = new WeakMap<AnyStateMachine, ReadonlyMap<Transition, Edge>>();

/** Every transition that the machine has, in the order of its definition. Eventless ones are parts of others. */
export const edgesOf = (machine: AnyStateMachine): readonly Edge[] => [...namesIn(machine).values()];

/** Transitions that the event takes in this state: one for each region that reacts. */
export function edgesTaken(
  machine: AnyStateMachine,
  snapshot: MachineState,
  event: EventObject,
): readonly Edge[] {
  const known = namesIn(machine);
  const taken: readonly Transition[] = machine.getTransitionData(snapshot, event);
  return taken.flatMap((transition) => known.get(transition) ?? []);
}

function namesIn(machine: AnyStateMachine): ReadonlyMap<Transition, Edge> {
  const known = names.get(machine);
  if (known !== undefined) return known;
  const found = new Map<Transition, Edge>();
  const collect = (node: StateNode): void => {
    const state = node.path.length === 0 ? machine.id : node.path.join(".");
    for (const [event, transitions] of node.transitions) {
      for (const [place, transition] of transitions.entries()) {
        const number = transitions.length > 1 ? `#${place + 1}` : "";
        found.set(transition, `${state} --${readable(event)}${number}`);
      }
    }
    for (const child of Object.values(node.states)) collect(child);
  };
  collect(machine.root);
  names.set(machine, found);
  return found;
}

/** `xstate.after.verify.ota-device.verifying` is `after verify`. */
function readable(event: string): string {
  const [xstate, after, delay] = event.split(".");
  return xstate === "xstate" && after === "after" ? `after ${delay}` : event;
}
