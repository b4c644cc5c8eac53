import { coveringPaths, type PathInput, timedInputs } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { lacksCompiler, lacksEmulator } from "../../rigs.js";
import { ALPHABETS, type Alphabet, searchOf } from "./alphabets.js";
import { LiveBoards, liveSetting } from "./live-boards.js";
import { describeRun, liveDifferenceOf } from "./path-log.js";
import { groupOf, walkOf } from "./path-setting.js";
import { onVirtualDevice } from "./virtual-subjects.js";

const isFull = process.env["FLEETRIG_MODEL_FULL"] !== undefined;

/** A machine with much to do can make a board late: a difference is one that is still there when all takes four times as long. */
const SCALES = [1, 2, 4] as const;
const TOLERANCE_MS = 250;

/** A path takes a board seconds; of kinds that come to nothing new CI follows every third or sixth; all with FLEETRIG_MODEL_FULL. */
const KINDS = [
  { kind: "rv32", count: 4, every: 1, bootMs: 500, isMissing: lacksEmulator },
  { kind: "micropython", count: 2, every: 3, bootMs: 15_000, isMissing: false },
  { kind: "native", count: 2, every: 6, bootMs: 500, isMissing: lacksCompiler },
] as const;

interface LivePath {
  readonly alphabet: Alphabet;
  readonly inputs: readonly PathInput[];
}

const paths: readonly LivePath[] = ALPHABETS.flatMap((alphabet) => {
  const covering = coveringPaths({ ...searchOf(alphabet), walk: walkOf(alphabet, liveSetting(1)) });
  return covering.paths.map(({ inputs }) => ({ alphabet, inputs }));
});

function runOf({ alphabet, inputs }: LivePath, scale: number) {
  const setting = liveSetting(scale);
  const walk = walkOf(alphabet, setting);
  const timed = timedInputs(walk, inputs);
  const run = { group: groupOf(alphabet, setting), inputs: timed, slackMs: setting.times.slackMs };
  return { ...run, model: onVirtualDevice(run) };
}

describe.each(KINDS)("a $kind board", ({ kind, count, every, bootMs, isMissing }) => {
  it.skipIf(isMissing)(
    "does what the models do on paths through all their transitions",
    {
      timeout: 900_000,
    },
    async () => {
      const boards = await LiveBoards.open(kind, count);
      const differences: string[] = [];
      const chosen = paths.filter((_, place) => isFull || place % every === 0);
      await boards.share(chosen, async (path, board) => {
        let difference: string | undefined;
        for (const scale of SCALES) {
          const run = runOf(path, scale);
          const log = await boards.follow(board, run);
          const toleranceMs = TOLERANCE_MS * scale;
          difference = liveDifferenceOf(run.inputs, run.model, { board: log, toleranceMs, bootMs });
          if (difference === undefined) return;
          difference += `\n${describeRun(run.inputs, run.model, log)}`;
        }
        differences.push(difference!);
      });
      expect(differences.join("\n\n")).toBe("");
    },
  );
});
