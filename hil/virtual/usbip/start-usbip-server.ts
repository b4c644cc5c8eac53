import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Clock, EXIT, FleetrigError, US_PER_S } from "fleetrig/kernel";
import { UsbipSession } from "./usbip-session.js";
import type { UsbSerialDevice } from "./usb-serial-device.js";

export interface UsbipServerOptions {
  readonly clock: Clock;
  /** Devices on its bus, plugged in or not; more may be added meanwhile. Bus ids differ. */
  readonly devices: readonly UsbSerialDevice[];
  /** Default: 127.0.0.1. The protocol knows neither passwords nor encryption. */
  readonly host?: string;
  /** Default: 0, any free one; USB/IP's own is 3240. */
  readonly port?: number;
  /** Lets everybody who reaches a host beyond this machine use the devices. Default: false. */
  readonly allowInsecure?: boolean;
}

export interface UsbipServer {
  readonly host: string;
  readonly port: number;
  /** Lets go of all hosts: for them their devices are unplugged. */
  close(): Promise<void>;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
/** For a list or an import to be asked for. */
const PATIENCE_US = 5 * US_PER_S;
/** Beyond the imported devices. */
const MAX_ASKING = 32;

/**
 * Offers virtual USB devices to kernels with `vhci-hcd`: `usbip attach -r 127.0.0.1 -b 1-1` plugs one in, and its tty appears.
 * @throws FleetrigError BOARD_USB_INSECURE, BOARD_USB_UNAVAILABLE (rejections)
 */
export async function startUsbipServer(options: UsbipServerOptions): Promise<UsbipServer> {
  const { host = "127.0.0.1", port = 0 } = options;
  if (!LOOPBACK.has(host) && options.allowInsecure !== true) {
    throw new FleetrigError("BOARD_USB_INSECURE", `Everybody who reaches ${host} could use the devices.`, {
      hint: "Listen on 127.0.0.1, or allow it explicitly.",
      exitCode: EXIT.usage,
    });
  }
  return new DeviceServer(options).listen(host, port);
}

class DeviceServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(private readonly options: UsbipServerOptions) {
    this.server = createServer({ noDelay: true }, (socket) => this.serve(socket));
  }

  listen(host: string, port: number): Promise<UsbipServer> {
    return new Promise((resolve, reject) => {
      this.server.once("error", (error) =>
        reject(
          new FleetrigError("BOARD_USB_UNAVAILABLE", `Cannot listen on ${host}:${port} for USB/IP.`, {
            hint: `The system says: ${error.message}. Port 0 takes any free one.`,
            exitCode: EXIT.usage,
          }),
        ),
      );
      this.server.listen(port, host, () => {
        const { port: actual } = this.server.address() as AddressInfo;
        resolve({ host, port: actual, close: () => this.close() });
      });
    });
  }

  private close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private serve(socket: Socket): void {
    if (this.sockets.size >= this.options.devices.length + MAX_ASKING) {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    const session = new UsbipSession({
      devices: () => this.options.devices,
      send: (bytes) => socket.write(bytes),
      // The kernel on the other side shuts down what it has read to its end.
      finish: () => socket.destroySoon(),
    });
    const patience = this.options.clock.after(PATIENCE_US, () => {
      if (!session.isImported) socket.destroy();
    });
    socket.on("data", (bytes) => session.push(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      patience.cancel();
      this.sockets.delete(socket);
      session.ended();
    });
  }
}
