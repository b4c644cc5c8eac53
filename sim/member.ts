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
  /** What only a real board can have done to it; undefined for virtual devices. */
  readonly board?: BoardControls | undefined;
}

/**
 * What can be done to a real board beside what can be done to any member. Everything returns at once; what comes of it is told
 * in `BoardEvent`s.
 */
export interface BoardControls {
  /** Pulls EN, by whatever means the board has. */
  reset(): void;
  /** Takes its power for that long. A board without switched power is reset, and the event says so. */
  powerCycle(offUs: number): void;
  /** Deep sleep: it vanishes for that long and is expected back. */
  sleep(forUs: number, refused?: BoardRefusal): void;
  /** Levels of pins and millivolts of analogue inputs, by number. */
  stimulate(stimulus: BoardStimulus, refused?: BoardRefusal): void;
  /** Makes the firmware fail in that way; see `CRASH_KINDS` of `fleetrig/hil`. */
  crash(kind: string, refused?: BoardRefusal): void;
  /** Waits for a line of its log, from the end of the wait before: text that came early counts. */
  awaitLog(wait: LogWait): void;
}

/** Called later, if the board's firmware says that it cannot do it; `reason` is half a sentence. */
export type BoardRefusal = (reason: string) => void;

export interface BoardStimulus {
  readonly gpio: Readonly<Record<number, boolean>>;
  readonly adcMillivolts: Readonly<Record<number, number>>;
}

export interface LogWait {
  /** Id of the action, for the event. */
  readonly action: string;
  /** Regular expression in RE2's syntax, tried on each line without its colours. */
  readonly pattern: string;
  readonly withinUs: number;
  /** A panic or restart does not end the wait. */
  readonly survivesRestart: boolean;
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
