import { type Clock, FleetrigError } from "fleetrig/kernel";
import { MemoryPort } from "../../port/memory-port.js";
import type { Port, PortOpener, PortOpening } from "../../port/port.js";
import { VirtualChip, type VirtualChipOptions } from "./virtual-chip.js";

export interface ChipSocketOptions extends Omit<VirtualChipOptions, "send"> {
  readonly clock: Clock;
  /** How long bytes are on the way. Default: 0. */
  readonly delayUs?: number;
}

/**
 * A virtual chip at the end of a USB cable of this process: whoever opens the port talks to it. The cable can be pulled and
 * the power cut, which are not the same: a chip that lost its cable only (a bridge with a supply of its own) goes on.
 */
export class ChipSocket implements PortOpener {
  readonly chip: VirtualChip;
  private port: MemoryPort | undefined;
  private isPlugged = true;
  private pullAfterBytes: number | undefined;

  constructor(private readonly options: ChipSocketOptions) {
    const { powerLost } = options;
    this.chip = new VirtualChip({
      ...options,
      send: (bytes) => this.port?.send(bytes),
      powerLost: () => {
        this.port?.tear();
        powerLost?.();
      },
    });
  }

  async open(opening: PortOpening): Promise<Port> {
    if (!this.isPlugged) throw notThere();
    const { clock, delayUs = 0 } = this.options;
    const port = new MemoryPort({
      clock,
      opening,
      delayUs,
      peer: {
        received: (bytes) => this.receive(bytes),
        lines: (lines) => this.chip.setLines(lines),
        baud: (baud) => this.chip.setBaud(baud),
        closed: () => {
          // As a driver does at the last close: both lines at once.
          this.chip.setLines({ dtr: false, rts: false });
          this.port = undefined;
        },
      },
    });
    this.port = port;
    return port;
  }

  /** Pulls the cable once so many bytes more have gone to the chip. */
  pullAfter(bytes: number): void {
    this.pullAfterBytes = bytes;
  }

  unplug(): void {
    this.isPlugged = false;
    this.port?.tear();
  }

  plug(): void {
    this.isPlugged = true;
    this.pullAfterBytes = undefined;
  }

  private receive(bytes: Uint8Array): void {
    const left = this.pullAfterBytes;
    if (left === undefined || left > bytes.length) {
      if (left !== undefined) this.pullAfterBytes = left - bytes.length;
      this.chip.receive(bytes);
      return;
    }
    this.pullAfterBytes = undefined;
    this.chip.receive(bytes.subarray(0, left));
    this.unplug();
  }
}

const notThere = (): FleetrigError =>
  new FleetrigError("PORT_NOT_FOUND", "There is no such port.", { hint: "The virtual chip is unplugged." });
