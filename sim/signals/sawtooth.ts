import type { SignalSpec } from "../model.js";
import type { SignalLaw } from "./signal.js";

/** Rises from `min` to just below `max` in each period, then falls back at once. */
export const sawtoothLaw =
  ({ min, max, periodUs }: Extract<SignalSpec, { shape: "sawtooth" }>): SignalLaw =>
  (_, nowUs) =>
    min + ((max - min) * (nowUs % periodUs)) / periodUs;
