import type { ExpectedBoard, FlashLine } from "fleetrig/hil";
import type { BoardTerminal } from "./board-terminal.js";
import { type FoundBoard, isAddress } from "./find-board.js";

/** A terminal as flashers and interpreters use it. */
export const flashLineOf = (terminal: BoardTerminal): FlashLine => ({
  port: terminal.port,
  listen: (receiver) => terminal.listen(receiver),
  boot: {
    enterDownload: async () => void (await terminal.reset("download")),
    startApplication: async () => void (await terminal.reset("run")),
  },
});

/** What the command line says of which board is meant. */
export interface ExpectFlags {
  readonly chip?: string;
  readonly mac?: string;
}

/**
 * The board that may be written to. Whoever names a port means the board that is there; whoever names a board means that one, and what was
 * seen at its port before does not count.
 */
export function expectedBoard(name: string, board: FoundBoard, flags: ExpectFlags): ExpectedBoard {
  const mac = flags.mac ?? (board.isMacGuess && isAddress(name) ? undefined : board.mac);
  return { ...(mac !== undefined && { mac }), ...(flags.chip !== undefined && { chip: flags.chip }) };
}
