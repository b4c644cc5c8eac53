import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, createHostBench } from "fleetrig/hil";
import { createRandomSource } from "fleetrig/kernel";
import type { FleetMember } from "fleetrig/sim";
import { sensors } from "../../hil/bridge/member-rig.js";
import { BoardFleet } from "../../hil/fixtures/board-fleet.js";
import { BOARDS, type BoardName } from "../rack-protocol.js";
import { type BenchTop, PATIENT_US } from "./bench-top.js";

/** Boards of this bench as members of a run, with the embedded broker: what `fleetrig run` makes of a scenario. */
export class RunRig extends BoardFleet<BenchTop["time"]> {
  readonly members = new Map<BoardName, FleetMember>();
  private bench!: Bench;

  constructor(private readonly top: BenchTop) {
    super(top.time);
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
      const member = this.seat({ bench: this.bench, board: claim.board, group, plan });
      this.members.set(boards[index]!, member);
      member.start(time.nowUs());
    }
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
