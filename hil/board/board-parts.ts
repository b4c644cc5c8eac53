import type { ModemLines, Port, PortAddress } from "../port/port.js";
import type { BootEvidence } from "../reset/reset-engine.js";

/** Where a board hangs at the moment. A board that was plugged in again has another place, also under the same name. */
export interface BoardPlace {
  /** As users write it. */
  readonly path: string;
  readonly address: PortAddress;
  /** Modem lines at rest. */
  readonly lines?: ModemLines | undefined;
  /** The socket that its USB device is in, such as `1-1.4`. */
  readonly usbPath?: string | undefined;
}

/** Follows one board, not one path: by whatever tells it from others, and in the end by what it says itself. */
export interface BoardTracker {
  /** Undefined: no port that could be the board's. */
  readonly place: BoardPlace | undefined;
  /** @returns ends it. `changed` is called when the place is another one, or none. */
  watch(changed: () => void): () => void;
  /** Looks at once: something happened. */
  look(): void;
  /** The board at this place says that this is its MAC. */
  learned(place: BoardPlace, mac: string): void;
  /** Nobody says hello at the present place. @returns whether the place was a guess, and is another one now */
  doubted(): boolean;
}

/** What can be done to a board from outside; absent where there is no way. */
export interface BoardHands {
  /** From now on it hangs there, as far as anybody knows: what is done to a socket is done to that one. */
  placed?(place: BoardPlace): void;
  /** Hears everything that shows a start: whoever resets believes no more than that. */
  saw?(evidence: BootEvidence): void;
  /** Pulls EN. */
  reset?(port: Port): Promise<void>;
  /** Has its USB device come up anew. */
  usbReset?(): Promise<void>;
  power?(isOn: boolean): Promise<void>;
  /** Stops and goes on with its processor. */
  freeze?(isFrozen: boolean): Promise<void>;
  plug?(isIn: boolean): Promise<void>;
}

/** How long a board may take for what, in µs. */
export interface Patience {
  /** Without a port, before something is done about it. */
  readonly absenceUs: number;
  /** From an open line to hello, when nothing is heard. */
  readonly helloUs: number;
  /** From the boot log to hello. */
  readonly bootUs: number;
  /** For each rung of the ladder, on top of what it does. */
  readonly waitedUs: number;
  readonly reopenedUs: number;
  readonly resetUs: number;
  readonly powerUs: number;
}

export const USUAL_PATIENCE: Patience = {
  absenceUs: 30_000_000,
  helloUs: 1_000_000,
  bootUs: 5_000_000,
  waitedUs: 400_000,
  reopenedUs: 600_000,
  resetUs: 3_000_000,
  powerUs: 5_000_000,
};
