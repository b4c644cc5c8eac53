import type { DescriptorPlan } from "./usb-descriptors.js";
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

type Handler = (setup: SetupPacket, data: Uint8Array) => Uint8Array | undefined;

/** A CP2102, whose serial number is `0001` unless somebody has written another one. */
export const cp2102 = (serial: string, host: SerialRequests): UsbFunction => new Cp2102(serial, host);

const accepted: Handler = ({ lengthBytes }, data) => (lengthBytes === data.length ? NOTHING : undefined);

class Cp2102 implements UsbFunction {
  readonly bulkIn = 2;
  readonly bulkOut = 1;
  readonly descriptors: DescriptorPlan;
  private lines = 0;
  private lineControl = DEFAULT_LINE_CONTROL;
  private baud = 115_200;
  private flow = new Uint8Array(FLOW_BYTES);
  private readonly handlers: ReadonlyMap<number, Handler> = new Map<number, Handler>([
    [REQUEST.setModemLines, ({ value }) => this.setLines(value)],
    [REQUEST.getModemStatus, () => Uint8Array.of(this.lines)],
    [REQUEST.setBaud, (_setup, data) => this.setBaud(data)],
    [REQUEST.getBaud, () => words(this.baud, 4)],
    [REQUEST.setLineControl, ({ value }) => this.setLineControl(value)],
    [REQUEST.getLineControl, () => words(this.lineControl, 2)],
    [REQUEST.setFlow, (_setup, data) => this.setFlow(data)],
    [REQUEST.getFlow, () => this.flow],
    [REQUEST.getStatus, () => new Uint8Array(STATUS_BYTES)],
    [REQUEST.vendor, ({ value }) => (value === PART_NUMBER ? Uint8Array.of(CP2102) : undefined)],
    [REQUEST.enable, accepted],
    [REQUEST.setBaudDivider, accepted],
    [REQUEST.setBreak, accepted],
    [REQUEST.purge, accepted],
    [REQUEST.setCharacters, accepted],
  ]);

  constructor(
    serial: string,
    private readonly host: SerialRequests,
  ) {
    this.descriptors = { ...DESCRIPTORS, serial };
  }

  control(setup: SetupPacket, data: Uint8Array): Uint8Array | undefined {
    return this.handlers.get(setup.request)?.(setup, data);
  }

  reset(): void {
    this.lines = 0;
    this.lineControl = DEFAULT_LINE_CONTROL;
    this.flow = new Uint8Array(FLOW_BYTES);
  }

  private setLines(value: number): Uint8Array {
    const dtrMask = (value & LINE.dtrMask) === 0 ? 0 : LINE.dtr;
    const rtsMask = (value & LINE.rtsMask) === 0 ? 0 : LINE.rts;
    const mask = dtrMask | rtsMask;
    this.lines = (this.lines & ~mask) | (value & mask);
    this.host.lines({ dtr: (this.lines & LINE.dtr) !== 0, rts: (this.lines & LINE.rts) !== 0 });
    return NOTHING;
  }

  private setBaud(data: Uint8Array): Uint8Array | undefined {
    if (data.length < 4) return undefined;
    this.baud = Buffer.from(data).readUInt32LE(0);
    this.host.baud(this.baud);
    return NOTHING;
  }

  private setLineControl(value: number): Uint8Array {
    this.lineControl = value;
    return NOTHING;
  }

  private setFlow(data: Uint8Array): Uint8Array {
    this.flow = Uint8Array.from({ length: FLOW_BYTES }, (_, at) => data[at] ?? 0);
    return NOTHING;
  }
}

const DESCRIPTORS: Omit<DescriptorPlan, "serial"> = {
  vendorId: 0x10c4,
  productId: 0xea60,
  release: 0x0100,
  deviceClass: [0, 0, 0],
  manufacturer: "Silicon Labs",
  product: "CP2102 USB to UART Bridge Controller",
  interfaces: [
    {
      triple: [0xff, 0, 0],
      endpoints: [
        { address: 0x82, transfer: "bulk", packetBytes: 64 },
        { address: 0x01, transfer: "bulk", packetBytes: 64 },
      ],
    },
  ],
};

function words(value: number, lengthBytes: number): Uint8Array {
  const bytes = Buffer.alloc(lengthBytes);
  bytes.writeUIntLE(value, 0, lengthBytes);
  return bytes;
}
