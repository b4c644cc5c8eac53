import { type EventSink, Random, type RunEvent } from "fleetrig/kernel";
import type { RunRecord } from "fleetrig/reports";
import type { FleetMember } from "fleetrig/sim";
import { runWithBoards } from "../bench/run-with-boards.js";

/** An *update storm*: the power of every board is cut once in each of its updates, in all phases of an update in turn. */
export interface UpdateStormOptions {
  readonly boards: number;
  /** Updates of each board. */
  readonly rounds: number;
}

/** Where cuts are aimed: a phase as the device names it, and how long after its beginning they fall at most. Some fall into the next one. */
export const UPDATE_PHASES: readonly { readonly mode: string; readonly withinMs: number }[] = [
  { mode: "downloading", withinMs: 1_500 },
  { mode: "verifying", withinMs: 200 },
  { mode: "flashing", withinMs: 400 },
  { mode: "leaving", withinMs: 500 },
  { mode: "rebooting", withinMs: 300 },
  { mode: "selfTesting", withinMs: 250 },
];
const OFF_US = 150_000;
const ROUND_S = 120;
const FIRST_VERSION = "1.0.0";

const versionOf = (round: number): string => `1.${round + 1}.0`;
const jobOf = (version: string): string => `fw-${version.replaceAll(".", "-")}`;

const scenario = (boards: number, versions: readonly string[]): string => `
version: 1
name: power-cuts
seed: 7
services: { shadows: true, jobs: true }
fleet:
  - group: trackers
    model: builtin:ota-device
    count: ${boards}
    thingName: "tracker-{index:02}"
    attributes: { firmware: "${FIRST_VERSION}" }
    connect: { arrival: { spread: 1s } }
    reconnect: { policy: full-jitter, base: 200ms, cap: 1s }
    mqtt: { cleanStart: false, sessionExpiry: 5m, keepAlive: 30s }
    ota: { executionTime: { dist: uniform, min: 2s, max: 3s }, blockBytes: 4096 }
    telemetry:
      - { name: alive, every: 250ms, topic: "bench/{thingName}/alive", qos: 1, payload: { seq: "{seq}" } }
stages:
  - { name: arrive, until: connections.online == ${boards}, timeout: 60s, measure: false }
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
  - connections.online == ${boards}
  - delivery.lost == 0
`;

/** What came of it. */
export interface UpdateStormOutcome {
  readonly record: RunRecord;
  /** Cuts by the phase into which they fell. */
  readonly cuts: ReadonlyMap<string, number>;
  /** Updates that ended before the phase came at which the cut was aimed. */
  readonly missed: number;
  /** Updates by their last status. */
  readonly statuses: ReadonlyMap<string, number>;
  /** Boards that run another version than the last one that they said to have installed. */
  readonly liars: readonly string[];
  readonly recoveriesMs: readonly number[];
}

export async function updateStorm({ boards, rounds }: UpdateStormOptions): Promise<UpdateStormOutcome> {
  const versions = Array.from({ length: rounds }, (_, round) => versionOf(round));
  const cuts = new PowerCuts();
  const record = await runWithBoards(scenario(boards, versions), {
    boards: [`trackers=rv32,count=${boards}`],
    listener: cuts,
    made: (member) => cuts.members.push(member),
  });
  const lastInstalled = (thing: string): string =>
    versions.findLast((version) => cuts.outcomes.get(`${thing} ${jobOf(version)}`) === "SUCCEEDED") ??
    FIRST_VERSION;
  return {
    record,
    cuts: cuts.during,
    missed: cuts.outcomes.size - [...cuts.during.values()].reduce((sum, times) => sum + times, 0),
    statuses: tally(cuts.outcomes.values()),
    liars: cuts.members
      .map(({ name }) => name)
      .filter((name) => (cuts.versions.get(name) ?? FIRST_VERSION) !== lastInstalled(name)),
    recoveriesMs: cuts.recoveriesMs,
  };
}

class PowerCuts implements EventSink {
  readonly during = new Map<string, number>();
  /** Last status of each update: thing and job. */
  readonly outcomes = new Map<string, string>();
  readonly versions = new Map<string, string>();
  readonly members: FleetMember[] = [];
  readonly recoveriesMs: number[] = [];
  private readonly modes = new Map<string, string>();
  /** The update that a board is at, and where its power will be cut; undefined once that is settled. */
  private readonly aims = new Map<string, (typeof UPDATE_PHASES)[number] | undefined>();
  private readonly random = Random.seeded("power cuts");

  emit(event: RunEvent): void {
    if (event.type === "board.booted") this.versions.set(event.thing, event.version);
    else if (event.type === "board.recovered") this.recoveriesMs.push(event.tookUs / 1000);
    else if (event.type === "device.mode") {
      this.modes.set(event.thing, event.mode);
      this.look(event.thing);
    } else if (event.type === "job.execution") {
      const key = `${event.thing} ${event.jobId}`;
      if (event.status === "IN_PROGRESS" && this.outcomes.get(key) !== "IN_PROGRESS") this.aim(event.thing);
      this.outcomes.set(key, event.status);
      this.look(event.thing);
    }
  }

  /** Each board goes through the phases from update to update, and begins with another one. */
  private aim(thing: string): void {
    const member = this.members.findIndex(({ name }) => name === thing);
    const round = [...this.outcomes.keys()].filter((key) => key.startsWith(`${thing} `)).length;
    this.aims.set(thing, UPDATE_PHASES[(member + round) % UPDATE_PHASES.length]);
  }

  private look(thing: string): void {
    const aim = this.aims.get(thing);
    if (aim === undefined || this.modes.get(thing) !== aim.mode) return;
    this.aims.set(thing, undefined);
    setTimeout(() => this.cut(thing), this.random.below(aim.withinMs));
  }

  private cut(thing: string): void {
    const mode = this.modes.get(thing) ?? "none";
    this.during.set(mode, (this.during.get(mode) ?? 0) + 1);
    this.members.find(({ name }) => name === thing)?.board?.powerCycle(OFF_US);
  }
}

function tally(values: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
