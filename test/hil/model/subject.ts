import type { EventSink, JsonValue, RunEvent } from "fleetrig/kernel";
import type { FleetMember, PathInput } from "fleetrig/sim";
import { type Deed, type PathBroker, sorted } from "./path-broker.js";

/** Longer than any path. */
const FOR_GOOD_US = 100_000_000_000;
const ACTION = "path";

/** Writes down what a device tells of itself, without its name and its times. */
export class DeviceDiary implements EventSink {
  readonly deeds: Deed[] = [];

  emit(event: RunEvent): void {
    if (!event.type.startsWith("connection.") && !event.type.startsWith("device.")) return;
    const { atUs, type, ...rest } = event;
    const members = Object.entries(rest).filter(([key]) => key !== "thing" && key !== "connectUs");
    const told = JSON.parse(JSON.stringify(Object.fromEntries(members))) as JsonValue;
    this.deeds.push({
      lane: "device",
      text: `${type} ${JSON.stringify(sorted(told))}`,
      atMs: 0,
      clockMs: atUs / 1_000,
    });
  }
}

/** A device or a board that a path is tried on. */
export class Subject {
  constructor(
    private readonly member: FleetMember,
    private readonly broker: PathBroker,
    private readonly diary: DeviceDiary,
  ) {}

  /** Does to it what the input says; the time it takes is somebody else's. */
  do(input: PathInput): void {
    const { member } = this;
    if (input.do === "connect") member.connect();
    else if (input.do === "leave") member.disconnect("graceful", FOR_GOOD_US, ACTION);
    else if (input.do === "cut") member.disconnect("ungraceful", 0, ACTION);
    else if (input.do === "send") this.send(input);
  }

  /** What it has done since this was last asked. */
  takeDeeds(): readonly Deed[] {
    return [...this.diary.deeds.splice(0), ...this.broker.deeds.splice(0)];
  }

  private send({ event }: Extract<PathInput, { do: "send" }>): void {
    const { member } = this;
    if (event.type === "FAULT") member.setFault(event.fault, event.active, event.detail);
    else if (event.type === "THRESHOLD") member.setState({ [event.signal]: { to: event.value } });
    else this.broker.deliver(member.name, event);
  }
}
