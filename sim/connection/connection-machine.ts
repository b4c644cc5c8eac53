import { setup } from "xstate";
import { tabulate, type TransitionTable } from "./transition-table.js";

/**
 * A device's connection as a machine. It has no context and no delays: timers and numbers belong to
 * `DeviceConnection`, which carries out the effects named here and answers with events.
 *
 * - `idle` waits for the first CONNECT; `backoff` for the reconnect policy; `held` and
 *   `booting` for a time without any attempt; `stopped` is final.
 * - CUT ends whatever there is from the device's side, without DISCONNECT; LEAVE ends it in order; LOST and
 *   REFUSED are the other side's doing; DESERT leaves a link to itself.
 */
export const CONNECTION_EVENTS = [
  "CONNECT",
  "OPENED",
  "FAILED",
  "ACCEPTED",
  "REFUSED",
  "LOST",
  "TIMED_OUT",
  "CUT",
  "LEAVE",
  "REBOOT",
  "RETRY",
  "HOLD_OVER",
  "BOOTED",
  "DESERT",
  "STOP",
] as const;

/** What can happen to a connection. */
export type ConnectionEventType = (typeof CONNECTION_EVENTS)[number];

/** The states of a device's connection. */
export type ConnectionState =
  | "idle"
  | "dialing"
  | "handshaking"
  | "online"
  | "backoff"
  | "held"
  | "booting"
  | "stopped";

/** What a transition asks of the connection, by name. */
export const CONNECTION_EFFECTS = [
  "dial",
  "abandonDial",
  "abortLink",
  "closeLink",
  "desertLink",
  "forgetMemory",
  "armRetry",
  "armHold",
  "clearTimer",
  "discardBacklog",
  "reportOpen",
  "reportRefused",
  "reportLost",
  "reportClosed",
] as const;

/** One of `CONNECTION_EFFECTS`. */
export type ConnectionEffect = (typeof CONNECTION_EFFECTS)[number];

const nothing = (): void => undefined;
const EFFECTS = Object.fromEntries(CONNECTION_EFFECTS.map((effect) => [effect, nothing])) as Record<
  ConnectionEffect,
  () => void
>;

/** The life of a device's connection; its actions do nothing until the table's user carries them out. */
export const connectionMachine = setup({
  types: { events: {} as { readonly type: ConnectionEventType } },
  actions: EFFECTS,
}).createMachine({
  id: "connection",
  initial: "idle",
  states: {
    idle: {
      on: { CONNECT: "dialing", REBOOT: "booting", DESERT: "stopped", STOP: "stopped" },
    },
    dialing: {
      entry: "dial",
      on: {
        OPENED: "handshaking",
        FAILED: { target: "backoff", actions: "reportRefused" },
        TIMED_OUT: { target: "backoff", actions: ["abandonDial", "reportRefused"] },
        CUT: { target: "backoff", actions: ["abandonDial", "reportRefused"] },
        LEAVE: { target: "held", actions: ["abandonDial", "reportRefused"] },
        REBOOT: { target: "booting", actions: ["abandonDial", "reportRefused"] },
        DESERT: { target: "stopped", actions: "abandonDial" },
        STOP: { target: "stopped", actions: "abandonDial" },
      },
    },
    handshaking: {
      on: {
        ACCEPTED: "online",
        REFUSED: { target: "backoff", actions: "reportRefused" },
        LOST: { target: "backoff", actions: "reportRefused" },
        TIMED_OUT: { target: "backoff", actions: ["abortLink", "reportRefused"] },
        CUT: { target: "backoff", actions: ["abortLink", "reportRefused"] },
        LEAVE: { target: "held", actions: ["abortLink", "reportRefused"] },
        REBOOT: { target: "booting", actions: ["abortLink", "reportRefused"] },
        DESERT: { target: "stopped", actions: "desertLink" },
        STOP: { target: "stopped", actions: "abortLink" },
      },
    },
    online: {
      entry: ["clearTimer", "reportOpen"],
      on: {
        LOST: { target: "backoff", actions: "reportLost" },
        CUT: { target: "backoff", actions: ["abortLink", "reportLost"] },
        LEAVE: { target: "held", actions: ["closeLink", "reportClosed"] },
        REBOOT: { target: "booting", actions: ["abortLink", "reportLost"] },
        DESERT: { target: "stopped", actions: ["desertLink", "reportLost"] },
        STOP: { target: "stopped", actions: ["closeLink", "reportClosed"] },
      },
    },
    backoff: {
      entry: "armRetry",
      on: {
        RETRY: "dialing",
        CONNECT: "dialing",
        LEAVE: "held",
        REBOOT: "booting",
        DESERT: "stopped",
        STOP: "stopped",
      },
    },
    held: {
      entry: "armHold",
      on: {
        HOLD_OVER: "backoff",
        CONNECT: "dialing",
        LEAVE: { target: "held", reenter: true },
        REBOOT: "booting",
        DESERT: "stopped",
        STOP: "stopped",
      },
    },
    booting: {
      entry: ["forgetMemory", "armHold"],
      on: {
        BOOTED: "dialing",
        CONNECT: "dialing",
        REBOOT: { target: "booting", reenter: true },
        DESERT: "stopped",
        STOP: "stopped",
      },
    },
    stopped: { entry: ["clearTimer", "discardBacklog"] },
  },
});

/** The machine as a table, which is what runs: one lookup per event instead of an interpreter per device. */
export const CONNECTION_TABLE: TransitionTable<ConnectionState, ConnectionEventType, ConnectionEffect> =
  tabulate(connectionMachine, CONNECTION_EVENTS);
