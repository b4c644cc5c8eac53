import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  type ChipName,
  referenceFirmware,
  startVirtualBench,
  type UsbipPlace,
  type UsbSerialKind,
  VIRTUAL_BOARD_KINDS,
  type VirtualBoardKind,
  shownMac,
} from "fleetrig/hil";
import { EXIT, FleetrigError, hostProcess, hostProgram } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { writeTable } from "../../text-table.js";
import { startVirtualRoms } from "../virtual-roms.js";
import { atWorkplace, type BoardFlags, interruption, type Workplace } from "../workplace.js";

/** `rom`: a chip without firmware, for flashers. */
export const VIRTUAL_KINDS = [...VIRTUAL_BOARD_KINDS, "rom"] as const;

/** What the command line says. */
export interface VirtualFlags extends BoardFlags {
  readonly kind: (typeof VIRTUAL_KINDS)[number];
  readonly count: number;
  readonly firmware?: string;
  readonly elf?: string;
  readonly chip: ChipName;
  readonly data?: string;
  readonly tag?: readonly string[];
  readonly nativeUsb?: boolean;
  readonly usbip?: UsbSerialKind;
  readonly usbipPort: number;
}

/** A board that runs. */
interface Running {
  readonly mac: string;
  readonly chip: string;
  readonly path: string | undefined;
  readonly usbip?: UsbipPlace | undefined;
  readonly control: string;
}

interface Boards {
  readonly boards: readonly Running[];
  stop(): Promise<void>;
}

/**
 * `fleetrig board virtual`: boards without hardware, each a tty or a USB device that any serial tool can open, until it is interrupted.
 * @returns 0
 * @throws FleetrigError BOARD_UNSUPPORTED, and as `startVirtualBench` and `startRomBoard` (rejections)
 */
export async function virtualCommand(host: Host, flags: VirtualFlags): Promise<number> {
  if (flags.kind === "rom" && flags.usbip !== undefined)
    throw new FleetrigError("BOARD_UNSUPPORTED", "A ROM by itself cannot be a USB device.", {
      hint: "Take --kind rv32, which has a ROM for flashers too.",
      exitCode: EXIT.usage,
    });
  return atWorkplace(host, flags, async (place) => {
    const interrupted = interruption(place);
    const { kind, chip, count, tag: tags = [], data } = flags;
    const folder =
      data === undefined
        ? join(place.stateFolder, "virtual", String(hostProcess().pid))
        : resolve(host.cwd, data);
    try {
      const running =
        kind === "rom"
          ? await startVirtualRoms(place, { chip, count, folder, tags })
          : await startFirmwareBoards(place, { ...flags, kind }, folder);
      writeReady(host, running.boards, flags);
      await interrupted;
      await running.stop();
    } finally {
      if (data === undefined) await rm(folder, { recursive: true, force: true });
    }
    return EXIT.passed;
  });
}

async function startFirmwareBoards(
  place: Workplace,
  flags: VirtualFlags & { readonly kind: VirtualBoardKind },
  folder: string,
): Promise<Boards> {
  const { host } = place;
  const { kind, count, tag: tags = [], nativeUsb, usbip: adapter, usbipPort: port } = flags;
  const firmware = await firmwareOf(place, flags);
  const bench = await startVirtualBench({
    kind,
    count,
    firmware,
    stateFolder: folder,
    registryFolder: place.registryFolder,
    node: hostProgram,
    tags,
    usb: nativeUsb === true ? "native" : "bridge",
    ...(adapter !== undefined && { usbip: { adapter, port } }),
    log: (mac, text) => writeLine(host.stderr, `${shownMac(mac)}: ${text}`),
  });
  remember(place, bench.boards, elfOf(host, flags, firmware));
  return bench;
}

async function firmwareOf(
  { host, stateFolder }: Workplace,
  { kind, firmware }: { readonly kind: VirtualBoardKind; readonly firmware?: string },
): Promise<string> {
  if (firmware !== undefined) return resolve(host.cwd, firmware);
  if (kind !== "micropython")
    writeLine(host.stderr, `building the reference firmware for ${kind}, unless it is there already`);
  return referenceFirmware(kind, join(stateFolder, "firmware"));
}

/** Symbols lie beside what fleetrig has built. */
function elfOf({ cwd, files }: Host, { kind, elf }: VirtualFlags, firmware: string): string | undefined {
  if (elf !== undefined) return resolve(cwd, elf);
  const beside = join(dirname(firmware), "app.elf");
  return kind !== "micropython" && files.kind(beside) === "file" ? beside : undefined;
}

/** So that `board monitor` can name the places of their panics. */
function remember({ seen, clock }: Workplace, boards: readonly Running[], elf: string | undefined): void {
  for (const { mac, chip } of elf === undefined ? [] : boards) {
    const before = { firmware: "", version: "", ...seen.byMac(mac) };
    seen.put({ ...before, mac, chip, place: `mac:${mac}`, seenMs: clock.wallMs(), elf: elf! });
  }
}

function writeReady(host: Host, boards: readonly Running[], { kind, json }: VirtualFlags): void {
  if (json === true) {
    for (const { mac, chip, path, usbip, control } of boards)
      writeLine(host.stdout, JSON.stringify({ event: "board", kind, mac, chip, port: path, usbip, control }));
    writeLine(host.stdout, JSON.stringify({ event: "ready", boards: boards.length }));
    return;
  }
  writeTable(
    host.stdout,
    ["mac", "chip", "port", "control"],
    boards.map(({ mac, chip, path, usbip, control }) => [
      shownMac(mac),
      chip,
      path ?? (usbip && `usb ${usbip.busId}`) ?? "-",
      control,
    ]),
  );
  writeAttaching(host, boards);
  const what = boards.length === 1 ? "1 virtual board" : `${boards.length} virtual boards`;
  writeLine(host.stdout, `ready: ${what} (${kind}); Ctrl-C ends ${boards.length === 1 ? "it" : "them"}`);
}

/** Only root can have this machine's kernel take a device. */
function writeAttaching({ stdout }: Host, boards: readonly Running[]): void {
  const places = boards.flatMap(({ usbip }) => usbip ?? []);
  if (places.length === 0) return;
  writeLine(stdout, "attach:");
  writeLine(stdout, "  sudo modprobe vhci-hcd");
  for (const { port, busId } of places)
    writeLine(stdout, `  sudo usbip --tcp-port ${port} attach -r 127.0.0.1 -b ${busId}`);
}
