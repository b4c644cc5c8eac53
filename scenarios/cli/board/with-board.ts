import type { Lease } from "fleetrig/hil";
import { BoardTerminal, type TerminalOptions } from "./board-terminal.js";
import { findBoard, type FoundBoard } from "./find-board.js";
import type { Workplace } from "./workplace.js";

/** A board for one command. */
export interface BoardUse extends Omit<TerminalOptions, "place" | "board"> {
  /** What the lease shows to others: the command. */
  readonly purpose: string;
}

/**
 * Leases a board and opens it for as long as `work` takes.
 * @throws FleetrigError BOARD_LEASED, and those of opening a port (rejections)
 */
export async function withBoard<T>(
  place: Workplace,
  board: FoundBoard,
  { purpose, ...options }: BoardUse,
  work: (terminal: BoardTerminal) => Promise<T>,
): Promise<T> {
  return withLease(place, { board, purpose }, async () => {
    const terminal = new BoardTerminal({ place, board, ...options });
    try {
      await terminal.open();
      return await work(terminal);
    } finally {
      await terminal.close();
    }
  });
}

/** Leases a board, and leaves its port alone. @throws FleetrigError BOARD_LEASED (rejection) */
export async function withLease<T>(
  place: Workplace,
  { board, purpose }: { readonly board: FoundBoard; readonly purpose: string },
  work: () => Promise<T>,
): Promise<T> {
  const leases: Lease[] = [];
  // Scenarios lease what a port shows, then the MAC: whichever they have, it is theirs.
  const keys = new Set([board.key, ...(board.mac === undefined ? [] : [`mac:${board.mac}`])]);
  try {
    for (const key of keys)
      leases.push(
        await place.leases.acquire({
          key,
          purpose: `fleetrig board ${purpose}`,
          patienceUs: place.flags.wait ?? 0,
        }),
      );
    return await work();
  } finally {
    for (const lease of leases) lease.release();
  }
}

/** As {@link withBoard}, for the board that a word of the command line means. */
export const withNamedBoard = <T>(
  place: Workplace,
  text: string,
  use: BoardUse,
  work: (terminal: BoardTerminal, board: FoundBoard) => Promise<T>,
): Promise<T> => {
  const board = findBoard(place, text);
  return withBoard(place, board, use, (terminal) => work(terminal, board));
};
