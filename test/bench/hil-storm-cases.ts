import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostBench, type VirtualBoardKind } from "fleetrig/hil";
import type { RunEvent } from "fleetrig/kernel";
import type { RunRecord } from "fleetrig/reports";
import type { FleetMember } from "fleetrig/sim";
import { BoardMember } from "../../hil/bridge/board-member.js";
import { Board } from "../../hil/board/board.js";
import { parseBoardFlag } from "../../scenarios/cli/board-flags.js";
import { runText } from "../determinism/run-text.js";
import { BenchRig } from "../hil/bench/bench-rig.js";
import { type Blow, percentile, Storm } from "../hil/storms/storm.js";
import { FIRMWARE_BUILDS, lacksEmulator } from "../rigs.js";
import type { BenchCase, Figure } from "./bench-case.js";

/** `FLEETRIG_STORM_RESETS=1000 FLEETRIG_STORM_REPLUGS=200` is the full size. */
const number = (name: string, usual: number): number => Number(process.env[name] ?? usual);
const RESETS = number("FLEETRIG_STORM_RESETS", 90);
const REPLUGS = number("FLEETRIG_STORM_REPLUGS", 40);
/** A MicroPython board is an interpreter that starts anew with each reset: more of them measure this machine. */
const BOARDS: Readonly<Record<VirtualBoardKind, number>> = { rv32: 6, native: 6, micropython: 2 };
const START_MS = 60_000;
const RECOVERY_MOST_MS = 3_000;
const KINDS: readonly VirtualBoardKind[] = ["rv32", "native", "micropython"];
const RESET_BLOWS: readonly Blow[] = ["hard-reset", "software-reset", "power-cycle"];
const REPLUG_BLOWS: readonly Blow[] = ["replug", "replug-renamed"];

async function recoveries(kind: VirtualBoardKind): Promise<readonly Figure[]> {
  const rig = await BenchRig.open();
  try {
    await rig.claim(Array.from({ length: BOARDS[kind] }, () => kind));
    rig.start();
    await rig.until("all online", () => rig.members.every(({ isOnline }) => isOnline), START_MS);
    const figures: Figure[] = [];
    for (const [name, blows, count] of [
      ["resets", RESET_BLOWS, RESETS],
      ["replugs", REPLUG_BLOWS, REPLUGS],
    ] as const) {
      const storm = new Storm(rig, `${kind}/${name}`);
      await storm.rage(blows, count);
      const at = (share: number): number => percentile(storm.recoveriesMs, share);
      figures.push(
        { name: `${kind}: ${name}`, value: storm.recoveriesMs.length, unit: "" },
        { name: `${kind}: back after ${name}, p50`, value: at(0.5), unit: "ms" },
        { name: `${kind}: back after ${name}, p95`, value: at(0.95), unit: "ms", most: RECOVERY_MOST_MS },
        { name: `${kind}: back after ${name}, worst`, value: at(1), unit: "ms" },
      );
    }
    const sent = [...rig.sent];
    await rig.until("what was sent has arrived", () =>
      sent.every((key) => rig.arrived.has(key) || rig.discarded.has(key)),
    );
    return [
      ...figures,
      { name: `${kind}: messages acknowledged`, value: rig.acked.size, unit: "" },
      { name: `${kind}: acknowledged and lost`, value: rig.lost.length, unit: "", most: 0 },
      { name: `${kind}: numbers used twice`, value: rig.reused.size, unit: "", most: 0 },
      { name: `${kind}: boards given up`, value: rig.find("board.given-up").length, unit: "", most: 0 },
    ];
  } finally {
    await rig.close();
  }
}

const recovery: BenchCase = {
  name: "hil-recovery",
  description: `${RESETS} resets and ${REPLUGS} replugs of boards of each kind under telemetry`,
  skipped: () => (lacksEmulator ? "no QEMU or compiler for riscv32" : undefined),
  async run() {
    const figures: Figure[] = [];
    for (const kind of KINDS) figures.push(...(await recoveries(kind)));
    return figures;
  },
};

const CRASHES = ["load-fault", "illegal-instruction", "abort", "stack-overflow", "hang", "half-frame"];
const CRASH_ROUNDS = 10;
const NOTICED_MOST_MS = 100;

