import {
  type Clock,
  createRandomSource,
  invariant,
  LANE,
  silentProbe,
  silentSink,
  VirtualTime,
} from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import {
  createMemoryDialer,
  DeviceGroup,
  type FleetMember,
  type GroupPlan,
  IdentityBook,
  LinkFaults,
  VirtualDevice,
} from "fleetrig/sim";
import { BoardMember } from "../../hil/bridge/board-member.js";
import { testedGroup } from "../../scenarios/qualify/board-device.js";
import type { DeviceUnderTest } from "../../scenarios/qualify/case-run.js";
import { TestEndpoint } from "../../scenarios/qualify/endpoint/test-endpoint.js";
import { Qualification, type PlannedCase } from "../../scenarios/qualify/qualification.js";
import type { QualificationCase } from "../../scenarios/qualify/qualification-case.js";
import type { CaseRecord } from "../../scenarios/qualify/qualification-record.js";
import { CompiledBoard } from "../hil/firmware-app/compiled-board.js";

/** Both live in virtual time: ours, and the firmware's device logic as it is compiled for a board. */
export type VirtualKind = "virtual device" | "compiled firmware";

const BOARD_LANE = 900;
const DAY_US = 86_400_000_000;

interface Surroundings {
  readonly time: VirtualTime;
  readonly endpoint: TestEndpoint;
  readonly kind: VirtualKind;
  readonly protocolVersion: 4 | 5;
}

/** Becomes for each case what the command makes of a board. */
class VirtualDut implements DeviceUnderTest {
  private readonly random = createRandomSource(7);
  private readonly clock: Clock;
  private board: CompiledBoard | undefined;
  private member: FleetMember | undefined;

  constructor(private readonly around: Surroundings) {
    this.clock = around.time.lane(LANE.firstDevice);
  }

  prepare({ model = "shadow-device" }: QualificationCase): void {
    this.member?.stop();
    const { protocolVersion } = this.around;
    this.member = this.become(testedGroup("dut-1", model, { protocolVersion }));
    this.member.start(this.clock.nowUs());
  }

  nudge(): void {
    this.member?.connect();
  }

  stop(): void {
    this.member?.stop();
    this.board?.close();
  }

  private become(group: GroupPlan): FleetMember {
    const { random, clock } = this;
    const plan = group.members[0]!;
    const common = { random, events: silentSink, probe: silentProbe, run: "qualify" };
    const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
    const link = { dialer: this.dialerFor(group, faults), faults };
    if (this.around.kind === "virtual device")
      return new VirtualDevice({
        member: plan,
        group: new DeviceGroup(group, { ...common, identities: new IdentityBook() }),
        clock,
        link,
      });
    this.board ??= new CompiledBoard(this.around.time.lane(BOARD_LANE));
    const { board } = this;
    return new BoardMember({ ...common, ...link, plan, group, clock, seed: 7, board, path: "bridge" });
  }

  private dialerFor(group: GroupPlan, faults: LinkFaults) {
    return createMemoryDialer({
      acceptor: this.around.endpoint,
      clock: this.clock,
      profile: group.link,
      random: this.random.stream("network"),
      wireBytes,
      version: group.mqtt.protocolVersion,
      faults,
    });
  }
}

/** Runs a plan as `fleetrig qualify` does, in virtual time. */
export function qualifyVirtually(
  kind: VirtualKind,
  plan: readonly PlannedCase[],
  protocolVersion: 4 | 5,
): ReadonlyMap<string, CaseRecord> {
  const time = new VirtualTime();
  const clock = time.lane(LANE.harness);
  const endpoint = new TestEndpoint({ time, clock });
  const device = new VirtualDut({ time, endpoint, kind, protocolVersion });
  let ended: readonly CaseRecord[] | undefined;
  new Qualification({
    plan,
    clock,
    endpoint,
    device,
    tls: { reason: "It comes over the line." },
    done: (records) => {
      ended = records;
      time.halt();
    },
  }).start();
  time.runUntil(DAY_US);
  device.stop();
  invariant(ended !== undefined, "the qualification never ended");
  return new Map(ended.map((record) => [record.id, record]));
}
