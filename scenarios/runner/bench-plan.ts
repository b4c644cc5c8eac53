import type { BoardClaim, BoardRequest, ClaimedBoard } from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { BridgeSpec } from "../scenario.js";

/** Who is a board, as far as planning the fleet goes. */
export interface BoardPresence {
  readonly boards: { has(thing: string): boolean };
  /** Why members that should be boards are none. */
  readonly missing: ReadonlyMap<string, string>;
}

/** Which members of the fleet are boards of this run, and why others that should be are not. */
export interface BoardRoll extends BoardPresence {
  readonly boards: ReadonlyMap<string, ClaimedBoard>;
}

/** No boards at all. */
export const NO_BOARDS: BoardPresence = { boards: new Set(), missing: new Map() };

/** The fleet as if every bridge had its board. */
export const ALL_BOARDS: BoardPresence = { boards: { has: () => true }, missing: new Map() };

/** A wish for a board, and the bridge that has it. */
export interface BridgeRequest extends BoardRequest {
  readonly bridge: BridgeSpec;
}

/**
 * Every bridge's members: its thing, or the first of its group that no bridge before has taken. A MAC is that of one board.
 * @throws FleetrigError BENCH_THING_TAKEN, BENCH_TOO_FEW_MEMBERS (exit 2)
 */
export function boardRequests(
  bridges: readonly BridgeSpec[],
  membersOf: (group: string) => readonly string[],
): BridgeRequest[] {
  const taken = new Set<string>();
  return bridges.flatMap((bridge) => {
    const { select, path, profile } = bridge;
    const things = thingsOf(bridge, membersOf, taken);
    for (const thing of things) {
      if (taken.has(thing)) throw thingTaken(bridge, thing);
      taken.add(thing);
    }
    return things.map((thing) => ({ thing, select, path, profile, bridge }));
  });
}

function thingsOf(
  { id, members, select }: BridgeSpec,
  membersOf: (group: string) => readonly string[],
  taken: ReadonlySet<string>,
): readonly string[] {
  if ("thing" in members) return [members.thing];
  const free = membersOf(members.group).filter((thing) => !taken.has(thing));
  const count = members.count ?? (select.mac === undefined ? free.length : 1);
  if (count <= free.length && count > 0) return free.slice(0, count);
  throw new FleetrigError(
    "BENCH_TOO_FEW_MEMBERS",
    `The bridge ${id} wants ${Math.max(1, count)} members of ${members.group}, which has ${free.length} left.`,
    { hint: "Lower its count, or raise that of the group.", exitCode: EXIT.usage },
  );
}

/**
 * What came of the claims.
 * @throws FleetrigError BENCH_NO_BOARD (exit 3) when a board is missing that the run cannot do without
 */
export function rollOf(requests: readonly BridgeRequest[], claims: readonly BoardClaim[]): BoardRoll {
  const required = new Set(requests.flatMap(({ thing, bridge }) => (bridge.isRequired ? [thing] : [])));
  const boards = new Map<string, ClaimedBoard>();
  const missing = new Map<string, string>();
  for (const claim of claims) {
    if (claim.board !== undefined) boards.set(claim.thing, claim.board);
    else if (required.has(claim.thing)) throw noBoard(claim.thing, claim.reason);
    else missing.set(claim.thing, claim.reason);
  }
  return { boards, missing };
}

export const noBoard = (thing: string, reason: string): FleetrigError =>
  new FleetrigError("BENCH_NO_BOARD", `There is no board for ${thing}: ${reason}.`, {
    hint: "Run fleetrig board list to see what is attached, and fleetrig board doctor for what is in the way.",
    exitCode: EXIT.environment,
  });

const thingTaken = ({ id }: BridgeSpec, thing: string): FleetrigError =>
  new FleetrigError("BENCH_THING_TAKEN", `The bridge ${id} wants ${thing}, which is a board already.`, {
    hint: "Let each thing be named by one bridge.",
    exitCode: EXIT.usage,
  });
