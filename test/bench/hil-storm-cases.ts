import type { VirtualBoardKind } from "fleetrig/hil";
import { BenchRig } from "../hil/bench/bench-rig.js";
import { type Blow, percentile, Storm } from "../hil/storms/storm.js";
import { UPDATE_PHASES, updateStorm } from "../hil/storms/update-storm.js";
import { lacksEmulator } from "../rigs.js";
import type { BenchCase, Figure } from "./bench-case.js";

/**
 * `FLEETRIG_STORM_RESETS=1000 FLEETRIG_STORM_REPLUGS=200 FLEETRIG_UPDATE_BOARDS=10 FLEETRIG_UPDATE_ROUNDS=10` is the full size. A storm ends
 * when its time is up, too, and then says how far it came.
 */
const number = (name: string, usual: number): number => Number(process.env[name] ?? usual);
const RESETS = number("FLEETRIG_STORM_RESETS", 90);
const REPLUGS = number("FLEETRIG_STORM_REPLUGS", 40);
const STORM_MS = number("FLEETRIG_STORM_MINUTES", 2) * 60_000;
const UPDATE_BOARDS = number("FLEETRIG_UPDATE_BOARDS", 4);
const UPDATE_ROUNDS = number("FLEETRIG_UPDATE_ROUNDS", 6);
/** A MicroPython board is an interpreter that starts anew with each reset: more of them measure this machine. */
const BOARDS: Readonly<Record<VirtualBoardKind, number>> = { rv32: 6, native: 6, micropython: 2 };
const START_MS = 60_000;
const RECOVERY_MOST_MS = 3_000;
const KINDS: readonly VirtualBoardKind[] = ["rv32", "native", "micropython"];
const STORMS: readonly { readonly name: string; readonly blows: readonly Blow[]; readonly count: number }[] =
  [
    { name: "resets", blows: ["hard-reset", "software-reset", "power-cycle"], count: RESETS },
    { name: "replugs", blows: ["replug", "replug-renamed"], count: REPLUGS },
  ];
const skipped = (): string | undefined => (lacksEmulator ? "no QEMU or compiler for riscv32" : undefined);

function ways(what: string, recoveriesMs: readonly number[]): readonly Figure[] {
  const at = (share: number): number => percentile(recoveriesMs, share);
  return [
    { name: `back after ${what}, p50`, value: at(0.5), unit: "ms" },
    { name: `back after ${what}, p95`, value: at(0.95), unit: "ms", most: RECOVERY_MOST_MS },
    { name: `back after ${what}, worst`, value: at(1), unit: "ms" },
  ];
}

const recovery = (kind: VirtualBoardKind): BenchCase => ({
  name: `hil-recovery-${kind}`,
  description: `${RESETS} resets and ${REPLUGS} replugs of ${BOARDS[kind]} ${kind} boards under telemetry`,
  deadlineMs: START_MS + STORMS.length * (STORM_MS + START_MS),
  skipped,
  async run() {
    const rig = await BenchRig.open();
    try {
      await rig.claim(Array.from({ length: BOARDS[kind] }, () => kind));
      rig.start();
      await rig.until("all online", () => rig.members.every(({ isOnline }) => isOnline), START_MS);
      const figures: Figure[] = [];
      for (const { name, blows, count } of STORMS) {
        const storm = new Storm(rig, `${kind}/${name}`);
        await storm.rage(blows, count, STORM_MS);
        for (const failure of storm.failures) console.error(failure);
        figures.push(
          { name, value: storm.recoveriesMs.length, unit: "" },
          ...ways(name, storm.recoveriesMs),
          { name: `not back after ${name}`, value: storm.failures.length, unit: "", most: 0 },
        );
      }
      const sent = [...rig.sent];
      const waiting = (): number =>
        sent.filter((key) => !rig.arrived.has(key) && !rig.discarded.has(key)).length;
      await rig.until("what was sent has arrived", () => waiting() === 0).catch(() => undefined);
      return [
        ...figures,
        { name: "messages acknowledged", value: rig.acked.size, unit: "" },
        { name: "acknowledged and lost", value: rig.lost.length, unit: "", most: 0 },
        { name: "sent and not arrived", value: waiting(), unit: "", most: 0 },
        { name: "numbers used twice", value: rig.reused.size, unit: "", most: 0 },
        { name: "boards given up", value: rig.find("board.given-up").length, unit: "", most: 0 },
      ];
    } finally {
      await rig.close();
    }
  },
});

