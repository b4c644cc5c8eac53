import type { ExitCode } from "fleetrig/kernel";
import type { VirtualBoardKind } from "../bench/bench.js";
import type { ControlRequest } from "../power/control-protocol.js";
import type { BoardProgram } from "./board-process.js";
import type { RomPlan } from "./rom/download-mode.js";
import type { UsbSerialKind } from "./usbip/usb-serial-device.js";

/** What the process that wants virtual boards and the *keeper* that has them say to each other, over Node's channel. */
export interface BoardPlan {
  readonly kind: VirtualBoardKind;
  readonly mac: string;
  readonly chip: string;
  readonly tags: readonly string[];
  readonly program: BoardProgram;
  /** `bridge`: the tty stays when the board restarts; `native`: it is the chip's own USB, and goes. */
  readonly usb: "bridge" | "native";
  /** Folder of the registry of virtual boards. */
  readonly registryFolder: string;
  /** Unix socket of the control protocol. */
  readonly control: string;
  /** Starts without power. */
  readonly isOff: boolean;
  /** The boot loader in its ROM; undefined for boards that have none. */
  readonly rom?: RomPlan;
  /** It is a USB device of a USB/IP server on loopback, and has no tty of its own. */
  readonly usbip?: UsbipPlan;
}

export interface UsbipPlan {
  readonly adapter: UsbSerialKind;
  /** Of the server, which boards of one keeper share; 0 takes any free one. */
  readonly port: number;
}

/** Where USB/IP clients find a board. */
export interface UsbipPlace {
  readonly port: number;
  readonly busId: string;
}

/** `isRenamed`: the tty must come back under another name. */
export type BoardAction =
  | ControlRequest
  | { readonly op: "plug"; readonly in: true; readonly isRenamed: true };

/** Where a board is. */
export interface BoardStatus {
  /** Of the tty; undefined while it is away. */
  readonly path: string | undefined;
  /** Undefined without power. */
  readonly pid: number | undefined;
  readonly usbip?: UsbipPlace;
}

export type KeeperRequest =
  | { readonly id: number; readonly board: number; readonly ask: "start"; readonly plan: BoardPlan }
  | { readonly id: number; readonly board: number; readonly ask: "do"; readonly action: BoardAction }
  | { readonly id: number; readonly board: number; readonly ask: "stop" };

export type KeeperMessage =
  | { readonly id: number; readonly failure?: KeeperFailure }
  | { readonly board: number; readonly status: BoardStatus }
  | { readonly board: number; readonly log: string };

/** A `FleetrigError` on its way between processes. */
export interface KeeperFailure {
  readonly code: string;
  readonly sentence: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
}
