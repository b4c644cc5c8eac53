import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { FleetrigError, replaceFile } from "fleetrig/kernel";

/** What was put on a board, and how far it got. */
export interface FlashedImages {
  readonly chip: string;
  /** `writing`: it was under way when this was written down. */
  readonly state: "writing" | "whole";
  readonly images: readonly {
    readonly offset: number;
    readonly sizeBytes: number;
    readonly sha256: string;
  }[];
  /** While writing: offsets of the regions that have been written and verified. */
  readonly verified: readonly number[];
}

/** A cache larger than this is not ours. */
const LARGEST_FILE_BYTES = 8 * 2 ** 20;
/** Boards remembered; the ones flashed longest ago are forgotten. */
const MOST_BOARDS = 1_000;
const MAC = /^[0-9a-f]{12}$/;

/**
 * What is on which board, by its MAC: in a file under the state folder, which several processes may share. It is a hint, never the truth: whoever believes it
 * asks the board for a sum of its flash. A file that cannot be read counts as empty.
 */
export class ImageCache {
  /** @param path JSON file; its folder is made when the first board is written down. */
  constructor(private readonly path: string) {}

  get(mac: string): FlashedImages | undefined {
    return this.load().get(mac);
  }

  /** @throws FleetrigError FLASH_CACHE_UNWRITABLE */
  set(mac: string, flashed: FlashedImages): void {
    this.change((boards) => {
      boards.delete(mac);
      boards.set(mac, flashed);
    });
  }

  /** The board's flash is not what it was. */
  forget(mac: string): void {
    this.change((boards) => boards.delete(mac));
  }

  private load(): Map<string, FlashedImages> {
    try {
      if (statSync(this.path).size > LARGEST_FILE_BYTES) return new Map();
      return boardsOf(JSON.parse(readFileSync(this.path, "utf8")));
    } catch {
      return new Map();
    }
  }

  private change(edit: (boards: Map<string, FlashedImages>) => void): void {
    const boards = this.load();
    edit(boards);
    const kept = [...boards].slice(-MOST_BOARDS).map(([mac, flashed]) => ({ mac, ...flashed }));
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      replaceFile(this.path, `${JSON.stringify({ version: 1, boards: kept })}\n`);
    } catch (error) {
      throw new FleetrigError(
        "FLASH_CACHE_UNWRITABLE",
        `What is on which board cannot be written to ${this.path}.`,
        {
          hint: error instanceof Error ? error.message : String(error),
          cause: error,
        },
      );
    }
  }
}

/** How images are told apart. */
export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function boardsOf(file: unknown): Map<string, FlashedImages> {
  const boards = new Map<string, FlashedImages>();
  if (!isRecord(file) || file["version"] !== 1 || !Array.isArray(file["boards"])) return boards;
  for (const board of file["boards"] as readonly unknown[]) {
    if (!isRecord(board)) continue;
    const { mac, chip, state, images, verified } = board;
    if (typeof mac !== "string" || !MAC.test(mac) || typeof chip !== "string") continue;
    if ((state !== "writing" && state !== "whole") || !Array.isArray(images) || !Array.isArray(verified))
      continue;
    if (!images.every(isImage) || !verified.every((offset) => typeof offset === "number")) continue;
    boards.set(mac, { chip, state, images, verified });
  }
  return boards;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const isImage = (value: unknown): value is FlashedImages["images"][number] =>
  isRecord(value) &&
  typeof value["offset"] === "number" &&
  typeof value["sizeBytes"] === "number" &&
  typeof value["sha256"] === "string";
