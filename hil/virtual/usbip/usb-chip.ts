import { US_PER_MS } from "fleetrig/kernel";
import { VirtualChip, type VirtualChipOptions } from "../rom/virtual-chip.js";
import { hasOwnUsb, macSerial, wiringOf } from "./adapter-wiring.js";
import { UsbSerialDevice, type UsbPeer, type UsbSerialKind } from "./usb-serial-device.js";

/** How long a chip's own USB is away when the chip starts anew. */
const REENUMERATION_US = 150 * US_PER_MS;

export interface UsbChipOptions extends Omit<VirtualChipOptions, "send" | "wiring" | "restarted"> {
  readonly kind: UsbSerialKind;
  /** Such as `1-1`. */
  readonly busId: string;
  /** Of a CP2102; default `0001`. */
  readonly serial?: string;
  /**
   * USB-Serial-JTAG: whether a reset by its lines takes it off the bus for a moment, as power and deep sleep always do.
   * Default: true.
   */
  readonly vanishes?: boolean;
  /** Sees what the host asks for, before the chip does. */
  readonly watch?: Partial<UsbPeer>;
}

/** A virtual chip on a virtual USB cable that carries its power too. */
export class UsbChip {
  readonly chip: VirtualChip;
  readonly device: UsbSerialDevice;

  constructor(options: UsbChipOptions) {
    const { kind, busId, mac, clock, vanishes = true, watch = {} } = options;
    const isOwnUsb = hasOwnUsb(kind);
    const serial = isOwnUsb ? macSerial(mac) : options.serial;
    this.chip = new VirtualChip({
      ...options,
      wiring: wiringOf(kind),
      send: (bytes) => this.device.send(bytes),
      ...(isOwnUsb && vanishes && { restarted: () => this.device.reenumerate(REENUMERATION_US) }),
    });
    this.device = new UsbSerialDevice({
      kind,
      busId,
      clock,
      watch,
      ...(serial !== undefined && { serial }),
      peer: {
        received: (bytes) => this.chip.receive(bytes),
        lines: (lines) => this.chip.setLines(lines),
        baud: (baud) => {
          if (!isOwnUsb) this.chip.setBaud(baud);
        },
      },
    });
    this.chip.powerOn();
  }

  /** Pulls the cable. */
  unplug(): void {
    this.device.unplug();
    this.chip.powerOff();
  }

  plug(): void {
    this.device.plug();
    this.chip.powerOn();
  }
}
