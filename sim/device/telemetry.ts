import type { Random } from "fleetrig/kernel";
import type { MemberPlan } from "../plan.js";
import type { CompiledStream, DeviceGroup } from "./device-group.js";
import { type TelemetryOwner, TelemetryStream } from "./telemetry-stream.js";

/** All telemetry streams of one device, and what its model says about them: on, off, how often. */
export class Telemetry {
  private readonly streams: readonly TelemetryStream[];
  private isEnabled = true;
  private isStarted = false;
  private originUs = 0;
  private everyUs: number | undefined;
  private slowdown = 1;

  constructor(
    group: DeviceGroup,
    private readonly member: MemberPlan,
    private readonly owner: TelemetryOwner & PhaseSource,
  ) {
    this.streams = group.streams.map(
      (compiled) =>
        new TelemetryStream(compiled, telemetryPhase(compiled, { group, member, source: owner }), owner),
    );
  }

  /** Schedules count from `originUs`; nothing is sent before `fromUs`, when the device first tries to connect. */
  start(originUs: number, fromUs: number): void {
    this.isStarted = true;
    this.originUs = originUs;
    if (this.isEnabled) for (const stream of this.streams) stream.start(originUs, fromUs);
  }

  stop(): void {
    this.isStarted = false;
    for (const stream of this.streams) stream.stop();
  }

  /** What the model wants from now on; what it does not name stays. */
  configure(wanted: { enabled?: boolean; everyUs?: number; slowdown?: number }): void {
    const { originUs } = this;
    const fromUs = Math.max(this.owner.clock.nowUs() + 1, originUs + this.member.connectAtUs);
    this.everyUs = wanted.everyUs ?? this.everyUs;
    this.slowdown = wanted.slowdown ?? this.slowdown;
    for (const stream of this.streams) {
      const everyUs = (this.everyUs ?? stream.compiled.plan.everyUs) * this.slowdown;
      stream.changeInterval(Math.max(1, Math.round(everyUs)), { originUs, fromUs });
    }
    if (wanted.enabled === undefined || wanted.enabled === this.isEnabled) return;
    this.isEnabled = wanted.enabled;
    if (!this.isStarted) return;
    for (const stream of this.streams) {
      if (this.isEnabled) stream.start(originUs, fromUs);
      else stream.stop();
    }
  }
}

/** The device's random streams by purpose. */
interface PhaseSource {
  stream(purpose: string): Random;
}

/** Share of an interval in [0, 1) by which a member's telemetry lies behind the start of the fleet. */
export function telemetryPhase(
  { plan }: CompiledStream,
  of: { readonly group: DeviceGroup; readonly member: MemberPlan; readonly source: PhaseSource },
): number {
  const { length } = of.group.plan.members;
  switch (plan.phase) {
    case "aligned":
      return 0;
    case "index":
      return (of.member.index % length) / length;
    case "random":
      return of.source.stream(`phase/${plan.name}`).fraction();
  }
}
