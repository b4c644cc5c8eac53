import {
  type AttachedPort,
  type BenchFile,
  BoardLeases,
  EMPTY_BENCH_FILE,
  ImageCache,
  listPorts,
  parseBenchFile,
  type PortOpener,
  readVirtualBoards,
  ResetMemoryFile,
} from "fleetrig/hil";
import { type Clock, LANE, RealTime, US_PER_MINUTE } from "fleetrig/kernel";
import type { Host } from "../host.js";
import { stateFolderOf } from "../state-folder.js";
import { SeenBoards } from "./seen-boards.js";

/** What the command line says of boards in general. */
export interface BoardFlags {
  /** Bench file. */
  readonly bench?: string;
  /** µs to wait for a board that somebody else uses. */
  readonly wait?: number;
  readonly json?: boolean;
}

/** Where a command works with boards: everything it shares with other commands on this machine. */
export interface Workplace {
  readonly host: Host;
  readonly flags: BoardFlags;
  readonly clock: Clock;
  readonly file: BenchFile;
  /** Absolute. */
  readonly stateFolder: string;
  /** Of running virtual boards. */
  readonly registryFolder: string;
  readonly leases: BoardLeases;
  readonly seen: SeenBoards;
  readonly resetMemory: ResetMemoryFile;
  readonly imageCache: ImageCache;
  readonly opener: PortOpener;
  /** As they are now. */
  listPorts(): readonly AttachedPort[];
}

export const USUAL_BENCH_FILE = "fleetrig.bench.yaml";
/** What exported ports ask for. */
export const PORT_TOKEN_VARIABLE = "FLEETRIG_PORT_TOKEN";

/**
 * Gives `work` a workplace, and clears it up afterwards.
 * @throws FleetrigError BENCH_FILE_INVALID, CLI_FILE_UNREADABLE (rejections)
 */
export async function atWorkplace<T>(
  host: Host,
  flags: BoardFlags,
  work: (place: Workplace) => Promise<T>,
): Promise<T> {
  const time = new RealTime();
  try {
    return await work(createWorkplace(host, flags, time.lane(LANE.bench)));
  } finally {
    time.stop();
  }
}

function createWorkplace(host: Host, flags: BoardFlags, clock: Clock): Workplace {
  const { machine, env, files } = host;
  const stateFolder = stateFolderOf(host);
  const registryFolder = `${stateFolder}/boards`;
  const token = env[PORT_TOKEN_VARIABLE];
  return {
    host,
    flags,
    clock,
    file: benchFile(host, flags.bench),
    stateFolder,
    registryFolder,
    leases: new BoardLeases({ folder: `${stateFolder}/leases`, clock, host: machine.name }),
    seen: new SeenBoards(files, `${stateFolder}/seen-boards.json`),
    resetMemory: new ResetMemoryFile(`${stateFolder}/resets/learned.json`),
    imageCache: new ImageCache(`${stateFolder}/images.json`),
    opener: machine.openPorts({ clock, tokenOf: () => token }),
    listPorts: () => listPorts(machine.files, readVirtualBoards(registryFolder)),
  };
}

function benchFile({ files }: Host, path: string | undefined): BenchFile {
  if (path !== undefined) return parseBenchFile(files.readFile(path), path);
  if (files.kind(USUAL_BENCH_FILE) !== "file") return EMPTY_BENCH_FILE;
  return parseBenchFile(files.readFile(USUAL_BENCH_FILE), USUAL_BENCH_FILE);
}

const KEEP_ALIVE_US = US_PER_MINUTE;

/** Resolves when the process is interrupted; call it before anything else that takes time. */
export function interruption({ host, clock }: Workplace): Promise<void> {
  return new Promise((resolve) => {
    // A promise alone keeps no process alive.
    const timer = clock.after(KEEP_ALIVE_US, () => timer.again(KEEP_ALIVE_US));
    host.onSignal(() => {
      timer.cancel();
      resolve();
    });
  });
}
