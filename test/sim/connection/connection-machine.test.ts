import fc from "fast-check";
import {
  CONNECTION_EFFECTS,
  CONNECTION_EVENTS,
  CONNECTION_TABLE,
  type ConnectionEventType,
  connectionMachine,
  type ConnectionState,
  tabulate,
} from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { createActor, createMachine } from "xstate";

type Walk = readonly { readonly state: unknown; readonly effects: readonly string[] }[];

/** Lets a real xstate actor run the events and writes down what it does. */
function walkByActor(events: readonly ConnectionEventType[]): Walk {
  const done: string[] = [];
  const recording = Object.fromEntries(CONNECTION_EFFECTS.map((effect) => [effect, () => done.push(effect)]));
  const actor = createActor(connectionMachine.provide({ actions: recording }));
  actor.start();
  return events.map((type) => {
    done.length = 0;
    actor.send({ type });
    return { state: actor.getSnapshot().value, effects: [...done] };
  });
}

function walkByTable(events: readonly ConnectionEventType[]): Walk {
  let state: ConnectionState = "idle";
  return events.map((type) => {
    const transition = CONNECTION_TABLE[state][type];
    state = transition?.target ?? state;
    return { state, effects: transition?.effects ?? [] };
  });
}

describe("connectionMachine", () => {
  it("does as a table exactly what it does as an actor", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...CONNECTION_EVENTS), { maxLength: 60 }), (events) => {
        expect(walkByTable(events)).toEqual(walkByActor(events));
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ["idle", "CONNECT", "dialing"],
    ["dialing", "OPENED", "handshaking"],
    ["dialing", "FAILED", "backoff"],
    ["handshaking", "ACCEPTED", "online"],
    ["handshaking", "REFUSED", "backoff"],
    ["online", "LOST", "backoff"],
    ["online", "LEAVE", "held"],
    ["online", "REBOOT", "booting"],
    ["backoff", "RETRY", "dialing"],
    ["held", "HOLD_OVER", "backoff"],
    ["held", "CONNECT", "dialing"],
    ["booting", "BOOTED", "dialing"],
  ] as const)("goes from %s on %s to %s", (state, event, target) => {
    expect(CONNECTION_TABLE[state][event]?.target).toBe(target);
  });

  it("can be stopped from everywhere and leaves that state never", () => {
    for (const [state, row] of Object.entries(CONNECTION_TABLE)) {
      expect(row.STOP?.target).toBe(state === "stopped" ? undefined : "stopped");
      expect(row.DESERT?.target).toBe(state === "stopped" ? undefined : "stopped");
    }
    expect(CONNECTION_TABLE.stopped).toEqual({});
  });
});

describe("tabulate", () => {
  it("refuses a machine whose delays a table would lose", () => {
    const delayed = createMachine({
      id: "delayed",
      initial: "on",
      states: { on: { on: { GO: "off" } }, off: { after: { 1000: "on" } } },
    });
    expect(() => tabulate(delayed, ["GO"])).toThrowError(
      expect.objectContaining({ code: "MACHINE_NOT_TABULAR" }),
    );
  });
});
