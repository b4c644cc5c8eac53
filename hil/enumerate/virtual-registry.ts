import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isRunning, replaceFile } from "fleetrig/kernel";
import { z } from "zod";

/**
 * The *registry of virtual boards*: a folder with one JSON file per board that some process of this machine runs. Whoever
 * starts a board writes its file, and takes it away again; files of processes that are gone are ignored and swept.
 */
const MAX_FILE_BYTES = 16 * 1024;
const MAX_BOARDS = 1024;

export const virtualBoardSchema = z.object({
  schema: z.literal(1),
  /** What `parsePortAddress` reads: the tty of the board, or `tcp://127.0.0.1:port`. Without one it is a USB device, and found as such. */
  path: z.string().min(1).max(1024).optional(),
  /** As in `VIRTUAL_BOARD_KINDS`, or a word of other makers of boards. */
  kind: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/),
  /** 12 lower-case hexadecimal digits, as its hello will say. */
  mac: z.string().regex(/^[0-9a-f]{12}$/),
  chip: z.string().min(1).max(64),
  /** Unix socket of its control protocol, where it has one. */
  control: z.string().min(1).max(1024).optional(),
  tags: z.array(z.string().min(1).max(64)).max(32).optional(),
  /** The process that runs it, with `started` and `boot` as `hostProcess()` gives them. */
  pid: z.int().positive(),
  started: z.string().max(64),
  boot: z.string().max(64),
});
export type VirtualBoard = z.infer<typeof virtualBoardSchema>;

/**
 * Enters a board.
 * @returns takes it out again; doing so twice is harmless
 */
export function registerVirtualBoard(folder: string, board: VirtualBoard): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const file = join(folder, `${board.mac}-${board.pid}.json`);
  replaceFile(file, `${JSON.stringify(virtualBoardSchema.parse(board))}\n`);
  return () => rmSync(file, { force: true });
}

/** Boards whose processes run, by MAC; files of dead processes are removed, files that cannot be read are left alone. */
export function readVirtualBoards(folder: string): readonly VirtualBoard[] {
  return namesIn(folder).flatMap((name) => {
    const file = join(folder, name);
    const board = readBoard(file);
    if (board === undefined) return [];
    if (isRunning(board)) return [board];
    rmSync(file, { force: true });
    return [];
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .slice(0, MAX_BOARDS);
  } catch {
    return [];
  }
}

function readBoard(file: string): VirtualBoard | undefined {
  try {
    if (statSync(file).size > MAX_FILE_BYTES) return undefined;
    return virtualBoardSchema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}
