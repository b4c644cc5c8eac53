import type { ModemLines } from "../../port/port.js";
import type { DescriptorPlan } from "./usb-descriptors.js";
import type { SetupPacket } from "./usbip-messages.js";

/** What a driver asks of a serial adapter comes down to this. */
export interface SerialRequests {
  /** Both at once, as they came. */
  lines(lines: ModemLines): void;
  baud(baud: number): void;
}

/** How a kind of adapter looks on the bus, and what its own control requests mean. */
export interface UsbFunction {
  readonly descriptors: DescriptorPlan;
  readonly bulkIn: number;
  readonly bulkOut: number;
  /** A request of class or vendor. @returns what goes to the host; undefined is a stall */
  control(setup: SetupPacket, data: Uint8Array): Uint8Array | undefined;
  /** The device was plugged in anew: what the host had set is forgotten. */
  reset(): void;
}

export const NOTHING = new Uint8Array();
