import { ok, rejects } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type FlashLine, openTtyPort, type Port } from "fleetrig/hil";
import { BOARDS } from "../rack-protocol.js";
import { type BenchTop, type Check, PATIENT_US } from "./bench-top.js";
import { openLine } from "./lines.js";

const WEDGED = ["cp2102Chip", "ch340Other", "jtagChip"] as const;
const BUDGET_MS = 5;
const PINGS = 150;
const STALL_US = 3_000_000;
/** How far apart two calm measurements may be for a third to be held against them: what a wedge costs where it reaches others is seconds. */
const MAX_NOISE_MS = 45;
/** The machine may have something else to do in one of them; a wedge that reaches others does so in all. */
const ROUNDS = 3;

const percentile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]!;

/** Asks a board again and again for an answer, and the file system for a file. @returns how long each took, in ms */
async function measure(
  top: BenchTop,
  line: FlashLine,
  isOver: (count: number) => boolean,
): Promise<{ pings: number[]; readMaxMs: number }> {
  const pings: number[] = [];
  let readMaxMs = 0;
  let text = "";
  let answered: () => void = () => undefined;
  const stop = line.listen({
    received: (bytes) => {
      text += Buffer.from(bytes).toString("latin1");
      if (text.includes(`pong ${pings.length}\n`)) answered();
    },
    closed: () => undefined,
  });
  while (!isOver(pings.length)) {
    text = "";
    const sinceUs = top.clock.nowUs();
    const answer = new Promise<void>((resolve, reject) => {
      const lost = (): void => reject(new Error(`ping ${pings.length} has no answer; text: ${text}`));
      const patience = top.clock.after(PATIENT_US, lost);
      answered = () => (patience.cancel(), resolve());
    });
    line.port.write(Buffer.from(`ping ${pings.length}\n`));
    await answer;
    const atUs = top.clock.nowUs();
    pings.push((atUs - sinceUs) / 1000);
    await readFile("/proc/uptime");
    readMaxMs = Math.max(readMaxMs, (top.clock.nowUs() - atUs) / 1000);
  }
  stop();
  return { pings, readMaxMs };
}

export const WEDGES: readonly Check[] = [
  [
    "three wedged devices do not cost the others 5 ms at p99, and end as stalls of their own",
    async (top) => {
      const line = await openLine(top, "ch340");
      const tried: string[] = [];
      try {
        for (let round = 0; round < ROUNDS; round += 1) {
          const result = await wedgeRound(top, line);
          console.log(result.text);
          tried.push(result.text);
          if (!result.isWithin) continue;
          top.figure("p99 of a board beside three wedged ones, against calm", result.shiftMs, "ms");
          top.figure("  uncertain by", result.noiseMs, "ms");
          top.figure("slowest file read beside three wedged ports", result.readMaxMs, "ms");
          return;
        }
        ok(false, tried.join("; "));
      } finally {
        await line.port.close();
      }
    },
  ],
];

async function wedgeRound(
  top: BenchTop,
  line: FlashLine,
): Promise<{ isWithin: boolean; shiftMs: number; noiseMs: number; readMaxMs: number; text: string }> {
  const wedged: Port[] = [];
  // One after the other: for three at once the guest may need as long as a driver has.
  for (const board of WEDGED) {
    const { address } = top.port(board);
    const receiver = { received: () => undefined, closed: () => undefined };
    const { clock, spares } = top;
    wedged.push(
      await openTtyPort({ address, baud: 115_200, receiver }, { clock, spares, stallUs: STALL_US }),
    );
  }
  const calm = await measure(top, line, (count) => count >= PINGS);
  for (const board of WEDGED)
    await top.rack.ask({ op: "trouble", bus: BOARDS[board].bus, trouble: "wedged" });
  let isEnded = false;
  const stalls = Promise.all(
    wedged.map((port) => rejects(port.setLines({ dtr: true, rts: true }), { code: "PORT_STALLED" })),
  ).finally(() => (isEnded = true));
  stalls.catch(() => undefined);
  const beside = await measure(top, line, (count) => isEnded && count >= PINGS);
  await stalls;
  for (const board of WEDGED) {
    const { bus } = BOARDS[board];
    await top.rack.ask({ op: "plug", bus, in: false });
    await top.rack.ask({ op: "trouble", bus, trouble: null });
  }
  await top.until(
    "the wedged ones gone",
    () => WEDGED.every((board) => top.find(board) === undefined),
    40_000,
  );
  for (const board of WEDGED) await top.rack.ask({ op: "plug", bus: BOARDS[board].bus, in: true });
  await top.until("and back", () => WEDGED.every((board) => top.find(board) !== undefined), 40_000);
  const after = await measure(top, line, (count) => count >= PINGS);
  const calms = [calm, after].map(({ pings }) => percentile(pings, 0.99));
  const calmMs = Math.max(...calms);
  const noiseMs = calmMs - Math.min(...calms);
  const shiftMs = percentile(beside.pings, 0.99) - calmMs;
  const text = `p99 ${calmMs.toFixed(1)} ms calm, ${shiftMs.toFixed(1)} ± ${noiseMs.toFixed(1)} ms more beside, p50 ${percentile(calm.pings, 0.5).toFixed(1)} and ${percentile(beside.pings, 0.5).toFixed(1)} ms`;
  return {
    isWithin: shiftMs < BUDGET_MS + Math.min(MAX_NOISE_MS, noiseMs),
    shiftMs,
    noiseMs,
    readMaxMs: beside.readMaxMs,
    text,
  };
}
