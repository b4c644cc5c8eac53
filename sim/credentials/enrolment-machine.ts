import { setup } from "xstate";
import { tabulate, type TransitionTable } from "../connection/transition-table.js";

/**
 * How a device with nothing but a claim gets a certificate of its own and is made a thing: AWS's fleet provisioning
 * by claim, from the device's side. The machine has no context and no delays: `Enrolment` carries out its effects.
 *
 * - READY: connected, and the answers are subscribed to; OFFLINE: not connected any more.
 * - REFUSED may be tried again, DENIED is for good; after STALE the certificate that was given is worth nothing.
 * - A device that waits to register still has the certificate that it was given.
 */
const ENROLMENT_EVENTS = [
  "READY",
  "OFFLINE",
  "KEYS",
  "REGISTERED",
  "REFUSED",
  "STALE",
  "DENIED",
  "TIMED_OUT",
  "RETRY",
] as const;

/** What can happen to an enrolment. */
export type EnrolmentEventType = (typeof ENROLMENT_EVENTS)[number];

/** The states of an enrolment. */
export type EnrolmentState =
  | "connecting"
  | "asking"
  | "waitingToAsk"
  | "registering"
  | "waitingToRegister"
  | "reconnecting"
  | "done"
  | "failed";

const ENROLMENT_EFFECTS = [
  "requestKeys",
  "requestThing",
  "armAnswer",
  "armRetry",
  "clearTimer",
  "finish",
  "giveUp",
] as const;

/** What a transition asks of the enrolment, by name. */
export type EnrolmentEffect = (typeof ENROLMENT_EFFECTS)[number];

const nothing = (): void => undefined;
const EFFECTS = Object.fromEntries(ENROLMENT_EFFECTS.map((effect) => [effect, nothing])) as Record<
  EnrolmentEffect,
  () => void
>;

const enrolmentMachine = setup({
  types: { events: {} as { readonly type: EnrolmentEventType } },
  actions: EFFECTS,
}).createMachine({
  id: "enrolment",
  initial: "connecting",
  states: {
    connecting: { entry: "clearTimer", on: { READY: "asking", DENIED: "failed" } },
    asking: {
      entry: ["requestKeys", "armAnswer"],
      on: {
        KEYS: "registering",
        REFUSED: "waitingToAsk",
        TIMED_OUT: "waitingToAsk",
        DENIED: "failed",
        OFFLINE: "connecting",
      },
    },
    waitingToAsk: { entry: "armRetry", on: { RETRY: "asking", DENIED: "failed", OFFLINE: "connecting" } },
    registering: {
      entry: ["requestThing", "armAnswer"],
      on: {
        REGISTERED: "done",
        REFUSED: "waitingToRegister",
        TIMED_OUT: "waitingToRegister",
        STALE: "waitingToAsk",
        DENIED: "failed",
        OFFLINE: "reconnecting",
      },
    },
    waitingToRegister: {
      entry: "armRetry",
      on: { RETRY: "registering", DENIED: "failed", OFFLINE: "reconnecting" },
    },
    reconnecting: { entry: "clearTimer", on: { READY: "registering", DENIED: "failed" } },
    done: { entry: ["clearTimer", "finish"] },
    failed: { entry: ["clearTimer", "giveUp"] },
  },
});

/** The machine as a table, which is what runs. */
export const ENROLMENT_TABLE: TransitionTable<EnrolmentState, EnrolmentEventType, EnrolmentEffect> = tabulate(
  enrolmentMachine,
  ENROLMENT_EVENTS,
);
