import { join } from "node:path";
import { VIRTUAL_BOARD_KINDS } from "../bench/bench.js";
import { readVirtualBoards } from "../enumerate/virtual-registry.js";
import { type RunningVirtualBoard, startVirtualBoard, type VirtualBoardOptions } from "./virtual-board.js";

/** Several virtual boards of one kind. */
export interface VirtualBenchOptions extends Omit<VirtualBoardOptions, "mac" | "stateFolder" | "log"> {
  readonly count: number;
  /** Each board has a folder of its own in here, named by its MAC: the same boards come back the next time. */
  readonly stateFolder: string;
  /** What a board's program says beside its serial line. */
  log?(mac: string, text: string): void;
}

export interface VirtualBench {
  readonly boards: readonly RunningVirtualBoard[];
  /** Ends all of them. Their state folders stay. */
  stop(): Promise<void>;
}

/**
 * Starts boards with addresses that no running virtual board has.
 * @throws {FleetrigError} as `startVirtualBoard`; boards that had started are ended
 */
export async function startVirtualBench(options: VirtualBenchOptions): Promise<VirtualBench> {
  const { stateFolder, log } = options;
  const started = await Promise.allSettled(
    freeAddresses(options).map((mac) =>
      startVirtualBoard({
        ...options,
        mac,
        stateFolder: join(stateFolder, mac),
        log: (text) => log?.(mac, text),
      }),
    ),
  );
  const boards = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(boards.map((one) => one.stop()));
  };
  const failed = started.find((one) => one.status === "rejected");
  if (failed === undefined) return { boards, stop };
  await stop();
  throw failed.reason;
}

/** Locally administered; the fifth byte tells kinds apart. */
function freeAddresses({ kind, count, registryFolder }: VirtualBenchOptions): string[] {
  const taken = new Set(readVirtualBoards(registryFolder).map(({ mac }) => mac));
  const kindByte = (VIRTUAL_BOARD_KINDS.indexOf(kind) + 1).toString(16).padStart(2, "0");
  const free: string[] = [];
  for (let number = 1; free.length < count; number += 1) {
    const mac = `02f1ee${kindByte}${number.toString(16).padStart(4, "0")}`;
    if (!taken.has(mac)) free.push(mac);
  }
  return free;
}
