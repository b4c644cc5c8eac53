import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { referenceFirmware, type RunningVirtualBoard, startVirtualBench } from "fleetrig/hil";
import { HostedLink } from "../hil/virtual/hosted-link.js";
import { lacksEmulator } from "../rigs.js";
import type { BenchCase, Figure } from "./bench-case.js";

const KINDS = ["native", "rv32"] as const;
const WARM_UP = 50;
const ECHOES = 1_000;
const ECHO_CHARACTERS = 40;
const BULK = 300;
/** A loaded machine is slow; that is a figure, not a failure. */
const ECHO_TIMEOUT_US = 30_000_000;
/** With its JSON a message of 6144 bytes at most. */
const BULK_CHARACTERS = 4_000;
const BULK_AT_ONCE = 3;
/** A measurement ends then with what it has: on a machine that others use an answer may take a hundred times as long. */
const MEASUREMENT_MS = 50_000;

export const HIL_LINK_CASE: BenchCase = {
  name: "hil-link",
  description:
    "one virtual board on a good line: commands one after the other, and as many bytes as the link takes",
  deadlineMs: 360_000,
  skipped: () => (lacksEmulator ? "no QEMU or compiler for riscv32" : undefined),
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
    const figures: Figure[] = [];
    try {
      for (const kind of KINDS) figures.push(...(await measure(kind, join(folder, kind))));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return figures;
  },
};

async function measure(kind: (typeof KINDS)[number], folder: string): Promise<Figure[]> {
  const firmware = await referenceFirmware(kind, join(folder, "builds"));
  const folders = { stateFolder: join(folder, "state"), registryFolder: join(folder, "boards") };
  const bench = await startVirtualBench({ kind, count: 1, firmware, ...folders });
  try {
    return await measureBoard(kind, bench.boards[0]!);
  } finally {
    await bench.stop();
  }
}

async function measureBoard(kind: string, board: RunningVirtualBoard): Promise<Figure[]> {
  const hosted = await HostedLink.open(board.path!);
  await hosted.opened;
  await echoTimes(hosted, WARM_UP);
  const times = (await echoTimes(hosted, ECHOES)).sort((a, b) => a - b);
  const { bytes, bytesPerS } = await throughput(hosted);
  const { repeatedByTimeout, repeatedByAck } = hosted.link.counters;
  await hosted.close();
  const at = (share: number): number => times[Math.floor(times.length * share)]!;
  return [
    { name: `${kind}: echoes`, value: times.length, unit: "" },
    { name: `${kind}: echo, p50`, value: at(0.5), unit: "ms" },
    { name: `${kind}: echo, p99`, value: at(0.99), unit: "ms" },
    { name: `${kind}: as fast as it goes, each way`, value: bytes / 1_000, unit: "kB" },
    { name: `${kind}: throughput, each way`, value: bytesPerS / 1_000, unit: "kB/s" },
    {
      name: `${kind}: frames sent again by the host`,
      value: repeatedByTimeout + repeatedByAck,
      unit: "frames",
    },
  ];
}

async function echoTimes({ link: board }: HostedLink, count: number): Promise<number[]> {
  const times: number[] = [];
  const data = "x".repeat(ECHO_CHARACTERS);
  const endMs = performance.now() + MEASUREMENT_MS;
  while (times.length < count && performance.now() < endMs) {
    const startMs = performance.now();
    await board.command("echo", { data }, ECHO_TIMEOUT_US);
    times.push(performance.now() - startMs);
  }
  return times;
}

/** Long echoes, a few at a time, so that both directions are full: payload bytes of one of them. */
async function throughput({
  link: board,
}: HostedLink): Promise<{ readonly bytes: number; readonly bytesPerS: number }> {
  const data = "x".repeat(BULK_CHARACTERS);
  const startMs = performance.now();
  let begun = 0;
  let bytes = 0;
  const lane = async (): Promise<void> => {
    while (begun < BULK && performance.now() < startMs + MEASUREMENT_MS) {
      begun += 1;
      await board.command("echo", { data }, ECHO_TIMEOUT_US);
      bytes += BULK_CHARACTERS;
    }
  };
  await Promise.all(Array.from({ length: BULK_AT_ONCE }, lane));
  return { bytes, bytesPerS: (bytes * 1_000) / (performance.now() - startMs) };
}
