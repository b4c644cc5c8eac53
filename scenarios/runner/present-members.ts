import type { RandomSource } from "fleetrig/kernel";
import type { Fleet, FleetMember, Selection } from "fleetrig/sim";
import type { AbsentThing } from "./fleet-plan.js";

/** Whom an action may mean: those who take part, and those who would if their boards were there. */
interface Attendance {
  readonly fleet: Fleet;
  readonly random: RandomSource;
  /** Things that take no part, and why. */
  readonly absent: ReadonlyMap<string, AbsentThing>;
}

export interface PresentMembers {
  readonly members: readonly FleetMember[];
  /** Things that were meant by name, or as the whole of a group, and take no part. */
  readonly skipped: readonly { readonly things: readonly string[]; readonly reason: string }[];
}

/**
 * What a selection means when hardware is missing: who is absent is left out of it, and a count of more than are left is all of them.
 * @param purpose Names the random stream that decides who is picked.
 * @throws FleetrigError as `Fleet.select`, for what the scenario does not have at all
 */
export function selectPresent(
  selection: Selection,
  purpose: string,
  { fleet, random, absent }: Attendance,
): PresentMembers {
  const { group, things } = selection;
  const pick = (one: Selection): FleetMember[] => fleet.select(one, random.stream(`select/${purpose}`));
  const missing = [...absent]
    .filter(([name, one]) => things?.includes(name) ?? (group ?? one.group) === one.group)
    .map(([name, { reason }]) => ({ name, reason }));
  if (missing.length === 0) return { members: pick(selection), skipped: [] };
  const isGroupAway = group !== undefined && !fleet.groups.has(group);
  if (isGroupAway) return { members: [], skipped: byReason(missing) };
  const present = things?.filter((name) => !absent.has(name));
  const everybody = { ...selection, ...(present !== undefined && { things: present }) };
  const { count } = selection;
  const available = count === undefined ? 0 : pick({ ...everybody, count: undefined }).length;
  return {
    members: pick({ ...everybody, count: count === undefined ? undefined : Math.min(count, available) }),
    skipped: things === undefined ? [] : byReason(missing),
  };
}

/** Groups what is missing by why, in order of appearance. */
export function byReason(
  missing: readonly { readonly name: string; readonly reason: string }[],
): PresentMembers["skipped"] {
  const things = new Map<string, string[]>();
  for (const { name, reason } of missing) things.set(reason, [...(things.get(reason) ?? []), name]);
  return [...things].map(([reason, names]) => ({ reason, things: names }));
}
