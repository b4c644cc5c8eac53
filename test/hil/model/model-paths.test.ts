import fc from "fast-check";
import {
  chosenPath,
  coveringPaths,
  type DeviceWalk,
  type Edge,
  edgesOf,
  type PathInput,
  timedInputs,
} from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { ALPHABETS, type Alphabet, searchOf } from "./alphabets.js";
import { describeRun, differenceOf, shortest } from "./path-log.js";
import { groupOf, walkOf } from "./path-setting.js";
import { onCompiledBoard, onVirtualDevice, VIRTUAL, watched } from "./virtual-subjects.js";

/** Random walks of each model; more by the environment variable. */
const WALKS = process.env["FLEETRIG_MODEL_FULL"] === undefined ? 25 : 1_000;
const COMPARISON = { lanes: ["device", "mqtt", "telemetry"], toleranceMs: 60 } as const;

/** Follows the path on both. @returns what differs, and how it came. */
function tried(
  alphabet: Alphabet,
  walk: DeviceWalk,
  { inputs, taken }: { readonly inputs: readonly PathInput[]; readonly taken?: Set<Edge> },
): string | undefined {
  const timed = timedInputs(walk, inputs);
  const group = groupOf(alphabet, VIRTUAL);
  const run = { inputs: timed, slackMs: VIRTUAL.times.slackMs };
  const machine = watched(alphabet.model.machine, (edge) => taken?.add(edge));
  const model = onVirtualDevice({ ...run, group: { ...group, model: { ...alphabet.model, machine } } });
  const board = onCompiledBoard({ ...run, group });
  const difference = differenceOf(model, board, COMPARISON);
  return difference === undefined ? undefined : `${difference}\n${describeRun(timed, model, board)}`;
}

/** Follows the path on both; a failure shows the shortest path that fails. */
function follow(
  alphabet: Alphabet,
  walk: DeviceWalk,
  path: { readonly inputs: readonly PathInput[]; readonly taken: Set<Edge> },
): string | undefined {
  if (tried(alphabet, walk, path) === undefined) return undefined;
  const least = shortest(path.inputs, (fewer) => tried(alphabet, walk, { inputs: fewer }) !== undefined);
  return tried(alphabet, walk, { inputs: least });
}

describe.skipIf(lacksCompiler).each(ALPHABETS.map((alphabet) => ({ name: alphabet.model.name, alphabet })))(
  "the firmware's $name",
  ({ alphabet }) => {
    it("does what the model does on paths through all its transitions", { timeout: 300_000 }, () => {
      const walk = walkOf(alphabet, VIRTUAL);
      const covering = coveringPaths({ ...searchOf(alphabet), walk });
      const taken = new Set<Edge>();
      const differences = covering.paths.flatMap(
        (path) => follow(alphabet, walk, { inputs: path.inputs, taken }) ?? [],
      );
      expect([...new Set(differences)].join("\n\n")).toBe("");
      expect(covering.missing).toEqual(Object.keys(alphabet.unreachable));
      expect(edgesOf(alphabet.model.machine).filter((edge) => !taken.has(edge))).toEqual(covering.missing);
      expect({ transitions: taken.size, restsIn: covering.states.length }).toEqual(alphabet.covers);
    });

    it(`does what the model does on ${WALKS} random walks`, { timeout: 3_600_000 }, () => {
      const walk = walkOf(alphabet, VIRTUAL);
      const inputs: readonly PathInput[] = [
        ...alphabet.inputs,
        ...Array.from({ length: 6 }, () => ({ do: "elapse" }) as const),
        ...Array.from({ length: 3 }, () => ({ do: "fall-short" }) as const),
      ];
      const choices = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 24 });
      fc.assert(
        fc.property(choices, (drawn) => {
          const path = chosenPath(
            { walk, inputs, isWorthwhile: (state, input) => alphabet.isWorthwhile(state, input, 2) },
            drawn,
          );
          const difference = tried(alphabet, walk, path);
          if (difference !== undefined) throw new Error(difference);
        }),
        { numRuns: WALKS, seed: 11 },
      );
    });
  },
);
