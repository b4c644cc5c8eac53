import { eraseBoard, flashBoard } from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { findBoard, labelOf } from "../find-board.js";
import { type ExpectFlags, expectedBoard, flashLineOf } from "../flash-session.js";
import { withBoard } from "../with-board.js";
import { atWorkplace, type BoardFlags } from "../workplace.js";

/** What the command line says. */
export interface EraseFlags extends BoardFlags, ExpectFlags {
  /** `offset+length` */
  readonly region?: FlashRange;
  readonly yes?: boolean;
}

export interface FlashRange {
  readonly offset: number;
  readonly lengthBytes: number;
}

const RANGE = /^(0x[0-9a-fA-F]{1,8}|\d{1,10})\+(0x[0-9a-fA-F]{1,8}|\d{1,10})$/;
const SECTOR_BYTES = 4_096;
const MAX_RANGE_BYTES = 64 * 1_048_576;

/** `0x9000+0x6000`; undefined when it is none, or not made of whole sectors. */
export function parseRange(text: string): FlashRange | undefined {
  const [, from, length] = RANGE.exec(text) ?? [];
  const [offset, lengthBytes] = [Number(from), Number(length)];
  const isWhole = offset % SECTOR_BYTES === 0 && lengthBytes % SECTOR_BYTES === 0;
  return isWhole && lengthBytes > 0 && lengthBytes <= MAX_RANGE_BYTES ? { offset, lengthBytes } : undefined;
}

/**
 * `fleetrig board erase <board>`: erases a board's flash, or a range of it.
 * @returns 0
 */
export function eraseCommand(host: Host, name: string, flags: EraseFlags): Promise<number> {
  if (flags.yes !== true)
    throw new FleetrigError("FLASH_ERASE_UNCONFIRMED", "Erasing takes firmware, settings and credentials.", {
      hint: `Write fleetrig board erase ${name} --yes when that is what you want.`,
      exitCode: EXIT.usage,
    });
  return atWorkplace(host, flags, async (place) => {
    const board = findBoard(place, name);
    const { clock, imageCache } = place;
    const expect = expectedBoard(name, board, flags);
    const { region } = flags;
    await withBoard(place, board, { purpose: "erase" }, async (terminal) => {
      const open = async () => flashLineOf(terminal);
      if (region === undefined) await eraseBoard({ open, clock, expect }, imageCache);
      else await flashBoard({ open, clock, expect, images: [blank(region)], isForced: true });
    });
    const what =
      region === undefined
        ? "all of its flash"
        : `${region.lengthBytes} bytes from 0x${region.offset.toString(16)}`;
    writeLine(host.stdout, `${labelOf(board)} erased: ${what}`);
    return EXIT.passed;
  });
}

/** What erased flash reads as. */
const blank = ({ offset, lengthBytes }: FlashRange) => ({
  offset,
  bytes: new Uint8Array(lengthBytes).fill(0xff),
  kind: "data" as const,
  name: "The erased range",
});
