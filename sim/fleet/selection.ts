import { EXIT, FleetrigError, jsonEqual, type JsonObject, type Random, nearestName } from "fleetrig/kernel";
import type { FleetMember } from "../member.js";

/** Whom an action means: everybody who fits, or a share of them picked at random. */
export interface Selection {
  readonly group?: string | undefined;
  /** Attributes with their values; where a list is given, any of them. */
  readonly where?: JsonObject | undefined;
  readonly things?: readonly string[] | undefined;
  /** That many of those who fit. */
  readonly count?: number | undefined;
  /** That share of those who fit, 0..1, rounded to whole members. */
  readonly share?: number | undefined;
  readonly state?: "online" | "offline" | undefined;
}

/** What a selection chooses from. */
export interface Roster {
  readonly members: readonly FleetMember[];
  member(name: string): FleetMember | undefined;
  readonly groups: ReadonlyMap<string, readonly FleetMember[]>;
}

/**
 * @param random Decides who is picked; the same stream and fleet give the same picks. Not drawn from when all
 *   who fit are meant.
 * @returns Members in ordinal order.
 * @throws {FleetrigError} FLEET_UNKNOWN_GROUP, FLEET_UNKNOWN_THING, FLEET_TOO_FEW
 */
export function select(roster: Roster, selection: Selection, random: Random): FleetMember[] {
  const { where, state, count, share } = selection;
  const fitting = candidates(roster, selection).filter(
    (member) => fits(member, where) && (state === undefined || member.isOnline === (state === "online")),
  );
  if (count === undefined && share === undefined) return fitting;
  if (count !== undefined && count > fitting.length && state === undefined) {
    throw usage("FLEET_TOO_FEW", `The selection wants ${count} things, but only ${fitting.length} fit.`, {
      hint: "Ask for fewer, or loosen the selection.",
    });
  }
  const wanted = Math.min(count ?? fitting.length, Math.round((share ?? 1) * fitting.length));
  return random
    .shuffle(fitting)
    .slice(0, wanted)
    .sort((a, b) => a.ordinal - b.ordinal);
}

function candidates(roster: Roster, { group, things }: Selection): readonly FleetMember[] {
  if (group !== undefined && !roster.groups.has(group)) throw unknownGroup(roster, group);
  if (things !== undefined) {
    const named = [...new Set(things)].map((name) => roster.member(name) ?? unknownThing(roster, name));
    return named
      .filter((member) => group === undefined || member.group === group)
      .sort((a, b) => a.ordinal - b.ordinal);
  }
  return group === undefined ? roster.members : roster.groups.get(group)!;
}

function fits(member: FleetMember, where: JsonObject | undefined): boolean {
  if (where === undefined) return true;
  return Object.entries(where).every(([name, wanted]) => {
    const value = Object.hasOwn(member.attributes, name) ? member.attributes[name] : undefined;
    return Array.isArray(wanted)
      ? wanted.some((each) => jsonEqual(each, value)) || jsonEqual(wanted, value)
      : jsonEqual(wanted, value);
  });
}

function unknownGroup(roster: Roster, group: string): FleetrigError {
  const names = [...roster.groups.keys()];
  const nearest = nearestName(group, names);
  return usage("FLEET_UNKNOWN_GROUP", `The fleet has no group "${group}".`, {
    hint: nearest === undefined ? `Groups: ${names.join(", ")}.` : `Did you mean "${nearest}"?`,
  });
}

function unknownThing(roster: Roster, name: string): never {
  const first = roster.members[0]?.name;
  throw usage("FLEET_UNKNOWN_THING", `The fleet has no thing "${name}".`, {
    hint: first === undefined ? "The fleet is empty." : `Things are named like "${first}".`,
  });
}

const usage = (code: string, message: string, details: { hint: string }): FleetrigError =>
  new FleetrigError(code, message, { ...details, exitCode: EXIT.usage });
