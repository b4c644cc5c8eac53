import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  referenceFirmware,
  type RunningVirtualBoard,
  startVirtualBench,
  type VirtualBoardKind,
} from "fleetrig/hil";
import { EXIT, hostProcess, hostProgram } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { writeTable } from "../../text-table.js";
import { shownMac } from "../find-board.js";
import { atWorkplace, type BoardFlags, interruption, type Workplace } from "../workplace.js";

/** What the command line says. */
export interface VirtualFlags extends BoardFlags {
  readonly kind: VirtualBoardKind;
  readonly count: number;
  readonly firmware?: string;
  readonly elf?: string;
  readonly data?: string;
  readonly tag?: readonly string[];
  readonly nativeUsb?: boolean;
}

/**
 * `fleetrig board virtual`: boards without hardware, each a tty that any serial tool can open, until it is interrupted.
 * @returns 0
 */
export function virtualCommand(host: Host, flags: VirtualFlags): Promise<number> {
  return atWorkplace(host, flags, async (place) => {
    const interrupted = interruption(place);
    const { kind, count, tag = [], data, nativeUsb } = flags;
    const firmware = await firmwareOf(place, flags);
    const boardsFolder =
      data === undefined
        ? join(place.stateFolder, "virtual", String(hostProcess().pid))
        : resolve(host.cwd, data);
    const bench = await startVirtualBench({
      kind,
      count,
      firmware,
      stateFolder: boardsFolder,
      registryFolder: place.registryFolder,
      node: hostProgram,
      tags: tag,
      usb: nativeUsb === true ? "native" : "bridge",
      log: (mac, text) => writeLine(host.stderr, `${shownMac(mac)}: ${text}`),
    });
    try {
      remember(place, bench.boards, elfOf(host, flags, firmware));
      writeReady(host, bench.boards, flags);
      await interrupted;
    } finally {
      await bench.stop();
      if (data === undefined) await rm(boardsFolder, { recursive: true, force: true });
    }
    return EXIT.passed;
  });
}

async function firmwareOf({ host, stateFolder }: Workplace, flags: VirtualFlags): Promise<string> {
  const { kind, firmware } = flags;
  if (firmware !== undefined) return resolve(host.cwd, firmware);
  if (kind !== "micropython")
    writeLine(host.stderr, `building the reference firmware for ${kind}, if it is not there yet`);
  return referenceFirmware(kind, join(stateFolder, "firmware"));
}

/** Symbols lie beside what fleetrig has built. */
function elfOf(host: Host, { kind, elf }: VirtualFlags, firmware: string): string | undefined {
  if (elf !== undefined) return resolve(host.cwd, elf);
  const beside = join(dirname(firmware), "app.elf");
  return kind !== "micropython" && host.files.kind(beside) === "file" ? beside : undefined;
}

/** So that `board monitor` can name the places of their panics. */
function remember(place: Workplace, boards: readonly RunningVirtualBoard[], elf: string | undefined): void {
  if (elf === undefined) return;
  for (const { mac, chip } of boards) {
    const seen = { firmware: "", version: "", ...place.seen.byMac(mac) };
    place.seen.put({ ...seen, mac, chip, place: `mac:${mac}`, seenMs: place.clock.wallMs(), elf });
  }
}

function writeReady(host: Host, boards: readonly RunningVirtualBoard[], { kind, json }: VirtualFlags): void {
  if (json === true) {
    for (const { mac, chip, path, pid, control } of boards)
      writeLine(host.stdout, JSON.stringify({ event: "board", kind, mac, chip, port: path, pid, control }));
    writeLine(host.stdout, JSON.stringify({ event: "ready", boards: boards.length }));
    return;
  }
  writeTable(
    host.stdout,
    ["mac", "chip", "port", "control"],
    boards.map(({ mac, chip, path, control }) => [shownMac(mac), chip, path ?? "-", control]),
  );
  writeLine(host.stdout, `ready: ${boards.length} virtual boards (${kind}); Ctrl-C ends them`);
}
