import type { JsonObject } from "fleetrig/kernel";

/**
 * A member of the fleet: what a scenario can do to a device and see of it. A virtual device and a real board
 * behind a bridge both are one, so no scenario can tell them apart.
 */
export interface FleetMember {
  readonly name: string;
  readonly group: string;
  readonly ordinal: number;
  readonly attributes: JsonObject;
  /** Powers on. @param originUs Instant of the clock that its planned times count from; default 0. */
  start(originUs?: number): void;
  /** Powers off for good, in order when connected. */
  stop(): void;
  /** CONNACK received and the link not lost since, as the device knows it. */
  readonly isOnline: boolean;
  /** Ends the connection as told; see the scenario format for the modes. `action` labels what follows. */
  disconnect(mode: DisconnectMode, holdUs: number, action: string): void;
  /** Connects now, whatever the reconnect policy is waiting for. */
  connect(): void;
  /** Moves signals towards values, or hands the rest to the model. */
  setState(values: Readonly<Record<string, StateChange>>): void;
  /** Switches a fault on or off. @returns false when this kind of member cannot have it. */
  setFault(fault: string, active: boolean, detail: JsonObject): boolean;
}

/** How a member goes offline. */
export type DisconnectMode =
  /** DISCONNECT sent: no will. */
  | "graceful"
  /** FIN or RST without DISCONNECT: the will fires. */
  | "ungraceful"
  /** Packets vanish; the broker notices after 1.5 times the keep-alive. */
  | "blackhole"
  /** TCP connects, CONNACK never comes. */
  | "no-connack";

/** A signal's new value: at once, or over a time in µs. */
export type StateChange =
  | { readonly to: number | string | boolean }
  | { readonly rampTo: number; readonly overUs: number };
