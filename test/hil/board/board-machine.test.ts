import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createActor } from "xstate";
import {
  BOARD_EFFECTS,
  BOARD_EVENTS,
  BOARD_STATES,
  BOARD_TABLE,
  type BoardEventType,
  boardMachine,
  type BoardState,
} from "../../../hil/board/board-machine.js";

type Walk = readonly { readonly state: unknown; readonly effects: readonly string[] }[];

function walkByActor(events: readonly BoardEventType[]): Walk {
  const done: string[] = [];
  const recording = Object.fromEntries(BOARD_EFFECTS.map((effect) => [effect, () => done.push(effect)]));
  const actor = createActor(boardMachine.provide({ actions: recording }));
  actor.start();
  return events.map((type) => {
    done.length = 0;
    actor.send({ type });
    return { state: actor.getSnapshot().value, effects: [...done] };
  });
}

function walkByTable(events: readonly BoardEventType[]): Walk {
  let state: BoardState = "absent";
  return events.map((type) => {
    const transition = BOARD_TABLE[state][type];
    state = transition?.target ?? state;
    return { state, effects: transition?.effects ?? [] };
  });
}

/** State, event, next state, effects. */
const TRANSITIONS: readonly (readonly [BoardState, BoardEventType, BoardState, readonly string[]])[] = [
  ["absent", "SEEN", "present", ["armOpening"]],
  ["absent", "OVERDUE", "wedged", ["clearDeadline", "climb"]],
  ["present", "OVERDUE", "opening", ["clearDeadline", "openPort"]],
  ["present", "GONE", "absent", ["noteLoss", "closePort", "reportDetached", "armAbsence"]],
  ["opening", "OPENED", "app-silent", ["armHello"]],
  ["opening", "REFUSED", "wedged", ["noteLoss", "clearDeadline", "climb"]],
  ["app-silent", "ROM", "rom", ["armBoot"]],
  ["app-silent", "BOOTING", "booting", ["armBoot"]],
  ["app-silent", "DOWNLOAD", "download", ["armBoot"]],
  ["app-silent", "HELLO", "app", ["clearDeadline", "reportWorking"]],
  ["app-silent", "OVERDUE", "wedged", ["noteLoss", "clearDeadline", "climb"]],
  ["rom", "BOOTING", "booting", ["armBoot"]],
  ["rom", "ROM", "rom", ["armBoot"]],
  ["booting", "HELLO", "app", ["clearDeadline", "reportWorking"]],
  ["booting", "ROM", "rom", ["armBoot"]],
  ["download", "HELLO", "app", ["clearDeadline", "reportWorking"]],
  ["download", "OVERDUE", "wedged", ["noteLoss", "clearDeadline", "climb"]],
  ["app", "HELLO", "app", ["clearDeadline", "reportWorking"]],
  ["app", "SILENT", "app-silent", ["noteLoss", "armHello"]],
  ["app", "ROM", "rom", ["noteLoss", "armBoot"]],
  ["app", "GONE", "absent", ["noteLoss", "closePort", "reportDetached", "armAbsence"]],
  ["app", "ENDED", "wedged", ["noteLoss", "closePort", "clearDeadline", "climb"]],
  ["app", "SLEEP", "asleep", ["armWake"]],
  ["asleep", "GONE", "asleep", ["closePort"]],
  ["asleep", "SEEN", "asleep", ["openPort"]],
  ["asleep", "HELLO", "app", ["clearDeadline", "reportWorking"]],
  ["asleep", "OVERDUE", "wedged", ["noteLoss", "clearDeadline", "climb"]],
  ["wedged", "CLIMBING", "recovering", ["armRung"]],
  ["wedged", "GONE", "absent", ["noteLoss", "closePort", "reportDetached", "armAbsence"]],
  ["wedged", "EXHAUSTED", "given-up", ["clearDeadline", "closePort", "reportGivenUp"]],
  ["recovering", "HELLO", "app", ["clearDeadline", "reportWorking"]],
  ["recovering", "OVERDUE", "wedged", ["clearDeadline", "climb"]],
  ["recovering", "SEEN", "recovering", ["openPort"]],
  ["given-up", "SEEN", "present", ["armOpening"]],
];

describe("boardMachine", () => {
  it("does as a table exactly what it does as an actor", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...BOARD_EVENTS), { maxLength: 60 }), (events) => {
        expect(walkByTable(events)).toEqual(walkByActor(events));
      }),
      { numRuns: 200 },
    );
  });

  it.each(TRANSITIONS)("goes from %s on %s to %s, doing %j", (from, event, target, effects) => {
    expect(BOARD_TABLE[from][event]).toEqual({ target, effects });
  });

  it("stops from everywhere, and nothing wakes it then", () => {
    for (const state of BOARD_STATES) {
      if (state !== "stopped") expect(BOARD_TABLE[state]["STOP"]?.target, state).toBe("stopped");
    }
    expect(BOARD_TABLE.stopped).toEqual({});
  });

  it("is back in the application from every state of an open line when it says hello", () => {
    for (const state of [
      "rom",
      "download",
      "booting",
      "app-silent",
      "app",
      "asleep",
      "recovering",
    ] as const) {
      expect(BOARD_TABLE[state]["HELLO"]?.target, state).toBe("app");
    }
  });

  it("waits in no state without a deadline, except where it works or has been given up", () => {
    const restful = new Set<BoardState>(["app", "opening", "wedged", "given-up", "stopped"]);
    for (const state of BOARD_STATES) {
      if (!restful.has(state)) expect(BOARD_TABLE[state]["OVERDUE"], state).toBeDefined();
    }
  });
});
