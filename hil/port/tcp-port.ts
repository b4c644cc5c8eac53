import { connect, type Socket } from "node:net";
import { type Clock, FleetrigError, US_PER_S } from "fleetrig/kernel";
import { formatPortAddress } from "./port-address.js";
import { portClosed, portError, portGone, portStalled } from "./port-error.js";
import type { ModemLines, Port, PortAddress, PortEnd, PortOpening, PortReceiver } from "./port.js";

/** How long a server may take to accept, and to answer. */
export const NETWORK_STALL_US = 3 * US_PER_S;
/** A server that vanished without a word is noticed by probes of the operating system. */
const PROBE_AFTER_MS = 5_000;

export interface NetworkPortOptions {
  readonly clock: Clock;
  /** Of the exported port; sent first, as a line. Goes over the network as it is. */
  readonly token?: string | undefined;
  /** Default: {@link NETWORK_STALL_US}. */
  readonly stallUs?: number | undefined;
}

type NetworkAddress = Exclude<PortAddress, { kind: "tty" }>;

/** Connects to raw bytes over TCP. @throws see `PortOpener` */
export async function openTcpPort(opening: PortOpening, options: NetworkPortOptions): Promise<TcpPort> {
  const socket = await connected(opening.address as NetworkAddress, options);
  return new TcpPort(socket, opening, options);
}

function connected(address: NetworkAddress, options: NetworkPortOptions): Promise<Socket> {
  const { clock, token, stallUs = NETWORK_STALL_US } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    const patience = clock.after(stallUs, () => {
      socket.destroy();
      reject(portStalled(address, "connecting"));
    });
    socket.once("error", (error) => {
      patience.cancel();
      reject(portError(address, error.message));
    });
    socket.once("connect", () => {
      patience.cancel();
      socket.removeAllListeners("error");
      socket.setKeepAlive(true, PROBE_AFTER_MS);
      if (token !== undefined) socket.write(`${token}\n`);
      resolve(socket);
    });
  });
}

/** Bytes over TCP. It has no modem lines, and the baud rate is whatever the other side uses. */
export class TcpPort implements Port {
  readonly address: PortAddress;
  private readonly receiver: PortReceiver;
  private end: PortEnd | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly opening: PortOpening,
    private readonly options: NetworkPortOptions,
  ) {
    this.address = opening.address;
    this.receiver = opening.receiver;
    socket.on("data", (chunk: Buffer) => {
      if (this.end === undefined) this.receiver.received(chunk, options.clock.nowUs());
    });
    socket.on("error", () => {});
    socket.on("close", () => this.finish("disconnected"));
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    // The socket keeps what it cannot send at once, and the caller may use its buffer again.
    if (this.end === undefined && this.closing === undefined) this.socket.write(bytes.slice());
  }

  setLines(_lines: ModemLines): Promise<void> {
    return Promise.reject(portError(this.address, "Inappropriate ioctl for device"));
  }

  /** Only confirms the rate that it was opened with. @throws FleetrigError PORT_BAUD_FIXED (rejection) */
  async setBaud(baud: number): Promise<void> {
    if (baud === this.opening.baud) return;
    throw new FleetrigError(
      "PORT_BAUD_FIXED",
      `The rate of ${formatPortAddress(this.address)} cannot be set.`,
      {
        hint: "Raw TCP carries bytes only; export the port as rfc2217:// to set its rate.",
      },
    );
  }

  close(): Promise<void> {
    this.closing ??= this.farewell();
    return this.closing;
  }

  /** Ends it for a reason that its user knows better. */
  abandon(reason: PortEnd): void {
    this.finish(reason);
  }

  /** Why nothing can be asked of it any more. */
  get failure(): FleetrigError | undefined {
    if (this.end === undefined) return undefined;
    return this.end === "disconnected"
      ? portGone(this.address, "connection ended")
      : portClosed(this.address);
  }

  private farewell(): Promise<void> {
    if (this.end !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const { clock, stallUs = NETWORK_STALL_US } = this.options;
      const done = (): void => {
        patience.cancel();
        this.finish("local");
        resolve();
      };
      const patience = clock.after(stallUs, done);
      this.socket.once("close", done);
      this.socket.end(done);
    });
  }

  private finish(reason: PortEnd): void {
    if (this.end !== undefined) return;
    this.end = this.closing === undefined ? reason : "local";
    this.socket.destroy();
    this.receiver.closed(this.end);
  }
}
