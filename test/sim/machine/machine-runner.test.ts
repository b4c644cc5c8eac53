import { type FleetrigError, VirtualTime } from "fleetrig/kernel";
import { MachineRunner } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { type AnyStateMachine, assign, createMachine, fromPromise, raise, setup } from "xstate";

function run(machine: AnyStateMachine, input: unknown = {}) {
  const time = new VirtualTime();
  const effects: string[] = [];
  const runner = new MachineRunner({
    machine,
    input,
    clock: time.lane(16),
    effect: (type, params) => effects.push(params === undefined ? type : `${type} ${JSON.stringify(params)}`),
  });
  return { time, effects, runner };
}

const blinker = setup({
  types: { context: {} as { ms: number }, input: {} as { ms: number } },
  actions: { lamp: (_args, _params: { on: boolean; ms?: number }) => undefined },
  delays: { bright: ({ context }) => context.ms },
}).createMachine({
  id: "blinker",
  context: ({ input }) => ({ ms: input.ms }),
  initial: "dark",
  states: {
    dark: { on: { LIGHT: "light" } },
    light: {
      entry: { type: "lamp", params: ({ context }) => ({ on: true, ms: context.ms }) },
      exit: { type: "lamp", params: { on: false } },
      after: { bright: "dark" },
      on: { DARK: "dark", AGAIN: { target: "light", reenter: true } },
    },
  },
});

