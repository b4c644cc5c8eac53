import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { referenceFirmware, type RunningVirtualBoard, startVirtualBench } from "fleetrig/hil";
import { lacksEmulator } from "../rigs.js";
import { HostedLink } from "../hil/virtual/hosted-link.js";
import type { BenchCase, Figure } from "./bench-case.js";
import { cpuSeconds } from "./process-figures.js";

const BOARDS = 20;
const IDLE_S = 10;
/** Until the clocks are fitted, boards are asked for the time more often. */
const SETTLE_MS = 12_000;
const ECHOES = 400;
const RESETS = 20;

const virtualBoards: BenchCase = {
  name: "hil-virtual",
  description: `${BOARDS} virtual rv32 boards with the reference firmware: their start, their rest, one of them at work`,
  deadlineMs: 180_000,
  skipped: () => (lacksEmulator ? "no QEMU or compiler for riscv32" : undefined),
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
    const firmware = await referenceFirmware("rv32", join(folder, "builds"));
    const startMs = performance.now();
    const folders = { stateFolder: join(folder, "state"), registryFolder: join(folder, "boards") };
    const bench = await startVirtualBench({ kind: "rv32", count: BOARDS, firmware, ...folders });
    const links: HostedLink[] = [];
    try {
      const powered = performance.now() - startMs;
      for (const board of bench.boards) links.push(await HostedLink.open(board.path!));
      await Promise.all(links.map((one) => one.opened));
      const helloMs = performance.now() - startMs;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const busy = await cpuShare(bench.boards);
      const echo = await echoTimes(links[0]!);
      const resets = await resetTimes(bench.boards[0]!, links[0]!);
      for (const link of links) await link.close();
      const idle = await cpuShare(bench.boards);
      const pssMiB = bench.boards.reduce((sum, { pid }) => sum + proportionalMiB(pid!), 0) / BOARDS;
      return [
        { name: "all powered", value: powered / 1_000, unit: "s" },
        { name: "all at hello", value: helloMs / 1_000, unit: "s" },
        { name: "CPU of all, nobody listening", value: idle, unit: "% of a core", most: 5 },
        { name: "CPU of all, links open", value: busy, unit: "% of a core", most: 10 },
        { name: "memory per board (PSS)", value: pssMiB, unit: "MiB" },
        ...percentiles("command and answer", echo),
        ...percentiles("EN to session", resets),
      ];
    } finally {
      await bench.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Boards and their keeper together, in hundredths of one core. */
async function cpuShare(boards: readonly RunningVirtualBoard[]): Promise<number> {
  const pids = [...boards.map(({ pid }) => pid!), keeperOf(boards[0]!.pid!)];
  const total = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = total();
  await new Promise((resolve) => setTimeout(resolve, IDLE_S * 1_000));
  return ((total() - before) / IDLE_S) * 100;
}

async function echoTimes({ link }: HostedLink): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < ECHOES; n += 1) {
    const startMs = performance.now();
    await link.command("echo", { data: "x".repeat(n % 200) });
    times.push(performance.now() - startMs);
  }
  return times;
}

async function resetTimes(board: RunningVirtualBoard, link: HostedLink): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < RESETS; n += 1) {
    const startMs = performance.now();
    const restarted = link.restarted();
    await board.reset();
    await restarted;
    times.push(performance.now() - startMs);
  }
  return times;
}

function percentiles(name: string, times: number[]): Figure[] {
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
  return [
    { name: `${name}, p50`, value: at(0.5), unit: "ms" },
    { name: `${name}, p95`, value: at(0.95), unit: "ms" },
  ];
}

const keeperOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")[1]);

const proportionalMiB = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))![1]) / 1_024;

export const HIL_VIRTUAL_CASES: readonly BenchCase[] = [virtualBoards];
