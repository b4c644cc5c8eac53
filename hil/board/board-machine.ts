import { tabulate, type TransitionTable } from "fleetrig/sim";
import { setup } from "xstate";

/**
 * The life of one board on its line as a machine. It has no context and no delays: timers, ports and numbers belong to
 * `Board`, which carries out the effects named here and answers with events.
 *
 * - `absent`: no port shows it. `present`: one does, and is about to be opened. `opening`: it is being opened.
 * - `rom`, `download`, `booting`: the text lane says so. `app-silent`: the line is open and nobody has said hello.
 * - `app`: a session is open. `asleep`: it went into deep sleep, and is expected back.
 * - `wedged`: it should have said hello. If another port may be its own, that is tried; else the recovery ladder decides: `recovering` while that is being
 *   carried out and has its time; `given-up` when nothing is left, until somebody plugs it in again.
 */
export const BOARD_EVENTS = [
  /** A port shows it. */
  "SEEN",
  /** No port shows it any more, or the system says that its device is gone. */
  "GONE",
  "OPENED",
  /** The port could not be opened. */
  "REFUSED",
  /** The port ended: its driver or its process failed. */
  "ENDED",
  "ROM",
  "DOWNLOAD",
  "BOOTING",
  "HELLO",
  /** The session was lost. */
  "SILENT",
  "SLEEP",
  /** A deadline has passed. */
  "OVERDUE",
  /** The ladder has another rung, and has begun to climb it. */
  "CLIMBING",
  /** The ladder has none, or nothing can help. */
  "EXHAUSTED",
  "STOP",
] as const;

/** What can happen to a board. */
export type BoardEventType = (typeof BOARD_EVENTS)[number];

/** Where a board can be. */
export const BOARD_STATES = [
  "absent",
  "present",
  "opening",
  "rom",
  "download",
  "booting",
  "app-silent",
  "app",
  "asleep",
  "wedged",
  "recovering",
  "given-up",
  "stopped",
] as const;

/** One of them. */
export type BoardState = (typeof BOARD_STATES)[number];

/** What a transition asks of the board, by name. */
export const BOARD_EFFECTS = [
  "armAbsence",
  "armOpening",
  "armHello",
  "armBoot",
  "armWake",
  "armRung",
  "clearDeadline",
  "openPort",
  "closePort",
  "noteLoss",
  "climb",
  "reportWorking",
  "reportDetached",
  "reportGivenUp",
] as const;

/** One of them. */
export type BoardEffect = (typeof BOARD_EFFECTS)[number];

const nothing = (): void => undefined;
const EFFECTS = Object.fromEntries(BOARD_EFFECTS.map((effect) => [effect, nothing])) as Record<
  BoardEffect,
  () => void
>;

const gone = { target: "absent", actions: ["noteLoss", "closePort", "reportDetached"] } as const;
const stop = { target: "stopped", actions: "closePort" } as const;
const ended = { target: "wedged", actions: ["noteLoss", "closePort"] } as const;
const overdue = { target: "wedged", actions: "noteLoss" } as const;

/** What the text lane and the link say wherever the line is open. */
const heard = { ROM: "rom", DOWNLOAD: "download", BOOTING: "booting", HELLO: "app" } as const;
const line = { ...heard, GONE: gone, ENDED: ended, EXHAUSTED: "given-up", STOP: stop } as const;

/** Its actions do nothing until the table's user carries them out. */
export const boardMachine = setup({
  types: { events: {} as { readonly type: BoardEventType } },
  actions: EFFECTS,
}).createMachine({
  id: "board",
  initial: "absent",
  states: {
    absent: {
      entry: "armAbsence",
      on: { SEEN: "present", OVERDUE: "wedged", STOP: stop },
    },
    present: {
      entry: "armOpening",
      on: { OVERDUE: "opening", GONE: gone, STOP: stop },
    },
    opening: {
      entry: ["clearDeadline", "openPort"],
      on: { OPENED: "app-silent", REFUSED: overdue, GONE: gone, ENDED: ended, STOP: stop },
    },
    rom: {
      entry: "armBoot",
      on: { ...line, ROM: { target: "rom", reenter: true }, OVERDUE: overdue },
    },
    download: {
      entry: "armBoot",
      on: { ...line, DOWNLOAD: undefined, OVERDUE: overdue },
    },
    booting: {
      entry: "armBoot",
      on: { ...line, BOOTING: undefined, OVERDUE: overdue },
    },
    "app-silent": {
      entry: "armHello",
      on: { ...line, SLEEP: "asleep", OVERDUE: overdue },
    },
    app: {
      entry: ["clearDeadline", "reportWorking"],
      on: {
        ...line,
        HELLO: { target: "app", reenter: true },
        ROM: { target: "rom", actions: "noteLoss" },
        DOWNLOAD: { target: "download", actions: "noteLoss" },
        BOOTING: { target: "booting", actions: "noteLoss" },
        SILENT: { target: "app-silent", actions: "noteLoss" },
        SLEEP: "asleep",
      },
    },
    asleep: {
      entry: "armWake",
      on: {
        ...heard,
        // Where the chip itself is the USB device, it vanishes while it sleeps.
        GONE: { actions: "closePort" },
        ENDED: { actions: "closePort" },
        SEEN: { actions: "openPort" },
        OVERDUE: overdue,
        STOP: stop,
      },
    },
    wedged: {
      entry: ["clearDeadline", "climb"],
      on: { CLIMBING: "recovering", GONE: gone, EXHAUSTED: "given-up", STOP: stop },
    },
    recovering: {
      entry: "armRung",
      on: {
        HELLO: "app",
        // A rung that switches USB or power makes it come and go.
        GONE: { actions: ["closePort", "reportDetached"] },
        SEEN: { actions: "openPort" },
        ENDED: { actions: "closePort" },
        OVERDUE: "wedged",
        STOP: stop,
      },
    },
    "given-up": {
      entry: ["clearDeadline", "closePort", "reportGivenUp"],
      on: { SEEN: "present", STOP: stop },
    },
    stopped: { entry: "clearDeadline" },
  },
});

/** The machine as a table: what runs. */
export const BOARD_TABLE: TransitionTable<BoardState, BoardEventType, BoardEffect> = tabulate(
  boardMachine,
  BOARD_EVENTS,
);
