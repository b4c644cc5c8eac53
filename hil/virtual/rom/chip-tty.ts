import { VirtualTty } from "../virtual-tty.js";
import { VirtualChip, type VirtualChipOptions } from "./virtual-chip.js";

/**
 * A virtual chip behind a tty device, for programs that know nothing of it: flashers, terminals. A pseudo terminal has no modem lines and does not tell
 * its baud rate: resets come through `chip`, and every rate fits.
 */
export class ChipTty {
  readonly chip: VirtualChip;
  private readonly tty: VirtualTty;

  constructor(options: Omit<VirtualChipOptions, "send">) {
    const { powerLost } = options;
    this.tty = new VirtualTty((bytes) => this.chip.receive(bytes));
    this.chip = new VirtualChip({
      ...options,
      send: (bytes) => this.tty.write(bytes),
      powerLost: () => {
        this.unplug();
        powerLost?.();
      },
    });
  }

  /** The device file; undefined while it is pulled. */
  get path(): string | undefined {
    return this.tty.path;
  }

  /** Makes the device appear. @throws FleetrigError BOARD_NO_TTY */
  plug(): void {
    this.tty.plug();
  }

  unplug(): void {
    this.tty.unplug();
  }
}
