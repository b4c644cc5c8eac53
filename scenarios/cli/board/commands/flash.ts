import { type FlashProgress, flashBoard, runFlashCommand, shownMac } from "fleetrig/hil";
import { EXIT, FleetrigError, formatDurationUs } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { findBoard, labelOf } from "../find-board.js";
import { readImages } from "../flash-images.js";
import { type ExpectFlags, expectedBoard, flashLineOf } from "../flash-session.js";
import { withBoard, withLease } from "../with-board.js";
import { atWorkplace, type BoardFlags, type Workplace } from "../workplace.js";

/** What the command line says. */
export interface FlashFlags extends BoardFlags, ExpectFlags {
  readonly force?: boolean;
  readonly baud?: number;
  readonly command?: string;
}

/** Whoever unplugs a board while it is written may put it back. */
const RESUMPTIONS = 2;
const USUAL_BAUD = 115_200;
/** From the start to the firmware's hello, for firmware that says one. */
const HELLO_US = 2_000_000;

/**
 * `fleetrig board flash <board> <images...>`: writes what is not on the board yet, verifies it and starts it. With `--command` a program of
 * the user's does it, under the same lease.
 * @returns 0
 */
export function flashCommand(
  host: Host,
  name: string,
  words: readonly string[],
  flags: FlashFlags,
): Promise<number> {
  return atWorkplace(host, flags, (place) => {
    if (flags.command !== undefined) return flashByCommand(place, name, words, flags);
    if (words.length === 0)
      throw new FleetrigError("FLASH_IMAGE_PLACE", "There is nothing to flash.", {
        hint: "Write fleetrig board flash <board> 0x10000=app.bin, or --command for a tool of yours.",
        exitCode: EXIT.usage,
      });
    return flashImages(place, name, words, flags);
  });
}

async function flashImages(
  place: Workplace,
  name: string,
  words: readonly string[],
  flags: FlashFlags,
): Promise<number> {
  const { host, clock, imageCache: cache } = place;
  const board = findBoard(place, name);
  const images = readImages(host, words);
  return withBoard(place, board, { purpose: "flash" }, async (terminal) => {
    const outcome = await flashBoard({
      open: async () => flashLineOf(terminal),
      clock,
      images,
      expect: expectedBoard(name, board, flags),
      cache,
      isForced: flags.force === true,
      resumptions: RESUMPTIONS,
      ...(flags.baud !== undefined && { baud: flags.baud }),
      onProgress: progressOn(host),
    });
    await terminal.until(() => terminal.hello !== undefined, HELLO_US);
    const { hello } = terminal;
    const says = hello === undefined ? undefined : `${hello.fw} ${hello.version}`;
    const { board: chip, wasCurrent, writtenBytes, tookUs, baud, repeats } = outcome;
    if (flags.json === true) {
      writeLine(
        host.stdout,
        JSON.stringify({ event: "flashed", ...outcome, firmware: says ?? null, tookMs: tookUs / 1_000 }),
      );
      return EXIT.passed;
    }
    const what = wasCurrent
      ? "has this already, verified"
      : `flashed and verified: ${writtenBytes} bytes at ${baud} baud${repeats > 0 ? `, ${repeats} repeats` : ""}`;
    writeLine(
      host.stdout,
      `${labelOf(board)} (${chip.chip}, ${shownMac(chip.mac)}) ${what}, in ${formatDurationUs(tookUs)}`,
    );
    if (says !== undefined) writeLine(host.stdout, `  it says: ${says}`);
    return EXIT.passed;
  });
}

/** Terminals get one line that grows, logs one line per phase. */
function progressOn({ stderr }: Host): (progress: FlashProgress) => void {
  let last = "";
  return ({ phase, doneBytes, totalBytes }) => {
    const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
    const text = phase === "writing" ? `writing ${percent} % of ${totalBytes} bytes` : phase;
    if (stderr.isTTY) stderr.write(`\r${text.padEnd(last.length)}${phase === "restarting" ? "\n" : ""}`);
    else if (phase !== last) writeLine(stderr, text);
    last = stderr.isTTY ? text : phase;
  };
}

async function flashByCommand(
  place: Workplace,
  name: string,
  words: readonly string[],
  { command: template = "", baud, mac }: FlashFlags,
): Promise<number> {
  const { host, clock } = place;
  const board = findBoard(place, name);
  return withLease(place, { board, purpose: "flash" }, async () => {
    const knownMac = mac ?? board.mac;
    const [image] = words;
    await runFlashCommand({
      template,
      values: {
        port: board.port.path,
        baud: String(baud ?? board.known?.baud ?? USUAL_BAUD),
        ...(knownMac !== undefined && { mac: knownMac }),
        ...(image !== undefined && { image }),
      },
      folder: host.cwd,
      clock,
      onLine: (line) => writeLine(host.stderr, line),
    });
    if (knownMac !== undefined) place.imageCache.forget(knownMac);
    writeLine(host.stdout, `${labelOf(board)}: the command has flashed it`);
    return EXIT.passed;
  });
}
