import type { SetupPacket } from "./usbip-messages.js";
import { NOTHING, type SerialRequests, type UsbFunction } from "./usb-function.js";

/** [Silicon Labs AN571, "CP210x Virtual COM Port Interface"] */
const REQUEST = {
  enable: 0x00,
  setBaudDivider: 0x01,
  setLineControl: 0x03,
  getLineControl: 0x04,
  setBreak: 0x05,
  setModemLines: 0x07,
  getModemStatus: 0x08,
  getStatus: 0x10,
  purge: 0x12,
  setFlow: 0x13,
  getFlow: 0x14,
  setCharacters: 0x19,
  getBaud: 0x1d,
  setBaud: 0x1e,
  vendor: 0xff,
} as const;
const PART_NUMBER = 0x370b;
const CP2102 = 0x02;
const STATUS_BYTES = 19;
const FLOW_BYTES = 16;
/** DTR and RTS, and which of both a request means. */
const LINE = { dtr: 0x001, rts: 0x002, dtrMask: 0x100, rtsMask: 0x200 } as const;
/** 8 bits, no parity, one stop bit. */
const DEFAULT_LINE_CONTROL = 0x0800;

/** A CP2102, whose serial number is `0001` unless somebody has written another one. */
export function cp2102(serial: string, host: SerialRequests): UsbFunction {
  let lines = 0;
  let lineControl = DEFAULT_LINE_CONTROL;
  let baud = 115_200;
  let flow = new Uint8Array(FLOW_BYTES);
  const setLines = (value: number): Uint8Array => {
    const mask =
      ((value & LINE.dtrMask) === 0 ? 0 : LINE.dtr) | ((value & LINE.rtsMask) === 0 ? 0 : LINE.rts);
    lines = (lines & ~mask) | (value & mask);
    host.lines({ dtr: (lines & LINE.dtr) !== 0, rts: (lines & LINE.rts) !== 0 });
    return NOTHING;
  };
  const setBaud = (data: Uint8Array): Uint8Array | undefined => {
    if (data.length < 4) return undefined;
    baud = Buffer.from(data).readUInt32LE(0);
    host.baud(baud);
    return NOTHING;
  };
  const control = (
    { request, value, lengthBytes }: SetupPacket,
    data: Uint8Array,
  ): Uint8Array | undefined => {
    switch (request) {
      case REQUEST.setModemLines:
        return setLines(value);
      case REQUEST.getModemStatus:
        return Uint8Array.of(lines);
      case REQUEST.setBaud:
        return setBaud(data);
      case REQUEST.getBaud:
        return words(baud, 4);
      case REQUEST.setLineControl:
        lineControl = value;
        return NOTHING;
      case REQUEST.getLineControl:
        return words(lineControl, 2);
      case REQUEST.setFlow:
        flow = Uint8Array.from(Array.from({ length: FLOW_BYTES }, (_, at) => data[at] ?? 0));
        return NOTHING;
      case REQUEST.getFlow:
        return flow;
      case REQUEST.getStatus:
        return new Uint8Array(STATUS_BYTES);
      case REQUEST.vendor:
        return value === PART_NUMBER ? Uint8Array.of(CP2102) : undefined;
      case REQUEST.enable:
      case REQUEST.setBaudDivider:
      case REQUEST.setBreak:
      case REQUEST.purge:
      case REQUEST.setCharacters:
        return lengthBytes === data.length ? NOTHING : undefined;
      default:
        return undefined;
    }
  };
  return {
    control,
    reset: () => {
      lines = 0;
      lineControl = DEFAULT_LINE_CONTROL;
      flow = new Uint8Array(FLOW_BYTES);
    },
    bulkIn: 2,
    bulkOut: 1,
    descriptors: {
      vendorId: 0x10c4,
      productId: 0xea60,
      release: 0x0100,
      deviceClass: [0, 0, 0],
      manufacturer: "Silicon Labs",
      product: "CP2102 USB to UART Bridge Controller",
      serial,
      interfaces: [
        {
          triple: [0xff, 0, 0],
          endpoints: [
            { address: 0x82, transfer: "bulk", packetBytes: 64 },
            { address: 0x01, transfer: "bulk", packetBytes: 64 },
          ],
        },
      ],
    },
  };
}

function words(value: number, lengthBytes: number): Uint8Array {
  const bytes = Buffer.alloc(lengthBytes);
  bytes.writeUIntLE(value, 0, lengthBytes);
  return bytes;
}
