import type { SignalSpec } from "../model.js";
import type { SignalLaw } from "./signal.js";

/** All devices share the period and its phase, as rooms share the sun; `noise` is a standard deviation. */
export function sineLaw(spec: Extract<SignalSpec, { shape: "sine" }>): SignalLaw {
  const { mean, amplitude, noise = 0 } = spec;
  const perUs = (2 * Math.PI) / spec.periodUs;
  const smooth = (nowUs: number): number => mean + amplitude * Math.sin(perUs * nowUs);
  if (noise === 0) return (_, nowUs) => smooth(nowUs);
  return (memory, nowUs) => smooth(nowUs) + noise * memory.random().normal();
}
