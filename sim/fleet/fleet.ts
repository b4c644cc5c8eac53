import {
  type Clock,
  type DeliveryProbe,
  type EventSink,
  EXIT,
  FleetrigError,
  LANE,
  type Random,
  type RandomSource,
  type TimeSource,
} from "fleetrig/kernel";
import { DeviceGroup, type DeviceWorld } from "../device/device-group.js";
import { type DeviceLink, VirtualDevice } from "../device/virtual-device.js";
import { IdentityBook } from "../identity/identity.js";
import type { FleetMember } from "../member.js";
import type { FleetPlan, GroupPlan, MemberPlan } from "../plan.js";
import { type Roster, select, type Selection } from "./selection.js";

/** What a fleet needs of the outside. */
export interface FleetEnvironment {
  readonly time: TimeSource;
  readonly random: RandomSource;
  readonly events: EventSink;
  readonly probe: DeliveryProbe;
  /** Name of the run, for trace tags. */
  readonly run: string;
  /** How a member reaches its broker, and which faults can be put on that way. */
  readonly linkFor: (member: MemberPlan, group: GroupPlan, clock: Clock) => DeviceLink;
  /** The member that is not virtual; undefined for all others. */
  readonly boardFor?: (member: MemberPlan, group: GroupPlan, clock: Clock) => FleetMember | undefined;
}

/**
 * All members of a run, virtual devices and boards alike. What happens depends on their ordinals only, not on
 * the order in which they were made.
 */
export class Fleet implements Roster {
  readonly members: readonly FleetMember[];
  readonly groups: ReadonlyMap<string, readonly FleetMember[]>;
  private readonly byName = new Map<string, FleetMember>();

  /** @throws {FleetrigError} FLEET_DUPLICATE_THING */
  constructor(members: Iterable<FleetMember>) {
    this.members = [...members].sort((a, b) => a.ordinal - b.ordinal);
    const groups = new Map<string, FleetMember[]>();
    for (const member of this.members) {
      if (this.byName.has(member.name)) throw duplicate(member.name);
      this.byName.set(member.name, member);
      const group = groups.get(member.group);
      if (group === undefined) groups.set(member.group, [member]);
      else group.push(member);
    }
    this.groups = groups;
  }

  member(name: string): FleetMember | undefined {
    return this.byName.get(name);
  }

  /**
   * Members that fit, in ordinal order; the same stream gives the same picks.
   * @throws {FleetrigError} FLEET_UNKNOWN_GROUP, FLEET_UNKNOWN_THING, FLEET_TOO_FEW
   */
  select(selection: Selection, random: Random): FleetMember[] {
    return select(this, selection, random);
  }

  /**
   * Powers everybody on; each connects at its planned time.
   * @param originUs Instant of the clock that planned times and telemetry schedules count from. In real time the
   *   clock has been running for a while when a fleet starts. Default: 0.
   */
  start(originUs = 0): void {
    for (const member of this.members) member.start(originUs);
  }

  /** Powers everybody off, in order. */
  stop(): void {
    for (const member of this.members) member.stop();
  }
}

/**
 * Makes the members of a plan.
 * @throws {FleetrigError} FLEET_DUPLICATE_THING, TEMPLATE_UNKNOWN_PLACEHOLDER, MODEL_INVOKES_ACTOR
 */
export function createFleet(plan: FleetPlan, environment: FleetEnvironment): Fleet {
  const { time, random, events, probe, run, linkFor, boardFor } = environment;
  const world: DeviceWorld = { random, events, probe, run, identities: new IdentityBook() };
  const members: FleetMember[] = [];
  for (const groupPlan of plan.groups) {
    const group = new DeviceGroup(groupPlan, world);
    for (const member of groupPlan.members) {
      const clock = time.lane(LANE.firstDevice + member.ordinal);
      members.push(
        boardFor?.(member, groupPlan, clock) ??
          new VirtualDevice({ member, group, clock, link: linkFor(member, groupPlan, clock) }),
      );
    }
  }
  return new Fleet(members);
}

const duplicate = (name: string): FleetrigError =>
  new FleetrigError("FLEET_DUPLICATE_THING", `Two members of the fleet are named "${name}".`, {
    hint: "Make thingName depend on {index}, or give groups different names.",
    context: { thing: name },
    exitCode: EXIT.usage,
  });
