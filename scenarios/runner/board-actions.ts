import type { Clock, EventSink } from "fleetrig/kernel";
import type { BoardControls, BoardRefusal, FleetMember } from "fleetrig/sim";
import type { Action, ActionVerb } from "../scenario.js";

/** What can be done to boards only, and how. */
export type BoardVerb = "reset" | "powerCycle" | "deepSleep" | "stimulate" | "crash" | "awaitLog";
type VerbOf<V extends ActionVerb["verb"]> = Extract<Action, { verb: V }>;

const PERFORMERS: {
  readonly [V in BoardVerb]: (action: VerbOf<V>, board: BoardControls, refused: BoardRefusal) => void;
} = {
  reset: (_action, board) => board.reset(),
  powerCycle: ({ offUs }, board) => board.powerCycle(offUs),
  deepSleep: ({ forUs }, board, refused) => board.sleep(forUs, refused),
  stimulate: ({ stimulus }, board, refused) => board.stimulate(stimulus, refused),
  crash: ({ kind }, board, refused) => board.crash(kind, refused),
  awaitLog: ({ id, pattern, withinUs, survivesRestart }, board) =>
    board.awaitLog({ action: id, pattern, withinUs, survivesRestart }),
};

export const isForBoards = (action: Action): action is VerbOf<BoardVerb> =>
  Object.hasOwn(PERFORMERS, action.verb);

/** Who an action concerns, and where it says what it left out. */
interface BoardStage {
  readonly members: readonly FleetMember[];
  readonly events: EventSink;
  readonly clock: Pick<Clock, "nowUs">;
}

export const NOT_A_BOARD = "virtual devices have no board to do this to";

/** Does it to the boards among the members; the others, and boards whose firmware cannot do it, are named with the reason. */
export function performOnBoards(action: VerbOf<BoardVerb>, { members, events, clock }: BoardStage): void {
  const act = PERFORMERS[action.verb] as (
    action: Action,
    board: BoardControls,
    refused: BoardRefusal,
  ) => void;
  const skipped = (things: readonly string[], reason: string): void =>
    events.emit({ type: "action.skipped", atUs: clock.nowUs(), action: action.id, things, reason });
  for (const { name, board } of members)
    if (board !== undefined) act(action, board, (reason) => skipped([name], reason));
  const things = members.filter(({ board }) => board === undefined).map(({ name }) => name);
  if (things.length > 0) skipped(things, NOT_A_BOARD);
}
