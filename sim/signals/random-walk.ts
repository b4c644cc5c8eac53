import type { SignalSpec } from "../model.js";
import type { SignalLaw } from "./signal.js";

/** Each sample moves by at most `step`; the walls at `min` and `max` reflect, so values do not stick to them. */
export function randomWalkLaw(spec: Extract<SignalSpec, { shape: "random-walk" }>): SignalLaw {
  const { start, step, min, max } = spec;
  return (memory) => {
    if (memory.samples === 0) return start;
    return reflect(memory.value + memory.random().between(-step, step), min, max);
  };
}

function reflect(value: number, min: number, max: number): number {
  const inside = value < min ? 2 * min - value : value > max ? 2 * max - value : value;
  return Math.min(max, Math.max(min, inside));
}
