import type { Clock, JsonObject, Random } from "fleetrig/kernel";
import type { Packet } from "fleetrig/protocol";

/**
 * What can go wrong on the way between a device and its broker. A *fault* is switched on and off by name, one
 * file each; it never waits or draws by itself but bends what the link was about to do. A *passage* is one
 * packet, or the end of the stream, on its way in one direction: `up` towards the broker, `down` to the device.
 */
export type Direction = "up" | "down";

/** What faults may know of a packet: who passes bytes on has no more than that. */
export interface PassingPacket {
  readonly type: Packet["type"];
}

/** One passage, as the faults may change it. The object is reused: keep no reference to it. */
export interface Passage {
  direction: Direction;
  /** Undefined for the end of the stream (FIN or RST), and for bytes that are no packet to who passes them on. */
  packet: PassingPacket | undefined;
  nowUs: number;
  /** Added to the profile's latency. */
  extraUs: number;
  /** 0 means unlimited. */
  bitsPerSecond: number;
  /** Share of TCP segments lost. */
  loss: number;
  /** Nothing arrives before this instant. */
  notBeforeUs: number;
  /** It never arrives, and neither side is told. */
  isSwallowed: boolean;
}

/** What becomes of a connection attempt: `vanish` leaves it to the device's own timeout. */
export type DialObstacle = "refused" | "unreachable" | "vanish";

/** What a fault may do to the link that is open now. */
export interface LinkControl {
  readonly clock: Clock;
  /** RST to both sides. */
  reset(): void;
  /** From now on nothing crosses it, in either direction, and nobody is told. */
  sever(): void;
}

/** A fault while it is active. Each method is optional: a fault implements what it bends. */
export interface LinkFault {
  /** Called for every passage, in the order of sending. */
  shape?(passage: Passage): void;
  /** Called for every connection attempt. */
  obstruct?(): DialObstacle | undefined;
  /** Called for every link that opens while the fault is active. */
  opened?(control: LinkControl): void;
  /**
   * Called once when it is switched on.
   * @param injectedUs When it began: earlier than now on a path that is younger than the fault.
   */
  start?(control: LinkControl, injectedUs: number): void;
  /** Called once when it is switched off. */
  stop?(): void;
}

/** `duration` is in µs, `share` within 0..1, `positions` a list of integers counted from 0. */
export type FaultParameterKind =
  | "duration"
  | "share"
  | "bits-per-second"
  | "bytes"
  | "count"
  | "direction"
  | "positions";

/** A parameter of a link fault: its kind, its default and what it means. */
export interface FaultParameter {
  readonly kind: FaultParameterKind;
  readonly description: string;
  /** Absent: the parameter must be given. */
  readonly default?: number | "both" | Direction | undefined;
  readonly isOptional?: boolean;
}

/** Parameters after parsing: what a factory reads. */
export type FaultValues = Readonly<Record<string, FaultValue>>;
export type FaultValue = number | string | readonly number[] | undefined;

/** A fault as data, so that scenarios can name it and documentation can list it. */
export interface LinkFaultDefinition {
  readonly description: string;
  readonly parameters: Readonly<Record<string, FaultParameter>>;
  /** It looks at packets, so that it does nothing on a path of opaque bytes. */
  readonly readsPackets?: boolean;
  create(values: FaultValues, random: Random): LinkFault;
}

/** A fault to switch on. */
export interface FaultInjection {
  /** Names it, its random stream included; a second injection with the same key replaces the first. */
  readonly key: string;
  readonly fault: string;
  readonly detail: JsonObject;
  /** When it began, if that was before now. */
  readonly injectedUs?: number;
}

/** Switches faults by name, as a scenario's `inject` does. */
export interface FaultSwitch {
  /** @returns false when there is no such fault. */
  set(fault: string, active: boolean, detail: JsonObject): boolean;
}

/** The direction parameter shared by many faults. */
export const DIRECTION: FaultParameter = {
  kind: "direction",
  description: "up (to the broker), down (to the device) or both",
  default: "both",
};

export const appliesTo = (wanted: FaultValue, direction: Direction): boolean =>
  wanted === "both" || wanted === direction;
