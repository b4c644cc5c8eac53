import type { Clock } from "fleetrig/kernel";
import type { BoardLineHandlers } from "../board-line.js";
import { startUsbipServer, type UsbipServer } from "./start-usbip-server.js";
import { UsbLine, type UsbLineOptions } from "./usb-line.js";
import type { UsbSerialDevice } from "./usb-serial-device.js";

/** A bus that a USB/IP server on loopback offers, to which boards are added while it runs. */
export class UsbBus {
  private sockets = 0;

  private constructor(
    private readonly clock: Clock,
    private readonly devices: UsbSerialDevice[],
    private readonly server: UsbipServer,
  ) {}

  /**
   * @param port 0 takes any free one
   * @throws {FleetrigError} BOARD_USB_UNAVAILABLE (rejection)
   */
  static async open(clock: Clock, port: number): Promise<UsbBus> {
    const devices: UsbSerialDevice[] = [];
    return new UsbBus(clock, devices, await startUsbipServer({ clock, devices, port }));
  }

  /** Where it listens. */
  get port(): number {
    return this.server.port;
  }

  /** @returns a bus id that no other board has had */
  takeSocket(): string {
    this.sockets += 1;
    return `1-${this.sockets}`;
  }

  line(options: Omit<UsbLineOptions, "clock">, handlers: BoardLineHandlers): UsbLine {
    const line = new UsbLine({ ...options, clock: this.clock }, handlers);
    this.devices.push(line.device);
    return line;
  }
}
