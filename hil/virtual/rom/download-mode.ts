import type { Clock } from "fleetrig/kernel";
import type { ChipName } from "./chip-profile.js";
import { FileFlash } from "./flash-memory.js";
import { VirtualChip } from "./virtual-chip.js";

/** What a virtual board needs to be flashed as a chip is. */
export interface RomPlan {
  /** Whose ROM it is. */
  readonly chip: ChipName;
  /** File with the board's flash. */
  readonly flash: string;
  readonly flashBytes: number;
}

export interface DownloadModeOptions extends RomPlan {
  /** 12 lower-case hexadecimal digits. */
  readonly mac: string;
  readonly clock: Clock;
  readonly send: (bytes: Uint8Array) => void;
  /** The host has told the loader to start what is in flash. */
  readonly left: () => void;
}

/**
 * A virtual board while it is in download mode: its ROM's boot loader on the board's own flash file. What runs from that file otherwise is
 * another program's business, and must not have it open meanwhile.
 */
export class DownloadMode {
  private readonly flash: FileFlash;
  private readonly chip: VirtualChip;

  constructor({ chip, flash, flashBytes, mac, clock, send, left }: DownloadModeOptions) {
    this.flash = new FileFlash(flash, flashBytes);
    const application = { start: left, stop: () => {}, receive: () => {} };
    this.chip = new VirtualChip({
      chip,
      mac,
      flash: this.flash,
      clock,
      // What starts from flash says so itself.
      send: (bytes) => {
        if (this.chip.state === "download") send(bytes);
      },
      isBootable: () => true,
      application: () => application,
    });
    this.chip.setLines({ dtr: true, rts: false });
    this.chip.powerOn();
  }

  receive(bytes: Uint8Array): void {
    this.chip.receive(bytes);
  }

  /** Another reset, or the power is gone. */
  end(): void {
    this.chip.powerOff();
    this.flash.close();
  }
}