const panics: BenchCase = {
  name: "hil-panics",
  description: `${CRASH_ROUNDS} panics of each of ${CRASHES.length} kinds on an rv32 board with frames in flight`,
  skipped: () => (lacksEmulator ? "no QEMU or compiler for riscv32" : undefined),
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

const OTHERS = 3;
const DEVICES = 200;
/** In turn, so that what else the machine does comes to both alike; the median of each counts. */
const ROUNDS = 5;
const STAGE_S = 8;
const MOVED_MOST_MS = 5;
const STOP_EVERY_MS = 100;
const GROUPS = ["boards", "devices"] as const;
const ROUNDS_OF = Array.from({ length: ROUNDS }, (_, round) => round);
const STAGES = ROUNDS_OF.flatMap((round) => [`healthy-${round}`, `wedged-${round}`]);
const expectation = (one: string, stage: string): string =>
  `latency.e2e{group=${one},stage=${stage}} p(99) < 10s`;

const group = (name: string, count: number, every: string): string => `
  - group: ${name}
    model: builtin:temperature-sensor
    count: ${count}
    thingName: "${name}-{index}"
    connect: { arrival: { spread: 1s } }
    telemetry:
      - { name: ${name}, every: ${every}, topic: "bench/{thingName}/t", qos: 1, payload: { seq: "{seq}" } }`;

const WEDGE = `
version: 1
name: wedge
seed: 2
fleet:${group("victims", 1, "100ms")}${group("boards", OTHERS, "20ms")}${group("devices", DEVICES, "500ms")}
stages:
  - { name: arrive, until: connections.online == ${1 + OTHERS + DEVICES}, timeout: 60s, measure: false }
  - { name: warm, duration: 12s }
${STAGES.map((stage) => `  - { name: ${stage}, duration: ${STAGE_S}s }`).join("\n")}
expect:
${STAGES.flatMap((stage) => GROUPS.map((one) => `  - ${expectation(one, stage)}`)).join("\n")}
`;

/** Port processes of boards that are stopped again and again, so that none of them ever answers. */
class Wedge {
  readonly victims: FleetMember[] = [];
  stopped = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly known = new Set<number>();

  emit(event: RunEvent): void {
    if (event.type !== "stage.started") return;
    clearInterval(this.timer);
    if (event.stage.startsWith("wedged")) this.timer = setInterval(() => this.stop(), STOP_EVERY_MS);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private stop(): void {
    for (const member of this.victims) {
      const device = member instanceof BoardMember ? member["device"] : undefined;
      const port = device instanceof Board ? device.line.port : undefined;
      if (port === undefined || !("hostPid" in port)) continue;
      const pid = port.hostPid as number;
      if (this.known.has(pid)) continue;
      this.known.add(pid);
      this.stopped += 1;
      process.kill(pid, "SIGSTOP");
    }
  }
}

async function wedgedRun(wedge: Wedge, folder: string): Promise<RunRecord> {
  return runText(WEDGE, {
    clock: "real",
    bridges: [parseBoardFlag("victims=rv32,count=1"), parseBoardFlag(`boards=rv32,count=${OTHERS}`)],
    listener: wedge,
    openBench: async ({ time, random, events }) => {
      const bench = await createHostBench({
        time,
        random,
        events,
        stateFolder: join(folder, "state"),
        temporaryFolder: folder,
        buildFolder: FIRMWARE_BUILDS,
        hostName: "bench",
        purpose: "wedge",
      });
      return {
        claim: (requests) => bench.claim(requests),
        image: (version) => bench.image(version),
        settle: () => bench.settle(),
        close: () => bench.close(),
        member: (board, options) => {
          const member = bench.member(board, options);
          if (member.group === "victims") wedge.victims.push(member);
          return member;
        },
      };
    },
  });
}

const latency: BenchCase = {
  name: "hil-latency",
  description: `what a board whose port never answers does to ${OTHERS} other boards and ${DEVICES} virtual devices`,
  skipped: () => (lacksEmulator ? "no QEMU or compiler for riscv32" : undefined),
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-wedge-"));
    const wedge = new Wedge();
    try {
      const record = await wedgedRun(wedge, folder);
      const values = new Map(record.expectations.map(({ expr, value }) => [expr, Number(value)]));
      const uncertaintyMs = Math.max(...(record.boards ?? []).map(({ clock }) => clock?.uncertaintyMs ?? 0));
      const figures = GROUPS.flatMap((one): Figure[] => {
        const [before, after] = ["healthy", "wedged"].map((state) =>
          percentile(
            ROUNDS_OF.map((round) => values.get(expectation(one, `${state}-${round}`)) ?? Number.NaN),
            0.5,
          ),
        ) as [number, number];
        return [
          { name: `${one}: e2e p99, all ports healthy`, value: before, unit: "ms" },
          { name: `${one}: e2e p99, one port wedged`, value: after, unit: "ms" },
          { name: `${one}: moved by`, value: after - before, unit: "ms", most: MOVED_MOST_MS },
        ];
      });
      return [
        ...figures,
        { name: "port processes that never answered", value: wedge.stopped, unit: "", least: 1 },
        { name: "clocks known to ±", value: uncertaintyMs, unit: "ms" },
      ];
    } finally {
      wedge.end();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export const HIL_STORM_CASES: readonly BenchCase[] = [recovery, panics, latency];
