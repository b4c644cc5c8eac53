import type { Hello } from "fleetrig/hil";
import { z } from "zod";
import type { HostFiles } from "../host.js";

/** What a board said of itself when it was last asked. */
const seenSchema = z.object({
  mac: z.string().regex(/^[0-9a-f]{12}$/),
  chip: z.string().max(64),
  /** Empty, with the version, for a board that has not been asked yet. */
  firmware: z.string().max(64),
  version: z.string().max(64),
  /** Where it was: `BoardIdentity.key` of the port, as far as it was known without asking. */
  place: z.string().max(400),
  seenMs: z.number(),
  /** File with the symbols of its firmware. */
  elf: z.string().max(4096).optional(),
});
export type SeenBoard = z.infer<typeof seenSchema>;

const MAX_BOARDS = 1_000;
const MAX_FILE_BYTES = 1_048_576;
const fileSchema = z.object({ schema: z.literal(1), boards: z.array(seenSchema).max(MAX_BOARDS) });

/**
 * Boards that said hello to some command on this machine, so that others can show them without opening anything. It is a hint: boards
 * change places. A file that cannot be read or written costs a question, and is no error.
 */
export class SeenBoards {
  constructor(
    private readonly files: HostFiles,
    private readonly path: string,
  ) {}

  /** The latest last. */
  all(): readonly SeenBoard[] {
    try {
      return fileSchema.parse(JSON.parse(this.files.readFile(this.path, MAX_FILE_BYTES))).boards;
    } catch {
      return [];
    }
  }

  byMac(mac: string): SeenBoard | undefined {
    return this.all().find((board) => board.mac === mac);
  }

  /** The board that was last at this place. */
  at(place: string): SeenBoard | undefined {
    return this.all().findLast((board) => board.place === place);
  }

  note({ mac, chip, fw, version }: Hello, place: string, seenMs: number): void {
    this.put({ mac, chip, firmware: fw, version, place, seenMs });
  }

  put(board: SeenBoard): void {
    const before = this.all();
    const known = before.find(({ mac }) => mac === board.mac);
    const elf = board.elf ?? known?.elf;
    const others = before.filter(({ mac }) => mac !== board.mac);
    const boards = [...others, { ...board, ...(elf !== undefined && { elf }) }].slice(-MAX_BOARDS);
    try {
      this.files.writeFile(this.path, `${JSON.stringify({ schema: 1, boards })}\n`);
    } catch {
      // Asked again the next time.
    }
  }
}
