import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostBench } from "fleetrig/hil";
import { type EventSink, Random, type RunEvent } from "fleetrig/kernel";
import type { FleetMember } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { parseBoardFlag } from "../../../scenarios/cli/board-flags.js";
import { runText } from "../../determinism/run-text.js";
import { FIRMWARE_BUILDS, lacksEmulator } from "../../rigs.js";

/** `FLEETRIG_UPDATE_BOARDS=10 FLEETRIG_UPDATE_ROUNDS=10` are the 100 power cuts of the bench: one for each update of each board. */
const BOARDS = Number(process.env["FLEETRIG_UPDATE_BOARDS"] ?? 3);
const ROUNDS = Number(process.env["FLEETRIG_UPDATE_ROUNDS"] ?? 1);
const ROUND_S = 120;
/** From the first status of an update; about as long as one takes. */
const CUT_WITHIN_MS = 3_000;
const OFF_US = 150_000;

const versions = Array.from({ length: ROUNDS }, (_, round) => `1.${round + 1}.0`);
const jobOf = (version: string): string => `fw-${version.replaceAll(".", "-")}`;

const SCENARIO = `
version: 1
name: power-cuts
seed: 7
services: { shadows: true, jobs: true }
fleet:
  - group: trackers
    model: builtin:ota-device
    count: ${BOARDS}
    thingName: "tracker-{index:02}"
    attributes: { firmware: "1.0.0" }
    connect: { arrival: { spread: 1s } }
    reconnect: { policy: full-jitter, base: 200ms, cap: 1s }
    mqtt: { cleanStart: false, sessionExpiry: 5m, keepAlive: 30s }
    ota: { executionTime: { dist: uniform, min: 1s, max: 2s }, blockBytes: 4096 }
    telemetry:
      - { name: alive, every: 250ms, topic: "bench/{thingName}/alive", qos: 1, payload: { seq: "{seq}" } }
stages:
  - { name: arrive, until: connections.online == ${BOARDS}, timeout: 60s, measure: false }
${versions
  .map(
    (version) => `  - name: update-${jobOf(version)}
    until: job.terminal{job=${jobOf(version)}}
    timeout: ${ROUND_S}s
    actions:
      - at: 0s
        createJob:
          jobId: ${jobOf(version)}
          targets: { group: trackers }
          document: { operation: ota, version: "${version}", sha256: "{artifact.sha256}", stream: "{artifact.stream}" }`,
  )
  .join("\n")}
  - { name: settle, duration: 6s }
expect:
  - connections.online == ${BOARDS}
  - delivery.lost == 0
`;

/** Cuts the power of each board once in each of its updates, and remembers in which state that was and how it ended. */
class PowerCuts implements EventSink {
  readonly during = new Map<string, number>();
  readonly outcomes = new Map<string, string>();
  readonly version = new Map<string, string>();
  readonly members = new Map<string, FleetMember>();
  missed = 0;
  private readonly modes = new Map<string, string>();
  private readonly begun = new Set<string>();
  private readonly random = Random.seeded("power cuts");

  constructor(private readonly pause: (ms: number) => Promise<void>) {}

  emit(event: RunEvent): void {
    if (event.type === "device.mode") this.modes.set(event.thing, event.mode);
    if (event.type === "board.booted") this.version.set(event.thing, event.version);
    if (event.type !== "job.execution") return;
    const key = `${event.thing} ${event.jobId}`;
    this.outcomes.set(key, event.status);
    if (event.status !== "IN_PROGRESS" || this.begun.has(key)) return;
    this.begun.add(key);
    void this.pause(this.random.below(CUT_WITHIN_MS)).then(() => this.cut(event.thing, key));
  }

  get count(): number {
    return [...this.during.values()].reduce((sum, times) => sum + times, 0);
  }

  private cut(thing: string, key: string): void {
    if (this.outcomes.get(key) !== "IN_PROGRESS") {
      this.missed += 1;
      return;
    }
    const mode = this.modes.get(thing) ?? "none";
    this.during.set(mode, (this.during.get(mode) ?? 0) + 1);
    this.members.get(thing)!.board!.powerCycle(OFF_US);
  }
}

describe.skipIf(lacksEmulator)("updates of rv32 boards over MQTT streams", () => {
  it("have succeeded or say that they failed when the power is cut, and nothing acknowledged is lost", {
    timeout: (ROUNDS + 1) * ROUND_S * 1_000,
  }, async ({ annotate }) => {
    const cuts = new PowerCuts((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-cuts-"));
    try {
      const record = await runText(SCENARIO, {
        clock: "real",
        bridges: [parseBoardFlag(`trackers=rv32,count=${BOARDS}`)],
        listener: cuts,
        openBench: async ({ time, random, events }) => {
          const bench = await createHostBench({
            time,
            random,
            events,
            stateFolder: join(folder, "state"),
            temporaryFolder: folder,
            buildFolder: FIRMWARE_BUILDS,
            hostName: "test",
            purpose: "power cuts",
          });
          return {
            claim: (requests) => bench.claim(requests),
            image: (version) => bench.image(version),
            settle: () => bench.settle(),
            close: () => bench.close(),
            member: (board, options) => {
              const member = bench.member(board, options);
              cuts.members.set(member.name, member);
              return member;
            },
          };
        },
      });
      await annotate(
        `${cuts.count} cuts, ${cuts.missed} too late: ${JSON.stringify([...cuts.during])}; ${JSON.stringify(tally([...cuts.outcomes.values()]))}`,
      );
      expect(record.failure).toBeNull();
      expect(record.expectations.filter(({ verdict }) => verdict === "fail")).toEqual([]);
      expect(cuts.count + cuts.missed).toBe(BOARDS * ROUNDS);
      expect(cuts.outcomes.size).toBe(BOARDS * ROUNDS);
      for (const status of cuts.outcomes.values()) expect(["SUCCEEDED", "FAILED"]).toContain(status);
      for (const thing of cuts.members.keys())
        expect([thing, cuts.version.get(thing)]).toEqual([thing, lastInstalled(thing, cuts.outcomes)]);
      for (const board of record.boards ?? []) {
        expect(board.givenUp).toBeNull();
        expect(board.panics.total).toBe(0);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** The version that a board has to run when it tells the truth. */
function lastInstalled(thing: string, outcomes: ReadonlyMap<string, string>): string {
  const done = versions.filter((version) => outcomes.get(`${thing} ${jobOf(version)}`) === "SUCCEEDED");
  return done.at(-1) ?? "1.0.0";
}

function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
