import type { SetupPacket } from "./usbip-messages.js";
import { NOTHING, type SerialRequests, type UsbFunction } from "./usb-function.js";

/** Requests of the class [USB CDC PSTN 1.2 §6.3]. */
const REQUEST = { setLineCoding: 0x20, getLineCoding: 0x21, setLines: 0x22, sendBreak: 0x23 } as const;
const LINE_CODING_BYTES = 7;
/** 115200 baud, 8 bits, no parity, one stop bit. */
const DEFAULT_CODING = Uint8Array.of(0x00, 0xc2, 0x01, 0x00, 0, 0, 8);

/** An ESP32's own USB-Serial-JTAG; its serial number is the MAC, as `7C:DF:A1:00:11:22`. */
export function usbSerialJtag(serial: string, host: SerialRequests): UsbFunction {
  let coding = DEFAULT_CODING;
  const control = ({ request, value }: SetupPacket, data: Uint8Array): Uint8Array | undefined => {
    switch (request) {
      case REQUEST.setLineCoding:
        if (data.length < LINE_CODING_BYTES) return undefined;
        coding = data.slice(0, LINE_CODING_BYTES);
        host.baud(Buffer.from(coding).readUInt32LE(0));
        return NOTHING;
      case REQUEST.getLineCoding:
        return coding;
      case REQUEST.setLines:
        host.lines({ dtr: (value & 1) !== 0, rts: (value & 2) !== 0 });
        return NOTHING;
      case REQUEST.sendBreak:
        return NOTHING;
      default:
        return undefined;
    }
  };
  return {
    control,
    reset: () => (coding = DEFAULT_CODING),
    bulkIn: 1,
    bulkOut: 1,
    descriptors: {
      vendorId: 0x303a,
      productId: 0x1001,
      release: 0x0101,
      deviceClass: [0xef, 0x02, 0x01],
      manufacturer: "Espressif",
      product: "USB JTAG/serial debug unit",
      serial,
      interfaces: [
        {
          triple: [0x02, 0x02, 0x00],
          association: [2, 0x02, 0x02, 0x00],
          // Header, call management, abstract control with line requests, union of both interfaces.
          extra: [
            [5, 0x24, 0x00, 0x10, 0x01],
            [5, 0x24, 0x01, 0x00, 0x01],
            [4, 0x24, 0x02, 0x02],
            [5, 0x24, 0x06, 0x00, 0x01],
          ],
          endpoints: [{ address: 0x82, transfer: "interrupt", packetBytes: 64 }],
        },
        {
          triple: [0x0a, 0x00, 0x00],
          endpoints: [
            { address: 0x01, transfer: "bulk", packetBytes: 64 },
            { address: 0x81, transfer: "bulk", packetBytes: 64 },
          ],
        },
        {
          triple: [0xff, 0xff, 0x01],
          endpoints: [
            { address: 0x02, transfer: "bulk", packetBytes: 64 },
            { address: 0x83, transfer: "bulk", packetBytes: 64 },
          ],
        },
      ],
    },
  };
}
