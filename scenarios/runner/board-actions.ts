import type { EventSink } from "fleetrig/kernel";
import type { BoardControls, FleetMember } from "fleetrig/sim";
import type { Action, ActionVerb } from "../scenario.js";

/** What can be done to boards only, and how. */
export type BoardVerb = "reset" | "powerCycle" | "deepSleep" | "stimulate" | "crash" | "awaitLog";
type VerbOf<V extends ActionVerb["verb"]> = Extract<Action, { verb: V }>;

const PERFORMERS: {
  readonly [V in BoardVerb]: (action: VerbOf<V>, board: BoardControls) => void;
} = {
  reset: (_action, board) => board.reset(),
  powerCycle: ({ offUs }, board) => board.powerCycle(offUs),
  deepSleep: ({ forUs }, board) => board.sleep(forUs),
  stimulate: ({ stimulus }, board) => board.stimulate(stimulus),
  crash: ({ kind }, board) => board.crash(kind),
  awaitLog: ({ id, pattern, withinUs, survivesRestart }, board) =>
    board.awaitLog({ action: id, pattern, withinUs, survivesRestart }),
};

export const isForBoards = (action: Action): action is VerbOf<BoardVerb> =>
  Object.hasOwn(PERFORMERS, action.verb);

/** Who an action concerns, and where it says what it left out. */
interface BoardStage {
  readonly members: readonly FleetMember[];
  readonly events: EventSink;
  readonly atUs: number;
}

export const NOT_A_BOARD = "virtual devices have no board to do this to";

/** Does it to the boards among the members; the others are named with the reason. */
export function performOnBoards(action: VerbOf<BoardVerb>, { members, events, atUs }: BoardStage): void {
  const act = PERFORMERS[action.verb] as (action: Action, board: BoardControls) => void;
  for (const { board } of members) if (board !== undefined) act(action, board);
  const things = members.filter(({ board }) => board === undefined).map(({ name }) => name);
  if (things.length > 0)
    events.emit({ type: "action.skipped", atUs, action: action.id, things, reason: NOT_A_BOARD });
}
