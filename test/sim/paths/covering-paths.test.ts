import { createRandomSource } from "fleetrig/kernel";
import {
  chosenPath,
  coveringPaths,
  defineDeviceModel,
  deviceEffects,
  type DeviceSignalEvent,
  DeviceWalk,
  edgesOf,
  type PathInput,
  type PathTimes,
  timedInputs,
} from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { assign, raise, setup } from "xstate";

const TIMES: PathTimes = {
  gapMs: () => 1,
  slackMs: 2,
  shortMs: (remainingMs) => remainingMs - 1,
  retryMs: 100,
};

const machine = setup({
  types: { context: {} as { tries: number }, events: {} as DeviceSignalEvent },
  actions: { ...deviceEffects, count: assign({ tries: ({ context }) => context.tries + 1 }) },
  guards: { isTired: ({ context }) => context.tries >= 2 },
  delays: { nap: 500 },
}).createMachine({
  id: "dozer",
  context: { tries: 0 },
  initial: "awake",
  states: {
    awake: {
      on: {
        JOB: [
          { guard: "isTired", target: "asleep" },
          { actions: ["count", raise({ type: "JOB_AVAILABLE" }, { delay: 50, id: "again" })] },
        ],
        SET: { target: "lost" },
      },
    },
    asleep: {
      entry: { type: "reboot", params: { downUs: 300_000 } },
      on: { CONNECTED: "awake", FAULT: "dead" },
      after: { nap: "awake" },
    },
    lost: { entry: { type: "leave", params: {} }, on: { CONNECTED: "awake" } },
    dead: { entry: { type: "goSilent", params: {} }, on: { CONNECTED: "awake" } },
  },
});
const model = defineDeviceModel({ name: "dozer", description: "Sleeps on the job.", machine, signals: {} });
const walk = new DeviceWalk(model, { thingName: "d", attributes: {}, settings: {} }, TIMES);

const send = (event: DeviceSignalEvent): PathInput => ({ do: "send", name: event.type, event });
const JOB = send({ type: "JOB", jobId: "j", document: {}, executionNumber: 1, versionNumber: 1 });
const FAULT = send({ type: "FAULT", fault: "f", active: true, detail: {} });
const SET = send({ type: "SET", values: {} });
const CONNECT: PathInput = { do: "connect" };
const inputs = [JOB, FAULT, SET, CONNECT, { do: "cut" }, { do: "leave" }] as const;

describe("paths through a model", () => {
  it("names every transition of the machine, those of one event in order", () => {
    expect(edgesOf(machine)).toEqual([
      "awake --JOB#1",
      "awake --JOB#2",
      "awake --SET",
      "asleep --CONNECTED",
      "asleep --FAULT",
      "asleep --after nap",
      "lost --CONNECTED",
      "dead --CONNECTED",
    ]);
  });

  it("takes every transition that can be taken, and says which cannot", () => {
    const { paths, edges, missing, states } = coveringPaths({ model, walk, inputs });
    // A reboot of 0.3 s ends a nap of 0.5 s, and who is silent is not connected again.
    expect(missing).toEqual(["asleep --after nap", "dead --CONNECTED"]);
    expect(edges).toContain("JOB_AVAILABLE after again");
    expect(new Set(paths.flatMap((path) => path.edges)).size).toBe(edges.length - missing.length);
    expect(states).toEqual(['"awake"', '"lost"', '"asleep"', '"dead"']);
  });

  it("finds the shortest path to each", () => {
    const { paths } = coveringPaths({ model, walk, inputs });
    expect(
      paths.map((path) => path.inputs.map((input) => (input.do === "send" ? input.name : input.do))),
    ).toEqual(
      expect.arrayContaining([
        ["JOB", "JOB", "JOB", "FAULT"],
        ["JOB", "JOB", "JOB", "elapse", "elapse"],
        ["SET", "connect"],
      ]),
    );
  });

  it("lets delays pass, or all but the end of them", () => {
    const timed = timedInputs(walk, [JOB, { do: "fall-short" }, { do: "elapse" }, { do: "elapse" }]);
    expect(timed.map(({ waitMs }) => waitMs)).toEqual([1, 48, 3]);
  });

  it("leaves out what has lost its sense: messages and calls to a device that is not there", () => {
    const timed = timedInputs(walk, [CONNECT, SET, JOB, { do: "cut" }, CONNECT]);
    expect(timed.map(({ input }) => input)).toEqual([SET, CONNECT]);
  });

  it("makes a path of any numbers, the same of the same", () => {
    const random = createRandomSource(3).stream("choices");
    const choices = Array.from({ length: 40 }, () => random.uint32());
    const options = { walk, inputs: [...inputs, { do: "elapse" }] as const };
    const path = chosenPath(options, choices);
    expect(path).toEqual(chosenPath(options, choices));
    expect(timedInputs(walk, path.inputs)).toHaveLength(path.inputs.length);
    expect(path.edges.length).toBeGreaterThan(2);
  });

  it("ends at a machine that answers itself for ever", () => {
    const draw = { type: "draw", params: { purpose: "again" } } as const;
    const endless = setup({
      types: { events: {} as DeviceSignalEvent },
      actions: deviceEffects,
    }).createMachine({ id: "endless", on: { CONNECTED: { actions: draw }, DRAWN: { actions: draw } } });
    const of = { name: "endless", description: "", machine: endless, signals: {} };
    const input = { thingName: "d", attributes: {}, settings: {} };
    expect(() => new DeviceWalk(of, input, TIMES).start()).toThrow(
      expect.objectContaining({ code: "MODEL_ENDLESS" }),
    );
  });
});
