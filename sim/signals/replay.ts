import { FleetrigError } from "fleetrig/kernel";
import type { SignalSpec } from "../model.js";
import type { SignalLaw } from "./signal.js";

/**
 * Recorded values, each held for `everyUs`, from the beginning again after the last.
 * @throws {FleetrigError} SIGNAL_EMPTY_REPLAY
 */
export function replayLaw({ values, everyUs }: Extract<SignalSpec, { shape: "replay" }>): SignalLaw {
  if (values.length === 0) {
    throw new FleetrigError("SIGNAL_EMPTY_REPLAY", "A replay signal has no values.", {
      hint: "List at least one number under values.",
      exitCode: 2,
    });
  }
  return (_, nowUs) => values[Math.floor(nowUs / everyUs) % values.length]!;
}
