import type { JsonObject } from "fleetrig/kernel";
import { VirtualTime } from "fleetrig/kernel";
import { type DeviceModel, type DeviceSignalEvent, MachineRunner } from "fleetrig/sim";

/**
 * Walks a model's machine breadth first, with "the next timer fires" as one more event. xstate's own path
 * generator refuses delays. A node is what the future depends on: state, context and pending timers.
 */
export const TIMER = "TIMER";
export type Stimulus = DeviceSignalEvent | typeof TIMER;

export interface Subject {
  readonly runner: MachineRunner;
  readonly effects: string[];
  readonly params: { readonly type: string; readonly params: unknown }[];
  readonly time: VirtualTime;
  send(stimulus: Stimulus): void;
}

export function subject(model: DeviceModel, settings: JsonObject = {}, draw = 0.5): Subject {
  const time = new VirtualTime();
  const params: { type: string; params: unknown }[] = [];
  const effects: string[] = [];
  const runner: MachineRunner = new MachineRunner({
    machine: model.machine,
    input: { thingName: "dev-1", attributes: { firmware: "1.0.0" }, settings },
    clock: time.lane(16),
    effect: (type, given) => {
      effects.push(type);
      params.push({ type, params: given });
      if (type === "draw") {
        const { purpose } = given as { purpose: string };
        runner.send({ type: "DRAWN", purpose, value: draw } as DeviceSignalEvent);
      }
    },
  });
  runner.start();
  const send = (stimulus: Stimulus): void => {
    if (stimulus === TIMER) time.runUntil(Number.POSITIVE_INFINITY, 1);
    else runner.send(stimulus);
  };
  return { runner, effects, params, time, send };
}

export interface Exploration {
  /** Every state with the shortest way there. */
  readonly paths: ReadonlyMap<string, readonly string[]>;
  /** `from EVENT to` for all events that changed the state. */
  readonly moves: ReadonlySet<string>;
}

export interface Exploring {
  readonly model: DeviceModel;
  readonly settings?: JsonObject;
  /** Sent before the walk begins. */
  readonly given?: readonly Stimulus[];
  readonly alphabet: Readonly<Record<string, Stimulus>>;
  readonly depth: number;
}

export function explore({ model, settings = {}, given = [], alphabet, depth }: Exploring): Exploration {
  const paths = new Map<string, readonly string[]>();
  const moves = new Set<string>();
  const seen = new Set<string>();
  const replay = (path: readonly string[]): Subject => {
    const reached = subject(model, settings);
    for (const stimulus of [...given, ...path.map((name) => alphabet[name]!)]) reached.send(stimulus);
    return reached;
  };
  let frontier: (readonly string[])[] = [[]];
  for (let level = 0; level <= depth && frontier.length > 0; level += 1) {
    const next: (readonly string[])[] = [];
    for (const path of frontier) {
      const here = replay(path);
      const node = JSON.stringify([here.runner.state, here.runner.context, here.time.heap.size > 0]);
      if (seen.has(node)) continue;
      seen.add(node);
      const from = here.runner.state;
      if (!paths.has(from)) paths.set(from, path);
      for (const name of Object.keys(alphabet)) {
        const there = replay(path);
        there.send(alphabet[name]!);
        if (there.runner.state !== from) moves.add(`${from} ${name} ${there.runner.state}`);
        next.push([...path, name]);
      }
    }
    frontier = next;
  }
  return { paths, moves };
}
