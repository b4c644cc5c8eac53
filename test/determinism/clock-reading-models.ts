import { defineDeviceModel, type DeviceSignalEvent, type ModelInput } from "fleetrig/sim";
import { assign, setup } from "xstate";

/** Device models that read what a virtual run must not depend on. */
const base = setup({
  types: { context: {} as { value: unknown }, events: {} as DeviceSignalEvent, input: {} as ModelInput },
});

const reading = (name: string, read: () => unknown) =>
  defineDeviceModel({
    name,
    description: "Reads it when it assigns its context.",
    machine: base.createMachine({
      id: name,
      context: { value: 0 },
      on: { CONNECTED: { actions: assign({ value: read }) } },
    }),
    signals: {},
  });

export const now = reading("now", () => Date.now());
export const random = reading("random", () => Math.random());
export const timeout = reading("timeout", () => setTimeout(() => undefined, 0));
export const uuid = reading("uuid", () => crypto.randomUUID());

export const guarded = defineDeviceModel({
  name: "guarded",
  description: "Reads it in a guard, which xstate packs into an error of its own.",
  machine: base.createMachine({
    id: "guarded",
    context: { value: 0 },
    on: { CONNECTED: { guard: () => Date.now() > 0, actions: assign({ value: 1 }) } },
  }),
  signals: {},
});

export const early = defineDeviceModel({
  name: "early",
  description: "Reads it when its context is made.",
  machine: base.createMachine({ id: "early", context: () => ({ value: Date.now() }) }),
  signals: {},
});

export const throwing = reading("throwing", () => {
  throw new RangeError("out of paper");
});
