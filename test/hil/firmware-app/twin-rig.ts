import { Cloud } from "fleetrig/broker";
import {
  createRandomSource,
  type DeliveryProbe,
  type JsonObject,
  LANE,
  type RunEvent,
  VirtualTime,
} from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import {
  createFleet,
  createMemoryDialer,
  type Fleet,
  type FleetMember,
  type GroupPlan,
  LinkFaults,
} from "fleetrig/sim";
import { BoardMember } from "../../../hil/bridge/board-member.js";
import { groupPlan, type GroupOptions, memoryLinks } from "../../sim/fleet/fleet-rig.js";
import { CompiledBoard } from "./compiled-board.js";

export const S = 1_000_000;

/** One message a second. */
export const CLIMATE = {
  stream: 0,
  name: "climate",
  everyUs: S,
  phase: "aligned",
  topic: "site/{thingName}/t",
  qos: 1,
  retain: false,
  payload: { seq: "{seq}" },
} as const;

/** What an update passes through that goes well. */
export const UPDATE_MODES = [
  "downloading",
  "verifying",
  "flashing",
  "leaving",
  "rebooting",
  "selfTesting",
  "healthy",
] as const;

/** What became of messages, as words in order, by the ordinal of the thing. */
class DeliveryLog implements DeliveryProbe {
  readonly steps: {
    readonly thing: number;
    readonly step: string;
    readonly dueUs?: number;
    readonly atUs?: number;
  }[] = [];
  sent(_stream: number, thing: number, sequence: number, dueUs: number, atUs: number): void {
    this.steps.push({ thing, step: `sent ${sequence}`, dueUs, atUs });
  }
  acked(_stream: number, thing: number, sequence: number): void {
    this.steps.push({ thing, step: `acked ${sequence}` });
  }
  retransmitted(_stream: number, thing: number, sequence: number): void {
    this.steps.push({ thing, step: `again ${sequence}` });
  }
  discarded(_stream: number, thing: number, sequence: number): void {
    this.steps.push({ thing, step: `discarded ${sequence}` });
  }
  received(): void {}
  ruleOutput(): void {}
}

const VIRTUAL = "twins-0";
const BOARD = "twins-1";

/**
 * Two members of one group before one cloud, in virtual time: a virtual device, and a board that runs the firmware. Whatever
 * is done to both must come out the same.
 */
export class TwinRig {
  readonly time = new VirtualTime();
  readonly events: RunEvent[] = [];
  readonly log = new DeliveryLog();
  readonly arrived: { readonly thing: string; readonly topic: string; readonly text: string }[] = [];
  readonly cloud: Cloud;
  readonly board: CompiledBoard;
  readonly fleet: Fleet;
  readonly members: { readonly virtual: FleetMember; readonly board: BoardMember };

  constructor(options: GroupOptions = {}) {
    const { time, log } = this;
    const random = createRandomSource(7);
    const events = { emit: (event: RunEvent): unknown => this.events.push(event) };
    this.cloud = new Cloud({ time, random, events });
    const group = groupPlan({ ...options, group: "twins", count: 2 });
    for (const { name } of group.members) this.cloud.registry.createThing({ thingName: name });
    const links = memoryLinks(this.cloud.acceptor, random);
    const parts = { time, random, events, probe: log, run: "test", linkFor: links };
    this.fleet = createFleet({ groups: [{ ...group, members: [group.members[0]!] }] }, parts);
    this.board = new CompiledBoard(time.lane(900));
    this.members = { virtual: this.fleet.members[0]!, board: this.boardMember(group) };
  }

  private boardMember(group: GroupPlan): BoardMember {
    const { time, log } = this;
    const plan = group.members[1]!;
    const random = createRandomSource(9);
    const clock = time.lane(LANE.firstDevice + plan.ordinal);
    const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
    const dialer = createMemoryDialer({
      acceptor: this.cloud.acceptor,
      clock,
      profile: group.link,
      random: random.stream("network"),
      wireBytes,
      version: group.mqtt.protocolVersion,
      faults,
    });
    const events = { emit: (event: RunEvent): unknown => this.events.push(event) };
    return new BoardMember({
      plan,
      group,
      clock,
      events,
      probe: log,
      run: "test",
      seed: 77,
      random,
      path: "bridge",
      board: this.board,
      faults,
      dialer,
    });
  }

  /** Powers both on. */
  start(): this {
    this.fleet.start();
    this.members.board.start(this.time.nowUs());
    return this;
  }

  both(act: (member: FleetMember) => void): this {
    act(this.members.virtual);
    act(this.members.board);
    return this;
  }

  advance(seconds: number): this {
    this.time.advance(Math.round(seconds * S));
    return this;
  }

  /** Asks both twins' shadows for something. */
  desire(desired: JsonObject, shadowName?: string): this {
    for (const thing of [VIRTUAL, BOARD])
      this.cloud.shadows.update({ thing, shadowName, payload: { state: { desired } } });
    return this;
  }

  /** What a twin told, without its name and its times. */
  told(thing: typeof VIRTUAL | typeof BOARD, prefixes: readonly string[]): readonly unknown[] {
    return this.events
      .filter(
        (event) =>
          "thing" in event &&
          event.thing === thing &&
          prefixes.some((prefix) => event.type.startsWith(prefix)),
      )
      .map((event) => {
        const {
          atUs: _at,
          thing: _thing,
          connectUs: _connect,
          ...rest
        } = event as unknown as Record<string, unknown>;
        return rest;
      });
  }

  get virtualTold(): readonly unknown[] {
    return this.told(VIRTUAL, ["connection.", "device."]);
  }

  get boardTold(): readonly unknown[] {
    return this.told(BOARD, ["connection.", "device."]);
  }

  /** What became of a twin's messages. */
  steps(ordinal: 0 | 1): readonly string[] {
    return this.log.steps.filter(({ thing }) => thing === ordinal).map(({ step }) => step);
  }

  reported(thing: typeof VIRTUAL | typeof BOARD, shadowName?: string): unknown {
    return this.cloud.shadows.document({ thing, shadowName })?.reported?.state;
  }

  modes(thing: typeof VIRTUAL | typeof BOARD): readonly string[] {
    return this.told(thing, ["device.mode"]).map((event) => (event as { readonly mode: string }).mode);
  }
}
