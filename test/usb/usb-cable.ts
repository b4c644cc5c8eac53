import { connect, type Socket } from "node:net";
import type { ModemLines } from "fleetrig/hil";
import { UsbHost } from "./usb-host.js";

/** How the driver of an adapter uses it. */
interface Driver {
  readonly bulkIn: number;
  readonly bulkOut: number;
  /** The request that sets both lines: its type, itself, and what its value has beside them. */
  readonly setLines: readonly [requestType: number, request: number, mask: number];
}

const DRIVERS = {
  cp2102: { bulkIn: 2, bulkOut: 1, setLines: [0x41, 0x07, 0x300] },
  "usb-jtag": { bulkIn: 1, bulkOut: 1, setLines: [0x21, 0x22, 0] },
} as const satisfies Record<string, Driver>;

export interface UsbCableOptions {
  readonly port: number;
  readonly busId: string;
  readonly adapter: keyof typeof DRIVERS;
  readonly received: (bytes: Uint8Array) => void;
}

/** A kernel that has attached an adapter of a USB/IP server, with its tty open. */
export class UsbCable {
  /** The device has left the bus, or was not there. */
  isGone = false;
  readonly host: UsbHost;
  private readonly socket: Socket;
  private readonly driver: Driver;
  private reading: number;

  constructor({ port, busId, adapter, received }: UsbCableOptions) {
    this.driver = DRIVERS[adapter];
    this.socket = connect({ host: "127.0.0.1", port });
    this.socket.on("data", (bytes) => this.host.take(bytes));
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => (this.isGone = true));
    this.host = new UsbHost(
      (bytes) => this.socket.write(bytes),
      ({ sequence, data }) => {
        if (sequence !== this.reading) return;
        this.reading = this.host.read(this.driver.bulkIn);
        received(data);
      },
    );
    this.host.import(busId);
    this.reading = this.host.read(this.driver.bulkIn);
  }

  write(bytes: Uint8Array): void {
    if (!this.isGone) this.host.write(this.driver.bulkOut, bytes);
  }

  setLines({ dtr, rts }: ModemLines): void {
    const [requestType, request, mask] = this.driver.setLines;
    this.host.control(requestType, request, mask | (rts ? 2 : 0) | (dtr ? 1 : 0));
  }

  unplug(): void {
    this.socket.destroy();
  }
}
