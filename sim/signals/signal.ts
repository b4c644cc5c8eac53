import type { Random } from "fleetrig/kernel";
import type { SignalSpec } from "../model.js";
import { batteryLaw } from "./battery.js";
import { constantLaw } from "./constant.js";
import { randomWalkLaw } from "./random-walk.js";
import { replayLaw } from "./replay.js";
import { sawtoothLaw } from "./sawtooth.js";
import { sineLaw } from "./sine.js";

/**
 * A *signal* is one measured value of a device. Its *law* says what the value is at a time, given what the
 * signal remembers; the law is compiled once per group, the memory is a few numbers per device.
 */
export type SignalLaw = (memory: SignalMemory, nowUs: number) => number;

interface SignalMemory {
  /** The value before, not rounded; NaN at the first sample. */
  readonly value: number;
  /** Samples taken so far. */
  readonly samples: number;
  /** The signal's own stream; opened by the first law that draws. */
  random(): Random;
}

/** A signal's law and precision, shared by all devices of a group. */
export interface CompiledSignal {
  /** Stream that the signal draws its noise from. */
  readonly purpose: string;
  readonly law: SignalLaw;
  /** Power of ten that values are rounded to. */
  readonly scale: number;
}

const DEFAULT_DECIMALS = 2;

/** Values are rounded, since the last bits of `Math.sin` and `Math.log` differ between engines. */
export function compileSignal(name: string, spec: SignalSpec): CompiledSignal {
  return { purpose: `signal/${name}`, law: lawOf(spec), scale: 10 ** (spec.decimals ?? DEFAULT_DECIMALS) };
}

function lawOf(spec: SignalSpec): SignalLaw {
  switch (spec.shape) {
    case "constant":
      return constantLaw(spec);
    case "sine":
      return sineLaw(spec);
    case "random-walk":
      return randomWalkLaw(spec);
    case "sawtooth":
      return sawtoothLaw(spec);
    case "replay":
      return replayLaw(spec);
    case "battery":
      return batteryLaw(spec);
  }
}

/** A ramp replaces the law: from one value to another, and then stays. */
interface Ramp {
  readonly from: number;
  readonly to: number;
  readonly startUs: number;
  readonly overUs: number;
}

/** One signal of one device. Sampled twice in the same microsecond, it gives the same value. */
export class Signal implements SignalMemory {
  value = Number.NaN;
  samples = 0;
  private sampledAtUs = -1;
  private rounded = 0;
  private noise: Random | undefined;
  private ramp: Ramp | undefined;

  /** @param source Opens the device's random streams; not asked by shapes without noise. */
  constructor(
    private readonly compiled: CompiledSignal,
    private readonly source: { stream(purpose: string): Random },
  ) {}

  random(): Random {
    return (this.noise ??= this.source.stream(this.compiled.purpose));
  }

  /** The value now, rounded to the signal's decimals. */
  sample(nowUs: number): number {
    if (nowUs === this.sampledAtUs) return this.rounded;
    this.value = this.ramp === undefined ? this.compiled.law(this, nowUs) : along(this.ramp, nowUs);
    this.samples += 1;
    this.sampledAtUs = nowUs;
    this.rounded = round(this.value, this.compiled.scale);
    return this.rounded;
  }

  /** Moves to `to` in `overUs` from the value it has now, and keeps it; replaces an earlier ramp. */
  rampTo(to: number, overUs: number, nowUs: number): void {
    const from = this.ramp === undefined ? this.sample(nowUs) : along(this.ramp, nowUs);
    this.ramp = { from, to, startUs: nowUs, overUs };
    this.sampledAtUs = -1;
  }
}

function along({ from, to, startUs, overUs }: Ramp, nowUs: number): number {
  const elapsedUs = nowUs - startUs;
  return elapsedUs >= overUs ? to : from + ((to - from) * elapsedUs) / overUs;
}

/** Adding zero turns -0 into 0, which JSON text would hide and comparisons would not. */
const round = (value: number, scale: number): number => Math.round(value * scale) / scale + 0;
