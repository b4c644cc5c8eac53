import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Clock, FleetrigError, hostProcess } from "fleetrig/kernel";
import { registerVirtualBoard } from "../enumerate/virtual-registry.js";
import type { ControlRequest } from "../power/control-protocol.js";
import { ControlServer } from "./control-server.js";
import type { ChipName } from "./rom/chip-profile.js";
import { ChipTty } from "./rom/chip-tty.js";
import { FileFlash } from "./rom/flash-memory.js";

export interface RomBoardOptions {
  readonly chip: ChipName;
  /** 12 lower-case hexadecimal digits. */
  readonly mac: string;
  /** Has its flash; made when missing. */
  readonly stateFolder: string;
  /** As in `VirtualBoardOptions`. */
  readonly registryFolder: string;
  readonly clock: Clock;
  readonly tags?: readonly string[];
}

/** A chip with nothing but its ROM behind a tty. */
export interface RomBoard {
  readonly mac: string;
  readonly chip: ChipName;
  readonly path: string;
  /** Unix socket of its control protocol. */
  readonly control: string;
  stop(): void;
}

const FLASH_BYTES = 4 * 1_048_576;

/**
 * Starts a chip of the ESP32 family that can be flashed, and runs nothing of what is flashed: for trying flashers.
 * @throws {FleetrigError} BOARD_NO_TTY, BOARD_CONTROL_FAILED
 */
export async function startRomBoard(options: RomBoardOptions): Promise<RomBoard> {
  const { chip, mac, stateFolder, registryFolder, clock, tags = [] } = options;
  mkdirSync(stateFolder, { recursive: true });
  mkdirSync(registryFolder, { recursive: true, mode: 0o700 });
  const flash = new FileFlash(join(stateFolder, "flash.bin"), FLASH_BYTES);
  const tty = new ChipTty({ chip, mac, flash, clock });
  const control = join(registryFolder, `${mac}.sock`);
  const server = new ControlServer((request) => perform(tty, request));
  await server.listen(control);
  tty.plug();
  tty.chip.powerOn();
  const path = tty.path!;
  const entry = { schema: 1 as const, path, kind: "rom", mac, chip, tags: [...tags], control };
  const unregister = registerVirtualBoard(registryFolder, { ...entry, ...hostProcess() });
  return {
    mac,
    chip,
    path,
    control,
    stop: () => {
      unregister();
      server.close();
      tty.chip.powerOff();
      tty.unplug();
      flash.close();
    },
  };
}

async function perform({ chip }: ChipTty, request: ControlRequest): Promise<void> {
  if (request.op === "power") {
    if (request.on) chip.powerOn();
    else chip.powerOff();
    return;
  }
  if (request.op !== "reset")
    throw new FleetrigError("BOARD_UNSUPPORTED", `A ROM by itself cannot do "${request.op}".`, {
      hint: "Take a virtual board of another kind.",
    });
  // IO0 low while EN rises, as a flasher's lines have it.
  chip.setLines({ dtr: false, rts: true });
  chip.setLines({ dtr: request.mode === "download", rts: false });
}
