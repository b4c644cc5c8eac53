import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  createRandomSource,
  type EventSink,
  hostSeed,
  LANE,
  type RandomSource,
  type TimeSource,
} from "fleetrig/kernel";
import { AddressDecoder } from "../elf/index.js";
import { listPorts } from "../enumerate/list-ports.js";
import { hostSystemFiles } from "../enumerate/system-files.js";
import { readVirtualBoards } from "../enumerate/virtual-registry.js";
import { BoardLeases } from "../lease/board-leases.js";
import { createPortOpener } from "../port/port-opener.js";
import { SpareProcesses } from "../port/spare-processes.js";
import { hostPower } from "../power/power-host.js";
import { ResetMemoryFile } from "../reset/reset-memory.js";
import { type BenchFile, type BenchFileBoard, EMPTY_BENCH_FILE, readBenchFile } from "./bench-file.js";
import type { Bench } from "./bench.js";
import { createBench } from "./create-bench.js";
import { HostPorts } from "./host-ports.js";
import { portHands } from "./port-hands.js";
import { RunBoards } from "./run-boards.js";

export interface HostBenchOptions {
  /** Real time. */
  readonly time: TimeSource;
  /** Of the run. */
  readonly random: RandomSource;
  readonly events: EventSink;
  /** Path of a bench file. */
  readonly file?: string;
  /** `hostStateFolder()`: what fleetrig's processes on this machine share. */
  readonly stateFolder: string;
  /** For the flashes of virtual boards. */
  readonly temporaryFolder: string;
  /** Where builds of the reference firmware are kept; default: `firmware` in the state folder. */
  readonly buildFolder?: string;
  /** Name of this machine, for leases. */
  readonly hostName: string;
  /** Shown to whoever waits for a board: the scenario, or the command. */
  readonly purpose: string;
  /** How long to wait for boards that others use; default: 0. */
  readonly leasePatienceUs?: number;
  /** How long a driver may take to answer before it counts as wedged; default: 3 s. */
  readonly stallUs?: number;
}

/**
 * The bench of this machine: its ports, its virtual boards, and what its bench file says of them.
 * @throws FleetrigError BENCH_FILE_UNREADABLE, BENCH_FILE_INVALID (rejections, exit 2)
 */
export async function createHostBench(options: HostBenchOptions): Promise<Bench> {
  const { time, random, events, stateFolder, temporaryFolder, hostName, purpose } = options;
  const clock = time.lane(LANE.bench);
  const file = options.file === undefined ? EMPTY_BENCH_FILE : await readBenchFile(options.file);
  const folder = options.file === undefined ? "." : dirname(options.file);
  const programs = await readPrograms(file, folder);
  const registryFolder = join(stateFolder, "boards");
  const source = new HostPorts(clock, () => listPorts(hostSystemFiles, readVirtualBoards(registryFolder)));
  const boards = new RunBoards({
    registryFolder,
    temporaryFolder,
    buildFolder: options.buildFolder ?? join(stateFolder, "firmware"),
  });
  const memory = new ResetMemoryFile(join(stateFolder, "resets", "learned.json"));
  const host = hostPower(clock);
  const spares = new SpareProcesses(clock);
  const bench = createBench({
    time,
    clock,
    random,
    linkRandom: createRandomSource(hostSeed()),
    events,
    file,
    source,
    opener: createPortOpener({
      clock,
      spares,
      ...(options.stallUs !== undefined && { stallUs: options.stallUs }),
    }),
    leases: new BoardLeases({ folder: join(stateFolder, "leases"), clock, host: hostName }),
    purpose,
    leasePatienceUs: options.leasePatienceUs ?? 0,
    handsOf: (port, known) => portHands(port, known, { clock, memory, host }),
    startVirtual: (kind) => boards.start(kind),
    symbolsOf: (known, chip) => (known && programs.get(known)) ?? boards.symbolsOf(chip),
    image: async (version) => (await imageOf(file, folder, version)) ?? boards.image(version),
  });
  return {
    claim: (requests) => bench.claim(requests),
    member: (board, member) => bench.member(board, member),
    image: (version) => bench.image(version),
    settle: () => bench.settle(),
    close: async () => {
      await bench.close();
      spares.close();
      source.stop();
      await boards.clear();
    },
  };
}

/** A file that is missing costs names of addresses, not the run. */
async function readPrograms(
  { boards }: BenchFile,
  folder: string,
): Promise<ReadonlyMap<BenchFileBoard, (address: number) => string>> {
  const programs = new Map<BenchFileBoard, (address: number) => string>();
  for (const board of boards) {
    if (board.elf === undefined) continue;
    try {
      const decoder = new AddressDecoder(await readFile(resolve(folder, board.elf)));
      programs.set(board, (address) => decoder.decode(address));
    } catch {
      continue;
    }
  }
  return programs;
}

async function imageOf(
  { boards }: BenchFile,
  folder: string,
  version: string,
): Promise<Uint8Array | undefined> {
  const path = boards.map(({ images }) => images?.[version]).find((image) => image !== undefined);
  return path === undefined ? undefined : readFile(resolve(folder, path));
}
