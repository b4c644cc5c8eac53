import type { ExpectedBoard, FlashLine } from "fleetrig/hil";
import type { BoardConsole } from "./board-console.js";
import { type FoundBoard, isAddress } from "./find-board.js";

/** A console as flashers and interpreters use it. */
export const flashLineOf = (console: BoardConsole): FlashLine => ({
  port: console.port,
  listen: (receiver) => console.listen(receiver),
  boot: {
    enterDownload: async () => void (await console.reset("download")),
    startApplication: async () => void (await console.reset("run")),
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