const updates: BenchCase = {
  name: "hil-recovery-updates",
  description: `a power cut in each of ${UPDATE_ROUNDS} updates of each of ${UPDATE_BOARDS} rv32 boards, in all phases in turn`,
  deadlineMs: 600_000,
  skipped,
  async run() {
    const { record, cuts, missed, statuses, liars, recoveriesMs } = await updateStorm({
      boards: UPDATE_BOARDS,
      rounds: UPDATE_ROUNDS,
    });
    const all = [...statuses.values()].reduce((sum, count) => sum + count, 0);
    const succeeded = statuses.get("SUCCEEDED") ?? 0;
    const failed = statuses.get("FAILED") ?? 0;
    const aimedAt = new Set(UPDATE_PHASES.map(({ mode }) => mode));
    const others = [...cuts.keys()].filter((mode) => !aimedAt.has(mode));
    return [
      ...[...aimedAt].map((mode) => ({
        name: `power cuts while ${mode}`,
        value: cuts.get(mode) ?? 0,
        unit: "",
        least: 1,
      })),
      ...others.map((mode) => ({ name: `power cuts while ${mode}`, value: cuts.get(mode)!, unit: "" })),
      { name: "updates without a cut", value: missed, unit: "" },
      { name: "updates that succeeded", value: succeeded, unit: "" },
      { name: "updates that say that they failed", value: failed, unit: "" },
      {
        name: "updates that hang",
        value: UPDATE_BOARDS * UPDATE_ROUNDS - succeeded - failed,
        unit: "",
        most: 0,
      },
      { name: "updates begun", value: all, unit: "", least: UPDATE_BOARDS * UPDATE_ROUNDS },
      { name: "boards that run what they do not say", value: liars.length, unit: "", most: 0 },
      {
        name: "expectations that fail",
        value: record.expectations.filter(({ verdict }) => verdict === "fail").length,
        unit: "",
        most: 0,
      },
      ...ways("restarts", recoveriesMs),
    ];
  },
};

const CRASHES = ["load-fault", "illegal-instruction", "abort", "stack-overflow", "hang", "half-frame"];
const CRASH_ROUNDS = 10;
const NOTICED_MOST_MS = 100;

const panics: BenchCase = {
  name: "hil-panics",
  description: `${CRASH_ROUNDS} panics of each of ${CRASHES.length} kinds on an rv32 board with frames in flight`,
  skipped,
  async run() {
    const rig = await BenchRig.open();
    try {
      const [stream] = rig.usualTelemetry;
      await rig.claim(["rv32"], { telemetry: [{ ...stream!, everyUs: 20_000 }] });
      rig.start();
      const member = rig.members[0]!;
      const worst = new Map<string, number>();
      for (let round = 0; round < CRASH_ROUNDS * CRASHES.length; round += 1) {
        const crash = CRASHES[round % CRASHES.length]!;
        await rig.until("online", () => member.isOnline, START_MS);
        const { size } = rig.acked;
        await rig.until("frames in flight", () => rig.acked.size > size + 3, START_MS);
        const { length } = rig.find("board.panicked");
        const recovered = rig.find("board.recovered").length;
        member.board!.crash(crash);
        await rig.until(crash, () => rig.find("board.recovered").length > recovered, START_MS);
        const panic = rig.find("board.panicked")[length];
        const noticedMs = panic === undefined ? Number.POSITIVE_INFINITY : panic.noticedUs / 1000;
        worst.set(crash, Math.max(worst.get(crash) ?? 0, noticedMs));
      }
      return [...worst].map(([crash, value]) => ({
        name: `${crash} to event, worst`,
        value,
        unit: "ms",
        most: NOTICED_MOST_MS,
      }));
    } finally {
      await rig.close();
    }
  },
};

export const HIL_STORM_CASES: readonly BenchCase[] = [...KINDS.map(recovery), updates, panics];
