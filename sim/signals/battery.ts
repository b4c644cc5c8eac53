import type { SignalSpec } from "../model.js";
import type { SignalLaw } from "./signal.js";

const US_PER_DAY = 86_400e6;

/** `start`, `perDay` and `perSample` share one unit, usually percent; an empty battery stays at 0. */
export const batteryLaw =
  ({ start, perDay, perSample }: Extract<SignalSpec, { shape: "battery" }>): SignalLaw =>
  (memory, nowUs) =>
    Math.max(0, start - (perDay * nowUs) / US_PER_DAY - perSample * memory.samples);
