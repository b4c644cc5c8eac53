import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostBench } from "fleetrig/hil";
import type { EventSink } from "fleetrig/kernel";
import type { RunRecord } from "fleetrig/reports";
import type { FleetMember } from "fleetrig/sim";
import { parseBoardFlag } from "../../../scenarios/cli/board-flags.js";
import { runText } from "../../determinism/run-text.js";
import { FIRMWARE_BUILDS } from "../../rigs.js";

export interface RunWithBoardsOptions {
  /** As after `--boards`: `sensors=rv32,count=2`. */
  readonly boards: readonly string[];
  readonly listener?: EventSink;
  /** What relative paths of the text are relative to. */
  readonly folder?: string;
  /** A board is a member of the fleet now. */
  made?(member: FleetMember): void;
}

/** Runs the text of a scenario in real time, on a bench of this machine that is made for it. */
export async function runWithBoards(text: string, options: RunWithBoardsOptions): Promise<RunRecord> {
  const { boards, listener, folder = ".", made } = options;
  const stateFolder = mkdtempSync(join(tmpdir(), "fleetrig-run-"));
  try {
    return await runText(text, {
      clock: "real",
      folder,
      bridges: boards.map(parseBoardFlag),
      ...(listener !== undefined && { listener }),
      openBench: async ({ time, random, events }) => {
        const bench = await createHostBench({
          time,
          random,
          events,
          stateFolder,
          temporaryFolder: stateFolder,
          buildFolder: FIRMWARE_BUILDS,
          hostName: "test",
          purpose: "test",
        });
        return {
          claim: (requests) => bench.claim(requests),
          image: (version) => bench.image(version),
          settle: () => bench.settle(),
          close: () => bench.close(),
          member: (board, settings) => {
            const member = bench.member(board, settings);
            made?.(member);
            return member;
          },
        };
      },
    });
  } finally {
    rmSync(stateFolder, { recursive: true, force: true });
  }
}
