import { AddressDecoder } from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { FoundBoard } from "./find-board.js";
import type { Host } from "../host.js";

/**
 * What names addresses of a board's program: the file of the command line, that of the bench file, or the one that a virtual board was
 * built with.
 * @throws FleetrigError CLI_FILE_UNREADABLE, FIRMWARE_ELF_INVALID (exit 2), for a file that was named
 */
export function symbolsOf(
  { files }: Pick<Host, "files">,
  board: Pick<FoundBoard, "known" | "seen"> | undefined,
  path: string | undefined,
): AddressDecoder | undefined {
  const named = path ?? board?.known?.elf;
  if (named !== undefined) return decoderOf(files.readBytes(named), named);
  const built = board?.seen?.elf;
  if (built === undefined || files.kind(built) !== "file") return undefined;
  return new AddressDecoder(files.readBytes(built));
}

function decoderOf(bytes: Uint8Array, path: string): AddressDecoder {
  try {
    return new AddressDecoder(bytes);
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    const { code, sentence, hint } = error;
    throw new FleetrigError(code, `${path}: ${sentence}`, {
      ...(hint !== undefined && { hint }),
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}
