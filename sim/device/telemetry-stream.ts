import type { Clock, Timer } from "fleetrig/kernel";
import type { CompiledStream } from "./device-group.js";

/** Whose telemetry it is, and who sends when a tick comes. */
export interface TelemetryOwner {
  readonly clock: Clock;
  /** @param scheduledUs When the schedule wanted it; earlier than now when the generator is late. */
  tick(stream: TelemetryStream, scheduledUs: number): void;
}

/**
 * The schedule of one telemetry stream of one device: the grid `phase + k * every`, counted from the start of
 * the fleet and fixed in advance. A tick is never late because an earlier one was slow (open model), so a stage
 * that lasts n intervals holds exactly n ticks per device, whatever the phases are.
 */
export class TelemetryStream {
  /** Of the next message. */
  sequence = 0;
  /** Kept once rendered when the topic never changes. */
  topic: string | undefined;
  private timer: Timer | undefined;
  private nextUs = 0;
  private everyUs: number;

  /** @param phase Share of an interval in [0, 1), kept when the interval changes. */
  constructor(
    readonly compiled: CompiledStream,
    private readonly phase: number,
    private readonly owner: TelemetryOwner,
  ) {
    this.everyUs = compiled.plan.everyUs;
  }

  /** Begins with the first tick at or after `fromUs`. */
  start(originUs: number, fromUs: number): void {
    const firstUs = originUs + Math.floor(this.phase * this.everyUs);
    const ticks = Math.max(0, Math.ceil((fromUs - firstUs) / this.everyUs));
    this.arm(firstUs + ticks * this.everyUs);
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  /** Another interval: its own grid, from the next tick after now. */
  changeInterval(everyUs: number, { originUs, fromUs }: { originUs: number; fromUs: number }): void {
    if (everyUs === this.everyUs) return;
    this.everyUs = everyUs;
    if (this.timer !== undefined) this.start(originUs, fromUs);
  }

  private arm(dueUs: number): void {
    const delayUs = dueUs - this.owner.clock.nowUs();
    this.nextUs = dueUs;
    if (this.timer === undefined) this.timer = this.owner.clock.after(delayUs, fire, this);
    else this.timer.again(delayUs);
  }

  fire(): void {
    const scheduledUs = this.nextUs;
    this.arm(scheduledUs + this.everyUs);
    this.owner.tick(this, scheduledUs);
  }
}

const fire = (stream: TelemetryStream): void => stream.fire();
