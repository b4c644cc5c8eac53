import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import type { FleetMember } from "fleetrig/sim";
import { createBench } from "../../../hil/bench/create-bench.js";
import type { Bench } from "../../../hil/bench/bench.js";
import { lineReset, MS, pass, SECOND } from "../board/board-rig.js";
import { sensors } from "../bridge/member-rig.js";
import { BoardFleet } from "../fixtures/board-fleet.js";
import { LoopbackBoard } from "../fixtures/loopback-board.js";
import { MemoryPorts } from "../fixtures/memory-ports.js";

/** One board from its port to the broker's subscribers, in virtual time. */
export class FleetRig extends BoardFleet<VirtualTime> {
  readonly ports = new MemoryPorts(this.time.lane(50));
  readonly device = new LoopbackBoard({ clock: this.time.lane(60), mac: "7cdfa1001122" });
  readonly bench: Bench;
  member!: FleetMember;

  constructor() {
    super(new VirtualTime());
    this.ports.plug(this.device, "/dev/ttyUSB0");
    this.device.power(true);
    const hands = lineReset(this.time);
    this.bench = createBench({
      time: this.time,
      random: createRandomSource(3),
      events: { emit: (event) => this.events.push(event) },
      source: this.ports,
      opener: this.ports,
      handsOf: () => hands,
    });
  }

  /** The board is a member and connected. */
  async online(): Promise<this> {
    const claiming = this.bench.claim([
      { thing: "r-01", select: { port: "/dev/ttyUSB0" }, path: "bridge", profile: "fleetrig" },
    ]);
    await this.pass(3 * SECOND);
    const [claim] = await claiming;
    const group = sensors({
      telemetry: [{ ...sensors().telemetry[0]!, everyUs: 100 * MS }],
      reconnect: { policy: "constant", baseUs: 100 * MS, capUs: 100 * MS, resetAfterUs: SECOND },
    });
    const [plan] = group.members;
    this.member = this.seat({ bench: this.bench, board: claim!.board!, group, plan: plan! });
    this.member.start(this.time.nowUs());
    await this.pass(2 * SECOND);
    return this;
  }

  pass(durationUs: number): Promise<void> {
    return pass(this.time, durationUs);
  }

  /** Until it is online again, or that much later. @returns how long it took, in µs */
  async recover(withinUs = 20 * SECOND): Promise<number> {
    const beganUs = this.time.nowUs();
    await this.pass(50 * MS);
    while (!this.member.isOnline && this.time.nowUs() - beganUs < withinUs) await this.pass(20 * MS);
    return this.time.nowUs() - beganUs;
  }
}

/** The value that 95 % do not exceed. */
export function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? 0;
}
