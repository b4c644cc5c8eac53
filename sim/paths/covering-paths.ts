import type { DeviceModel } from "../model.js";
import type { DeviceWalk, PathInput, WalkState, WalkStep } from "./device-walk.js";
import { type Edge, edgesOf } from "./machine-edges.js";

/** What is done to a device, one input after the other, from its start. */
export interface DevicePath {
  readonly inputs: readonly PathInput[];
  /** Transitions on the way, in order, each once. */
  readonly edges: readonly Edge[];
}

export interface CoveringOptions {
  readonly model: DeviceModel;
  readonly walk: DeviceWalk;
  /** All that may happen; `elapse` is always among it. */
  readonly inputs: readonly PathInput[];
  /** Keeps the search out of what is not worth a look. */
  readonly isWorthwhile?: (state: WalkState, input: PathInput) => boolean;
  /** What of the machine's context decides what it does next. Default: all of it. Less of it makes the search shorter. */
  readonly essence?: (context: unknown) => unknown;
  /** The search ends there. Default 100,000. */
  readonly maxStates?: number;
}

/** Paths that together take every transition that can be taken. */
export interface Covering {
  readonly paths: readonly DevicePath[];
  /** Transitions of the machine, and delayed events that were met. */
  readonly edges: readonly Edge[];
  /** Those that no path was found to. */
  readonly missing: readonly Edge[];
  /** States of the machine that were visited, dotted. */
  readonly states: readonly string[];
  /** States of the walk that the search has looked at: context, delays and connection included. */
  readonly visited: number;
}

/** A state of the walk, and how it was reached. */
interface Visit {
  readonly state: WalkState;
  readonly parent: Visit | undefined;
  readonly input: PathInput | undefined;
  readonly edges: readonly Edge[];
}

const ELAPSE: PathInput = { do: "elapse" };
const DEFAULT_MAX_STATES = 100_000;

/**
 * Searches breadth first, so the path to each transition is the shortest one; then leaves out every path whose transitions others
 * take anyway, longest first.
 */
export function coveringPaths(options: CoveringOptions): Covering {
  const search = new Search(options);
  search.run();
  return search.result();
}

class Search {
  private readonly ends = new Map<Edge, Visit>();
  private readonly wanted: Set<Edge>;
  private readonly known = new Set<string>();
  private readonly states = new Set<string>();
  private readonly queue: Visit[] = [];

  constructor(private readonly options: CoveringOptions) {
    this.wanted = new Set(edgesOf(options.model.machine));
  }

  run(): void {
    const { walk, inputs, isWorthwhile, maxStates = DEFAULT_MAX_STATES } = this.options;
    this.visit(walk.start(), undefined, undefined);
    for (let place = 0; place < this.queue.length && this.known.size < maxStates; place += 1) {
      const from = this.queue[place]!;
      for (const input of [...inputs, ELAPSE]) {
        if (isWorthwhile?.(from.state, input) === false) continue;
        const step = walk.take(from.state, input);
        if (step !== undefined) this.visit(step, from, input);
      }
      if (this.isComplete) return;
    }
  }

  result(): Covering {
    const found = [...this.ends.values()].map(pathTo).toSorted((a, b) => b.inputs.length - a.inputs.length);
    const uncovered = new Set(this.ends.keys());
    const paths = found.filter(({ edges }) => {
      const isNeeded = edges.some((edge) => uncovered.has(edge));
      for (const edge of edges) uncovered.delete(edge);
      return isNeeded;
    });
    const edges = [...this.wanted];
    return {
      paths,
      edges,
      missing: edges.filter((edge) => !this.ends.has(edge)),
      states: [...this.states],
      visited: this.known.size,
    };
  }

  private get isComplete(): boolean {
    return this.ends.size === this.wanted.size;
  }

  private visit({ state, edges }: WalkStep, parent: Visit | undefined, input: PathInput | undefined): void {
    for (const { id, event } of state.timers) {
      if (event !== undefined && !id.startsWith("xstate.after."))
        this.wanted.add(`${event.type} after ${id}`);
    }
    const visit = { state, parent, input, edges };
    for (const edge of edges) if (!this.ends.has(edge)) this.ends.set(edge, visit);
    this.states.add(JSON.stringify(state.snapshot.value));
    const key = fingerprint(state, this.options.essence);
    if (this.known.has(key)) return;
    this.known.add(key);
    this.queue.push(visit);
  }
}

/** States with the same one are taken for the same: how much of its delays has passed does not count. */
function fingerprint({ snapshot, link, timers }: WalkState, essence: CoveringOptions["essence"]): string {
  const context: unknown = essence === undefined ? snapshot.context : essence(snapshot.context);
  return JSON.stringify([snapshot.value, context, link, timers.map(({ id }) => id).toSorted()]);
}

function pathTo(visit: Visit): DevicePath {
  const inputs: PathInput[] = [];
  const edges: Edge[] = [];
  for (let at: Visit | undefined = visit; at !== undefined; at = at.parent) {
    if (at.input !== undefined) inputs.unshift(at.input);
    edges.unshift(...at.edges);
  }
  return { inputs, edges: [...new Set(edges)] };
}

/**
 * The path that numbers choose: each picks one of the inputs that make sense where the path has come to. Any numbers are a path, so
 * a property test that draws and shrinks numbers draws and shrinks paths.
 */
export function chosenPath(
  { walk, inputs, isWorthwhile }: Omit<CoveringOptions, "model" | "maxStates">,
  choices: readonly number[],
): DevicePath {
  const taken: PathInput[] = [];
  let step = walk.start();
  const edges = [...step.edges];
  for (const choice of choices) {
    const { state } = step;
    const possible = inputs.flatMap((input) => {
      const next = isWorthwhile?.(state, input) === false ? undefined : walk.take(state, input);
      return next === undefined ? [] : [{ input, next }];
    });
    const chosen = possible[choice % possible.length];
    if (chosen === undefined) break;
    taken.push(chosen.input);
    edges.push(...chosen.next.edges);
    step = chosen.next;
  }
  return { inputs: taken, edges: [...new Set(edges)] };
}

/** The inputs of a path with the time that passes with each; inputs that have lost their sense are left out. */
export function timedInputs(
  walk: DeviceWalk,
  inputs: readonly PathInput[],
): readonly { readonly input: PathInput; readonly waitMs: number }[] {
  let { state } = walk.start();
  return inputs.flatMap((input) => {
    const step = walk.take(state, input);
    if (step === undefined) return [];
    ({ state } = step);
    return [{ input, waitMs: step.waitMs }];
  });
}
