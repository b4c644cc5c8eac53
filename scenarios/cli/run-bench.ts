import { type Bench, createHostBench } from "fleetrig/hil";
import { US_PER_MINUTE } from "fleetrig/kernel";
import { posix } from "node:path";
import type { BenchContext } from "../runner/run-scenario.js";
import { USUAL_BENCH_FILE } from "./board/workplace.js";
import type { Host } from "./host.js";
import { stateFolderOf } from "./state-folder.js";

/** Runs of one suite, and of other suites on this machine, wait for each other's boards. */
const LEASE_PATIENCE_US = US_PER_MINUTE;

/**
 * The bench of this machine, for one run: with the bench file that the scenario names, or the usual one in the current folder.
 * @throws FleetrigError BENCH_FILE_UNREADABLE, BENCH_FILE_INVALID (rejections)
 */
export function openHostBench(
  host: Host,
  { time, random, events, scenario, folder }: BenchContext,
): Promise<Bench> {
  const file =
    scenario.bench.file === undefined
      ? usualFile(host)
      : posix.resolve(host.cwd, folder, scenario.bench.file);
  return createHostBench({
    time,
    random,
    events,
    ...(file !== undefined && { file }),
    stateFolder: stateFolderOf(host),
    temporaryFolder: host.machine.temporaryFolder,
    hostName: host.machine.name,
    purpose: `scenario ${scenario.name}`,
    leasePatienceUs: LEASE_PATIENCE_US,
  });
}

const usualFile = ({ files, cwd }: Host): string | undefined =>
  files.kind(USUAL_BENCH_FILE) === "file" ? posix.resolve(cwd, USUAL_BENCH_FILE) : undefined;
