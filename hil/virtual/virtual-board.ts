import { join } from "node:path";
import type { VirtualBoardKind } from "../bench/bench.js";
import { boardProgram, romPlan } from "./board-programs.js";
import { keeper } from "./keeper-process.js";
import type { BoardAction, BoardStatus, UsbipPlace, UsbipPlan } from "./keeper-protocol.js";
import { hasOwnUsb } from "./usbip/adapter-wiring.js";

/** A board that this process has made, behind a tty or a USB device that any serial tool can open. */
export interface RunningVirtualBoard {
  readonly kind: VirtualBoardKind;
  /** 12 lower-case hexadecimal digits. */
  readonly mac: string;
  readonly chip: string;
  /** The tty; undefined while it is unplugged or, with USB of its own, restarts; and on a USB/IP server. */
  readonly path: string | undefined;
  /** Where it is on a USB/IP server. */
  readonly usbip: UsbipPlace | undefined;
  /** Of the process that is the board; undefined without power. */
  readonly pid: number | undefined;
  /** Unix socket of its control protocol. */
  readonly control: string;
  /** Pulls EN. @param mode `download`: into the boot loader of its ROM, where there is one. Default: `run`. */
  reset(mode?: "run" | "download"): Promise<void>;
  /** Takes the power away at once, or gives it back: a cold start with the same flash. */
  power(on: boolean): Promise<void>;
  /** Stops the processor; the tty stays, and what is written to it is lost. */
  freeze(on: boolean): Promise<void>;
  /**
   * Pulls the cable: the tty vanishes, the board keeps its power. `unplug(false)` puts it back.
   * @param isRenamed It comes back under another name than it had.
   */
  unplug(on: boolean, isRenamed?: boolean): Promise<void>;
  /** Ends the board. Its state folder stays. */
  stop(): Promise<void>;
}

export interface VirtualBoardOptions {
  readonly kind: VirtualBoardKind;
  /** 12 lower-case hexadecimal digits. */
  readonly mac: string;
  /** Keeps what its flash keeps; made when missing. */
  readonly stateFolder: string;
  /** Where running boards are entered for others to find: `boards` in `hostStateFolder()`. Also has the control sockets. */
  readonly registryFolder: string;
  /** rv32 and native: the image; micropython: the script that a new board has as main.py. */
  readonly firmware: string;
  /** `bridge` (default): the tty stays when the board restarts; `native`: it vanishes, as the chip's own USB does. */
  readonly usb?: "bridge" | "native";
  /** A USB device in place of the tty, on a USB/IP server of 127.0.0.1. Then `usb` follows from the adapter. */
  readonly usbip?: UsbipPlan;
  readonly tags?: readonly string[];
  /** Starts without power; default false. */
  readonly isOff?: boolean;
  /** The Node binary, for boards that run MicroPython; default: `node` as found by the system. */
  readonly node?: string;
  /** What the board's program says beside its serial line. */
  log?(text: string): void;
}

/** The chip that each kind names in its hello. */
const CHIPS: Readonly<Record<VirtualBoardKind, string>> = {
  rv32: "rv32-virt",
  native: "posix",
  micropython: "webassembly",
};

/**
 * Starts a virtual board in this process's keeper. When this process ends, however it ends, so does the board.
 * @throws {FleetrigError} BOARD_FIRMWARE_MISSING, BOARD_NO_TTY, BOARD_PROGRAM_MISSING, BOARD_EMULATOR_FAILED, BOARD_CONTROL_FAILED,
 *   BOARD_KEEPER_FAILED, BOARD_USB_UNAVAILABLE (rejections)
 */
export async function startVirtualBoard(options: VirtualBoardOptions): Promise<RunningVirtualBoard> {
  const { kind, mac, registryFolder, tags = [], usbip, isOff = false } = options;
  const usb =
    usbip === undefined ? (options.usb ?? "bridge") : hasOwnUsb(usbip.adapter) ? "native" : "bridge";
  const program = boardProgram(kind, { node: "node", ...options });
  const control = join(registryFolder, `${mac}.sock`);
  const rom = kind === "rv32" ? { rom: romPlan(options.stateFolder) } : {};
  let status: BoardStatus = { path: undefined, pid: undefined };
  const board = keeper.add({
    status: (now) => {
      status = now;
    },
    log: (text) => options.log?.(text),
  });
  const plan = {
    kind,
    mac,
    chip: CHIPS[kind],
    tags,
    program,
    usb,
    registryFolder,
    control,
    isOff,
    ...rom,
    ...(usbip && { usbip }),
  };
  try {
    await keeper.ask(board, { ask: "start", plan });
  } catch (error) {
    keeper.remove(board);
    throw error;
  }
  const act = (action: BoardAction): Promise<void> => keeper.ask(board, { ask: "do", action });
  return {
    kind,
    mac,
    chip: CHIPS[kind],
    control,
    get path() {
      return status.path;
    },
    get usbip() {
      return status.usbip;
    },
    get pid() {
      return status.pid;
    },
    reset: (mode = "run") => act({ op: "reset", mode }),
    power: (on) => act({ op: "power", on }),
    freeze: (on) => act({ op: "freeze", on }),
    unplug: (on, isRenamed = false) =>
      act(
        on
          ? { op: "plug", in: false }
          : isRenamed
            ? { op: "plug", in: true, isRenamed }
            : { op: "plug", in: true },
      ),
    stop: async () => {
      await keeper.ask(board, { ask: "stop" });
      keeper.remove(board);
    },
  };
}
