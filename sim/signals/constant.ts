import type { SignalSpec } from "../model.js";
import type { SignalLaw } from "./signal.js";

export const constantLaw =
  ({ value }: Extract<SignalSpec, { shape: "constant" }>): SignalLaw =>
  () =>
    value;
