import type { SetupPacket } from "./usbip-messages.js";
import { NOTHING, type SerialRequests, type UsbFunction } from "./usb-function.js";

/** Requests and registers as Linux's drivers/usb/serial/ch341.c uses them; the maker documents none. */
const REQUEST = {
  version: 0x5f,
  readRegister: 0x95,
  writeRegister: 0x9a,
  initialise: 0xa1,
  modemLines: 0xa4,
} as const;
/** Divider in the upper, prescaler in the lower half. */
const BAUD_REGISTERS = 0x1312;
const VERSION = 0x31;
const CLOCK_HZ = 48_000_000;
/** At the adapter's pins, so an asserted line is 0. */
const LINE = { dtr: 0x20, rts: 0x40 } as const;

/** A CH340, which has no serial number. */
export function ch340(host: SerialRequests): UsbFunction {
  const registers = new Map<number, number>();
  const writeRegister = (register: number, value: number): Uint8Array => {
    registers.set(register, value);
    if (register === BAUD_REGISTERS) host.baud(baudOf(value));
    return NOTHING;
  };
  const control = ({ request, value, index }: SetupPacket): Uint8Array | undefined => {
    switch (request) {
      case REQUEST.version:
        return Uint8Array.of(VERSION, 0);
      case REQUEST.modemLines:
        host.lines({ dtr: (value & LINE.dtr) === 0, rts: (value & LINE.rts) === 0 });
        return NOTHING;
      case REQUEST.writeRegister:
        return writeRegister(value, index);
      case REQUEST.readRegister: {
        const content = registers.get(value) ?? 0;
        return Uint8Array.of(content & 0xff, (content >>> 8) & 0xff);
      }
      case REQUEST.initialise:
        return NOTHING;
      default:
        return undefined;
    }
  };
  return {
    control,
    reset: () => registers.clear(),
    bulkIn: 2,
    bulkOut: 2,
    descriptors: {
      vendorId: 0x1a86,
      productId: 0x7523,
      release: 0x0264,
      deviceClass: [0xff, 0, 0],
      manufacturer: undefined,
      product: "USB Serial",
      serial: undefined,
      interfaces: [
        {
          triple: [0xff, 0x01, 0x02],
          endpoints: [
            { address: 0x82, transfer: "bulk", packetBytes: 32 },
            { address: 0x02, transfer: "bulk", packetBytes: 32 },
            { address: 0x81, transfer: "interrupt", packetBytes: 8 },
          ],
        },
      ],
    },
  };
}

/** The rate that a divider makes, to the nearest whole baud. */
export function baudOf(registers: number): number {
  const prescaler = registers & 3;
  const isUndivided = (registers >>> 2) & 1;
  const divider = 0x100 - ((registers >>> 8) & 0xff);
  return Math.round(CLOCK_HZ / (2 ** (12 - 3 * prescaler - isUndivided) * divider));
}
