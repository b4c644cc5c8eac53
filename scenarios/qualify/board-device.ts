import type { Bench, BoardDoor, ClaimedBoard } from "fleetrig/hil";
import { type Clock, type RandomSource, silentProbe, silentSink, US_PER_S } from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import {
  BUILTIN_MODELS,
  createMemoryDialer,
  type FleetMember,
  type GroupPlan,
  LinkFaults,
  type MemberPlan,
  PERFECT_LINK,
} from "fleetrig/sim";
import type { DeviceUnderTest } from "./case-run.js";
import type { TestEndpoint } from "./endpoint/test-endpoint.js";
import type { QualificationCase } from "./qualification-case.js";

export interface BoardDeviceOptions {
  readonly bench: Bench;
  readonly board: ClaimedBoard;
  /** The device's lane. */
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Path `bridge`: where its packets go. */
  readonly endpoint: TestEndpoint;
  /** Path `direct`: where its own network finds the endpoint. */
  readonly door?: BoardDoor;
  readonly habits?: Partial<BoardHabits>;
}

/** How a board of ours is told to behave. */
export interface BoardHabits {
  readonly protocolVersion: 4 | 5;
  readonly keepAliveS: number;
  readonly reconnectBaseUs: number;
  /** With MQTT 3.1.1: AWS wants a PUBLISH repeated within 15 s. */
  readonly publishRetryUs: number;
}

const DEFAULT_HABITS: BoardHabits = {
  protocolVersion: 5,
  keepAliveS: 30,
  reconnectBaseUs: 2 * US_PER_S,
  publishRetryUs: 10 * US_PER_S,
};
const LONGEST_WAIT_US = 30 * US_PER_S;
const USUAL_MODEL = "shadow-device";

/** A claimed board that speaks our link: it is told who it is, and does for the cases what its firmware does. */
export class BoardDevice implements DeviceUnderTest {
  private member: FleetMember | undefined;

  constructor(private readonly options: BoardDeviceOptions) {}

  prepare({ model = USUAL_MODEL }: QualificationCase): void {
    this.stop();
    this.member = this.become(testedGroup(this.options.board.thing, model, this.options.habits));
    this.member.start(this.options.clock.nowUs());
  }

  nudge(): void {
    this.member?.connect();
  }

  stop(): void {
    this.member?.stop();
    this.member = undefined;
  }

  private become(group: GroupPlan): FleetMember {
    const { bench, board, clock, random, endpoint, door } = this.options;
    const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
    return bench.member(board, {
      plan: group.members[0]!,
      group,
      clock,
      events: silentSink,
      probe: silentProbe,
      run: "qualify",
      // Boards keep it in 32 bits.
      seed: random.seed % 0x8000_0000,
      faults,
      dialer: createMemoryDialer({
        acceptor: endpoint,
        clock,
        profile: group.link,
        random: random.stream("network"),
        wireBytes,
        version: group.mqtt.protocolVersion,
        faults,
      }),
      ...(door !== undefined && { door }),
    });
  }
}

/** What a board of ours is for a case: a sensor with two streams, one of them retained, as a scenario would plan it. */
export function testedGroup(thing: string, model: string, habits: Partial<BoardHabits> = {}): GroupPlan {
  const { protocolVersion, keepAliveS, reconnectBaseUs, publishRetryUs } = { ...DEFAULT_HABITS, ...habits };
  const member: MemberPlan = {
    name: thing,
    ordinal: 0,
    index: 0,
    attributes: { firmware: "1.0.0" },
    connectAtUs: 0,
  };
  const stream = (number: number, name: string, retain: boolean) => ({
    stream: number,
    name,
    everyUs: 2 * US_PER_S,
    phase: "aligned" as const,
    topic: `fleetrig/{thingName}/${name}`,
    qos: 1 as const,
    retain,
    payload: { seq: "{seq}", at: "{now}" },
  });
  return {
    group: "qualify",
    model: BUILTIN_MODELS[model]!,
    members: [member],
    link: PERFECT_LINK,
    mqtt: {
      protocolVersion,
      keepAliveS,
      cleanStart: false,
      sessionExpiryS: 3_600,
      receiveMaximum: 16,
      ...(protocolVersion === 4 && { publishRetryUs }),
      will: undefined,
    },
    reconnect: {
      // Never at once, however the dice fall.
      policy: "equal-jitter",
      baseUs: reconnectBaseUs,
      capUs: LONGEST_WAIT_US,
      resetAfterUs: 10 * US_PER_S,
    },
    telemetry: [stream(0, "climate", false), stream(1, "status", true)],
    buffer: { capacity: 50, overflow: "drop-oldest" },
    signals: {},
    settings: {
      shadow: { applyTime: { dist: "constant", value: US_PER_S / 5 } },
      ota: { executionTime: { dist: "constant", value: 2 * US_PER_S }, blockBytes: 1_024 },
    },
  };
}
