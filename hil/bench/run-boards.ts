import { mkdtemp, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FleetrigError, hostProcess } from "fleetrig/kernel";
import { AddressDecoder } from "../elf/index.js";
import { buildFirmware } from "../firmware/build.js";
import { referenceFirmware } from "../virtual/board-programs.js";
import { startVirtualBoard } from "../virtual/virtual-board.js";
import { VIRTUAL_BOARD_KINDS, type VirtualBoardKind } from "./bench.js";
import type { LaunchedBoard } from "./create-bench.js";

/** Of `e_entry` in an ELF file, 32 or 64 bits: the lower half of the first instruction's address. */
const ENTRY_OFFSET = 24;

export interface RunBoardsOptions {
  /** Folder of the registry of virtual boards. */
  readonly registryFolder: string;
  /** Where builds of the firmware are kept. */
  readonly buildFolder: string;
  /** For the boards' flashes while they run. */
  readonly temporaryFolder: string;
}

/** Virtual boards of one run: new ones, with the reference firmware, gone with the run. */
export class RunBoards {
  private started = 0;
  private readonly folders: string[] = [];
  private readonly firmware = new Map<VirtualBoardKind, Promise<string>>();
  private readonly decoders = new Map<string, AddressDecoder>();

  constructor(private readonly options: RunBoardsOptions) {}

  /** @throws FleetrigError those of `startVirtualBoard` and `referenceFirmware` (rejections) */
  async start(kind: VirtualBoardKind): Promise<LaunchedBoard> {
    const { registryFolder, temporaryFolder } = this.options;
    const mac = this.nextMac(kind);
    const firmware = await this.firmwareOf(kind);
    const stateFolder = await mkdtemp(join(temporaryFolder, `fleetrig-${mac}-`));
    this.folders.push(stateFolder);
    const board = await startVirtualBoard({ kind, mac, stateFolder, registryFolder, firmware });
    const { path, chip } = board;
    if (path === undefined) {
      await board.stop();
      throw new FleetrigError("BOARD_NO_TTY", `The virtual board ${mac} has no tty.`, {
        hint: "It ended while it started; fleetrig board virtual shows what it says.",
      });
    }
    await this.readSymbols(kind, chip, firmware);
    return { path, mac, stop: () => board.stop() };
  }

  /** Names addresses of the program of a chip that runs here. */
  symbolsOf(chip: string): ((address: number) => string) | undefined {
    const decoder = this.decoders.get(chip);
    return decoder && ((address) => decoder.decode(address));
  }

  /** The reference firmware under that version, for the kind of boards that run. */
  async image(version: string): Promise<Uint8Array | undefined> {
    const target = (["rv32", "native"] as const).find((kind) => this.firmware.has(kind));
    if (target === undefined) return undefined;
    const { image } = await buildFirmware({ target, outDir: this.options.buildFolder, version });
    return readFile(image);
  }

  /** After the boards have stopped. */
  async clear(): Promise<void> {
    await Promise.all(this.folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  }

  private firmwareOf(kind: VirtualBoardKind): Promise<string> {
    const known = this.firmware.get(kind) ?? referenceFirmware(kind, this.options.buildFolder);
    this.firmware.set(kind, known);
    return known;
  }

  /** Locally administered; boards of other runs of this machine have other addresses. */
  private nextMac(kind: VirtualBoardKind): string {
    this.started += 1;
    const kindByte = 0x10 + VIRTUAL_BOARD_KINDS.indexOf(kind);
    const digits = (value: number, count: number): string =>
      value.toString(16).padStart(count, "0").slice(-count);
    return `02f1${digits(kindByte, 2)}${digits(hostProcess().pid, 4)}${digits(this.started, 2)}`;
  }

  private async readSymbols(kind: VirtualBoardKind, chip: string, firmware: string): Promise<void> {
    if (kind === "micropython" || this.decoders.has(chip)) return;
    try {
      const program = await readFile(join(dirname(firmware), "app.elf"));
      const decoder = new AddressDecoder(program);
      // The first address has it read its tables: not in the middle of a panic.
      decoder.decode(program.readUInt32LE(ENTRY_OFFSET));
      this.decoders.set(chip, decoder);
    } catch {
      // Addresses stay numbers.
    }
  }
}
