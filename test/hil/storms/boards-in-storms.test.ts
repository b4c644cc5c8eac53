import { describe, expect, it } from "vitest";
import type { BenchRig } from "../bench/bench-rig.js";
import { HostRig, lacks } from "../bench/host-rig.js";
import { type Blow, percentile, Storm } from "./storm.js";

/**
 * Real firmware on the bench of this machine, in all of the weather. `FLEETRIG_STORM_RESETS=1000 FLEETRIG_STORM_REPLUGS=200` are the
 * figures of the bench; `FLEETRIG_STORM_BOARDS` boards share them.
 */
const number = (name: string, usual: number): number => Number(process.env[name] ?? usual);
const RESETS = number("FLEETRIG_STORM_RESETS", 9);
const REPLUGS = number("FLEETRIG_STORM_REPLUGS", 4);
const BOARDS = number("FLEETRIG_STORM_BOARDS", 3);
const MS_PER_BLOW = 4_000;
const START_MS = 30_000;

const RESET_BLOWS: readonly Blow[] = ["hard-reset", "software-reset", "power-cycle"];
const REPLUG_BLOWS: readonly Blow[] = ["replug", "replug-renamed"];

async function endure(rig: BenchRig, blows: readonly Blow[], count: number): Promise<string> {
  const storm = new Storm(rig, blows.join());
  const ackedBefore = rig.acked.size;
  await storm.rage(blows, count);
  const sent = [...rig.sent];
  const isThere = (key: string): boolean => rig.arrived.has(key) || rig.discarded.has(key);
  await rig.until("what was sent has arrived", () => sent.every(isThere));
  const { recoveriesMs } = storm;
  expect(storm.failures).toEqual([]);
  expect(recoveriesMs).toHaveLength(count);
  expect(rig.acked.size).toBeGreaterThan(ackedBefore);
  expect(rig.lost).toEqual([]);
  expect([...rig.reused]).toEqual([]);
  expect(rig.find("board.given-up")).toEqual([]);
  expect(rig.find("board.panicked")).toEqual([]);
  expect(rig.failures).toEqual([]);
  const dealt = [...storm.counts].map(([blow, times]) => `${times} ${blow}`).join(", ");
  const at = (share: number): string => percentile(recoveriesMs, share).toFixed(0);
  return `${dealt}: back after ${at(0.5)} ms (p50), ${at(0.95)} ms (p95), ${at(1)} ms (worst); ${rig.acked.size} acknowledged`;
}

describe.each(["rv32", "native", "micropython"] as const)("%s boards in storms", (kind) => {
  it.skipIf(lacks[kind])(
    "are followed over resets, power cuts and ports; nothing is lost or numbered twice",
    { timeout: START_MS + (RESETS + REPLUGS) * MS_PER_BLOW },
    async ({ annotate }) => {
      const rig = await HostRig.open();
      await rig.claim(Array.from({ length: BOARDS }, () => kind));
      rig.start();
      await rig.until("all online", () => rig.members.every(({ isOnline }) => isOnline), START_MS);

      await annotate(await endure(rig, REPLUG_BLOWS, REPLUGS));
      expect(rig.find("board.detached")).toHaveLength(REPLUGS);
      // The board goes on meanwhile, and so do its numbers.
      expect(rig.find("board.booted")).toEqual([]);
      expect(rig.skipped).toEqual([]);

      await annotate(await endure(rig, RESET_BLOWS, RESETS));
      expect(rig.find("board.booted").every(({ isExpected }) => isExpected)).toBe(true);
    },
  );
});
