import { join } from "node:path";
import { type ChipName, readVirtualBoards, type RomBoard, startRomBoard } from "fleetrig/hil";
import type { Workplace } from "./workplace.js";

/** Several chips with nothing but their ROM. */
export interface VirtualRoms {
  readonly boards: readonly RomBoard[];
  stop(): Promise<void>;
}

/** @throws FleetrigError as `startRomBoard` */
export async function startVirtualRoms(
  { clock, registryFolder }: Workplace,
  options: {
    readonly chip: ChipName;
    readonly count: number;
    readonly folder: string;
    readonly tags: readonly string[];
  },
): Promise<VirtualRoms> {
  const { chip, count, folder, tags } = options;
  const boards: RomBoard[] = [];
  const stop = async (): Promise<void> => {
    for (const board of boards.splice(0)) board.stop();
  };
  const taken = new Set(readVirtualBoards(registryFolder).map(({ mac }) => mac));
  try {
    for (let number = 1; boards.length < count; number += 1) {
      const mac = `02f1ee04${number.toString(16).padStart(4, "0")}`;
      if (taken.has(mac)) continue;
      boards.push(
        await startRomBoard({ chip, mac, stateFolder: join(folder, mac), registryFolder, clock, tags }),
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { boards, stop };
}
