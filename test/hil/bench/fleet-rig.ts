import { MqttBroker } from "fleetrig/broker";
import {
  createRandomSource,
  LANE,
  parseTraceTag,
  Random,
  type RunEvent,
  TRACE_PROPERTY,
  VirtualTime,
} from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import { createMemoryDialer, type FleetMember, LinkFaults } from "fleetrig/sim";
import { createBench } from "../../../hil/bench/create-bench.js";
import type { Bench } from "../../../hil/bench/bench.js";
import type { BoardHands } from "../../../hil/board/board-parts.js";
import { lineReset, MS, pass, SECOND } from "../board/board-rig.js";
import { sensors } from "../bridge/member-rig.js";
import { LoopbackBoard } from "../fixtures/loopback-board.js";
import { MemoryPorts } from "../fixtures/memory-ports.js";

/** One board from its port to the broker's subscribers, in virtual time. */
export class FleetRig {
  readonly time = new VirtualTime();
  readonly events: RunEvent[] = [];
  readonly ports = new MemoryPorts(this.time.lane(50));
  readonly device = new LoopbackBoard({ clock: this.time.lane(60), mac: "7cdfa1001122" });
  readonly bench: Bench;
  /** Sequence numbers, as the board told them and as the broker had them. */
  readonly sent = new Set<number>();
  readonly acked = new Set<number>();
  readonly arrived = new Map<number, number>();
  sentTwice = 0;
  member!: FleetMember;
  private readonly broker: MqttBroker;

  constructor(hands: BoardHands = lineReset(this.time)) {
    this.ports.plug(this.device, "/dev/ttyUSB0");
    this.device.power(true);
    this.broker = new MqttBroker({
      clock: this.time.lane(LANE.broker),
      random: Random.seeded("broker"),
      events: { emit: () => undefined },
      profile: "oasis",
    });
    this.broker.addHooks({
      message: (message) => {
        const tag = parseTraceTag(message.userProperty(TRACE_PROPERTY) ?? "");
        if (tag !== undefined) this.arrived.set(tag.sequence, (this.arrived.get(tag.sequence) ?? 0) + 1);
        return "broker";
      },
    });
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
    const clock = this.time.lane(LANE.firstDevice + plan!.ordinal);
    const random = createRandomSource(9);
    const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
    this.member = this.bench.member(claim!.board!, {
      plan: plan!,
      group,
      clock,
      events: { emit: (event) => this.events.push(event) },
      probe: {
        sent: (_s, _t, q) => {
          if (this.sent.has(q)) this.sentTwice += 1;
          this.sent.add(q);
        },
        acked: (_s, _t, q) => this.acked.add(q),
        retransmitted: () => undefined,
        discarded: () => undefined,
        received: () => undefined,
        ruleOutput: () => undefined,
      },
      run: "r1",
      seed: 1,
      dialer: createMemoryDialer({
        acceptor: this.broker,
        clock,
        profile: group.link,
        random: random.stream("network"),
        wireBytes,
        version: 5,
        faults,
      }),
      faults,
    });
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

  find<T extends RunEvent["type"]>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }

  /** Acknowledged, and the broker never had it. */
  get lost(): number[] {
    return [...this.acked].filter((sequence) => !this.arrived.has(sequence));
  }
}

/** The value that 95 % do not exceed. */
export function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? 0;
}
