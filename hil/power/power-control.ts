import type { Clock } from "fleetrig/kernel";

/** What can be done to the supply of one board. */
export interface PowerControl {
  /** For people: what it does, and to what. */
  readonly description: string;
  /** False where there is nothing, or where only the USB connection can be cut and the board keeps its supply. */
  readonly switchesSupply: boolean;
  /** Can it be switched off and on at all? */
  readonly canSwitch: boolean;
  /**
   * Off or on.
   * @throws FleetrigError BOARD_POWER_FAILED, BOARD_POWER_NONE (rejections)
   */
  setPower(on: boolean): Promise<void>;
  /** Restarts the board without touching its supply, where that can be done; `download` starts the ROM's loader. */
  readonly reset?: (mode: "run" | "download") => Promise<void>;
}

/** What a user may say of a board's power. */
export type PowerSettings =
  | { readonly kind: "none" }
  /** Shell commands; `{port}`, `{mac}` and `{usb}` stand for the board's, quoted. */
  | { readonly kind: "command"; readonly off: string; readonly on: string }
  /** A hub that switches its sockets; `location` and `port` as uhubctl has them, default: where the board is plugged in. */
  | {
      readonly kind: "uhubctl";
      readonly location?: string;
      readonly port?: number;
      readonly program?: string;
    }
  /** Logs the device off from USB and on again: what hangs in the driver or the USB part of the board may come back by it. */
  | { readonly kind: "sysfs" }
  /** The control socket of a virtual board. */
  | { readonly kind: "socket"; readonly path: string };

/** The board whose power it is, where it is now: a control looks each time it acts. */
export interface PoweredBoard {
  readonly port: string;
  readonly mac?: string | undefined;
  /** Such as `1-1.4`. */
  readonly usbPath?: string | undefined;
}

/** How power controls reach the machine. */
export interface PowerHost {
  readonly clock: Clock;
  /** Runs a program to its end. Rejects, with what it said, when it fails or takes too long. */
  run(program: string, args: readonly string[]): Promise<string>;
  /** Writes a file that exists, in one piece. */
  write(path: string, text: string): Promise<void>;
}
