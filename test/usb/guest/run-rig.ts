import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MqttBroker } from "fleetrig/broker";
import { type Bench, createHostBench } from "fleetrig/hil";
import {
  createRandomSource,
  LANE,
  parseTraceTag,
  Random,
  type RunEvent,
  TRACE_PROPERTY,
} from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import { createMemoryDialer, type FleetMember, LinkFaults } from "fleetrig/sim";
import { sensors } from "../../hil/bridge/member-rig.js";
import { BOARDS, type BoardName } from "../rack-protocol.js";
import { type BenchTop, PATIENT_US } from "./bench-top.js";

/** Boards of this bench as members of a run, with the embedded broker: what `fleetrig run` makes of a scenario. */
export class RunRig {
  readonly events: RunEvent[] = [];
  /** Messages, by member and number, that the broker acknowledged, and that its subscribers had. */
  readonly acked = new Set<string>();
  readonly arrived = new Set<string>();
  readonly members = new Map<BoardName, FleetMember>();
  private readonly broker: MqttBroker;
  private bench!: Bench;

  constructor(private readonly top: BenchTop) {
    this.broker = new MqttBroker({
      clock: top.time.lane(LANE.broker),
      random: Random.seeded("broker"),
      events: { emit: () => undefined },
      profile: "oasis",
    });
    this.broker.addHooks({
      message: (message) => {
        const tag = parseTraceTag(message.userProperty(TRACE_PROPERTY) ?? "");
        if (tag !== undefined) this.arrived.add(`${tag.thing}/${tag.sequence}`);
        return "broker";
      },
    });
  }

  /** Claims boards by their MAC, wherever they are plugged in. */
  async claim(boards: readonly BoardName[]): Promise<void> {
    const { time } = this.top;
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-usb-run-"));
    this.bench = await createHostBench({
      time,
      random: createRandomSource(4),
      events: { emit: (event) => this.events.push(event) },
      stateFolder: folder,
      temporaryFolder: folder,
      hostName: "guest",
      purpose: "usb",
      stallUs: PATIENT_US,
    });
    const group = sensors({
      members: boards.map((name, index) => ({
        name,
        ordinal: index,
        index,
        attributes: { site: "nord" },
        connectAtUs: 0,
      })),
      telemetry: [{ ...sensors().telemetry[0]!, everyUs: 500_000 }],
      reconnect: { policy: "constant", baseUs: 100_000, capUs: 100_000, resetAfterUs: 1_000_000 },
    });
    const claims = await this.bench.claim(
      boards.map((name) => ({
        thing: name,
        select: { mac: BOARDS[name].mac },
        path: "bridge",
        profile: "fleetrig",
      })),
    );
    for (const [index, claim] of claims.entries()) {
      if (claim.board === undefined) throw new Error(claim.reason);
      const plan = group.members[index]!;
      const clock = time.lane(LANE.firstDevice + index);
      const random = createRandomSource(9);
      const faults = new LinkFaults({ clock, random: (purpose) => random.stream(`${plan.name}/${purpose}`) });
      const member = this.bench.member(claim.board, {
        plan,
        group,
        clock,
        events: { emit: (event) => this.events.push(event) },
        probe: {
          sent: () => undefined,
          acked: (_s, thing, q) => this.acked.add(`${thing}/${q}`),
          retransmitted: () => undefined,
          discarded: () => undefined,
          received: () => undefined,
          ruleOutput: () => undefined,
        },
        run: "r1",
        seed: 1 + index,
        dialer: createMemoryDialer({
          acceptor: this.broker,
          clock,
          profile: group.link,
          random: random.stream(`${plan.name}/network`),
          wireBytes,
          version: 5,
          faults,
        }),
        faults,
      });
      this.members.set(boards[index]!, member);
      member.start(time.nowUs());
    }
  }

  find<T extends RunEvent["type"]>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }

  get lost(): string[] {
    return [...this.acked].filter((key) => !this.arrived.has(key));
  }

  /** Messages of this member that the broker has acknowledged. */
  ackedOf(board: BoardName): number {
    const ordinal = [...this.members.keys()].indexOf(board);
    return [...this.acked].filter((key) => key.startsWith(`${ordinal}/`)).length;
  }

  async close(): Promise<void> {
    for (const member of this.members.values()) member.stop();
    await this.bench.close();
  }
}
