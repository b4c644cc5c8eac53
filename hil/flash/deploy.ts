import type { Clock } from "fleetrig/kernel";
import { type BoardFile, BoardFiles } from "./board-files.js";
import type { FlashLine } from "./flash-line.js";
import { RawRepl } from "./raw-repl.js";

export interface DeployOptions {
  readonly line: Pick<FlashLine, "port" | "listen">;
  readonly clock: Clock;
  readonly files: readonly BoardFile[];
  /** Restarts the interpreter afterwards, which runs main.py. Default: true. */
  readonly starts?: boolean;
  readonly onProgress?: (path: string, outcome: "written" | "current") => void;
}

export interface DeployOutcome {
  readonly written: readonly string[];
  /** Files that were there already. */
  readonly current: readonly string[];
}

/**
 * Puts scripts on a MicroPython board: stops what runs, writes and verifies what differs, and starts main.py.
 * @throws FleetrigError BOARD_NO_REPL, BOARD_NO_ANSWER, BOARD_TRACEBACK, BOARD_FILE_INVALID, BOARD_FILE_DIFFERS, FLASH_LINE_LOST
 */
export async function deployFiles(options: DeployOptions): Promise<DeployOutcome> {
  const { line, clock, files, starts = true, onProgress } = options;
  const repl = await RawRepl.enter(line, clock);
  const written: string[] = [];
  const current: string[] = [];
  try {
    // Memory and open files of what ran before are out of the way.
    await repl.softReset();
    const board = new BoardFiles(repl);
    for (const file of files) {
      const outcome = await board.put(file);
      (outcome === "written" ? written : current).push(file.path);
      onProgress?.(file.path, outcome);
    }
  } catch (error) {
    await repl.leave(false).catch(() => {});
    throw error;
  }
  await repl.leave(starts);
  return { written, current };
}
