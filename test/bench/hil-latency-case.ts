import type { RunEvent } from "fleetrig/kernel";
import type { FleetMember } from "fleetrig/sim";
import { Board } from "../../hil/board/board.js";
import { BoardMember } from "../../hil/bridge/board-member.js";
import { runWithBoards } from "../hil/bench/run-with-boards.js";
import { lacksEmulator } from "../rigs.js";
import type { BenchCase, Figure } from "./bench-case.js";
import { median } from "./rounds.js";

const OTHERS = 3;
const DEVICES = 200;
/** Healthy and wedged in turn, so that what else the machine does comes to both alike: each pair is one comparison. */
const ROUNDS = 25;
const STAGE_S = 5;
/** Of 25 sorted values, those between which the median is that the machine would show for ever, with 95 % confidence (binomial). */
const MEDIAN_RANKS = [7, 17] as const;
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
fleet:${group("victims", 1, "100ms")}${group("boards", OTHERS, "50ms")}${group("devices", DEVICES, "500ms")}
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
  /** In which something was stopped. */
  readonly stages = new Set<string>();
  private stage = "";
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly known = new Set<number>();

  emit(event: RunEvent): void {
    if (event.type !== "stage.started") return;
    this.end();
    this.stage = event.stage;
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
      this.stages.add(this.stage);
      process.kill(pid, "SIGSTOP");
    }
  }
}

/**
 * The p99s of each pair of rounds are compared, and the median of the differences counts, with what the machine's noise leaves open of it.
 * A limit within that is neither met nor missed.
 */
function compare(one: string, p99Of: (stage: string) => number): readonly Figure[] {
  const healthy = ROUNDS_OF.map((round) => p99Of(`healthy-${round}`));
  const wedged = ROUNDS_OF.map((round) => p99Of(`wedged-${round}`));
  const moved = wedged.map((value, round) => value - healthy[round]!).sort((a, b) => a - b);
  const [least, most] = MEDIAN_RANKS.map((rank) => moved[rank]!) as [number, number];
  return [
    { name: `${one}: e2e p99, all ports healthy, median`, value: median(healthy), unit: "ms" },
    { name: `${one}: e2e p99, one port wedged, median`, value: median(wedged), unit: "ms" },
    { name: `${one}: moved by, median of ${ROUNDS} pairs`, value: median(moved), unit: "ms" },
    { name: `${one}: moved by, at least (95 %)`, value: least, unit: "ms" },
    {
      name: `${one}: moved by, at most (95 %)`,
      value: most,
      unit: "ms",
      most: MOVED_MOST_MS,
      ...(least <= MOVED_MOST_MS && !(most <= MOVED_MOST_MS) && { isInconclusive: true }),
    },
  ];
}

export const HIL_LATENCY_CASE: BenchCase = {
  name: "hil-latency",
  description: `what a board whose port never answers does to ${OTHERS} other boards and ${DEVICES} virtual devices`,
  deadlineMs: 420_000,
  skipped: () => (lacksEmulator ? "no QEMU or compiler for riscv32" : undefined),
  async run() {
    const wedge = new Wedge();
    try {
      const record = await runWithBoards(WEDGE, {
        boards: ["victims=rv32,count=1", `boards=rv32,count=${OTHERS}`],
        listener: wedge,
        made: (member) => {
          if (member.group === "victims") wedge.victims.push(member);
        },
      });
      const values = new Map(record.expectations.map(({ expr, value }) => [expr, Number(value)]));
      const uncertaintyMs = Math.max(...(record.boards ?? []).map(({ clock }) => clock?.uncertaintyMs ?? 0));
      return [
        ...GROUPS.flatMap((one) =>
          compare(one, (stage) => values.get(expectation(one, stage)) ?? Number.NaN),
        ),
        { name: "rounds with a wedged port", value: wedge.stages.size, unit: "", least: ROUNDS },
        { name: "clocks known to ±", value: uncertaintyMs, unit: "ms" },
      ];
    } finally {
      wedge.end();
    }
  },
};
