import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import type { Duplex } from "node:stream";
import * as nodePty from "@lydell/node-pty";
import { FleetrigError } from "fleetrig/kernel";
import type { BoardLine } from "./board-line.js";

/**
 * A tty device with a board behind it: the other side of a pseudo terminal. The *plug* is the pair; pulling it takes the
 * device file away from whoever has it open, as pulling a USB cable does.
 */
interface PtyPair {
  readonly fd: number;
  readonly ptsName: string;
  readonly master: Duplex;
  readonly slave: Duplex;
}

/** `open` is there since version 0.10, but not in the package's declarations. */
const { open } = nodePty as unknown as { open(options: { encoding: null }): PtyPair };

/** Beyond this nobody is reading, and a USB bridge would lose the bytes too. */
const UNREAD_MAX_BYTES = 65_536;

/**
 * The highest descriptor that a pair has had. The pairs are inherited by child processes, and whoever has one keeps the tty alive after it
 * was pulled: children get something else in the place of all descriptors up to this one.
 */
let highestFd = 0;
export const highestPairDescriptor = (): number => highestFd;

interface Plug {
  readonly path: string;
  readonly master: Duplex;
  /** Our own handle of the device: without one, the last program to close it would hang up the pair. */
  readonly hold: number;
}

export class VirtualTty implements BoardLine {
  /** Bytes of the board that nobody read. */
  lostBytes = 0;
  private plugged: Plug | undefined;

  /** @param received Bytes that a program wrote to the device. */
  constructor(private readonly received: (bytes: Buffer) => void) {}

  /** The device file; undefined while it is pulled. */
  get path(): string | undefined {
    return this.plugged?.path;
  }

  /**
   * Makes the device appear.
   * @param otherThan A path that it must not have.
   * @throws {FleetrigError} BOARD_NO_TTY
   */
  plug(otherThan?: string): void {
    if (this.plugged !== undefined) return;
    const first = openPair();
    if (first.path !== otherThan) {
      this.plugged = first;
    } else {
      this.plugged = openPair();
      pull(first);
    }
    this.plugged.master.on("data", this.received);
  }

  /** Makes the device disappear. */
  unplug(): void {
    if (this.plugged === undefined) return;
    pull(this.plugged);
    this.plugged = undefined;
  }

  /** Bytes of the board. */
  write(bytes: Uint8Array): void {
    const master = this.plugged?.master;
    if (master === undefined || master.writableLength + bytes.length > UNREAD_MAX_BYTES)
      this.lostBytes += bytes.length;
    else master.write(bytes);
  }
}

function openPair(): Plug {
  try {
    const { fd, ptsName: path, master, slave } = open({ encoding: null });
    highestFd = Math.max(highestFd, fd);
    // What hangs up is told by pull(), and errors of a pulled device are none.
    master.on("error", () => undefined);
    const hold = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    slave.destroy();
    // Without this the line discipline would echo the board's own bytes to it until a program opens the device.
    execFileSync("stty", ["raw", "-echo"], { stdio: [hold, "ignore", "ignore"] });
    return { path, master, hold };
  } catch (cause) {
    throw new FleetrigError("BOARD_NO_TTY", "No pseudo terminal can be had for a virtual board.", {
      hint: "Check that /dev/pts is mounted and that its limit (/proc/sys/kernel/pty/max) is not reached.",
      cause,
    });
  }
}

function pull({ master, hold }: Plug): void {
  master.removeAllListeners("data");
  closeSync(hold);
  master.destroy();
}
