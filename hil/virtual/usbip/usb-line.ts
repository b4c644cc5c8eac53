import type { Clock } from "fleetrig/kernel";
import type { BoardLine, BoardLineHandlers } from "../board-line.js";
import { Strapping } from "../rom/strapping.js";
import { hasOwnUsb, macSerial, wiringOf } from "./adapter-wiring.js";
import { UsbSerialDevice, type UsbPeer, type UsbSerialKind } from "./usb-serial-device.js";

export interface UsbLineOptions {
  readonly adapter: UsbSerialKind;
  /** Such as `1-1`. */
  readonly busId: string;
  /** Of the board: 12 hexadecimal digits. */
  readonly mac: string;
  readonly clock: Clock;
  /** Sees what the host asks for, before the board does. */
  readonly watch?: Partial<UsbPeer>;
}

/** A virtual board behind a USB device, whose modem lines are wired as on a development board. */
export class UsbLine implements BoardLine {
  readonly path = undefined;
  readonly device: UsbSerialDevice;

  constructor({ adapter, busId, mac, clock, watch = {} }: UsbLineOptions, handlers: BoardLineHandlers) {
    const strapping = new Strapping({
      clock,
      wiring: wiringOf(adapter),
      held: () => handlers.held(),
      released: ({ isDownload }) => handlers.released(isDownload),
    });
    this.device = new UsbSerialDevice({
      kind: adapter,
      busId,
      clock,
      watch,
      ...(hasOwnUsb(adapter) && { serial: macSerial(mac) }),
      peer: {
        received: (bytes) => handlers.received(bytes),
        lines: (lines) => strapping.set(lines),
      },
    });
    // Devices are made in their sockets.
    this.device.unplug();
  }

  plug(): void {
    this.device.plug();
  }

  unplug(): void {
    this.device.unplug();
  }

  write(bytes: Uint8Array): void {
    this.device.send(bytes);
  }
}
