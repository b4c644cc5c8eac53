/**
 * Serial ports. A *port* is an open line to a board: bytes both ways, two modem lines, a baud rate. What carries it differs (a tty behind
 * its own process, TCP, RFC 2217, memory); what is built on it does not.
 *
 * Times are microseconds of the host's monotonic clock, as `Clock.nowUs` of the run shows it.
 */
export interface Port {
  readonly address: PortAddress;
  /** Takes everything; what cannot leave at once waits. */
  write(bytes: Uint8Array): void;
  /** Bytes taken and not yet handed to the driver. */
  readonly bufferedBytes: number;
  /**
   * Sets both modem lines at once; true is asserted, which is low at the pin.
   * Rejects with PORT_LINES_UNSUPPORTED where there are none (a pty), PORT_STALLED when the driver does not answer.
   */
  setLines(lines: ModemLines): Promise<void>;
  setBaud(baud: number): Promise<void>;
  /** Never rejects, and never waits longer than the stall limit: a wedged driver is left to its process, which is ended. */
  close(): Promise<void>;
}

export interface ModemLines {
  readonly dtr: boolean;
  readonly rts: boolean;
}

/** Who hears of a port. After `closed` nothing else is called. */
export interface PortReceiver {
  /** @param atUs When the host had them. */
  received(bytes: Uint8Array, atUs: number): void;
  closed(reason: PortEnd): void;
}

/** Why a port ended. */
export type PortEnd =
  /** This side closed it. */
  | "local"
  /** The device is gone: unplugged, or powered off. */
  | "disconnected"
  /** The driver or its process did not answer. */
  | "stalled"
  | "failed";

/** Where a board is: one of the forms of `parsePortAddress`. */
export type PortAddress =
  /** A tty of this machine. */
  | { readonly kind: "tty"; readonly path: string }
  /** Raw bytes over TCP: `tcp://host:port`. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** A serial server with modem lines and baud rates: `rfc2217://host:port`. */
  | { readonly kind: "rfc2217"; readonly host: string; readonly port: number };

export interface PortOpening {
  readonly address: PortAddress;
  readonly baud: number;
  /** Lines at rest while it is open; see the reset wiring of the adapter. Default: both released. */
  readonly lines?: ModemLines;
  readonly receiver: PortReceiver;
}

/**
 * Opens ports.
 * @throws FleetrigError PORT_NOT_FOUND, PORT_BUSY, PORT_PERMISSION, PORT_STALLED, PORT_FAILED (rejections)
 */
export interface PortOpener {
  open(opening: PortOpening): Promise<Port>;
}
