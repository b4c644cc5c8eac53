import type { VirtualBoardKind } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { HostRig, lacks } from "../bench/host-rig.js";
import { type Blow, percentile, Storm } from "./storm.js";

/**
 * Real firmware on the bench of this machine, in all of the weather. `FLEETRIG_STORM_RESETS=1000 FLEETRIG_STORM_REPLUGS=200` are the
 * figures of the bench; `FLEETRIG_STORM_BOARDS` boards share them.
 */
const number = (name: string, usual: number): number => Number(process.env[name] ?? usual);
const RESETS = number("FLEETRIG_STORM_RESETS", 18);
const REPLUGS = number("FLEETRIG_STORM_REPLUGS", 8);
const BOARDS = number("FLEETRIG_STORM_BOARDS", 3);
const MS_PER_BLOW = 4_000;
const START_MS = 30_000;
const RECOVERY_P95_MS = 3_000;

const RESET_BLOWS: readonly Blow[] = ["hard-reset", "software-reset", "power-cycle"];
const REPLUG_BLOWS: readonly Blow[] = ["replug", "replug-renamed"];

async function endure(kind: VirtualBoardKind, blows: readonly Blow[], count: number): Promise<HostRig> {
  const rig = await HostRig.open();
  await rig.claim(Array.from({ length: BOARDS }, () => kind));
  rig.start();
  await rig.until("all online", () => rig.members.every(({ isOnline }) => isOnline), START_MS);
  const storm = new Storm(rig, `${kind}/${blows.join()}`);
  await storm.rage(blows, count);
  await rig.until("what was sent has arrived", () => rig.sent.size > 0 && rig.skipped.length === 0).catch(
    () => undefined,
  );
  const { recoveriesMs } = storm;
  const at = (share: number): string => percentile(recoveriesMs, share).toFixed(0);
  process.stdout.write(
    `${kind}: ${[...storm.counts].map(([blow, times]) => `${times} ${blow}`).join(", ")}; recovery ms p50 ${at(0.5)} p95 ${at(0.95)} max ${at(1)}; ${rig.acked.size} acknowledged, ${rig.discarded.size} discarded\n`,
  );
  expect(recoveriesMs).toHaveLength(count);
  expect(percentile(recoveriesMs, 0.95)).toBeLessThanOrEqual(RECOVERY_P95_MS);
  expect(rig.acked.size).toBeGreaterThan(count);
  expect(rig.lost).toEqual([]);
  expect([...rig.reused]).toEqual([]);
  expect(rig.skipped).toEqual([]);
  expect(rig.find("board.given-up")).toEqual([]);
  expect(rig.find("board.panicked")).toEqual([]);
  expect(rig.failures).toEqual([]);
  return rig;
}

describe.each(["rv32", "native", "micropython"] as const)("%s boards in storms", (kind) => {
  it.skipIf(lacks[kind])(
    "are followed over resets and power cuts; nothing is lost, skipped or numbered twice",
    { timeout: START_MS + RESETS * MS_PER_BLOW },
    async () => {
      const rig = await endure(kind, RESET_BLOWS, RESETS);
      expect(rig.find("board.booted").every(({ isExpected }) => isExpected)).toBe(true);
    },
  );

  it.skipIf(lacks[kind])(
    "are followed to the ports that they are plugged into; they go on meanwhile",
    { timeout: START_MS + REPLUGS * MS_PER_BLOW },
    async () => {
      const rig = await endure(kind, REPLUG_BLOWS, REPLUGS);
      expect(rig.find("board.detached")).toHaveLength(REPLUGS);
      expect(rig.find("board.booted")).toEqual([]);
    },
  );
});
