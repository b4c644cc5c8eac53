import { EXIT, FleetrigError, type Random, nearestName } from "fleetrig/kernel";
import type { StateChange } from "../member.js";
import type { DeviceSignalEvent } from "../model.js";
import { Signal } from "../signals/signal.js";
import type { DeviceGroup } from "./device-group.js";

/** What a device measures. A signal exists once it was read or moved: most templates name one or two. */
export class DeviceSignals {
  private signals: (Signal | undefined)[] | undefined;
  /** One bit per threshold of the model: below it at the last tick. */
  private belowBits = 0;

  constructor(
    private readonly group: DeviceGroup,
    private readonly source: { stream(purpose: string): Random },
  ) {}

  has(name: string): boolean {
    return this.group.signals.has(name);
  }

  /** The value now; the name must be one of the group's, which compiled templates vouch for. */
  sample(name: string, nowUs: number): number {
    return this.signal(name).sample(nowUs);
  }

  /** @throws {FleetrigError} DEVICE_UNKNOWN_STATE, DEVICE_NOT_A_NUMBER */
  move(name: string, change: StateChange, nowUs: number): void {
    if (!this.has(name)) throw this.unknown(name);
    const target = "to" in change ? change.to : change.rampTo;
    if (typeof target !== "number") {
      throw new FleetrigError(
        "DEVICE_NOT_A_NUMBER",
        `Signal "${name}" cannot become ${JSON.stringify(target)}.`,
        {
          hint: "Signals are numbers; give one, or { rampTo, over }.",
          context: { group: this.group.plan.group, signal: name },
          exitCode: EXIT.usage,
        },
      );
    }
    this.signal(name).rampTo(target, "overUs" in change ? change.overUs : 0, nowUs);
  }

  /** Tells the machine which signals crossed a threshold of its model since the last call. */
  watch(nowUs: number, listener: { send(event: DeviceSignalEvent): void }): void {
    const { thresholds } = this.group.model;
    if (thresholds === undefined) return;
    for (let i = 0; i < thresholds.length; i += 1) {
      const { signal, below } = thresholds[i]!;
      const value = this.sample(signal, nowUs);
      const isBelow = value < below;
      const bit = 1 << i;
      if (isBelow === ((this.belowBits & bit) !== 0)) continue;
      this.belowBits ^= bit;
      listener.send({ type: "THRESHOLD", signal, value, isBelow });
    }
  }

  private signal(name: string): Signal {
    const { slot, compiled } = this.group.signals.get(name)!;
    this.signals ??= [];
    return (this.signals[slot] ??= new Signal(compiled, this.source));
  }

  private unknown(name: string): FleetrigError {
    const { group } = this.group.plan;
    const names = [...this.group.signals.keys()];
    const nearest = nearestName(name, names);
    return new FleetrigError("DEVICE_UNKNOWN_STATE", `Devices of group ${group} have no "${name}" to set.`, {
      hint: nearest === undefined ? `Signals: ${names.join(", ") || "none"}.` : `Did you mean "${nearest}"?`,
      context: { group, state: name },
      exitCode: EXIT.usage,
    });
  }
}