describe("MachineRunner", () => {
  it("turns actions into effects by name with their parameters, after the state has changed", () => {
    const { effects, runner } = run(blinker, { ms: 20 });
    runner.start();
    runner.send({ type: "LIGHT" });
    expect(runner.state).toBe("light");
    expect(effects).toEqual(['lamp {"on":true,"ms":20}']);
  });

  it("runs delayed transitions on the run's clock, in milliseconds", () => {
    const { time, effects, runner } = run(blinker, { ms: 1.5 });
    runner.start();
    runner.send({ type: "LIGHT" });
    time.advance(1499);
    expect(runner.state).toBe("light");
    time.advance(1);
    expect(runner.state).toBe("dark");
    expect(effects.at(-1)).toBe('lamp {"on":false}');
  });

  it("cancels a delay when its state is left, and starts it over when the state is entered again", () => {
    const { time, runner } = run(blinker, { ms: 20 });
    runner.start();
    runner.send({ type: "LIGHT" });
    time.advance(15_000);
    runner.send({ type: "AGAIN" });
    time.advance(15_000);
    expect(runner.state).toBe("light");
    runner.send({ type: "DARK" });
    expect(time.heap.popDue(Number.POSITIVE_INFINITY)).toBeUndefined();
  });

  it("leaves the state alone when an event means nothing in it", () => {
    const { effects, runner } = run(blinker, { ms: 20 });
    runner.start();
    const before = runner.context;
    runner.send({ type: "DARK" });
    runner.send({ type: "NEVER_HEARD_OF" });
    expect([runner.state, runner.context, effects]).toEqual(["dark", before, []]);
    expect([runner.accepts("DARK"), runner.accepts("NEVER_HEARD_OF")]).toEqual([true, false]);
  });

  it("queues what an effect sends until the transition and its other effects are over", () => {
    const order: string[] = [];
    const machine = createMachine({
      initial: "a",
      states: {
        a: { on: { GO: { target: "b", actions: ["first", "second"] } } },
        b: { on: { NEXT: "c" } },
        c: {},
      },
    });
    const runner: MachineRunner = new MachineRunner({
      machine,
      input: undefined,
      clock: new VirtualTime().lane(16),
      effect: (type) => {
        if (type === "first") runner.send({ type: "NEXT" });
        order.push(`${type} in ${runner.state}`);
      },
    });
    runner.start();
    runner.send({ type: "GO" });
    expect(order).toEqual(["first in b", "second in b"]);
    expect(runner.state).toBe("c");
  });

  it("handles undelayed raises inside the transition and delayed ones by id", () => {
    const machine = createMachine({
      context: { hops: 0 },
      on: { HOP: { actions: assign({ hops: ({ context }) => context.hops + 1 }) } },
      entry: [raise({ type: "HOP" }), raise({ type: "HOP" }, { delay: 5, id: "later" })],
    });
    const { time, runner } = run(machine);
    runner.start();
    expect(runner.context).toEqual({ hops: 1 });
    time.advance(5000);
    expect(runner.context).toEqual({ hops: 2 });
  });

  it("names nested and parallel states by dotted paths", () => {
    const machine = createMachine({
      type: "parallel",
      states: {
        link: { initial: "up", states: { up: {} } },
        ota: { initial: "busy", states: { busy: { initial: "flashing", states: { flashing: {} } } } },
      },
    });
    const { runner } = run(machine);
    expect(runner.state).toBe("");
    runner.start();
    expect(runner.state).toBe("link.up|ota.busy.flashing");
    expect(runner.matches({ ota: "busy" })).toBe(true);
  });

  it("tells of a state once everything that an event caused is over, and only of another one", () => {
    const seen: string[] = [];
    const machine = createMachine({
      initial: "a",
      states: {
        a: { on: { GO: "b", STAY: { target: "a", reenter: true } } },
        b: { entry: "ask", on: { ANSWER: "c" } },
        c: { after: { 1: "a" } },
      },
    });
    const time = new VirtualTime();
    const runner: MachineRunner = new MachineRunner({
      machine,
      input: undefined,
      clock: time.lane(16),
      effect: () => runner.send({ type: "ANSWER" }),
      changed: (state) => seen.push(state),
    });
    runner.start();
    runner.send({ type: "STAY" });
    runner.send({ type: "GO" });
    time.advance(1000);
    expect(seen).toEqual(["c", "a"]);
  });

  it("keeps machines apart that share a definition", () => {
    const { time, runner } = run(blinker, { ms: 20 });
    const other = new MachineRunner({
      machine: blinker,
      input: { ms: 40 },
      clock: time.lane(17),
      effect: () => undefined,
    });
    runner.start();
    other.start();
    runner.send({ type: "LIGHT" });
    other.send({ type: "LIGHT" });
    time.advance(20_000);
    expect([runner.state, other.state]).toEqual(["dark", "light"]);
  });

  it("ignores events and drops delays once stopped, and once its machine is done", () => {
    const { time, runner } = run(blinker, { ms: 20 });
    runner.start();
    runner.send({ type: "LIGHT" });
    runner.stop();
    runner.send({ type: "DARK" });
    time.advance(50_000);
    expect(runner.state).toBe("light");
    const done = run(
      createMachine({ initial: "end", states: { end: { type: "final" } }, on: { X: ".end" } }),
    );
    done.runner.start();
    done.runner.send({ type: "X" });
    expect(done.runner.state).toBe("end");
  });

  it("refuses machines that invoke actors, since those resolve outside the clock", () => {
    const machine = createMachine({
      id: "fetcher",
      initial: "idle",
      states: { idle: {}, loading: { invoke: { src: fromPromise(async () => 1) } } },
    });
    expect(() => run(machine)).toThrow(/MODEL_INVOKES_ACTOR/);
  });

  it("names machine, state and event when a guard throws, and stays where it was", () => {
    const machine = createMachine({
      id: "touchy",
      initial: "calm",
      states: {
        calm: {
          on: {
            POKE: {
              target: "angry",
              guard: () => {
                throw new RangeError("ouch");
              },
            },
          },
        },
        angry: {},
      },
    });
    const { runner } = run(machine);
    runner.start();
    let caught: FleetrigError | undefined;
    try {
      runner.send({ type: "POKE" });
    } catch (error) {
      caught = error as FleetrigError;
    }
    expect(caught?.message).toMatch(/"touchy" threw while handling POKE in "calm": .*ouch.*MODEL_THREW/s);
    expect(runner.state).toBe("calm");
  });

  it("refuses a delay that no setup defines, which xstate would take for zero", () => {
    const { runner } = run(
      createMachine({ initial: "a", states: { a: { after: { someday: "b" } }, b: {} } }),
    );
    expect(() => runner.start()).toThrow(/MODEL_BAD_DELAY/);
  });
});
