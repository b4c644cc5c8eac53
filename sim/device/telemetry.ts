import type { Clock } from "fleetrig/kernel";
import type { GroupPlan, MemberPlan } from "../plan.js";
import type { CompiledStream } from "./device-group.js";
import { type TelemetryOwner, TelemetryStream } from "./telemetry-stream.js";

export interface TelemetryOptions {
  readonly clock: Clock;
  readonly group: GroupPlan;
  readonly member: MemberPlan;
  readonly streams: readonly CompiledStream[];
  /** Uniform draw in [0, 1) for a stream whose phase is random. */
  readonly drawPhase: (streamName: string) => number;
  readonly owner: TelemetryOwner;
}

/** All telemetry streams of one device, and what its model says about them: on, off, how often. */
export class Telemetry {
  private readonly streams: readonly TelemetryStream[];
  private isEnabled = true;
  private isStarted = false;
  private everyUs: number | undefined;
  private slowdown = 1;

  constructor(private readonly options: TelemetryOptions) {
    const { clock, owner } = options;
    this.streams = options.streams.map(
      (compiled) => new TelemetryStream(compiled, clock, this.phaseOf(compiled), owner),
    );
  }

  /** Nothing is sent before `fromUs`, when the device first tries to connect. */
  start(fromUs: number): void {
    this.isStarted = true;
    if (this.isEnabled) for (const stream of this.streams) stream.start(fromUs);
  }

  stop(): void {
    this.isStarted = false;
    for (const stream of this.streams) stream.stop();
  }

  /** What the model wants from now on; what it does not name stays. */
  configure(wanted: { enabled?: boolean; everyUs?: number; slowdown?: number }): void {
    const fromUs = Math.max(this.options.clock.nowUs() + 1, this.options.member.connectAtUs);
    this.everyUs = wanted.everyUs ?? this.everyUs;
    this.slowdown = wanted.slowdown ?? this.slowdown;
    for (const stream of this.streams) {
      const everyUs = (this.everyUs ?? stream.compiled.plan.everyUs) * this.slowdown;
      stream.changeInterval(Math.max(1, Math.round(everyUs)), fromUs);
    }
    if (wanted.enabled === undefined || wanted.enabled === this.isEnabled) return;
    this.isEnabled = wanted.enabled;
    if (!this.isStarted) return;
    for (const stream of this.streams) {
      if (this.isEnabled) stream.start(fromUs);
      else stream.stop();
    }
  }

  private phaseOf({ plan }: CompiledStream): number {
    const { member, group, drawPhase } = this.options;
    switch (plan.phase) {
      case "aligned":
        return 0;
      case "index":
        return (member.index % group.members.length) / group.members.length;
      case "random":
        return drawPhase(plan.name);
    }
  }
}
