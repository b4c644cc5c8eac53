import type { LineWiring } from "../rom/strapping.js";
import type { UsbSerialKind } from "./usb-serial-device.js";

/** What a kind of adapter means for the chip behind it. */

/** The chip's own USB, which leaves the bus when the chip restarts. */
export const hasOwnUsb = (kind: UsbSerialKind): boolean => kind === "usb-jtag";

export const wiringOf = (kind: UsbSerialKind): LineWiring => (hasOwnUsb(kind) ? "usb" : "classic");

/** A MAC as Espressif writes it into the serial number: `7C:DF:A1:00:11:22`. */
export const macSerial = (mac: string): string => mac.toUpperCase().replaceAll(/(..)(?=.)/g, "$1:");
