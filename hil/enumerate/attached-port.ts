import type { PortAddress } from "../port/port.js";
import type { Adapter } from "./adapters.js";
import type { VirtualBoard } from "./virtual-registry.js";

/** A port of this machine where a board may be. Nothing was opened to find it, so no board was reset. */
export interface AttachedPort {
  readonly address: PortAddress;
  /** As users write it. */
  readonly path: string;
  readonly adapter: Adapter;
  readonly driver: string | undefined;
  readonly usb: UsbPort | undefined;
  /** Links of udev to it, sorted: two adapters without serial numbers share one by-id link, and only one of them has it. */
  readonly byId: readonly string[];
  readonly byPath: readonly string[];
  /** Of boards that fleetrig runs. */
  readonly virtual: VirtualBoard | undefined;
}

/** Where on the USB tree a port is. */
export interface UsbPort {
  /** Four lower-case hexadecimal digits. */
  readonly vendorId: string;
  readonly productId: string;
  readonly serial: string | undefined;
  readonly manufacturer: string | undefined;
  readonly product: string | undefined;
  /** Bus and ports of the hubs on the way, such as `1-1.4`: the socket it is plugged into. */
  readonly path: string;
  /** Number of the USB interface. */
  readonly interface: number;
  /** Of adapters that have several ports on one interface. */
  readonly portNumber: number | undefined;
  /** The kernel's number of the device; another one after each plugging in. */
  readonly deviceNumber: number;
}
